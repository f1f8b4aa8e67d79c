"""A schema from anywhere, made plain: every reference in its place, nothing but known keywords.

Validation then costs no more than the schema has parts, fetches nothing and loops nowhere. What a
keyword says in a shape that it cannot have is left out, as with words that we do not know: the
provider has the last word anyway.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from extensions.protocols import NO_DEFINITION, ProviderError

MAX_PARTS: Final = 3_000  # schemas within a page's schema, with all references in their places
MAX_DEPTH: Final = 30
MAX_REPEATED: Final = 256 * 1024  # characters that references put into a page
DEFINITIONS: Final = ("$defs", "definitions")

Schema = Mapping[str, Any]


class SchemaError(ProviderError):
    """A schema that no form can be made of; the cause says where."""

    def __init__(self, cause: str) -> None:
        super().__init__(NO_DEFINITION, cause)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_names_by_name(value: Any) -> bool:
    return isinstance(value, Mapping) and all(_is_names(one) for one in value.values())


TYPES: Final = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})


def _is_type(value: Any) -> bool:
    return value in TYPES if isinstance(value, str) else _is_names(value) and set(value) <= TYPES


# Keywords that ask something of a value, with the shape that each has.
ASKING: Final[dict[str, Callable[[Any], bool]]] = {
    "type": _is_type,
    "enum": lambda value: isinstance(value, list) and bool(value),
    "const": lambda _: True,
    "minimum": _is_number,
    "maximum": _is_number,
    "exclusiveMinimum": _is_number,
    "exclusiveMaximum": _is_number,
    "multipleOf": lambda value: _is_number(value) and value > 0,
    "minLength": _is_count,
    "maxLength": _is_count,
    "pattern": _is_text,
    "format": _is_text,
    "minItems": _is_count,
    "maxItems": _is_count,
    "uniqueItems": lambda value: isinstance(value, bool),
    "minProperties": _is_count,
    "maxProperties": _is_count,
    "required": _is_names,
    "dependentRequired": _is_names_by_name,
}
# Keywords that hold one schema, several by name, or several in a row.
_ONE: Final = ("items", "contains", "not", "if", "then", "else", "additionalProperties")
_BY_NAME: Final = ("properties", "dependentSchemas")
_IN_A_ROW: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
# What is said to people, and means nothing to validation.
TELLING: Final = (
    "title", "description", "default", "examples", "readOnly", "writeOnly", "contentMediaType",
    "enumNames",
)  # fmt: skip


def make_plain(schema: Schema) -> dict[str, Any]:
    """Return a page's schema with its references in their places, known keywords only.

    Raises:
        SchemaError: a reference leads out of it, in circles or nowhere; or there is too much.
    """
    found = _Maker(schema).make(schema, "#", ())
    if not isinstance(found, dict):
        raise SchemaError("The page is no object.")
    return found


class _Maker:
    """Makes the parts of one page plain, and counts them."""

    def __init__(self, root: Schema) -> None:
        self.root, self.parts, self.repeated = root, 0, 0

    def make(self, schema: Any, place: str, within: tuple[str, ...]) -> Any:
        """Return one part; ``within`` are the references that led here."""
        self.parts += 1
        if self.parts > MAX_PARTS:
            raise SchemaError(f"It has more than {MAX_PARTS:,} parts.")
        if place.count("/") > MAX_DEPTH:
            raise SchemaError(f"It goes deeper than {MAX_DEPTH} levels.")
        if isinstance(schema, bool):
            return schema
        if not isinstance(schema, Mapping):
            raise SchemaError(f"What stands at {place} is no schema.")
        made: dict[str, Any] = {}
        reference = schema.get("$ref")
        if isinstance(reference, str):
            if reference in within:
                raise SchemaError(f"The reference at {place} leads back to itself.")
            target = self._target(reference, place)
            # A long text that many refer to would be in the form as many times.
            self.repeated += len(json.dumps(target))
            if self.repeated > MAX_REPEATED:
                raise SchemaError("What its references stand for is too long, all together.")
            target = self.make(target, place, (*within, reference))
            if not isinstance(target, dict):
                return target
            made.update(target)
        for name, is_right in ASKING.items():
            if name in schema and is_right(schema[name]):
                made[name] = schema[name]
        for name in TELLING:
            if name in schema:
                made[name] = schema[name]
        self._parts_of(schema, made, place, within)
        _old_bounds(schema, made)
        return made

    def _parts_of(
        self, schema: Schema, made: dict[str, Any], place: str, within: tuple[str, ...]
    ) -> None:
        for name in _ONE:
            if isinstance(schema.get(name), Mapping | bool):
                made[name] = self.make(schema[name], f"{place}/{name}", within)
        for name in _BY_NAME:
            if isinstance(schema.get(name), Mapping):
                made[name] = {
                    str(key): self.make(part, f"{place}/{key}", within)
                    for key, part in schema[name].items()
                }
        for name in _IN_A_ROW:
            if isinstance(schema.get(name), list) and schema[name]:
                made[name] = [self.make(part, f"{place}/{name}", within) for part in schema[name]]

    def _target(self, reference: str, place: str) -> Any:
        steps = reference.split("/")
        if len(steps) < 3 or steps[0] != "#" or steps[1] not in DEFINITIONS:
            raise SchemaError(f"The reference at {place} leads out of the page.")
        found: Any = self.root
        for step in steps[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, Mapping) or name not in found:
                raise SchemaError(f"The reference at {place} leads nowhere.")
            found = found[name]
        return found


def _old_bounds(schema: Schema, made: dict[str, Any]) -> None:
    """Understand bounds as they were written before 2016: true beside a minimum."""
    for name, old in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if schema.get(name) is True and _is_number(schema.get(old)):
            made[name] = made.pop(old)


def drawable(schema: Schema) -> Schema:
    """Return what a form draws of a schema: with its ``allOf``, and its one alternative to null.

    Generators write these around a reference, and for what may be left out. The page's own schema
    judges the value; this one only says how it is asked for.
    """
    parts = [part for part in schema.get("allOf", ()) if isinstance(part, Mapping)]
    for name in ("anyOf", "oneOf"):
        several = [part for part in schema.get(name, ()) if isinstance(part, Mapping)]
        real = [part for part in several if part.get("type") != "null"]
        if len(real) == 1 and len(several) == len(schema[name]):
            parts += real
            schema = {key: value for key, value in schema.items() if key != name}
    if not parts:
        return schema
    made: dict[str, Any] = {}
    for part in [*(drawable(part) for part in parts), schema]:
        properties = {**made.get("properties", {}), **part.get("properties", {})}
        required = [*made.get("required", ()), *part.get("required", ())]
        made |= {key: value for key, value in part.items() if key != "allOf"}
        made |= {"properties": properties} if properties else {}
        made |= {"required": required} if required else {}
    return made


def kind_of(schema: Schema) -> str:
    """Return the type that a form draws: the one named, or what the other keywords suggest."""
    named = schema.get("type")
    if isinstance(named, str):
        return named
    if isinstance(named, Sequence):
        real = [one for one in named if one != "null"]
        if len(real) == 1:
            return str(real[0])
        return "string" if "string" in real or not real else str(real[0])
    if "properties" in schema:
        return "object"
    if "items" in schema:
        return "array"
    for value in (schema.get("const"), schema.get("default")):
        if isinstance(value, bool):
            return "boolean"
        if isinstance(value, int):
            return "integer"
        if isinstance(value, float):
            return "number"
    return "string"
