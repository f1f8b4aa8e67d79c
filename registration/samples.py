"""Sample tenants with devices at every stage, for people who want to look around.

Everything is made by the model methods that devices and operators use, so that the history of
a sample reads like the history of a device.
"""

import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from django.db import transaction
from django.utils import timezone

from inventory import devices, identity, logins
from inventory.groups import group_at
from inventory.models import DeviceCredentials
from registration.errors import PollRefusedError, RegistrationError
from registration.lifecycle import Stage
from registration.models import Registration
from registration.simulator import described, token_for
from tenants.actors import Actor
from tenants.backends import service_digest
from tenants.hashing import keyed_digest
from tenants.models import MANAGEMENT, GlobalRole, Tenant, TenantOption, User
from tenants.options import set_option
from tenants.roles import BOOTSTRAP

PEOPLE: Final = ("administrator", "operator", "reader")  # named like their global roles
SIMULATOR_NAME: Final = "demo-devices"  # the account that simulated devices knock with
MARK: Final = ("demo", "prepared")  # option of the management tenant
SIMULATED_DEVICES = 10  # per tenant; they are registered here and knock from outside
TOKEN_EVERY = 3  # every third of them has a security token


@dataclass(frozen=True)
class SampleTenant:
    """What a sample tenant is made of."""

    id: str
    company: str
    groups: tuple[str, ...]
    device: str  # start of its device IDs
    type: str  # of its devices
    network: str  # start of its devices' addresses; reserved for documentation, RFC 5737
    more_confirmed: int = 0  # devices that are in, beside those of the stories
    device_limit: int | None = None


TENANTS: Final = (
    SampleTenant(
        "acme",
        "ACME Presses",
        ("Plant Hamburg/Hall 1", "Plant Hamburg/Hall 2", "Plant Bremen"),
        "press",
        "press-controller",
        "192.0.2.",
        more_confirmed=6,
    ),
    SampleTenant(
        "globex",
        "Globex Pumps",
        ("Plant Lyon/Line A", "Plant Lyon/Line B", "Service vans"),
        "pump",
        "c8y_Linux",
        "198.51.100.",
        more_confirmed=1,
        device_limit=10,  # nine are taken: one more, and it is reached
    ),
)
# How many samples of what a tenant has. Those that are confirmed have logged in and said what
# they are; a silent one has yet to say it, and a disabled one is shut out again.
(WAITING, PENDING, WITH_TOKEN, CONFLICT, ACCEPTED, DELIVERED, CONFIRMED, SILENT, DISABLED,
 BLOCKED) = (
    "waiting",
    "pending",
    "with token",
    "conflict",
    "accepted",
    "delivered",
    "confirmed",
    "silent",
    "disabled",
    "blocked",
)  # fmt: skip
IS_IN: Final = frozenset({CONFIRMED, SILENT, DISABLED})
STORIES: Final = {
    WAITING: 5,
    PENDING: 4,
    WITH_TOKEN: 3,
    CONFLICT: 2,
    ACCEPTED: 2,
    DELIVERED: 2,
    CONFIRMED: 2,
    SILENT: 1,
    DISABLED: 1,
    BLOCKED: 1,
}


class InUseError(Exception):
    """The database belongs to somebody; samples are no good in there."""


@dataclass
class Samples:
    """What was made just now and is shown once."""

    passwords: dict[str, str] = field(default_factory=dict)  # by login
    tokens: dict[str, str] = field(default_factory=dict)  # by device ID


def prepare_samples() -> Samples | None:
    """Make all samples; None when they had been made before.

    Raises:
        InUseError: there are tenants or registrations that are no samples.
    """
    management = Tenant.objects.get(pk=MANAGEMENT)
    category, key = MARK
    with transaction.atomic():
        if TenantOption.objects.for_tenant(management).filter(category=category, key=key).exists():
            return None
        if Registration.objects.exists() or Tenant.objects.exclude(pk=MANAGEMENT).exists():
            raise InUseError
        made = Samples()
        for sample in TENANTS:
            _prepare_tenant(sample, management, made)
        set_option(management, category, key, "true", by=Actor("gatehouse"))
    return made


def _prepare_tenant(sample: SampleTenant, management: Tenant, made: Samples) -> None:
    tenant = Tenant.objects.create(
        id=sample.id,
        company=sample.company,
        parent=management,
        device_limit=sample.device_limit,
    )
    GlobalRole.objects.prepare(tenant)
    people = {name: _prepare_person(tenant, name, made) for name in PEOPLE}
    operator = Actor("operator", people["operator"])
    groups = [group_at(tenant, path, by=operator) for path in sample.groups]
    stories = [story for story, number in STORIES.items() for _ in range(number)]
    stories += [CONFIRMED] * sample.more_confirmed
    for number, story in enumerate(stories, start=1):
        registration = Registration.objects.register(
            tenant,
            f"{sample.device}-{number:03}",
            by=operator,
            group=groups[number % len(groups)],
        )
        _Life(registration, operator, f"{sample.network}{number}", sample.type).lead(story)
        if story == WITH_TOKEN:
            made.tokens[registration.device_id] = _token(registration.device_id)
    for device_id in _simulated_ids(sample):
        Registration.objects.register(tenant, device_id, by=operator, group=groups[0])


def _prepare_person(tenant: Tenant, name: str, made: Samples) -> User:
    password = secrets.token_urlsafe(18)
    user = User.objects.create_user(tenant, name, password, global_roles=[name])
    made.passwords[str(user)] = password
    return user


class _Life:
    """Leads one sample to where its story ends."""

    def __init__(
        self, registration: Registration, operator: Actor, address: str, kind: str
    ) -> None:
        self.registration = registration
        self.type = kind
        self.operator = operator
        self.device = Actor(DeviceCredentials.login_name(registration.device_id), source=address)

    def lead(self, story: str) -> None:
        """Do what device and operator did."""
        if story == WAITING:
            return
        has_token = story in {WITH_TOKEN, CONFLICT, BLOCKED}
        self._knock(_token(self.registration.device_id) if has_token else "")
        if story == CONFLICT:
            self._knock("somebody else's")
        if story == BLOCKED:
            while self.registration.stage is Stage.PENDING:
                with suppress(RegistrationError):
                    self.registration.accept(by=self.operator, token="mistyped")  # noqa: S106
        if story in {ACCEPTED, DELIVERED} | IS_IN:
            self.registration.accept(by=self.operator)
        if story in {DELIVERED} | IS_IN:
            self._knock()
        if story in IS_IN:
            self._log_in(is_silent=story == SILENT)
        if story == DISABLED:
            logins.disable(self._login(), by=self.operator)

    def _login(self) -> DeviceCredentials:
        mine = DeviceCredentials.objects.for_tenant(self.registration.tenant)
        return mine.get(device_id=self.registration.device_id)

    def _log_in(self, *, is_silent: bool) -> None:
        """Come in with the new password, and say what one is."""
        self.registration.confirm(device=self.device)
        login = self._login()
        login.first_login_at = timezone.now()
        login.save(update_fields=["first_login_at"])
        logins.show_state(login)
        logins.note_use(login, "", by=self.device)
        if is_silent:
            return
        name, kind, fragments = described(self.registration.device_id, self.type)
        reported = devices.report(login, name=name, kind=kind, fragments=fragments, by=self.device)
        if reported is not None:
            serial = fragments["c8y_Hardware"]["serialNumber"]
            identity.bind(reported[0], "c8y_Serial", serial, by=self.device)

    def _knock(self, token: str = "") -> None:
        with suppress(PollRefusedError):
            self.registration.poll(token=token, device=self.device)


def simulated_devices() -> Iterator[tuple[str, str]]:
    """Yield ID and security token (may be empty) of the devices that are not in yet."""
    for sample in TENANTS:
        ids = _simulated_ids(sample)
        is_open = set(
            Registration.objects.filter(device_id__in=ids)
            .unfinished()
            .values_list("device_id", flat=True)
        )
        for number, device_id in enumerate(ids):
            if device_id in is_open:
                yield device_id, "" if number % TOKEN_EVERY else _token(device_id)


def _simulated_ids(sample: SampleTenant) -> list[str]:
    return [f"{sample.device}-sim-{number:02}" for number in range(1, SIMULATED_DEVICES + 1)]


def new_simulator_password() -> str:
    """Give the account of simulated devices a new password, and return it.

    It is new at every start, so it need not be kept anywhere.
    """
    management = Tenant.objects.get(pk=MANAGEMENT)
    user = User.objects.filter(tenant=management, username=SIMULATOR_NAME).first()
    if user is None:
        user = User.objects.create_user(
            management, SIMULATOR_NAME, None, roles=BOOTSTRAP, kind=User.Kind.SERVICE
        )
    password = secrets.token_urlsafe(24)
    user.secret_digest = service_digest(password)
    user.save()
    return password


def _token(device_id: str) -> str:
    """Return a device's security token: the same at every start, different everywhere."""
    return token_for(keyed_digest("demo", "security-tokens"), device_id)
