"""JSON checked against its shape; what is wrong is said without repeating what was sent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from factory.api.shapes import Shape

_SPOKEN: Final = {
    "string": "text",
    "integer": "a whole number",
    "array": "an array",
    "object": "an object",
    "null": "null",
}


@dataclass(frozen=True)
class Flaw:
    """Something that is wrong with a value; ``path`` are the members that lead to it."""

    path: tuple[str, ...]
    code: str
    detail: str

    def as_error(self) -> dict[str, Any]:
        """Return the entry of an answer."""
        pointer = "/".join(("#", *self.path))
        return {"pointer": pointer, "code": self.code, "detail": self.detail}


def flaws(value: Any, shape: Shape, path: tuple[str, ...] = ()) -> Iterator[Flaw]:
    """Yield what is wrong with ``value``, the outermost first."""
    types = shape["type"] if isinstance(shape["type"], list) else [shape["type"]]
    if not any(_is_a(value, each) for each in types):
        said = " or ".join(_SPOKEN[each] for each in types)
        yield Flaw(path, "wrong_type", f"It must be {said}.")
    elif isinstance(value, dict):
        yield from _of_object(value, shape, path)
    elif isinstance(value, str):
        yield from _of_text(value, shape, path)
    elif isinstance(value, int | float):
        yield from _of_number(value, shape, path)


def _is_a(value: Any, name: str) -> bool:
    if name == "integer":
        # 8.0 is a whole number to JSON, and so are true and false to Python.
        is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        return is_whole and not isinstance(value, bool)
    kinds: Mapping[str, Any] = {
        "string": str, "array": list, "object": dict, "null": type(None)
    }  # fmt: skip
    return isinstance(value, kinds[name])


def _of_object(value: dict[str, Any], shape: Shape, path: tuple[str, ...]) -> Iterator[Flaw]:
    members: Mapping[str, Shape] = shape["properties"]
    if not value.keys() <= members.keys():
        known = ", ".join(members)
        yield Flaw(path, "unknown_member", f"It has a member that is not one of these: {known}.")
    for name in shape.get("required", ()):
        if name not in value:
            yield Flaw((*path, name), "missing", "It is needed.")
    for name, member in members.items():
        # Elements of an array are checked by whoever reads them: they may fail one by one.
        if name in value and member["type"] != "object":
            yield from flaws(value[name], member, (*path, name))


def _of_text(value: str, shape: Shape, path: tuple[str, ...]) -> Iterator[Flaw]:
    if "enum" in shape and value not in shape["enum"]:
        yield Flaw(path, "unknown_value", f"Choose one of these: {', '.join(shape['enum'])}.")
    if len(value) < shape.get("minLength", 0):
        yield Flaw(path, "too_short", "It must not be empty.")
    if "maxLength" in shape and len(value) > shape["maxLength"]:
        yield Flaw(path, "too_long", f"It can have at most {shape['maxLength']:,} characters.")


def _of_number(value: float, shape: Shape, path: tuple[str, ...]) -> Iterator[Flaw]:
    if "minimum" in shape and value < shape["minimum"]:
        yield Flaw(path, "too_small", f"It must be at least {shape['minimum']}.")
    if "maximum" in shape and value > shape["maximum"]:
        yield Flaw(path, "too_large", f"It can be at most {shape['maximum']}.")
