"""Managed objects as they go out, with what is around them as far as the client asked for it.

Source: Cumulocity REST, inventory. Of one object at most 2,000 references of a kind are shown,
of each object in a list fewer where the list is long; where there are more, ``next`` says where
all of them are listed.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from django.http import HttpResponse

from inventory.api import access
from inventory.children import KINDS, Around, Neighbour
from inventory.models import ChildLink, ManagedObject
from tenants.api.http import ApiRequest, flag, respond_page, self_url, wire_time

MAX_REFERENCES: Final = 2_000  # of one kind, at one object
MAX_REFERENCES_OF_PAGE: Final = 20_000  # of one kind, at all objects of a list together
MAX_PAGE_WITH_REFERENCES: Final = 100  # objects

CHILDREN: Final = {
    ChildLink.Kind.ASSET: "childAssets",
    ChildLink.Kind.DEVICE: "childDevices",
    ChildLink.Kind.ADDITION: "childAdditions",
}
PARENTS: Final = {
    ChildLink.Kind.ASSET: "assetParents",
    ChildLink.Kind.DEVICE: "deviceParents",
    ChildLink.Kind.ADDITION: "additionParents",
}

Found = Mapping[tuple[int, str], list[Neighbour]]


class Representation:
    """Represents objects to one client; ``look_around`` has to see them first."""

    def __init__(self, request: ApiRequest, *, with_children: bool = False) -> None:
        self.request = request
        self.owner = access.owner_only(request)
        self.with_children = flag(request, "withChildren", default=with_children)
        self.with_parents = flag(request, "withParents")
        self.with_groups = flag(request, "withGroups")
        self.with_count = flag(request, "withChildrenCount")
        self.with_names = not flag(request, "skipChildrenNames")
        self.most = MAX_REFERENCES
        self.children: Found = {}
        self.parents: Found = {}
        self.counts: Mapping[tuple[int, str], int] = {}

    @classmethod
    def of_one(cls, request: ApiRequest, managed_object: ManagedObject) -> dict[str, Any]:
        """Return one object as it goes out."""
        this = cls(request, with_children=True)
        this.look_around([managed_object])
        return this.represent(managed_object)

    @property
    def has_references(self) -> bool:
        """Say whether the client wants to see what is around the objects."""
        return self.with_children or self.with_parents or self.with_groups or self.with_count

    def look_around(self, objects: Iterable[ManagedObject]) -> None:
        """Find what is around all of ``objects`` at once."""
        pks = [one.pk for one in objects]
        if not pks:
            return
        self.most = min(MAX_REFERENCES, MAX_REFERENCES_OF_PAGE // len(pks))
        down = Around(self.most, self.owner)
        if self.with_children:
            self.children = down.find(pks)
        if self.with_count:
            self.counts = down.count(pks)
        if self.with_parents or self.with_groups:
            only_groups = not self.with_parents
            up = Around(self.most, self.owner, upwards=True, only_groups=only_groups)
            self.parents = up.find(pks)

    def represent(self, managed_object: ManagedObject) -> dict[str, Any]:
        """Return an object in the contract's shape."""
        pk = managed_object.pk
        payload: dict[str, Any] = {
            **managed_object.fragments,
            "id": str(pk),
            "self": object_url(self.request, pk),
            "owner": managed_object.owner,
            "creationTime": wire_time(managed_object.reported_at or managed_object.created_at),
            "lastUpdated": wire_time(managed_object.updated_at),
        }
        for name in ("name", "type"):
            if getattr(managed_object, name):
                payload[name] = getattr(managed_object, name)
        for kind in KINDS:
            children = self._references(pk, CHILDREN[kind], self.children.get((pk, kind), []))
            if self.with_count:
                children["count"] = self.counts.get((pk, kind), 0)
            payload[CHILDREN[kind]] = children
            payload[PARENTS[kind]] = self._references(
                pk, PARENTS[kind], self.parents.get((pk, kind), [])
            )
        return payload

    def _references(self, pk: int, word: str, found: list[Neighbour]) -> dict[str, Any]:
        """Return a block of references; parents have no address of their own."""
        this = object_url(self.request, pk, word)
        references: dict[str, Any] = {
            "self": this,
            "references": [
                {
                    "managedObject": self._mentioned(one),
                    "self": object_url(self.request, pk, word, str(one.number)),
                }
                for one in found[: self.most]
            ],
        }
        if len(found) > self.most and word in CHILDREN.values():
            references["next"] = f"{this}?pageSize={MAX_REFERENCES}&currentPage=1"
        return references

    def _mentioned(self, one: Neighbour) -> dict[str, str]:
        mentioned = {"id": str(one.number), "self": object_url(self.request, one.number)}
        if one.name and self.with_names:
            mentioned["name"] = one.name
        return mentioned


def respond_objects(
    request: ApiRequest,
    objects: Any,
    *,
    collection: str,
    kind: str,
    within: Callable[[ManagedObject, dict[str, Any]], dict[str, Any]] | None = None,
) -> HttpResponse:
    """Answer with a page of ``objects``, each put ``within`` something if that is given."""
    shape = Representation(request)

    def represent(one: ManagedObject) -> dict[str, Any]:
        payload = shape.represent(one)
        return within(one, payload) if within else payload

    return respond_page(
        request,
        objects,
        collection=collection,
        kind=kind,
        represent=represent,
        count=objects.count,
        prepare=shape.look_around,
        **({"most": MAX_PAGE_WITH_REFERENCES} if shape.has_references else {}),
    )


def object_url(request: ApiRequest, pk: int, *rest: str) -> str:
    """Return the address of an object, or of what is beneath it."""
    return self_url(request, "inventory", "managedObjects", str(pk), *rest)
