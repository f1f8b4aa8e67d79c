"""The document: complete, true to the gate, open to everybody, kept by clients."""

import json

import pytest
from django.core.management import call_command

from openapi.generate import document, endpoints, undescribed
from openapi.texts import AREAS
from tenants.api.http import PUBLIC
from tenants.roles import DEVICE
from tests.support import ERROR_TYPE, REQUESTS, Api

DOCUMENT = "/api/openapi.json"
METHODS = {"get", "put", "post", "patch", "delete"}


@pytest.fixture(scope="module")
def whole():
    return json.loads(json.dumps(document()))


def operations(whole):
    return {
        f"{method.upper()} {path}": operation
        for path, item in whole["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def test_every_method_of_every_address_is_described():
    assert undescribed() == []
    assert len(list(endpoints())) >= 35


def test_document_knows_every_method_that_the_gate_knows(whole):
    gate = sum(len(each.view.required_roles) for each in endpoints())
    assert len(operations(whole)) == gate


def test_every_reference_leads_somewhere(whole):
    def walk(value):
        if isinstance(value, list):
            for each in value:
                yield from walk(each)
        elif isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for each in value.values():
                yield from walk(each)

    found = set(walk(whole))
    assert found
    for reference in found:
        _, *names = reference.split("/")
        place = whole
        for name in names:
            place = place[name]
        assert place


def test_names_of_operations_are_unique_and_areas_are_introduced(whole):
    names = [each["operationId"] for each in operations(whole).values()]
    assert len(set(names)) == len(names)
    used = {tag for each in operations(whole).values() for tag in each["tags"]}
    assert used == {each["name"] for each in whole["tags"]} == set(AREAS)


def test_rights_and_logins_are_those_of_the_gate(whole):
    for name, operation in operations(whole).items():
        ways = {way for each in operation["security"] for way in each}
        refused = set(operation["responses"])
        assert {"400", "500"} <= refused, name
        if not operation["x-roles"]:
            assert ways == set(), name
            assert not {"401", "403"} & refused, name
            continue
        assert {"401", "403", "429", "503"} <= refused, name
        assert ("device" in ways) == bool(set(operation["x-roles"]) & set(DEVICE)), name
        assert ("404" in refused) or "{" not in name, name
        if "requestBody" in operation:
            assert {"413", "415", "422"} <= refused, name
    poll = operations(whole)["POST /devicecontrol/deviceCredentials"]
    assert poll["security"] == [{"bootstrap": []}]
    public = {name for name, each in operations(whole).items() if not each["x-roles"]}
    assert public == {
        f"{method} /{each.route}"
        for each in endpoints()
        for method, roles in each.view.required_roles.items()
        if roles == PUBLIC
    }


def test_two_shapes_of_one_name_are_an_error():
    from openapi.generate import _Shapes
    from tenants.api.describing import TEXT, Schema, shape

    shapes = _Shapes()
    assert shapes.resolved([Schema("One", shape(a=TEXT))] * 2)
    with pytest.raises(ValueError, match="One"):
        shapes.resolved(Schema("One", shape(b=TEXT)))


def test_command_prints_the_document(whole, capsys):
    call_command("openapi")
    assert json.loads(capsys.readouterr().out) == whole


def test_document_is_open_and_is_kept_by_its_tag(db, whole):
    answer = Api().get(DOCUMENT)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json() == whole
    assert answer["Cache-Control"] == "no-cache"
    again = Api().get(DOCUMENT, **{"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == answer["ETag"]
    other = Api().get(DOCUMENT, **{"If-None-Match": '"another"'})
    assert other.status_code == 200
    refused = Api().post(DOCUMENT, {})
    assert (refused.status_code, refused["Content-Type"]) == (401, ERROR_TYPE)


def test_example_of_the_first_endpoint_works_on_a_new_installation(whole, api):
    body = operations(whole)["POST /devicecontrol/newDeviceRequests"]["requestBody"]
    example = next(iter(body["content"]["application/json"]["examples"].values()))["value"]
    answer = api("management/administrator").post(REQUESTS, example)
    assert answer.status_code == 201
    path = whole["paths"]["/devicecontrol/newDeviceRequests/{device_id}"]
    assert path["parameters"][0]["example"] == answer.json()["id"]


@pytest.mark.parametrize("login", [None, "acme/reader", "acme/devicebootstrap"])
def test_page_is_open_to_everybody_and_shows_no_tenant(login, house, person, client):
    if login:
        client.force_login(person(login))
    answer = client.get("/api/docs")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert f'data-document="{DOCUMENT}"' in page
    assert ("Sign out" in page) is bool(login)
    assert client.post("/api/docs").status_code in {403, 405}


def test_only_the_page_of_the_api_may_show_pictures_out_of_its_style_sheet(house, client):
    page, other = client.get("/api/docs"), client.get("/sign-in/")
    policy = page["Content-Security-Policy"]
    assert "img-src 'self' data:;" in policy
    assert policy.replace(" data:", "") == other["Content-Security-Policy"]
