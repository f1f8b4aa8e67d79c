"""The gate of the REST contract: nobody passes it unseen, and no path leads around it."""

import pytest
from django.urls import URLPattern

from config.urls import api_urls
from factory.api.refusals import MEDIA_TYPE, PREFIX
from tenants.api.http import PUBLIC
from tenants.roles import Role
from tests.support import ERROR_TYPE, REQUESTS, give_rights

PUBLIC_PATHS = {"api/openapi.json", "tenant/loginOptions"}
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE"]


def walk(patterns, prefix=""):
    """Yield every pattern below ``patterns`` with its whole path."""
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield path, pattern.callback
        else:
            yield from walk(pattern.url_patterns, path)


ENDPOINTS = list(walk(api_urls))


def concrete(path):
    values = {
        "<path:device_id>": "4711",
        "<str:device_id>": "4711",
        "<str:object_id>": "4711",
        "<str:tenant_id>": "acme",
        "<str:category>": "c",
        "<path:key>": "k",
        "<str:child_id>": "2",
        "<path:external>": "c8y_Serial/4711",
        "<str:device_type_id>": "4711",
    }
    for parameter, value in values.items():
        path = path.replace(parameter, value)
    return f"/{path}"


def error_type(path):
    """Return how refusals at a path are written: as problems below the Operations API."""
    return MEDIA_TYPE if f"/{path}".startswith(PREFIX) else ERROR_TYPE


def said(answer):
    """Return what a refusal tells a person."""
    body = answer.json()
    if answer["Content-Type"] == ERROR_TYPE:
        assert body == {**body, "info": "/help/connecting-devices/"}
        return body["error"], body["message"]
    return body["type"], body["title"]


REFUSED = {
    401: {
        ERROR_TYPE: ("security/Unauthorized", "Invalid credentials! : Bad credentials"),
        MEDIA_TYPE: ("/problems/unauthorized", "The login is not accepted"),
    },
    403: {
        ERROR_TYPE: ("security/Forbidden", "Access is denied"),
        MEDIA_TYPE: ("/problems/forbidden", "The login may not do this"),
    },
}


@pytest.fixture(params=ENDPOINTS, ids=[path for path, _ in ENDPOINTS])
def endpoint(request):
    return request.param


def test_there_are_endpoints_to_walk():
    assert len(ENDPOINTS) >= 23


def test_endpoint_says_who_may_call(endpoint):
    path, view = endpoint
    assert view.required_roles
    for method, roles in view.required_roles.items():
        if roles == PUBLIC:
            assert (path, method) in {(public, "GET") for public in PUBLIC_PATHS}
            continue
        one_of = roles if isinstance(roles, tuple) else (roles,)
        assert one_of
        assert all(isinstance(role, Role) for role in one_of)


@pytest.mark.parametrize(
    ("login", "password"),
    [(None, ""), ("acme/operator", "guess"), ("acme/device_4711", "guess"), ("", "")],
    ids=["no-login", "wrong-password", "unknown-device", "empty-login"],
)
def test_stranger_is_refused_whatever_the_method(endpoint, login, password, api):
    path, _ = endpoint
    for method in METHODS:
        answer = api(login, password).call(method, concrete(path), {})
        if path in PUBLIC_PATHS and method in {"GET", "HEAD"}:
            assert answer.status_code == 200, method
            continue
        assert answer.status_code == 401, method
        assert answer["Content-Type"] == error_type(path)
        assert answer["WWW-Authenticate"] == 'Basic realm="Gatehouse"'
        if method != "HEAD":
            assert said(answer) == REFUSED[401][error_type(path)], method


@pytest.mark.parametrize("flag", ["true", "TRUE"])
def test_browser_client_is_not_made_to_ask_for_a_password(flag, api):
    answer = api().get(REQUESTS, UseXBasic=flag)
    assert answer["WWW-Authenticate"] == 'XBASIC realm="Gatehouse"'


def test_other_methods_are_named(endpoint, api):
    path, view = endpoint
    other = "PATCH" if "PATCH" not in view.required_roles else "PUT"
    answer = api("acme/administrator").call(other, concrete(path), {})
    assert answer.status_code == 405
    assert answer["Content-Type"] == error_type(path)
    assert answer["Allow"] == ", ".join(sorted(view.required_roles))


def test_caller_without_the_right_is_refused_in_json(endpoint, api, person):
    path, view = endpoint
    user = person("acme/operator")
    give_rights(user)
    for method, roles in view.required_roles.items():
        if roles == PUBLIC:
            continue
        answer = api("acme/operator").call(method, concrete(path), {})
        assert (answer.status_code, answer["Content-Type"]) == (403, error_type(path))
        assert said(answer) == REFUSED[403][error_type(path)]


def test_session_of_the_console_opens_nothing(endpoint, person, client):
    path, _ = endpoint
    client.force_login(person("acme/administrator"))
    answer = client.get(concrete(path))
    assert answer.status_code == (200 if path in PUBLIC_PATHS else 401)


@pytest.mark.parametrize("login", [None, "acme/administrator"], ids=["stranger", "person"])
def test_slash_at_the_end_never_redirects(endpoint, login, api):
    path, _ = endpoint
    answer = api(login).get(concrete(path) + "/")
    assert answer.status_code in {401, 404}
    assert answer["Content-Type"] == error_type(path)


@pytest.mark.parametrize(
    "path",
    [
        "/devicecontrol/",
        "/devicecontrol/operations",
        "/devicecontrol/newDeviceRequests/",
        "/tenant/nothing",
        "/inventory/managedObjects/",
        "/inventory/binaries",
        "/inventory/managedObjects/1/supportedSeries",
        "/identity/externalIds",
        "/devicecontrol//newDeviceRequests",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unknown_path_is_not_found_in_json(path, method, api):
    answer = api("acme/administrator").call(method, path, {})
    assert (answer.status_code, answer["Content-Type"]) == (404, ERROR_TYPE)
    assert answer.json()["message"]


def test_answers_of_the_api_are_not_kept_and_not_guessed_at(api):
    answer = api("acme/reader").get(REQUESTS)
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_host_that_nobody_told_us_about_is_refused_in_json(api, house):
    answer = api("acme/reader").get(REQUESTS, Host="evil.example.com")
    assert (answer.status_code, answer["Content-Type"]) == (400, ERROR_TYPE)
