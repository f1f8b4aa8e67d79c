"""Finding groups, just as quickly where there are ten thousand of them."""

import unicodedata
from functools import reduce
from operator import or_
from typing import Final

from django.db.models import Q

from inventory.fields import starts_with, text_key
from inventory.models import PATH_SEPARATOR
from inventory.models.group import DeviceGroupQuerySet

INSIDE_UP_TO: Final = 1_000  # groups; up to here a search looks inside their paths
MANY_TENANTS: Final = 100  # that have groups at the same path, looked into at once


def searches_inside(groups: DeviceGroupQuerySet) -> bool:
    """Say whether a search looks inside the paths; among many groups, at the start of names."""
    return groups.order_by()[: INSIDE_UP_TO + 1].count() <= INSIDE_UP_TO


def search(groups: DeviceGroupQuerySet, text: str, *, inside: bool) -> DeviceGroupQuerySet:
    """Narrow ``groups`` to those that ``text`` may mean.

    Without ``inside`` it is the start of a name, or a whole path and the start of a name in it.
    """
    names = [name.strip() for name in unicodedata.normalize("NFC", text).split(PATH_SEPARATOR)]
    text = PATH_SEPARATOR.join(names)
    if not text:
        return groups
    if inside:
        return groups.filter(Q(path__icontains=text) | Q(path="", name__icontains=text))
    *above, name = names
    if above:
        there = groups.filter(path=PATH_SEPARATOR.join(above)).order_by().values("tenant", "pk")
        # One by one, because the index of a group's children starts with the tenant.
        within = [Q(tenant=one["tenant"], parent=one["pk"]) for one in there[:MANY_TENANTS]]
        if not within:
            return groups.none()
        groups = groups.filter(reduce(or_, within))
    return groups.filter(starts_with("name_key", text_key(name)))
