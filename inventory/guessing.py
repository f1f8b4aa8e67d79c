"""Wrong passwords of devices, counted so that guessing ends and no stranger shuts a device out.

Secrets that were made elsewhere may be weak. The right one, from the address that the device came
from last, is never counted and never refused; it costs nothing. Any other try is counted before it
can succeed, so that a hundred at once get no further than a hundred one after the other, and what
is right is taken back.

Each source has a few tries at one device. Once many sources have failed at it, each further one
has fewer, and not none: wherever the device comes from next, its right password is the first that
it sends. One source that fails at many devices is not listened to, except about devices that come
from there. Whoever is refused hears what an unknown device hears: nobody learns by it which IDs
exist, and a device goes on trying. All windows end by themselves.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import Case, F, Value, When
from django.http import HttpRequest
from django.utils import timezone

from inventory.models import DeviceCredentials
from inventory.models.credentials import GUESS_GAP
from tenants import audit
from tenants.actors import Actor
from tenants.addresses import network_of
from tenants.counting import count, so_far, take_back
from tenants.hashing import keyed_digest
from tenants.models import MANAGEMENT

WINDOW: Final = timedelta(minutes=15)
PER_DEVICE_AND_SOURCE: Final = 10  # wrong passwords in a window
PER_DEVICE: Final = 50  # over all sources that the device does not come from
FEW: Final = 2  # for each source at a device that so many failed at
PER_SOURCE: Final = 100  # devices that one source fails at
THROTTLED: Final = "Device login throttled"  # as the audit log has it


def admits(request: HttpRequest, credentials: DeviceCredentials, *, is_right: bool) -> bool:
    """Say whether a device may come in by a password, of which is known whether it is right."""
    by = Actor.of(request, credentials.username)
    source = network_of(by.source)
    is_at_home = bool(source) and source == network_of(credentials.last_used_from)
    if is_right and (is_at_home or not credentials.is_open):
        return credentials.is_open
    attempt = _Attempt(
        credentials.tenant_id, credentials.device_id, by, source, is_at_home=is_at_home
    )
    if not attempt.begin():
        return False
    if is_right:
        attempt.take_back()
    else:
        attempt.fail(is_known=True)
    return is_right


def note_unknown(request: HttpRequest, tenant_id: str, device_id: str) -> None:
    """Count a try at a device that is not there: it takes as long as one at a device that is."""
    by = Actor.of(request, DeviceCredentials.login_name(device_id))
    attempt = _Attempt(tenant_id, device_id, by, network_of(by.source), is_at_home=False)
    if attempt.begin():
        attempt.fail(is_known=False)


@dataclass
class _Attempt:
    """One try that was not made with the right password from the device's own address."""

    tenant_id: str
    device_id: str
    by: Actor
    source: str
    is_at_home: bool
    number: int = 0
    most: int = PER_DEVICE_AND_SOURCE

    def __post_init__(self) -> None:
        device = (self.tenant_id, self.device_id)
        self.here = keyed_digest("device-failures", "pair", *device, self.source)
        self.everywhere = keyed_digest("device-failures", "device", *device)
        self.of_source = keyed_digest("device-failures", "source", self.source)

    def begin(self) -> bool:
        """Count the try; return False if it is one too many and must not succeed."""
        here, everywhere, of_source = so_far(self.here, self.everywhere, self.of_source)
        if not self.is_at_home:
            self.most = PER_DEVICE_AND_SOURCE if everywhere < PER_DEVICE else FEW
            if of_source >= PER_SOURCE and not here:
                return False
        if here >= self.most:
            return False
        self.number, _ = count(self.here, WINDOW)
        return self.number <= self.most

    def take_back(self) -> None:
        """Count the try no longer: it was right."""
        take_back(self.here)

    def fail(self, *, is_known: bool) -> None:
        """Note that the password was wrong, for those who look after the device too."""
        now = timezone.now()
        goes_on = When(last_failed_at__gt=now - GUESS_GAP, then=F("failed_logins") + 1)
        DeviceCredentials.objects.filter(tenant=self.tenant_id, device_id=self.device_id).update(
            failed_logins=Case(goes_on, default=Value(1)),
            last_failed_at=now,
            last_failed_from=self.by.source,
        )
        everywhere = 0
        if not self.is_at_home:
            everywhere, _ = count(self.everywhere, WINDOW)
        # Once for each device: a single one that was set up wrongly must not use up the address.
        of_source = count(self.of_source, WINDOW)[0] if self.number == 1 else 0
        if of_source == PER_SOURCE:
            self._record(MANAGEMENT, self.source, "One address tries many devices.")
        if not is_known:
            return
        if everywhere == PER_DEVICE:
            self._record(self.tenant_id, self.device_id, "Wrong passwords from many addresses.")
        elif self.number == self.most == PER_DEVICE_AND_SOURCE:
            self._record(self.tenant_id, self.device_id, "Wrong passwords from one address.")

    def _record(self, tenant_id: str, subject: str, text: str) -> None:
        with transaction.atomic():
            audit.record(
                self.by, tenant_id, audit.Type.CREDENTIALS, THROTTLED, subject=subject, text=text,
                severity=audit.Severity.WARNING,
            )  # fmt: skip
