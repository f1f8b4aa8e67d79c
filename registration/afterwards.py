"""What this app knows of devices that are in, for the app that looks after them."""

from collections.abc import Iterator
from contextlib import suppress

from django.db.models import Exists, OuterRef
from django.urls import reverse

from inventory.history import Happening, Origin
from inventory.models import ManagedObject
from registration.models import Registration, RegistrationEvent
from tenants.actors import Actor
from tenants.roles import Role


def let_go(tenant_id: str, device_id: str, by: Actor) -> None:
    """Let the registration of a device go whose login is being deleted."""
    found = Registration.objects.filter(tenant=tenant_id, device_id=device_id).first()
    if found is not None:
        with suppress(Registration.DoesNotExist):  # cancelled, or moved away, in this very moment
            found.let_go(by=by)


def leave_groups(tenant_id: str, group_ids: list[int]) -> None:
    """Let registrations whose group is about to be deleted join none."""
    Registration.objects.filter(tenant=tenant_id, group__in=group_ids).update(group=None)


def count_joining(tenant_id: str, group_ids: list[int], limit: int) -> int:
    """Return how many registrations will put their device into these groups, up to ``limit``."""
    reported = ManagedObject.objects.filter(
        tenant=tenant_id, device_id=OuterRef("device_id"), reported_at__isnull=False
    )
    joining = Registration.objects.filter(~Exists(reported), tenant=tenant_id, group__in=group_ids)
    return joining[:limit].count()


def history(tenant_id: str, device_id: str, limit: int) -> Iterator[Happening]:
    """Tell how a device got in."""
    events = RegistrationEvent.objects.filter(tenant=tenant_id, device_id=device_id)
    for event in events.order_by("-pk")[:limit]:
        yield Happening(
            at=event.at,
            kind=event.kind,
            what=event.get_kind_display(),
            who=event.actor_name,
            source=event.source,
            why=event.reason,
        )


def origin(tenant_id: str, device_id: str) -> Origin | None:
    """Return the page of the registration by which a device got in, if it is still there."""
    found = Registration.objects.filter(tenant=tenant_id, device_id=device_id).first()
    if found is None:
        return None
    url = reverse("registration:detail", args=[found.pk])
    return Origin("Registration", url, Role.DEVICE_CONTROL_READ)
