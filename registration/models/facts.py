"""What is known of a registration: its columns, and what they mean to whoever looks."""

from datetime import UTC, datetime
from typing import Final

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property

from inventory.fields import DeviceIdField
from inventory.models import DeviceGroup, DeviceType, Tombstone
from registration import lifecycle, options
from registration.lifecycle import Stage, Status, TokenPolicy
from tenants.models import Tenant, User

NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)  # of last_contact_at: sorts before any real time


class RegistrationFacts(models.Model):
    """The columns of a registration; the steps that change them stand in ``registration.py``."""

    tenant = models.ForeignKey(
        Tenant, on_delete=models.PROTECT, related_name="registrations", db_index=False
    )
    device_id = DeviceIdField()
    status = models.CharField(max_length=24, choices=Status)
    group = models.ForeignKey(
        DeviceGroup,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    type = models.CharField(max_length=255, blank=True, default="")
    device_type = models.ForeignKey(
        DeviceType,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="registrations",
        db_index=False,
    )
    custom_properties = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_by_name = models.CharField(max_length=255, blank=True, default="")

    # What the device said when it knocked.
    token_digest = models.CharField(max_length=64, blank=True, default="")
    last_contact_at = models.DateTimeField(default=NEVER)
    last_contact_from = models.CharField(max_length=45, blank=True, default="")

    # What went wrong.
    failed_attempts = models.PositiveIntegerField(default=0)
    conflicts = models.PositiveIntegerField(default=0)
    last_conflict_at = models.DateTimeField(null=True, blank=True)
    last_conflict_from = models.CharField(max_length=45, blank=True, default="")

    # The hand-over: made at delivery, gone at confirmation.
    accepted_at = models.DateTimeField(null=True, blank=True)
    handover_nonce = models.CharField(max_length=64, blank=True, default="")
    deliveries = models.PositiveIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.device_id)

    @cached_property
    def is_returning(self) -> bool:
        """Say whether a device of this ID was deleted here before; a list asks for all its rows."""
        return Tombstone.objects.of(self.tenant_id, self.device_id).exists()

    @property
    def stage(self) -> Stage:
        """Return where the device stands on its way in."""
        return lifecycle.stage_of(Status(self.status), self.delivered_at, self.confirmed_at)

    @property
    def sends_token(self) -> bool:
        """Say whether the device sent a security token when it knocked."""
        return bool(self.token_digest)

    @cached_property
    def policy(self) -> TokenPolicy:
        """Return the security token policy of this tenant, as known to whoever looks.

        For showing only, and a list sets it for all its rows: what is decided asks anew.
        """
        return options.token_policy(self.tenant)

    @property
    def is_acceptable_at_once(self) -> bool:
        """Say whether a pending device can be let in without a token."""
        return not lifecycle.needs_own_acceptance(
            self.policy, sends_token=self.sends_token, hand_picked=True
        )

    @property
    def is_movable(self) -> bool:
        """Say whether the device is not let in yet, so that it may go to another tenant."""
        return self.status != Status.ACCEPTED

    @property
    def attempts_left(self) -> int:
        """Return how many wrong tokens are left before the registration is blocked."""
        return max(0, settings.MAX_TOKEN_ATTEMPTS - self.failed_attempts)

    @property
    def revision(self) -> str:
        """Return a text that changes whenever the row of this registration looks different."""
        contact = int(self.last_contact_at.timestamp())
        return (
            f"{self.stage}.{self.failed_attempts}.{self.conflicts}.{contact}"
            f".{self.group_id or 0}.{self.tenant_id}.{int(self.is_returning)}"
        )

    def is_handover_open(self) -> bool:
        """Say whether the device may fetch its credentials, for the first time or again."""
        return self.status == Status.ACCEPTED and lifecycle.is_handover_open(
            delivered_at=self.delivered_at,
            confirmed_at=self.confirmed_at,
            now=timezone.now(),
            limit=options.handover_limit(self.tenant),
        )
