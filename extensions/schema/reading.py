"""What of a page's schema a person fills in: fields in their order, some within groups."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final

from extensions.answers import shown
from extensions.schema.plain import Schema, SchemaError, drawable, kind_of, make_plain

MAX_FIELDS: Final = 100  # on all pages together
MAX_NESTING: Final = 5  # groups within groups
MAX_CHOICES: Final = 500  # of one list
MAX_ALL_CHOICES: Final = 5_000  # on all pages together
MAX_NAME: Final = 200  # characters of a property's name
MAX_TITLE: Final = 100  # characters of a step's name
MAX_LABEL: Final = 200  # characters
MULTILINE: Final = 200  # characters; where more has to be written, there is room for lines

Path = tuple[str, ...]


class Kind(Enum):
    """How a field is drawn."""

    TEXT = auto()
    LINES = auto()  # text of several lines
    SECRET = auto()
    EMAIL = auto()
    URL = auto()
    DATE = auto()
    MOMENT = auto()
    INTEGER = auto()
    NUMBER = auto()
    YES_NO = auto()
    CHOICE = auto()
    CHOICES = auto()
    LIST = auto()  # texts or numbers, one on a line


@dataclass(frozen=True)
class Choice:
    """One of several values, with what a person reads."""

    value: Any
    label: str


@dataclass(frozen=True)
class Field:
    """One thing to fill in; ``path`` is where its value stands in the page's object."""

    path: Path
    kind: Kind
    label: str
    help: str = ""
    is_required: bool = False
    default: Any = None
    placeholder: str = ""
    choices: tuple[Choice, ...] = ()
    schema: Schema = field(default_factory=dict)
    groups: tuple[str, ...] = ()  # headings above it, the outermost first


@dataclass(frozen=True)
class Page:
    """One step of a form.

    ``fixed`` are values that nobody fills in; ``groups`` are the objects that have to be there.
    """

    title: str
    description: str
    fields: tuple[Field, ...]
    fixed: tuple[tuple[Path, Any], ...]
    groups: tuple[Path, ...]
    schema: Schema


def read_pages(schemas: Sequence[Schema]) -> tuple[Page, ...]:
    """Return the steps of a form.

    Raises:
        SchemaError: a page cannot be drawn; the cause says why.
    """
    pages = []
    for number, schema in enumerate(schemas, start=1):
        plain = make_plain(schema)
        told = drawable(plain)
        if kind_of(told) != "object":
            raise SchemaError(f"Page {number} has no properties.")
        reader = _Reader()
        reader.read(told, (), (), is_needed=True)
        title = _clipped(told.get("title"), MAX_TITLE) or f"Step {number}"
        pages.append(
            Page(
                title, shown(told.get("description")), tuple(reader.fields),
                tuple(reader.fixed), tuple(reader.groups), plain,
            )
        )  # fmt: skip
    if sum(len(page.fields) for page in pages) > MAX_FIELDS:
        raise SchemaError(f"The form has more than {MAX_FIELDS} fields.")
    if sum(len(each.choices) for page in pages for each in page.fields) > MAX_ALL_CHOICES:
        raise SchemaError(f"The form has more than {MAX_ALL_CHOICES:,} choices.")
    return tuple(pages)


class _Reader:
    """Collects what one page asks for."""

    def __init__(self) -> None:
        self.fields: list[Field] = []
        self.fixed: list[tuple[Path, Any]] = []
        self.groups: list[Path] = []

    def read(self, schema: Schema, path: Path, groups: tuple[str, ...], *, is_needed: bool) -> None:
        """Take in the properties of an object."""
        required = schema.get("required", ())
        for name, part in schema.get("properties", {}).items():
            if len(name) > MAX_NAME:
                raise SchemaError("A property's name is too long.")
            if not isinstance(part, Mapping):  # anything goes, or nothing
                continue
            self._property(part, (*path, name), groups, is_required=is_needed and name in required)

    def _property(
        self, schema: Schema, path: Path, groups: tuple[str, ...], *, is_required: bool
    ) -> None:
        schema = drawable(schema)
        kind = kind_of(schema)
        label = _clipped(schema.get("title"), MAX_LABEL) or shown(path[-1]) or "Value"
        if "const" in schema and kind != "boolean":
            self.fixed.append((path, schema["const"]))
        elif schema.get("readOnly") is True:
            if "default" in schema:
                self.fixed.append((path, schema["default"]))
        elif kind == "object":
            if len(groups) == MAX_NESTING:
                raise SchemaError(f"Its groups go deeper than {MAX_NESTING} levels.")
            if is_required:
                self.groups.append(path)
            self.read(schema, path, (*groups, label), is_needed=is_required)
        elif kind == "null":
            self.fixed.append((path, None))
        else:
            self._field(schema, path, groups, kind, label, is_required=is_required)

    def _field(
        self,
        schema: Schema,
        path: Path,
        groups: tuple[str, ...],
        kind: str,
        label: str,
        *,
        is_required: bool,
    ) -> None:
        choices = tuple(_choices(schema.get("items", {}) if kind == "array" else schema))
        drawn = _drawn(schema, kind, has_choices=bool(choices))
        if drawn is None:
            if is_required:
                msg = f"The property {shown(path[-1])} is of a kind that forms cannot show."
                raise SchemaError(msg)
            return
        self.fields.append(
            Field(
                path, drawn, label, shown(schema.get("description")), is_required,
                schema.get("default"), first_example(schema), choices, schema, groups,
            )
        )  # fmt: skip


def _drawn(schema: Schema, kind: str, *, has_choices: bool) -> Kind | None:
    """Return how a property is drawn; None if it cannot be."""
    if kind == "array":
        items = schema.get("items", {})
        if has_choices:
            return Kind.CHOICES
        is_simple = isinstance(items, Mapping) and kind_of(items) in {
            "string",
            "number",
            "integer",
        }
        return Kind.LIST if is_simple else None
    if has_choices:
        return Kind.CHOICE
    return {
        "boolean": Kind.YES_NO,
        "integer": Kind.INTEGER,
        "number": Kind.NUMBER,
        "string": _text(schema),
    }[kind]


def _text(schema: Schema) -> Kind:
    told = schema.get("format")
    if told == "password" or schema.get("writeOnly") is True:
        return Kind.SECRET
    named = {
        "email": Kind.EMAIL,
        "idn-email": Kind.EMAIL,
        "uri": Kind.URL,
        "url": Kind.URL,
        "date": Kind.DATE,
        "date-time": Kind.MOMENT,
        "textarea": Kind.LINES,
    }
    if isinstance(told, str) and told in named:
        return named[told]
    is_document = bool(schema.get("contentMediaType"))
    return Kind.LINES if is_document or schema.get("minLength", 0) > MULTILINE else Kind.TEXT


def _choices(schema: Any) -> Iterator[Choice]:
    if not isinstance(schema, Mapping):
        return
    values = schema.get("enum")
    if values is not None:
        names = schema.get("enumNames")
        labels = names if isinstance(names, list) and len(names) == len(values) else values
        pairs = list(zip(values, labels, strict=True))
    else:
        parts = schema.get("oneOf") or schema.get("anyOf") or []
        if not all(isinstance(part, Mapping) and "const" in part for part in parts):
            return
        pairs = [(part["const"], part.get("title", part["const"])) for part in parts]
    if len(pairs) > MAX_CHOICES:
        raise SchemaError(f"A list has more than {MAX_CHOICES} choices.")
    for value, label in pairs:
        yield Choice(value, shown(label if isinstance(label, str) else _text_of(label)) or "-")


def _text_of(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return str(value)


def first_example(schema: Schema) -> str:
    """Return how a value may look, if the schema says so."""
    examples = schema.get("examples")
    first = examples[0] if isinstance(examples, list) and examples else examples
    if isinstance(first, bool) or not isinstance(first, str | int | float):
        return ""
    return shown(str(first))[:200]


def _clipped(value: Any, most: int) -> str:
    """Return a text in one line, and not so long that it hides all else."""
    text = " ".join(shown(value).split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
