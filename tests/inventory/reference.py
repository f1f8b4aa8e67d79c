"""What a query finds, said in Python: the databases have to agree with this."""

import re
from datetime import UTC, datetime
from functools import partial

from inventory import query as language
from inventory.fields import text_key

MISSING = object()
COLUMNS = {"name": "name", "type": "type", "owner": "owner"}
TIMES = {"creationTime": "reported_at", "lastUpdated": "updated_at"}
COMPARES = {
    "eq": lambda a, b: a == b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}


def passes(one, condition):
    match condition:
        case language.All(conditions):
            return all(passes(one, each) for each in conditions)
        case language.AnyOf(conditions):
            return any(passes(one, each) for each in conditions)
        case language.Not(inner):
            return not passes(one, inner)
        case language.Has(path):
            return leaf(one, path) is not MISSING
        case language.Compare(path, "ne", value):
            return not passes(one, language.Compare(path, "eq", value))
        case language.Compare(path, operator, value):
            return compares(one, path, operator, value)
    raise AssertionError(condition)


def compares(one, path, operator, value):
    compare = COMPARES[operator]
    if path[0] in TIMES and path[1:] in {(), ("date",)}:
        time = cut(getattr(one, TIMES[path[0]]))
        return value.json is not None and compare(time, cut(datetime.fromisoformat(value.text)))
    if path in {("id",), ("_id",)}:
        if value.is_pattern:
            return matches(str(one.pk), value.pieces)
        if not value.text.isdigit():
            return False
        return compare(one.pk, int(value.text))
    if len(path) == 1 and path[0] in COLUMNS:
        text = getattr(one, path[0])
        if value.json is None:
            return text == ""
        if operator == "eq" and not value.is_pattern:
            return text == value.text
        if operator == "eq":
            return text != "" and matches(text, value.pieces)
        return text != "" and compare(text.encode(), value.text.encode())
    if path == ("text",) and operator == "eq" and value.json is not None:
        return "".join(value.pieces).casefold() in text_key(one.name)
    there = leaf(one, path)
    if value.json is None:
        return there is MISSING or there is None
    items = there if isinstance(there, list) else [there]
    return any(agrees(item, compare, value, operator) for item in items)


def agrees(item, compare, value, operator):
    if isinstance(value.json, str):
        if not isinstance(item, str):
            return False
        if operator == "eq" and value.is_pattern:
            return matches(item, value.pieces)
        return compare(item.encode(), value.json.encode())
    if isinstance(value.json, bool) or isinstance(item, bool):
        return isinstance(item, bool) and isinstance(value.json, bool) and item == value.json
    return isinstance(item, int | float) and compare(item, value.json)


def leaf(one, path):
    there = one.fragments
    for step in path:
        there = there.get(step, MISSING) if isinstance(there, dict) else MISSING
    return there


def matches(text, pieces):
    return re.fullmatch(".*".join(map(re.escape, pieces)), text, re.DOTALL) is not None


def cut(time):
    time = time if time.tzinfo else time.replace(tzinfo=UTC)
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def key(one, path):
    if path[0] in TIMES:
        return getattr(one, TIMES[path[0]])
    if path in {("id",), ("_id",)}:
        return one.pk
    if path == ("name",):
        return text_key(one.name).encode()
    if len(path) == 1 and path[0] in COLUMNS:
        return getattr(one, path[0]).encode()
    match leaf(one, path):
        case bool(value):
            return (5 + value, 0)
        case int(value) | float(value):
            return (1, value)
        case str(value):
            return (2, value.encode())
        case dict():
            return (3, 0)
        case list():
            return (4, 0)
    return (0, 0)


def in_order(rows, order):
    rows = sorted(rows, key=lambda one: one.pk, reverse=bool(order) and order[0].is_descending)
    for each in reversed(order):
        rows.sort(key=partial(key, path=each.path), reverse=each.is_descending)
    return rows
