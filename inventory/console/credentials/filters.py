"""What the lists about logins are asked for, read from their URLs."""

from dataclasses import dataclass
from typing import Any, Final, Generic, Self, TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import QueryDict

from inventory.fields import as_words, starts_with
from inventory.models import DeviceCredentials, Tombstone
from inventory.models.credentials import IS_CHANGING, IS_DISABLED, IS_REVOKED, NEVER_USED
from inventory.models.tombstone import CAME_BACK
from tenants.models import Tenant
from tenants.usernames import DEVICE_PREFIX
from ui.tables import KeysetPaginator, Page
from ui.text import storable

COUNTED_UP_TO: Final = 10_000  # rows; a count that nobody keeps ends here, as "more than"
SUBSTRING_UP_TO: Final = 10_000  # rows; up to here a search looks inside the IDs
MAX_SEARCH_LENGTH: Final = 1000  # characters

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Choice:
    """One of the choices above a list; each has its index."""

    key: str
    label: str
    rule: Q
    is_current: bool = False


LOGIN_CHOICES: Final = (
    Choice("", "All", Q()),
    Choice("disabled", "Disabled", IS_DISABLED),
    Choice("never", "Never logged in", NEVER_USED),
    Choice("rotating", "New password not used yet", IS_CHANGING),
    Choice("revoked", "Revoked", IS_REVOKED),
)
DELETED_CHOICES: Final = (Choice("", "All", Q()), Choice("returned", "Came back", CAME_BACK))


@dataclass(frozen=True)
class DeviceIdQuery(Generic[M]):
    """One way to look at a list of things that have a device ID.

    ``everything`` is what the viewer may see; ``tenant_text`` is the tenant that was asked for,
    ``tenant`` the one found. ``number`` is how many there are before the search, if they are few.
    """

    everything: QuerySet[M]
    choices: tuple[Choice, ...]
    column: str  # sorted by, newest first, unless the start of IDs is searched
    state: Choice
    search: str
    tenant_text: str
    tenant: Tenant | None
    sort: str
    number: int

    @classmethod
    def of_logins(cls, viewer: Tenant, parameters: QueryDict) -> "DeviceIdQuery[DeviceCredentials]":
        """Read the URL of the list of logins."""
        visible = DeviceCredentials.objects.visible_to(viewer)
        rows = visible.select_related("tenant", "managed_object")
        return DeviceIdQuery.read(rows, LOGIN_CHOICES, "device_id", viewer, parameters)

    @classmethod
    def of_deleted(cls, viewer: Tenant, parameters: QueryDict) -> "DeviceIdQuery[Tombstone]":
        """Read the URL of the list of deleted devices."""
        rows = Tombstone.objects.for_tenant(viewer)
        return DeviceIdQuery.read(rows, DELETED_CHOICES, "deleted_at", viewer, parameters)

    @classmethod
    def read(
        cls,
        everything: Any,
        choices: tuple[Choice, ...],
        column: str,
        viewer: Tenant,
        parameters: QueryDict,
    ) -> Self:
        """Read the URL; what it cannot mean is ignored, so that an old link still opens."""
        wanted = parameters.get("state", "")
        state = next((each for each in choices if each.key == wanted), choices[0])
        tenant_text = storable(parameters.get("tenant", "")).strip() if viewer.is_management else ""
        tenant = Tenant.objects.filter(pk=tenant_text.lower()).first() if tenant_text else None
        narrowed = everything.filter(state.rule)
        if tenant:
            narrowed = narrowed.filter(tenant=tenant)
        elif tenant_text:
            narrowed = narrowed.none()
        return cls(
            everything=narrowed,
            choices=choices,
            column=column,
            state=state,
            search=_device_id_in(storable(parameters.get("q", "")).strip()[:MAX_SEARCH_LENGTH]),
            tenant_text=tenant.pk if tenant else tenant_text,
            tenant=tenant,
            sort=parameters.get("sort", ""),
            number=narrowed.order_by()[: COUNTED_UP_TO + 1].count(),
        )

    @property
    def is_narrowed(self) -> bool:
        """Say whether less than everything is shown."""
        return bool(self.search or self.tenant_text or self.state.key)

    @property
    def searches_inside(self) -> bool:
        """Say whether a search looks inside the IDs; in a long list, it looks at their start."""
        return self.number <= SUBSTRING_UP_TO

    @property
    def order(self) -> str:
        """Return the sort in force: by ID, or newest first where that is what the list is about."""
        is_by_id = self.column == "device_id" or (self.search and not self.searches_inside)
        if is_by_id or self.sort in {"device", "-device"}:
            return "-device" if self.sort == "-device" else "device"
        return "deleted" if self.sort == "deleted" else "-deleted"

    def chips(self) -> list[Choice]:
        """Return the choices, and which is in force."""
        return [
            Choice(each.key, each.label, each.rule, is_current=each.key == self.state.key)
            for each in self.choices
        ]

    def page(self, cursor: str) -> Page[M]:
        """Return one page of the list, with its total."""
        rows: QuerySet[M] = self.everything
        total = self.number
        if self.search:
            if self.searches_inside:
                words: Any = rows.alias(text=as_words("device_id"))
                rows = words.filter(text__icontains=self.search)
            else:
                rows = rows.filter(starts_with("device_id", self.search))
            total = rows.order_by()[: COUNTED_UP_TO + 1].count()
        paginator = KeysetPaginator(
            rows,
            "device_id" if self.order.endswith("device") else self.column,
            descending=self.order.startswith("-"),
        )
        return paginator.page(
            cursor, total=min(total, COUNTED_UP_TO), total_is_capped=total > COUNTED_UP_TO
        )


def _device_id_in(text: str) -> str:
    """Return the device ID that ``text`` stands for: a whole login may have been pasted."""
    return text.rpartition("/")[2].removeprefix(DEVICE_PREFIX)
