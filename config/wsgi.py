"""The WSGI application: bodies made whole, the fast lane, then Django."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
_django = get_wsgi_application()

from bulk.api.urls import PATH as BULK_PATH  # noqa: E402
from config.bodies import ChunkedBodies, WholeBodies  # noqa: E402
from registration.lane import FastLane  # noqa: E402

application = WholeBodies(ChunkedBodies(FastLane(_django), streamed={f"/{BULK_PATH}"}))
