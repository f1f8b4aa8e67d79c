"""Which registrations: every look-up in the name of a tenant, and how a new one comes to be."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final, Self

from django.db import models, transaction

from inventory.locks import hold_id, keep_group
from inventory.models import (
    DeviceCredentials,
    DeviceGroup,
    DeviceType,
    SecurityOption,
    Tombstone,
)
from registration.device_ids import clean_device_id
from registration.errors import DeviceOfTypeError, DuplicateError
from registration.lifecycle import Stage, Status
from registration.models.events import RegistrationEvent
from registration.models.tally import Tally
from tenants.actors import Actor
from tenants.models import Tenant

if TYPE_CHECKING:
    from registration.models.registration import Registration

_STATUS_OF: Final = {
    Stage.WAITING: Status.WAITING_FOR_CONNECTION,
    Stage.PENDING: Status.PENDING_ACCEPTANCE,
    Stage.ACCEPTED: Status.ACCEPTED,
    Stage.DELIVERED: Status.ACCEPTED,
    Stage.BLOCKED: Status.BLOCKED,
}


class RegistrationQuerySet(models.QuerySet["Registration"]):
    """Registrations are always asked for in the name of a tenant."""

    def for_tenant(self, tenant: Tenant) -> Self:
        """Narrow to what ``tenant`` may see: its own rows; all, for the management tenant."""
        return self if tenant.is_management else self.filter(tenant=tenant)

    def without_key(self) -> Self:
        """Leave out devices whose type asks them for a provisioning key.

        The bootstrap account is shared by everybody's devices: to these, it must not open.
        """
        return self.exclude(device_type__security_option=SecurityOption.TEMPORARY_CREDENTIALS)

    def unfinished(self) -> Self:
        """Narrow to registrations whose device has not logged in yet."""
        return self.filter(confirmed_at__isnull=True)

    def at_stage(self, stage: Stage) -> Self:
        """Narrow to one stage of the way in."""
        return self.at_stages((stage,))

    def at_stages(self, stages: Collection[Stage]) -> Self:
        """Narrow to what a list shows: all unfinished, one status, or the finished ones.

        Each of these has its index. Accepted and delivered share a status, and so a list; those
        delivered, which few are for long, have one of their own as well.
        """
        if Stage.CONFIRMED in stages:
            return self.filter(confirmed_at__isnull=False)
        statuses = {_STATUS_OF[stage] for stage in stages}
        rows = self.unfinished()
        if len(statuses) == len(Status):
            return rows
        # Equality, not IN, keeps the index's order: the page then starts without a sort.
        if set(stages) == {Stage.DELIVERED}:
            # Its status is known; named here, SQLite would take the index of all accepted ones.
            return rows.filter(delivered_at__isnull=False)
        if len(statuses) > 1:
            return rows.filter(status__in=statuses)
        rows = rows.filter(status=statuses.pop())
        return rows.filter(delivered_at=None) if set(stages) == {Stage.ACCEPTED} else rows

    def in_conflict(self) -> Self:
        """Narrow to those that somebody else knocked for as well, and that are not in yet."""
        return self.unfinished().filter(conflicts__gt=0)

    @staticmethod
    def count_by_stage(tenant: Tenant, *, only: Tenant | None = None) -> Mapping[Stage, int]:
        """Return how many registrations ``tenant`` sees at each stage, without counting them."""
        return Tally.counts(tenant, only=only)

    def with_display(self) -> Self:
        """Fetch what a row shows, in one query."""
        deleted = Tombstone.objects.filter(
            tenant=models.OuterRef("tenant"), device_id=models.OuterRef("device_id")
        )
        shown = self.select_related("group", "tenant", "device_type")
        return shown.annotate(is_returning=models.Exists(deleted))

    def register(
        self,
        tenant: Tenant,
        device_id: str,
        *,
        by: Actor,
        group: DeviceGroup | None = None,
        object_type: str = "",
        device_type: DeviceType | None = None,
        custom_properties: dict[str, object] | None = None,
    ) -> "Registration":
        """Expect a device: from now on it may knock, and somebody may let it in.

        An ID is unique across all tenants, because a device that knocks says only its ID. A
        registration whose device is in long since gives way to a new one in the same tenant.

        Raises:
            DeviceIdError: ``device_id`` breaks the rule.
            GroupPathError: somebody has deleted the group.
            DuplicateError: a registration of this ID is open, or the device is another tenant's.
            DeviceOfTypeError: it is a device that came in by its device type.
        """
        device_id = clean_device_id(device_id)
        with transaction.atomic():
            hold_id(device_id)
            if DeviceCredentials.objects.of_others(tenant, device_id).exists():
                raise DuplicateError(device_id)
            if DeviceCredentials.objects.of_types(tenant).filter(device_id=device_id).exists():
                raise DeviceOfTypeError(device_id)
            finished = self.filter(device_id=device_id, tenant=tenant, confirmed_at__isnull=False)
            for old in finished.select_for_update():
                old.remove(by=by, kind=RegistrationEvent.Kind.SUPERSEDED)
            registration = self.model(
                tenant=tenant,
                device_id=device_id,
                status=Status.WAITING_FOR_CONNECTION,
                group=group,
                type=object_type,
                device_type=device_type,
                custom_properties=custom_properties or {},
                created_by=by.user,
                created_by_name=by.name,
            )
            keep_group(group)
            registration.enter(by=by)
        return registration
