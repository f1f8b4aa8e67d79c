"""External IDs over REST: bound, found, listed, taken off."""

import re
from urllib.parse import quote

import pytest

from inventory.models import ExternalId
from tenants.models import AuditRecord
from tests.inventory.api.calls import NO_OBJECT, UNKNOWN_IDS, one, refused

DEVICE: dict[str, object] = {"c8y_IsDevice": {}}
MEDIA_TYPE = "application/vnd.com.nsn.cumulocity.{}+json;charset=UTF-8;ver=0.9"


def of(object_id):
    return f"/identity/globalIds/{object_id}/externalIds"


def at(kind, value):
    """Return the address as careless clients write it: as it is, where HTTP allows it at all."""
    return f"/identity/externalIds/{kind}/{quote(value, safe='/:@!$&*+,;=~')}"


@pytest.fixture
def bound(api, ours):
    """Bind an external ID to a new object of acme; return the ID of the object."""

    def make(value="4711", kind="c8y_Serial"):
        object_id = ours(name="Press", **DEVICE)
        body = {"type": kind, "externalId": value}
        answer = api("acme/operator").post(of(object_id), body)
        assert answer.status_code == 201, answer.content
        return object_id

    return make


def test_external_id_is_bound_found_listed_and_taken_off(api, ours):
    object_id = ours(name="Press", **DEVICE)
    operator = api("acme/operator")
    body = {"type": "c8y_Serial", "externalId": "4711", "managedObject": {"id": object_id}}
    answer = operator.post(of(object_id), body)
    assert (answer.status_code, answer["Content-Type"]) == (201, MEDIA_TYPE.format("externalId"))
    made = answer.json()
    assert made == {
        "type": "c8y_Serial",
        "externalId": "4711",
        "managedObject": {"id": object_id, "self": f"http://testserver{one(object_id)}"},
        "self": "http://testserver/identity/externalIds/c8y_Serial/4711",
    }
    assert answer["Location"] == made["self"]
    assert api("acme/reader").get(at("c8y_Serial", "4711")).json() == made
    listed = api("acme/reader").get(of(object_id))
    assert listed["Content-Type"] == MEDIA_TYPE.format("externalIdCollection")
    assert listed.json() == {
        "self": f"http://testserver{of(object_id)}",
        "externalIds": [made],
    }
    gone = operator.delete(at("c8y_Serial", "4711"))
    assert (gone.status_code, gone.content) == (204, b"")
    for method in ("GET", "DELETE"):
        refused(
            operator.call(method, at("c8y_Serial", "4711")), 404, "identity/Not Found",
            "External id not found; external id = ID [type=c8y_Serial, value=4711]",
        )  # fmt: skip
    assert operator.get(of(object_id)).json()["externalIds"] == []


def test_answer_is_empty_for_who_asks_for_none(api, ours):
    answer = api("acme/operator").post(of(ours()), {"type": "t", "externalId": "v"}, Accept=None)
    assert (answer.status_code, answer.content) == (201, b"")


@pytest.mark.parametrize(
    "value",
    [
        "aa:bb:cc", "Zähler-Ü", "a/b/c", "a//b", "100%", "50%25", "%2F", "a+b", "a b", "x?y#z",
        "'\"\\", "прибор", "\U0001f3ed", "a;b=c,d", "-", "/x", "x/", "e\u0301", "<b>&amp;",
        "x" * 1000,
    ],
)  # fmt: skip
def test_every_id_is_found_as_it_is_and_by_its_own_address(value, api, bound):
    object_id = bound(value)
    operator = api("acme/operator")
    found = operator.get(at("c8y_Serial", value)).json()
    assert (found["externalId"], found["managedObject"]["id"]) == (value, object_id)
    again = operator.get(found["self"].removeprefix("http://testserver"))
    assert again.json() == found
    assert operator.delete(at("c8y_Serial", value)).status_code == 204


def test_type_ends_at_the_first_slash(api, bound):
    object_id = bound("b/c", kind="a")
    assert api("acme/operator").get("/identity/externalIds/a/b/c").json()["managedObject"][
        "id"
    ] == object_id  # fmt: skip
    refused(api("acme/operator").get("/identity/externalIds/a"), 404, "identity/Not Found")


def test_taken_id_is_a_conflict_in_the_words_of_the_contract(api, bound, ours):
    first = bound()
    for object_id in (first, ours(name="other")):
        refused(
            api("acme/operator").post(of(object_id), {"type": "c8y_Serial", "externalId": "4711"}),
            409, "identity/Conflict",
            "ID [type=c8y_Serial, value=4711] was already bound to different Global ID.",
        )  # fmt: skip
    assert ExternalId.objects.get().managed_object_id == int(first)
    other = {"type": "c8y_IMEI", "externalId": "4711"}
    assert api("acme/operator").post(of(first), other).status_code == 201


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Following mandatory fields should be included: type"),
        ({"type": "t"}, "Following mandatory fields should be included: externalId"),
        ({"type": "", "externalId": "x"}, "Following mandatory fields should be included: type"),
        ({"type": "t", "externalId": " "},
         "Following mandatory fields should be included: externalId"),
        ({"type": "t", "externalId": 5}, "Field externalId must be text."),
        ({"type": {}, "externalId": "x"}, "Field type must be text."),
        ({"type": "x" * 251, "externalId": "x"}, "Field type can have at most 250 bytes."),
        ({"type": "t", "externalId": "ü" * 501}, "Field externalId can have at most 1000 bytes."),
        ({"type": "t", "externalId": "a\nb"},
         "Field externalId cannot contain control characters."),
        ({"type": "a/b", "externalId": "x"}, None),
        ({"type": "t", "externalId": "\x00"}, None),
    ],
    ids=lambda value: None if isinstance(value, str) else str(value)[:40],
)  # fmt: skip
def test_external_id_that_cannot_be_is_refused(body, message, api, ours):
    answer = api("acme/operator").post(of(ours()), body)
    refused(answer, 422, "undefined/validationError", message)
    assert not ExternalId.objects.exists()


@pytest.mark.parametrize("object_id", UNKNOWN_IDS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unknown_object_is_not_found(method, object_id, api):
    answer = api("acme/operator").call(method, of(object_id), {"type": "t", "externalId": "x"})
    shown = object_id.replace("%20", " ")
    refused(answer, 404, "inventory/Not Found", NO_OBJECT.format(shown))


@pytest.mark.parametrize("login", ["globex/operator", "management/administrator"])
def test_external_ids_of_another_tenant_are_not_there(login, api, bound):
    object_id = bound()
    stranger = api(login)
    for method in ("GET", "DELETE"):
        refused(stranger.call(method, at("c8y_Serial", "4711")), 404, "identity/Not Found")
    assert stranger.get(of(object_id)).status_code == 404
    body = {"type": "c8y_Serial", "externalId": "4711"}
    assert stranger.post(of(object_id), body).status_code == 404
    assert ExternalId.objects.count() == 1


def test_the_same_id_names_another_object_in_every_tenant(api, bound, theirs):
    ours, other = bound(), theirs(**DEVICE)
    body = {"type": "c8y_Serial", "externalId": "4711"}
    assert api("globex/operator").post(of(other), body).status_code == 201
    found = api("globex/operator").get(at("c8y_Serial", "4711")).json()
    assert found["managedObject"]["id"] == other != ours


@pytest.mark.parametrize("path", ["x%00y", "x%0Ay", "%ED%A0%80", "x" * 3_000])
def test_no_address_makes_us_fail(path, api):
    answer = api("acme/operator").get(f"/identity/externalIds/c8y_Serial/{path}")
    assert answer.status_code == 404
    assert re.search("json", answer["Content-Type"])


def test_changes_are_in_the_audit_log(api, bound):
    bound()
    api("acme/operator").delete(at("c8y_Serial", "4711"))
    told = AuditRecord.objects.filter(text="c8y_Serial 4711").order_by("pk")
    assert [(entry.activity, entry.subject) for entry in told] == [
        ("Device: External ID added", "Press"),
        ("Device: External ID removed", "Press"),
    ]
