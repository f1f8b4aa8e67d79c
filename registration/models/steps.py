"""How every step of a registration is taken: locked, counted, and written down."""

from typing import Any

from django.db import models

from inventory.models import DeviceCredentials
from registration.lifecycle import Status
from registration.models.events import RegistrationEvent
from registration.models.facts import RegistrationFacts
from registration.models.tally import Tally
from tenants.actors import Actor


class RegistrationSteps(RegistrationFacts):
    """What the steps of a registration are made of."""

    class Meta:
        abstract = True

    def credentials(self) -> "models.QuerySet[DeviceCredentials]":
        """Return the device's login, if it has one in this tenant."""
        return DeviceCredentials.objects.filter(device_id=self.device_id, tenant=self.tenant_id)

    def events(self) -> "models.QuerySet[RegistrationEvent]":
        """Return what happened to this ID in this tenant, oldest first, also before this time."""
        return RegistrationEvent.objects.filter(
            tenant=self.tenant_id, device_id=self.device_id
        ).order_by("pk")

    def _lock(self) -> None:
        """Make everybody else wait who wants to change this row, and see it as it is now.

        Whoever looked it up may act in the tenant it was in: once moved, it is gone for them.
        """
        here = type(self)._default_manager.filter(tenant=self.tenant_id)  # noqa: SLF001 -- its own
        self.refresh_from_db(from_queryset=here.select_for_update(of=("self",)))

    def _move(
        self,
        target: Status,
        kind: RegistrationEvent.Kind,
        *,
        actor: Actor,
        reason: str = "",
        also: list[str] | None = None,
    ) -> None:
        """Take one step: the only place that assigns ``status``."""
        origin, before = self.status, self.stage
        self.status = target
        self.save(update_fields=["status", *(also or [])])
        Tally.moved(self.tenant_id, before, self.stage)
        self._log(kind, actor=actor, reason=reason, from_status=origin, to_status=target)

    def _log(self, kind: RegistrationEvent.Kind, **details: Any) -> None:
        """Write what happened; ``details`` are those of :meth:`RegistrationEvent.record`."""
        RegistrationEvent.record(self.tenant_id, self.device_id, kind, **details)
