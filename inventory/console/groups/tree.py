"""The tree of groups as it is looked at: what is open in it, what is searched for."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from inventory.group_numbers import add_numbers
from inventory.group_search import INSIDE_UP_TO, search, searches_inside
from inventory.groups import lineage
from inventory.models import PATH_SEPARATOR, DeviceGroup, ManagedObject
from inventory.models.group import DeviceGroupQuerySet
from tenants.models import Tenant
from ui.tables import PAGE_SIZE, KeysetPaginator, Page
from ui.text import storable

MAX_OPEN: Final = 50  # groups unfolded at once; each takes a query
MAX_SEARCH_LENGTH: Final = 500  # characters
COUNTED_UP_TO: Final = INSIDE_UP_TO  # groups; a count that nobody keeps ends here


@dataclass
class Node:
    """A group in the tree, and what is unfolded below it."""

    group: DeviceGroup
    toggle_url: str
    is_open: bool = False
    below: "list[Node]" = field(default_factory=list)
    has_more: bool = False


@dataclass(frozen=True)
class TreeQuery:
    """One way to look at the groups; ``open`` are the numbers of those that are unfolded.

    ``tenant_text`` is the ID that was asked for, ``tenant`` the one found. ``at`` is the group on
    whose page they are, if they are not on a page of their own.
    """

    viewer: Tenant
    search: str
    tenant_text: str
    tenant: Tenant | None
    open: tuple[int, ...]
    at: tuple[int, ...] = ()
    after: str = ""

    @classmethod
    def read(cls, viewer: Tenant, parameters: QueryDict) -> Self:
        """Read the URL; what it cannot mean is ignored, so that an old link still opens."""
        typed = storable(parameters.get("tenant", "")).strip() if viewer.is_management else ""
        tenant = Tenant.objects.filter(pk=typed.lower()).first() if typed else None
        return cls(
            viewer=viewer,
            search=storable(parameters.get("q", "")).strip()[:MAX_SEARCH_LENGTH],
            tenant_text=tenant.pk if tenant else typed,
            tenant=tenant,
            open=numbers_in(parameters.getlist("open")),
            at=numbers_in([parameters.get("at", "")], 1),
            after=parameters.get("after", ""),
        )

    @property
    def home(self) -> str:
        """Return the address of the page that this is a part of."""
        return reverse("groups:detail", args=self.at) if self.at else reverse("groups:list")

    @property
    def is_narrowed(self) -> bool:
        """Say whether only some of the groups are shown."""
        return bool(self.search or self.tenant_text)

    def groups(self) -> DeviceGroupQuerySet:
        """Return the groups that there are to be looked at, in no order."""
        visible = DeviceGroup.objects.visible_to(self.viewer).select_related("tenant").order_by()
        if self.tenant_text:
            # The tenant by equality, which is what the indexes start with.
            return visible.filter(tenant=self.tenant) if self.tenant else visible.none()
        return visible

    def page(self) -> Page[DeviceGroup]:
        """Return one page: of what was found, else of the top level."""
        rows, column = self.groups(), "name_key"
        if self.search:
            inside = searches_inside(rows)
            rows = search(rows, self.search, inside=inside)
            column = "path" if inside else column
        else:
            rows = rows.filter(parent=None)
        page = page_of_groups(rows, column, self.after)
        if self.search:
            add_numbers(page.rows)
        return page

    def nodes(self, groups: Iterable[DeviceGroup]) -> list[Node]:
        """Return ``groups`` as the tree shows them, unfolded as far as it is open."""
        unfolded = set(self.open)
        top = self._level(groups)
        nearest = top
        while nearest:
            below: list[Node] = []
            for node in nearest:
                if node.group.pk in unfolded and node.group.has_subgroups:  # type: ignore[attr-defined]
                    children = subgroups(node.group)[: PAGE_SIZE + 1]
                    node.is_open, node.has_more = True, len(children) > PAGE_SIZE
                    node.below = [Node(one, "") for one in children[:PAGE_SIZE]]
                    below += node.below
            self._describe(below)
            nearest = below
        return top

    def _level(self, groups: Iterable[DeviceGroup]) -> list[Node]:
        nodes = [Node(group, "") for group in groups]
        self._describe(nodes)
        return nodes

    def _describe(self, nodes: Collection[Node]) -> None:
        add_numbers([node.group for node in nodes])
        for node in nodes:
            node.toggle_url = self._toggle_url(node.group.pk)

    def _toggle_url(self, pk: int) -> str:
        """Return the address of a group as it is when it is folded or unfolded."""
        others = [one for one in self.open if one != pk]
        unfolded = others if pk in self.open else [*others, pk]
        asked = {"tenant": self.tenant_text, "after": self.after}
        parameters = [(name, value) for name, value in asked.items() if value]
        parameters += [("at", str(one)) for one in self.at]
        parameters += [("open", str(one)) for one in unfolded]
        return f"{reverse('groups:node', args=[pk])}?{urlencode(parameters)}"


def numbers_in(texts: Iterable[str], most: int = MAX_OPEN) -> tuple[int, ...]:
    """Return the numbers among ``texts``, each once, ``most`` of them."""
    found = [int(one) for one in texts if one.isascii() and one.isdigit() and len(one) < 19]
    return tuple(dict.fromkeys(found))[:most]


def groups_above(group: DeviceGroup) -> list[ManagedObject]:
    """Return the groups that this one is within, outermost first."""
    if not group.path:
        return [*reversed(lineage(group)[1:])]
    names = group.path.split(PATH_SEPARATOR)
    paths = [PATH_SEPARATOR.join(names[:depth]) for depth in range(1, len(names))]
    above = DeviceGroup.objects.for_tenant(group.tenant).filter(path__in=paths)
    return sorted(above, key=lambda one: len(one.path))


def subgroups(group: DeviceGroup) -> DeviceGroupQuerySet:
    """Return the groups right below this one, by name."""
    below = DeviceGroup.objects.for_tenant(group.tenant).filter(parent=group)
    return below.select_related("tenant").order_by("name_key", "pk")


def page_of_groups(
    rows: DeviceGroupQuerySet, column: str, cursor: str, size: int = PAGE_SIZE
) -> Page[DeviceGroup]:
    """Return one page of groups, with their number as far as it is counted."""
    total = rows.order_by()[: COUNTED_UP_TO + 1].count()
    return KeysetPaginator(rows, column, descending=False).page(
        cursor,
        total=min(total, COUNTED_UP_TO),
        total_is_capped=total > COUNTED_UP_TO,
        size=size,
    )
