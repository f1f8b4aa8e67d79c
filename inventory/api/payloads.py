"""Bodies of the endpoints about children: one reference, several, or an object to be made."""

from dataclasses import dataclass
from typing import Any, Final, Self

from django.http import HttpRequest

from inventory.api.objects import MAX_OBJECT_BODY
from tenants.api.http import read_object, validation_error

MAX_CHILDREN: Final = 2_000  # references in one body
A_REFERENCE: Final = "managedobjectreference+json"
SEVERAL_REFERENCES: Final = "managedobjectreferencecollection+json"
AN_OBJECT: Final = "managedobject+json"


@dataclass(frozen=True)
class ChildrenPayload:
    """What is to be put beneath an object, or taken out: by their IDs, or a new object.

    ``is_single`` says that one reference was sent, so that one is answered.
    """

    ids: tuple[str, ...]
    new: dict[str, Any] | None
    is_single: bool

    @classmethod
    def read(cls, request: HttpRequest) -> Self:
        """Read the body by its media type, and by its shape where that does not say."""
        body = read_object(request, most=MAX_OBJECT_BODY)
        says = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if says.endswith(SEVERAL_REFERENCES):
            return cls(_ids(body), None, is_single=False)
        if says.endswith(A_REFERENCE):
            return cls((_id(body),), None, is_single=True)
        if says.endswith(AN_OBJECT):
            return cls((), body, is_single=True)
        if "references" in body:
            return cls(_ids(body), None, is_single=False)
        if "managedObject" in body:
            return cls((_id(body),), None, is_single=True)
        return cls((), body, is_single=True)


def _ids(body: dict[str, Any]) -> tuple[str, ...]:
    references = body.get("references")
    if references is None:
        raise validation_error("Following mandatory fields should be included: references")
    if not isinstance(references, list):
        raise validation_error("Field references must be a list.")
    if len(references) > MAX_CHILDREN:
        raise validation_error(f"Send at most {MAX_CHILDREN} references at once.")
    return tuple(dict.fromkeys(_id(one) for one in references))


def _id(reference: Any) -> str:
    """Return the ID in ``{"managedObject": {"id": "2"}}``; a number will do as well."""
    inner = reference.get("managedObject") if isinstance(reference, dict) else None
    value = inner.get("id") if isinstance(inner, dict) else None
    if value is None or value == "":
        raise validation_error("Following mandatory fields should be included: managedObject.id")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise validation_error("Field managedObject.id must be the ID of an object.")
    return str(value)
