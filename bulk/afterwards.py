"""What imports know of devices that are in, for the app that looks after them."""

from collections.abc import Iterator

from bulk.keys import item_key
from bulk.models import ImportItem, Outcome
from inventory.history import Happening

TOLD = {
    Outcome.CREATED: "Registered by bulk registration",
    Outcome.UPDATED: "Updated by bulk registration",
}


def history(tenant_id: str, device_id: str, limit: int) -> Iterator[Happening]:
    """Tell which imports a device was in."""
    items = ImportItem.objects.filter(
        key=item_key(device_id), tenant_id=tenant_id, outcome__in=list(TOLD)
    )
    for item in items.select_related("owner").order_by("-owner__created_at")[:limit]:
        yield Happening(
            at=item.owner.started_at or item.owner.created_at,
            kind="bulk",
            what=TOLD[Outcome(item.outcome)],
            who=item.owner.created_by_name,
            source=item.owner.source,
            why=_why(item),
        )


def _why(item: ImportItem) -> str:
    """Return where it stood; the file may be of others, and its name may tell of others still."""
    is_own = item.owner.tenant_id == item.tenant_id
    return f"Line {item.line} of {item.owner}." if is_own else "By the management tenant."
