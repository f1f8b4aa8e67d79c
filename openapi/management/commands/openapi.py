"""``manage.py openapi``: the API as a document, for tools that make clients of it."""

import json
from typing import Any

from django.core.management import BaseCommand

from openapi.generate import document


class Command(BaseCommand):
    """Write the OpenAPI document."""

    help = "Print the OpenAPI 3.1 document of the API, as it is served at /api/openapi.json."
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Print the document."""
        self.stdout.write(json.dumps(document(), indent=2, ensure_ascii=False))
