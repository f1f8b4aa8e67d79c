"""A package that adds a way of registering: wells, each with its depth."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from extensions.protocols import Bulk, Caller, Metadata, Protocol, ProviderError
from registration.errors import RegistrationError
from registration.models import Registration

WELL = {
    "title": "Well",
    "required": ["id", "depth"],
    "properties": {
        "id": {"type": "string", "title": "Number of the well"},
        "depth": {"type": "number", "title": "Depth in metres", "minimum": 0},
    },
}


class Wells(Protocol):
    key, name, description, has_bulk = "wells", "Wells", "Sensors that hang in wells", True

    def metadata(self, caller: Caller, *, wants_bulk: bool = False) -> Metadata:
        return Metadata("Register a well", pages=[WELL], bulk=Bulk("Wells by a file"))

    def register(self, caller: Caller, model: Mapping[str, Any]) -> Any:
        properties = {"depth": model.get("depth")}
        try:
            Registration.objects.register(
                caller.tenant, model["id"], by=caller.by, custom_properties=properties
            )
        except RegistrationError as error:
            raise ProviderError(str(error)) from error

    def register_file(self, caller: Caller, file: Iterable[bytes], name: str, size: int) -> Any:
        numbers = b"".join(file).decode().split()
        with transaction.atomic():  # all of them or none
            for number in numbers:
                self.register(caller, {"id": number})
        return {"message": f"{len(numbers)} wells are registered."}
