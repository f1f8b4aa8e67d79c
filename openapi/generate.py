"""The OpenAPI document of every endpoint, made of what the code says about itself.

Addresses come from the URL patterns, methods and rights from the gate, the rest from what stands
beside it (``tenants.api.describing``).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final, cast

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

from openapi.texts import AREAS, INTRODUCTION, SECURITY_SCHEMES
from tenants.api.describing import Answer, Description, Json, Operation, Parameter, Refusals, Schema
from tenants.api.http import PUBLIC
from tenants.roles import BOOTSTRAP, DEVICE, Role

PLACEHOLDER: Final = re.compile(r"<(?:\w+:)?(\w+)>")
Roles = tuple[Role, ...]


@dataclass(frozen=True)
class Endpoint:
    """An address of the API and the view behind it, as Django would find it."""

    route: str
    view: Any

    @property
    def description(self) -> Description | None:
        """Return what is said about the view, if anything is."""
        found: Description | None = getattr(self.view, "description", None)
        return found


def endpoints() -> Iterator[Endpoint]:
    """Yield every endpoint behind the gate of the API; of two at one address, the first counts."""
    seen = set()
    for route, view in _walk(get_resolver().url_patterns, ""):
        # The gate of the console lists roles, this one has some for each method.
        if isinstance(getattr(view, "required_roles", None), dict) and route not in seen:
            seen.add(route)
            yield Endpoint(route, view)


def _walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[tuple[str, Any]]:
    for each in patterns:
        route = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _walk(each.url_patterns, route)
        else:
            yield route, each.callback


def undescribed() -> list[str]:
    """Return what the document would have to leave out, or to invent."""
    missing = []
    for each in endpoints():
        about = each.description
        methods = set(each.view.required_roles) ^ set(about.operations if about else ())
        missing += [f"{method} /{each.route}" for method in sorted(methods)]
        names = set(PLACEHOLDER.findall(each.route)) ^ set(about.path if about else ())
        missing += [f"{name} of /{each.route}" for name in sorted(names)]
    return missing


@lru_cache(maxsize=1)
def document_text() -> str:
    """Return the document as it is served."""
    return json.dumps(document(), ensure_ascii=False) + "\n"


def document() -> Json:
    """Return the OpenAPI document of this installation."""
    shapes = _Shapes()
    paths: dict[str, Json] = {}
    areas = set()
    for each in endpoints():
        about = each.description
        if about is None:
            continue
        areas.add(about.area)
        item: Json = {}
        if about.path:
            item["parameters"] = [
                _parameter(one, "path") for pieces in about.path.values() for one in pieces
            ]
        for method, operation in about.operations.items():
            needed = each.view.required_roles[method]
            item[method.lower()] = _operation(shapes, method, each, operation, needed)
        paths[_path(each.route, about)] = item
    found: Json = {
        "openapi": "3.1.0",
        "info": {
            "title": "Gatehouse",
            "version": settings.VERSION,
            "summary": "Lets devices in: registration, device types, inventory, tenants.",
            "description": INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This installation."}],
        "tags": [
            {"name": name, "description": text} for name, text in AREAS.items() if name in areas
        ],
        "paths": shapes.resolved(paths),
        "components": {"securitySchemes": SECURITY_SCHEMES},
    }
    found["components"]["responses"] = dict(sorted(shapes.responses.items()))
    found["components"]["schemas"] = dict(sorted(shapes.named.items()))
    return found


class _Shapes:
    """Writes each named shape down once, and refers to it from wherever it is used."""

    def __init__(self) -> None:
        self.named: dict[str, Json] = {}
        self.responses: dict[str, Json] = {}
        self._known: dict[str, Schema] = {}

    def resolved(self, value: Any) -> Any:
        """Return ``value`` with references in place of what has a name."""
        if isinstance(value, Schema):
            return {"$ref": f"#/components/schemas/{self._name(value)}"}
        if isinstance(value, Mapping):
            return {str(name): self.resolved(one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.resolved(one) for one in value]
        return value

    def response(self, name: str, response: Json) -> Json:
        """Return a reference to a response that many endpoints have."""
        whole = self.resolved(response)
        number = 1
        while self.responses.setdefault(f"{name}{number}", whole) != whole:
            number += 1
        return {"$ref": f"#/components/responses/{name}{number}"}

    def _name(self, schema: Schema) -> str:
        known = self._known.setdefault(schema.name, schema)
        if known != schema:
            msg = f"Two different schemas are called {schema.name}."
            raise ValueError(msg)
        if schema.name not in self.named:
            self.named[schema.name] = {}  # it may mention itself
            self.named[schema.name] = self.resolved(schema.shape)
        return schema.name


def _path(route: str, about: Description) -> str:
    """Return the path as OpenAPI writes it; some of our parameters are several of the client's."""

    def placeholders(found: re.Match[str]) -> str:
        return "/".join(f"{{{one.name}}}" for one in about.path[found[1]])

    return "/" + PLACEHOLDER.sub(placeholders, route)


def _parameter(one: Parameter, place: str) -> Json:
    found: Json = {
        "name": one.name,
        "in": place,
        "description": one.description,
        "schema": one.schema,
    }
    if place == "path":
        found["required"] = True
    if one.example is not None:
        found["example"] = one.example
    return found


def _operation(
    shapes: _Shapes, method: str, each: Endpoint, said: Operation, needed: Role | Roles | str
) -> Json:
    about = cast("Description", each.description)
    roles: Roles = () if needed == PUBLIC else needed if isinstance(needed, tuple) else (needed,)  # type: ignore[assignment]
    found: Json = {
        "operationId": _name(method, _path(each.route, about)),
        "tags": [about.area],
        "summary": said.summary,
        "description": "\n\n".join(filter(None, (said.description, _who(roles)))),
        "security": _security(roles),
        "x-roles": sorted(str(role) for role in roles),
    }
    if said.query:
        found["parameters"] = [_parameter(one, "query") for one in said.query]
    if said.body:
        content: Json = {"schema": said.body.schema}
        content["examples"] = {
            _identifier(title): {"summary": title, "value": value}
            for title, value in said.body.examples.items()
        }
        found["requestBody"] = {
            "required": said.body.is_required,
            "content": dict.fromkeys(said.body.media_types, content),
        }
    found["responses"] = {
        **{str(status): _answer(one) for status, one in sorted(said.answers.items())},
        **{
            str(status): shapes.response(
                HTTPStatus(status).phrase.title().replace(" ", ""),
                _refusal(status, text, about.refusals),
            )
            for status, text in sorted(refusals(method, about, said, roles).items())
            if status not in said.answers
        },
    }
    return found


def _name(method: str, path: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", path)
    return method.lower() + "".join(word[0].upper() + word[1:] for word in words)


def _identifier(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _who(roles: Roles) -> str:
    if not roles:
        return "Anybody may call this."
    if set(roles) == set(Role):
        return "Whoever has an account may call this."
    names = [f"`{role}`" for role in roles]
    words = " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    return f"Needs {words}."


def _security(roles: Roles) -> list[Json]:
    """Return the ways to say who one is; devices and their bootstrap account can do little."""
    if not roles:
        return [{}]
    if set(roles) <= set(BOOTSTRAP):
        return [{"bootstrap": []}]
    ways: list[Json] = [{"person": []}, {"token": []}]
    if set(roles) & set(DEVICE):
        ways.append({"device": []})
    return ways


# --- Answers and refusals -------------------------------------------------------------------


def _answer(one: Answer) -> Json:
    found: Json = {"description": one.description}
    if one.headers:
        found["headers"] = {
            name: {"description": text, "schema": {"type": "string"}}
            for name, text in one.headers.items()
        }
    if one.schema is not None:
        kinds = {one.media_type: one.schema, **one.also}
        found["content"] = {kind: {"schema": schema} for kind, schema in kinds.items()}
    return found


def refusals(method: str, about: Description, said: Operation, roles: Roles) -> dict[int, str]:
    """Return which statuses refuse, and what each means: what the gate gives, and what is said."""
    found = {
        HTTPStatus.BAD_REQUEST: "The request could not be understood.",
        HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong on our side.",
    }
    if roles:
        found |= {
            HTTPStatus.UNAUTHORIZED: "No login, or a wrong one.",
            HTTPStatus.FORBIDDEN: "The caller may not do this.",
            HTTPStatus.TOO_MANY_REQUESTS: "Too many wrong logins; `Retry-After` says when.",
            HTTPStatus.SERVICE_UNAVAILABLE: "Busy; `Retry-After` says when to try again.",
        }
    if about.path:
        found[HTTPStatus.NOT_FOUND] = "It is not there, or another tenant's."
    if method == "POST":
        found[HTTPStatus.METHOD_NOT_ALLOWED] = "The method in `X-HTTP-METHOD` is none of these."
    if said.body:
        found |= {
            HTTPStatus.BAD_REQUEST: "The body cannot be read; JSON is wanted.",
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large.",
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body has a media type that is not taken here.",
        }
    if said.body or (said.query and about.refusals.of_queries == HTTPStatus.UNPROCESSABLE_ENTITY):
        found[HTTPStatus.UNPROCESSABLE_ENTITY] = "Understood, and refused; `message` says why."
    return {**{int(status): text for status, text in found.items()}, **said.refusals}


def _refusal(status: int, text: str, shape: Refusals) -> Json:
    found: Json = {"description": text, "content": {shape.media_type: {"schema": shape.schema}}}
    headers = {
        HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "Basic, or XBASIC for those who ask for it."},
        HTTPStatus.METHOD_NOT_ALLOWED: {"Allow": "The methods that there are."},
        HTTPStatus.TOO_MANY_REQUESTS: {"Retry-After": "Seconds."},
        HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": "Seconds."},
    }.get(HTTPStatus(status))
    if headers:
        found["headers"] = {
            name: {"description": words, "schema": {"type": "string"}}
            for name, words in headers.items()
        }
    return found
