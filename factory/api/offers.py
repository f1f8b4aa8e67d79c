"""The devices in the body of a request, each read for itself: one that is wrong spoils no other."""

from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings

from bulk.preshared import Offer, Result
from factory.api.checking import Flaw, flaws
from factory.api.refusals import ProblemError, bad_request
from factory.api.shapes import OFFER, OFFERS

# The member that is wrong, by the code; with other codes it is the device as a whole.
_MEMBERS: Final = {
    "empty_id": "device_id",
    "invalid_device_id": "device_id",
    "pattern_mismatch": "device_id",
    "secret_required": "secret",
    "empty_secret": "secret",
    "secret_too_short": "secret",
    "secret_too_long": "secret",
    "secret_equals_id": "secret",
    "name_too_long": "name",
    "name_not_kept": "name",
}


@dataclass(frozen=True)
class Refused:
    """A device that cannot even be asked for; nothing of it is repeated, as it may be anything."""

    index: int
    flaw: Flaw

    def as_error(self) -> dict[str, Any]:
        """Return the entry in a list of errors."""
        return {"index": self.index, **self.flaw.as_error()}

    def as_entry(self) -> dict[str, Any]:
        """Return the entry in a list of results."""
        return {
            "index": self.index,
            "result": "failed",
            "code": self.flaw.code,
            "detail": self.flaw.detail,
        }


def read_offers(body: dict[str, Any]) -> list[Offer | Refused]:
    """Return the devices in the body, in their order.

    Raises:
        ProblemError: 400 it is no list of devices, 413 there are too many.
    """
    wrong = next(flaws(body, OFFERS), None)
    if wrong is not None:
        raise bad_request('The body must be {"device_ids": [...]}, and nothing else.')
    items = body["device_ids"]
    if len(items) > settings.OPS_MAX_ITEMS:
        raise ProblemError(
            "too-large",
            f"There are {len(items):,} devices in the body. Send at most "
            f"{settings.OPS_MAX_ITEMS:,} at a time.",
        )
    return [_read(index, item) for index, item in enumerate(items)]


def _read(index: int, item: Any) -> Offer | Refused:
    flaw = next(flaws(item, OFFER), None)
    if flaw is None and item.get("secret") == "":
        flaw = Flaw(("secret",), "empty_secret", "The secret is empty.")
    if flaw is None:
        return Offer(item["device_id"], item.get("secret") or "", item.get("name") or "")
    if flaw.code == "missing":
        flaw = Flaw(flaw.path, "empty_id", "The device ID is missing.")
    elif flaw.code == "too_long":
        flaw = Flaw(flaw.path, "name_too_long", flaw.detail)
    return Refused(index, Flaw(("device_ids", str(index), *flaw.path), flaw.code, flaw.detail))


def entry_of(index: int, result: Result) -> dict[str, Any]:
    """Return what became of the device at ``index``."""
    entry: dict[str, Any] = {"index": index, "result": result.result}
    if result.device_id:  # one that breaks the rules of IDs may be a secret in the wrong place
        entry["device_id"] = result.device_id
    if result.code:
        entry |= {"code": result.code, "detail": result.detail}
    return entry


def error_of(index: int, offer: Offer, result: Result) -> dict[str, Any]:
    """Return why the device at ``index`` failed, and which of its members is to blame."""
    member = _MEMBERS.get(result.code, "")
    if result.code == "invalid_characters":
        is_name = result.device_id and not offer.name.isprintable()
        member = "name" if is_name else "secret" if result.device_id else "device_id"
    place = ("device_ids", str(index), *((member,) if member else ()))
    error = {"index": index, **Flaw(place, result.code, result.detail).as_error()}
    return {**error, "device_id": result.device_id} if result.device_id else error
