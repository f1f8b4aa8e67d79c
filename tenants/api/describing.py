"""What an endpoint takes and answers, said beside its gate; the documentation is made of it.

Who may call, the methods and the addresses are not said again here: they are taken from the gate
and from the URL patterns. Shapes are JSON Schema 2020-12, as OpenAPI 3.1 has them; one that is a
``Schema`` is written down once, under its name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from tenants.api.http import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, media_type

View = TypeVar("View", bound=Callable[..., Any])
Json = dict[str, Any]
JSON: Final = "application/json"


@dataclass(frozen=True)
class Schema:
    """A shape that has a name, because several endpoints share it or a reader looks for it."""

    name: str
    shape: Json


@dataclass(frozen=True)
class Parameter:
    """Something in the query, or in the path."""

    name: str
    description: str
    schema: Json = field(default_factory=lambda: TEXT)
    example: Any = None


@dataclass(frozen=True)
class Body:
    """What is to be sent. ``examples`` are by their titles; the first one is tried out."""

    schema: Schema | Json
    examples: Mapping[str, Any]
    media_types: tuple[str, ...] = (JSON,)
    is_required: bool = True


@dataclass(frozen=True)
class Answer:
    """What comes back; without a schema there is no body. ``also`` are shapes by media type."""

    description: str
    schema: Schema | Json | None = None
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    also: Mapping[str, Schema | Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Refusals:
    """The shape that all refusals of an endpoint have, and the status of a wrong query."""

    schema: Schema
    media_type: str
    of_queries: int = 422


@dataclass(frozen=True)
class Operation:
    """One method of an endpoint.

    ``refusals`` says what a status means here. The statuses that a rule gives to every endpoint
    of a kind (401, 403, 429, ...) need not be among them.
    """

    summary: str
    answers: Mapping[int, Answer]
    description: str = ""
    query: tuple[Parameter, ...] = ()
    body: Body | None = None
    refusals: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Description:
    """All that is said about a view: its area, what stands in its path, its methods."""

    area: str
    path: Mapping[str, tuple[Parameter, ...]]
    operations: Mapping[str, Operation]
    refusals: Refusals


def described(
    area: str,
    operations: Mapping[str, Operation],
    *path: Parameter | tuple[str, tuple[Parameter, ...]],
    refusals: "Refusals | None" = None,
) -> Callable[[View], View]:
    """Describe an endpoint: ``@described("Options", {"GET": Operation(...)}, CATEGORY)``.

    ``operations`` are by their methods, ``path`` are the parameters of the address by the names
    they have in the URL pattern. One that is several for the client, with a slash between them, is
    a pair of its name and those.
    """
    pieces = dict((one.name, (one,)) if isinstance(one, Parameter) else one for one in path)

    def decorate(view: View) -> View:
        about = Description(area, pieces, operations, refusals or CONTRACT)
        view.description = about  # type: ignore[attr-defined]
        return view

    return decorate


# --- Shapes -------------------------------------------------------------------------------

TEXT: Final[Json] = {"type": "string"}
NUMBER: Final[Json] = {"type": "integer"}
FLAG: Final[Json] = {"type": "boolean"}
TIME: Final[Json] = {"type": "string", "format": "date-time"}
ADDRESS: Final[Json] = {"type": "string", "format": "uri"}
ANYTHING: Final[Json] = {"type": "object", "additionalProperties": True}
# What the contract has and Gatehouse has nothing for; clients look at the names all the same.
NOTHING: Final[Json] = {"type": "object", "maxProperties": 0}


def shape(required: str = "", /, **properties: Schema | Json) -> Json:
    """Return the schema of an object; ``required`` are names with blanks between them."""
    found: Json = {"type": "object", "properties": properties}
    return {**found, "required": required.split()} if required else found


def several(schema: Schema | Json) -> Json:
    """Return the schema of a list."""
    return {"type": "array", "items": schema}


def one_of(*values: str) -> Json:
    """Return the schema of a text that is one of ``values``."""
    return {"type": "string", "enum": list(values)}


def about(schema: Json, description: str) -> Json:
    """Return ``schema`` with what it means."""
    return {**schema, "description": description}


# --- What the contract says the same way everywhere -----------------------------------------

ERROR: Final = Schema(
    "Error",
    shape(
        "error message info",
        error=about(TEXT, "What kind of refusal it is: the resource and a name."),
        message=about(TEXT, "What is wrong, in words."),
        info=about(TEXT, "Where help is to be found."),
    ),
)


def plain(contract_type: str) -> str:
    """Return one of the contract's media types without its parameters."""
    return media_type(contract_type).partition(";")[0]


CONTRACT: Final = Refusals(ERROR, plain("error"))
WHOLE: Final[Json] = {"type": "integer", "minimum": 1, "maximum": 999_999_999}
PAGING: Final = (
    Parameter("currentPage", "Which page, from 1. One past the end is empty.", WHOLE),
    Parameter(
        "pageSize",
        f"Entries of a page: {DEFAULT_PAGE_SIZE} if nothing is said, at most {MAX_PAGE_SIZE}.",
        WHOLE,
    ),
    Parameter("withTotalPages", "Count the pages, in `statistics`.", FLAG),
    Parameter("withTotalElements", "Count the entries, in `statistics`.", FLAG),
)
STATISTICS: Final = Schema(
    "Statistics",
    shape(
        "currentPage pageSize",
        currentPage=NUMBER,
        pageSize=NUMBER,
        totalPages=NUMBER,
        totalElements=NUMBER,
    ),
)


def answer(description: str, schema: Schema | Json, kind: str) -> Answer:
    """Return an answer in the contract's media type for ``kind``."""
    return Answer(description, schema, plain(kind))


def created(description: str, schema: Schema | Json, kind: str) -> Answer:
    """Return an answer to what was made; it says where that is."""
    return Answer(description, schema, plain(kind), {"Location": "Where it is."})


def page_of(
    schema: Schema | Json, *, collection: str, kind: str, description: str = "One page of the list."
) -> Answer:
    """Return the answer of a list: a page, its neighbours, and how many there are."""
    page = shape(
        f"self {collection} statistics",
        self=ADDRESS,
        statistics=STATISTICS,
        prev=ADDRESS,
        next=ADDRESS,
        **{collection: several(schema)},
    )
    return answer(description, page, kind)


GONE: Final = Answer("It is deleted.")
