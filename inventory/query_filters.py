"""Which objects a client of the inventory asked for: conditions in, a narrowed queryset out.

Whoever calls has narrowed the objects to a tenant already; nothing here widens them again. Text is
compared with capitals and small letters apart, as the vendor documents it; only the free search
by ``text`` does not care.
"""

from datetime import UTC, datetime, timedelta
from typing import Final, assert_never

from django.db.models import F, Func, OrderBy, Q, TextField, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast
from django.db.models.lookups import (
    GreaterThan,
    GreaterThanOrEqual,
    LessThan,
    LessThanOrEqual,
)
from django.utils.dateparse import parse_datetime

from inventory import query as language
from inventory.expressions import (
    ByBytes,
    Comparison,
    FragmentCompares,
    FragmentIsNull,
    FragmentMatches,
    HasFragment,
    Matches,
    fragment_order,
)
from inventory.fields import starts_with, text_key
from inventory.models import ChildLink, Kind, of_kind
from inventory.models.managed_object import (
    IS_DEVICE,
    IS_GROUP,
    ManagedObjectQuerySet,
    by_number,
)
from inventory.query import QueryError, is_storable, parse_id, parse_path, parse_query

TEXTS: Final = frozenset({"name", "type", "owner"})
IDS: Final = frozenset({"id", "_id"})
TIMES: Final = {"creationTime": "reported_at", "lastUpdated": "updated_at"}
KINDS: Final = {IS_DEVICE: Kind.DEVICE, IS_GROUP: Kind.GROUP}  # fragments that are a column

MAX_ID: Final = 2**63 - 1
WIRE_STEP: Final = timedelta(milliseconds=1)  # the wire cuts off the rest of a time
LAST_TIME: Final = datetime.max.replace(tzinfo=UTC) - WIRE_STEP
NOTHING: Final = Q(pk__in=())

_COMPARISONS: Final[dict[str, Comparison]] = {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_LOOKUPS: Final = {
    "lt": LessThan,
    "le": LessThanOrEqual,
    "gt": GreaterThan,
    "ge": GreaterThanOrEqual,
}
_HIERARCHY: Final = """
WITH RECURSIVE beneath (id) AS (
    SELECT id FROM inventory_managedobject WHERE id IN (%s)
    UNION
    SELECT link.child_id FROM inventory_childlink AS link
    JOIN beneath ON link.parent_id = beneath.id
)
SELECT id FROM beneath
"""


def filter_objects(
    objects: ManagedObjectQuerySet,
    *,
    type: str | None = None,  # noqa: A002 -- the contract's name
    fragment_type: str | None = None,
    owner: str | None = None,
    ids: str | None = None,
    text: str | None = None,
    query: str | None = None,
    q: str | None = None,
    child_asset_id: str | None = None,
    child_device_id: str | None = None,
    child_addition_id: str | None = None,
    only_roots: bool = False,
    of_tenant: bool = False,
) -> ManagedObjectQuerySet:
    """Narrow ``objects`` to those that pass every filter given, in the order a query asked for.

    Without an order they come by their IDs. What can be nobody's finds nothing; an empty filter is
    none, but for ``ids``. ``of_tenant`` says that ``objects`` are all that a tenant has.

    Raises:
        QueryError: ``query`` or ``q`` cannot be understood.
    """
    conditions: list[Q] = []
    if type:
        conditions.append(Q(type=type) if is_storable(type) else NOTHING)
    if fragment_type:
        conditions.append(_fragment_type(fragment_type))
    if owner:
        conditions.append(Q(owner=owner) if is_storable(owner) else NOTHING)
    if ids is not None:
        numbers = [parse_id(one.strip()) for one in ids.split(",")]
        conditions.append(Q(pk__in=[one for one in numbers if one is not None]))
    if text:
        conditions.append(_says(_unquoted(text)))
    for child_id, kind in (
        (child_asset_id, ChildLink.Kind.ASSET),
        (child_device_id, ChildLink.Kind.DEVICE),
        (child_addition_id, ChildLink.Kind.ADDITION),
    ):
        if child_id:
            conditions.append(_has_child(child_id, kind))
    if only_roots:
        conditions.append(Q(parent_links__isnull=True))
    order: list[OrderBy] = []
    for words in (q, query):
        if words is not None:
            asked = parse_query(words)
            if asked.condition is not None:
                conditions.append(condition_of(asked.condition))
            order += order_of(asked.order)
    if q is not None:  # the query of devices
        conditions.append(of_kind(Kind.DEVICE))
    if of_tenant and not order and conditions == [of_kind(Kind.DEVICE)]:
        return objects.filter(*conditions).order_by(by_number())
    return objects.filter(*conditions).order_by(*order, *_last(order))


def condition_of(condition: language.Condition) -> Q:
    """Return what the database is to look for.

    Raises:
        QueryError: a comparison makes no sense, like that of a time with a word.
    """
    match condition:
        case language.All(conditions):
            return _joined([condition_of(one) for one in conditions], Q.AND)
        case language.AnyOf(conditions):
            return _joined([condition_of(one) for one in conditions], Q.OR)
        case language.Not(inner):
            return ~condition_of(inner)
        case language.Has(path):
            return _has(path)
        case language.InGroup(group_ids):
            links = ChildLink.objects.filter(parent__in=group_ids, kind=ChildLink.Kind.ASSET)
            return Q(pk__in=links.values("child"))
        case language.InHierarchy(object_ids):
            return _in_hierarchy(object_ids)
        case language.Compare():
            return _compare(condition)
        case _:
            assert_never(condition)


def order_of(order: tuple[language.Order, ...]) -> list[OrderBy]:
    """Return what to sort by; names are sorted as people read them, without capitals."""
    found: list[OrderBy] = []
    for one in order:
        name = _property(one.path)
        keys: tuple[F | Func, ...]
        if name in IDS:
            keys = (F("pk"),)
        elif name == "name":
            keys = (F("name_key"),)
        elif name in TEXTS:
            keys = (ByBytes(F(name)),)
        elif name in TIMES:
            keys = (F(TIMES[name]),)
        else:
            keys = fragment_order(one.path)
        found += [OrderBy(key, descending=one.is_descending) for key in keys]
    return found


def _last(order: list[OrderBy]) -> list[OrderBy]:
    """Return what makes an order stable; in its direction, so that an index can serve both."""
    is_descending = bool(order) and order[0].descending
    return [OrderBy(F("pk"), descending=is_descending)]


def _joined(conditions: list[Q], connector: str) -> Q:
    return Q(*conditions, _connector=connector)


def _property(path: tuple[str, ...]) -> str:
    """Return the name of the property that is a column of ours, or nothing for fragments."""
    if len(path) == 1 or (len(path) == 2 and path[0] in TIMES and path[1] == "date"):
        return path[0]
    return ""


def _compare(asked: language.Compare) -> Q:
    if asked.operator == "ne":
        return ~_compare(language.Compare(asked.path, "eq", asked.value))
    if asked.operator != "eq" and (asked.value.json is None or isinstance(asked.value.json, bool)):
        msg = f"{asked.value.text} can only be compared by eq and ne."
        raise QueryError(msg)
    name = _property(asked.path)
    if name in IDS:
        return _compare_id(asked.operator, asked.value)
    if name in TEXTS:
        return _compare_text(name, asked.operator, asked.value)
    if name in TIMES:
        return _compare_time(TIMES[name], asked.operator, asked.value)
    # One client writes its free search into a query.
    if name == "text" and asked.operator == "eq" and asked.value.json is not None:
        return _says("".join(asked.value.pieces))
    return _compare_fragment(asked.path, asked.operator, asked.value)


def _compare_id(operator: str, value: language.Value) -> Q:
    if operator == "eq":
        if value.is_pattern:
            return Q(Matches(Cast("pk", TextField()), value.pieces))
        number = parse_id(value.text)
        return NOTHING if number is None else Q(pk=number)
    if not (value.text.isascii() and value.text.isdigit()):
        msg = f"{value.text!r} is no ID."
        raise QueryError(msg)
    number = parse_id(value.text)
    return Q(**{f"pk__{_lookup(operator)}": MAX_ID if number is None else number})


def _compare_text(column: str, operator: str, value: language.Value) -> Q:
    """Compare a text; one that is empty is not on the wire, and so like a missing property."""
    if value.json is None:
        return Q(**{column: ""})
    if operator != "eq":
        lookup = _LOOKUPS[operator](ByBytes(F(column)), Value(value.text))
        return Q(lookup) & ~Q(**{column: ""})
    if column == "name":  # its key has the indexes
        if not value.is_pattern:
            return Q(name_key=text_key(value.text), name=value.text)
        if value.pieces[0]:
            prefix = starts_with("name_key", text_key(value.pieces[0]))
            return prefix & Q(Matches(F(column), value.pieces))
    if value.is_pattern:
        return Q(Matches(F(column), value.pieces)) & ~Q(**{column: ""})
    return Q(**{column: value.text})


def _compare_time(column: str, operator: str, value: language.Value) -> Q:
    """Compare a time as clients see it: whatever begins within its millisecond is equal."""
    if value.json is None:
        return Q(**{f"{column}__isnull": True})
    begin = _time(value.text)
    end = min(begin, LAST_TIME) + WIRE_STEP
    match operator:
        case "eq":
            return Q(**{f"{column}__gte": begin, f"{column}__lt": end})
        case "lt" | "ge":
            return Q(**{f"{column}__{_lookup(operator)}": begin})
        case "le":
            return Q(**{f"{column}__lt": end})
        case _:
            return Q(**{f"{column}__gte": end})


def _time(text: str) -> datetime:
    """Return the time that ``text`` says, without what the wire cuts off; no zone means UTC."""
    try:
        time = parse_datetime(text)
        if time is not None:
            time = (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
            return time.replace(microsecond=time.microsecond // 1000 * 1000)
    except (ValueError, OverflowError):
        pass
    msg = f"{text!r} is no time like 2026-01-31T12:00:00.000Z."
    raise QueryError(msg)


def _compare_fragment(path: tuple[str, ...], operator: str, value: language.Value) -> Q:
    if value.json is None:
        return Q(FragmentIsNull(path))
    if operator != "eq":
        return Q(FragmentCompares(path, _COMPARISONS[operator], value.json))
    if isinstance(value.json, str) and value.is_pattern:
        return Q(FragmentMatches(path, value.pieces))
    return Q(FragmentCompares(path, "=", value.json))


def _lookup(operator: str) -> str:
    return {"le": "lte", "ge": "gte"}.get(operator, operator)


def _has(path: tuple[str, ...]) -> Q:
    if len(path) == 1 and path[0] in KINDS:
        return of_kind(KINDS[path[0]])
    return Q(HasFragment(path))


def _fragment_type(name: str) -> Q:
    """Return the condition for the plain filter, whose dots are steps as well."""
    try:
        return _has(parse_path(name))
    except QueryError:  # no fragment can be called that
        return NOTHING


def _says(text: str) -> Q:
    """Return the condition of the free search: in the name, whatever its capitals."""
    if not is_storable(text):
        return NOTHING
    return Q(Matches(F("name_key"), ("", text_key(text), "")))


def _unquoted(text: str) -> str:
    """Return a free search as it was meant: one client quotes texts, if they have a space."""
    if len(text) > 1 and text.startswith("'") and text.endswith("'"):
        text = text[1:-1]
    return text.replace("''", "'")


def _has_child(child_id: str, kind: ChildLink.Kind) -> Q:
    number = parse_id(child_id.strip())
    if number is None:
        return NOTHING
    return Q(pk__in=ChildLink.objects.filter(child=number, kind=kind).values("parent"))


def _in_hierarchy(object_ids: tuple[int, ...]) -> Q:
    if not object_ids:
        return NOTHING
    sql = _HIERARCHY % ", ".join(["%s"] * len(object_ids))
    return Q(pk__in=RawSQL(sql, object_ids))  # noqa: S611 -- constant text, numbers as parameters
