"""``/audit/auditRecords``: the log as the contract shapes it."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from tenants import audit
from tenants.actors import Actor
from tenants.models import AuditRecord
from tests.support import ERROR_TYPE

RECORDS = "/audit/auditRecords"
KIND = "application/vnd.com.nsn.cumulocity.{}+json;charset=UTF-8;ver=0.9"


@pytest.fixture
def admin(api):
    return api("acme/administrator")


@pytest.fixture
def log(house, person):
    """Three entries of acme, a day apart, and one of globex."""
    anna = Actor("anna", person("acme/operator"), "192.0.2.10", "request-1")
    written = []
    for number, (tenant, kind, by, subject) in enumerate(
        [
            ("acme", audit.Type.OPTION, anna, "one"),
            ("acme", audit.Type.USER, anna, "two"),
            ("acme", audit.Type.OPTION, Actor("device_4711"), "three"),
            ("globex", audit.Type.OPTION, anna, "theirs"),
        ],
        start=1,
    ):
        audit.record(by, tenant, kind, "Changed", subject=subject,
                     changes={"a": ("", "1"), "b": ("1", ""), "c": ("1", "2")})  # fmt: skip
        entry = AuditRecord.objects.latest("pk")
        entry.at = datetime(2026, 1, number, 12, 0, 0, 123456, tzinfo=UTC)
        entry.save()
        written.append(entry)
    return written


def found(answer):
    assert answer.status_code == 200
    return [record["source"]["id"] for record in answer.json()["auditRecords"]]


def test_record_has_the_shape_of_the_contract(admin, log):
    answer = admin.get(f"{RECORDS}/{log[0].pk}")
    assert (answer.status_code, answer["Content-Type"]) == (200, KIND.format("auditRecord"))
    assert answer.json() == {
        "id": str(log[0].pk),
        "self": f"http://testserver{RECORDS}/{log[0].pk}",
        "type": "Option",
        "time": "2026-01-01T12:00:00.123Z",
        "creationTime": "2026-01-01T12:00:00.123Z",
        "source": {"id": "one"},
        "activity": "Changed",
        "text": "Changed",
        "user": "anna",
        "application": "gatehouse",
        "severity": "INFORMATION",
        "changes": [
            {"attribute": "a", "changeType": "ADDED", "previousValue": "", "newValue": "1",
             "type": "String"},
            {"attribute": "b", "changeType": "REMOVED", "previousValue": "1", "newValue": "",
             "type": "String"},
            {"attribute": "c", "changeType": "REPLACED", "previousValue": "1", "newValue": "2",
             "type": "String"},
        ],
        "gatehouse_AuditEntry": {
            "tenant": "acme",
            "userTenant": "acme",
            "address": "192.0.2.10",
            "requestId": "request-1",
            "number": log[0].number,
            "digest": log[0].digest,
        },
    }  # fmt: skip


def test_records_are_listed_newest_first_and_in_pages(admin, log):
    answer = admin.get(f"{RECORDS}?pageSize=2&withTotalElements=true")
    assert answer["Content-Type"] == KIND.format("auditRecordCollection")
    assert found(answer) == ["three", "two"]
    assert answer.json()["statistics"] == {"currentPage": 1, "pageSize": 2, "totalElements": 3}
    assert found(admin.get(answer.json()["next"])) == ["one"]


@pytest.mark.parametrize(
    ("asked", "subjects"),
    [
        ("type=Option", ["three", "one"]), ("type=nonsense", []), ("type=%00", []),
        ("user=anna", ["two", "one"]), ("user=acme/anna", ["two", "one"]),
        ("user=device_4711", ["three"]), ("user=nobody", []), ("user=%00", []),
        ("application=gatehouse", ["three", "two", "one"]), ("application=other", []),
        ("source=two", ["two"]), ("source=tw", []), ("source=a%00", []),
        ("dateFrom=2026-01-02", ["three", "two"]), ("dateTo=2026-01-02", ["one"]),
        ("dateFrom=2026-01-02T12:00:00.123456Z", ["three", "two"]),
        ("dateFrom=2026-01-02T12:00:01Z", ["three"]),
        ("dateFrom=2026-01-02T13:00:00%2B01:00&dateTo=2026-01-02T14:00:00%2B01:00", ["two"]),
        ("dateFrom=2026-01-02T13:00:00+01:00&dateTo=2026-01-02T14:00:00+01:00", ["two"]),
        ("dateFrom=2026-01-02T12:00:00", ["three", "two"]),
        ("dateFrom=2026-01-01&type=Option&user=anna", ["one"]),
        ("dateFrom=", ["three", "two", "one"]),
    ],
)  # fmt: skip
def test_records_are_found(admin, log, asked, subjects):
    assert found(admin.get(f"{RECORDS}?{asked}")) == subjects


@pytest.mark.parametrize(
    "moment", ["yesterday", "2026-13-01", "2026-01-01T25:00:00Z", "0001-01-01T00:00:00+14:00",
               "9999-12-31T23:59:59-14:00", "\x00", "1"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["dateFrom", "dateTo"])
def test_moment_that_is_none_is_refused(admin, log, name, moment):
    answer = admin.get(f"{RECORDS}?{name}={quote(moment)}")
    assert answer.status_code == 422
    assert f"Query parameter {name} must be a time like" in answer.json()["message"]


def test_tenants_see_their_own_and_the_management_tenant_all(api, log):
    assert found(api("globex/administrator").get(RECORDS)) == ["theirs"]
    assert len(found(api("management/administrator").get(RECORDS))) == 4
    assert api("globex/administrator").get(f"{RECORDS}/{log[0].pk}").status_code == 404
    assert api("management/administrator").get(f"{RECORDS}/{log[0].pk}").status_code == 200


@pytest.mark.parametrize("name", ["0", "x", "-1", "9" * 30, "1.0", "²", "%00"])
def test_unknown_record_is_not_found(admin, log, name):
    answer = admin.get(f"{RECORDS}/{name}")
    assert (answer.status_code, answer["Content-Type"]) == (404, ERROR_TYPE)


@pytest.mark.parametrize("login", ["acme/operator", "acme/reader", "acme/devicebootstrap"])
def test_log_is_for_those_with_the_right(api, log, login):
    assert api(login).get(RECORDS).status_code == 403
    assert api(login).get(f"{RECORDS}/{log[0].pk}").status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nobody_writes_or_removes_records_here(admin, log, method):
    assert admin.call(method, RECORDS, {}).status_code == 405
    assert admin.call(method, f"{RECORDS}/{log[0].pk}", {}).status_code == 405
    assert AuditRecord.objects.count() == 4


def test_list_costs_few_queries(admin, log, django_assert_max_num_queries):
    admin.get(RECORDS)
    with django_assert_max_num_queries(4):
        admin.get(f"{RECORDS}?withTotalPages=true")
