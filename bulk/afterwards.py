"""What imports know of devices that are in, for the app that looks after them."""

from collections.abc import Iterator

from django.db.models import Q
from django.urls import reverse

from bulk.keys import item_key
from bulk.models import HOLDS_FILE, Door, Form, Import, ImportItem, Outcome
from inventory.history import Happening, Origin
from inventory.models import DeviceType, ManagedObject
from tenants.models import Tenant
from tenants.roles import Role

TOLD = {
    Outcome.CREATED: "Registered by bulk registration",
    Outcome.UPDATED: "Updated by bulk registration",
}
# Without a file: a form in the console, or the Operations API.
TOLD_OF_CALLS = {
    Outcome.CREATED: {Door.CONSOLE: "Registered", Door.OPS: "Registered by the Operations API"},
    Outcome.UPDATED: {
        Door.CONSOLE: "Registered again",
        Door.OPS: "Updated by the Operations API",
    },
}


def history(tenant_id: str, device_id: str, limit: int) -> Iterator[Happening]:
    """Tell which imports a device was in."""
    items = ImportItem.objects.filter(
        key=item_key(device_id), tenant_id=tenant_id, outcome__in=list(TOLD)
    )
    for item in items.select_related("owner__device_type").order_by("-owner__created_at")[:limit]:
        yield Happening(
            at=item.owner.started_at or item.owner.created_at,
            kind="bulk",
            what=_what(item),
            who=item.owner.created_by_name,
            source=item.owner.source,
            why=_why(item),
        )


def batch(viewer: Tenant, device: ManagedObject) -> Origin | None:
    """Return the import that a device came in with, if that is the viewer's own."""
    items = ImportItem.objects.filter(
        key=item_key(device.device_id),
        tenant_id=device.tenant_id,
        outcome=Outcome.CREATED,
        owner__tenant=viewer,
    )
    # A row of a simple registration knows its registration; the device came of that.
    own = items.filter(Q(number=device.pk) | Q(owner__form=Form.SIMPLE))
    item = own.select_related("owner").order_by("-owner__created_at").first()
    if item is None:
        return None
    url = reverse("bulk:detail", args=[item.owner_id])
    return Origin(str(item.owner), url, Role.DEVICE_CONTROL_READ)


def _what(item: ImportItem) -> str:
    outcome = Outcome(item.outcome)
    if item.owner.has_file:
        return TOLD[outcome]
    return TOLD_OF_CALLS[outcome].get(Door(item.owner.door), TOLD[outcome])


def _why(item: ImportItem) -> str:
    """Return where it stood; the file may be of others, and its name may tell of others still."""
    if not item.owner.has_file:
        kind = item.owner.device_type
        return f"With the device type {kind}." if kind else ""
    is_own = item.owner.tenant_id == item.tenant_id
    return f"Line {item.line} of {item.owner}." if is_own else "By the management tenant."


def is_being_registered(device_type: DeviceType) -> bool:
    """Say whether a list of devices of the type is waiting to be registered, or at it."""
    return Import.objects.filter(device_type=device_type, state__in=HOLDS_FILE).exists()
