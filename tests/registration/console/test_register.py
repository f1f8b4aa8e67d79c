"""The dialog "Register devices": rows, their mistakes, and what became of each."""

import pytest

from inventory.fields import MAX_DEVICE_ID_BYTES
from inventory.groups import group_at
from inventory.models import DeviceGroup
from registration.device_ids import HTML_PATTERN, RESERVED, RULE
from registration.lifecycle import Stage
from registration.models import Registration
from tenants.actors import SYSTEM
from tenants.models import Tenant
from tests.consoles import NEW, read, suspend
from tests.support import events_of

GROUPS = "/devices/groups/options/"


def rows(*devices, **more):
    """Return what a browser sends of the dialog; a device is an ID or a dict of its row."""
    sent = {"rows-TOTAL_FORMS": str(len(devices)), "rows-INITIAL_FORMS": "0"}
    for index, device in enumerate(devices):
        row = device if isinstance(device, dict) else {"device_id": device}
        sent |= {f"rows-{index}-{name}": value for name, value in row.items()}
    return sent | more


def typed(response):
    """Return the IDs that stand in the rows of the dialog."""
    root = read(response).one("div", data_device_rows=True)
    fields = [row.all("input")[0] for row in root.all("div", data_device_row=True)]
    return [field.attrs.get("value") or "" for field in fields]


def problems(response):
    """Return what is said beside the fields, by the field's name."""
    root = read(response).one("div", data_device_rows=True)
    said = {}
    for field in (*root.all("input"), *root.all("select")):
        if "is-invalid" in field.attrs.get("class", ""):
            assert field["aria-invalid"] == "true"
            said[field["name"]] = " ".join(
                each.text for each in field.parent.walk() if "error_" in each.attrs.get("id", "")
            )
    return said


def headline(response):
    return read(response).one("h2", id="dialog-title").text


def results(response):
    return {
        item.one("strong").text: item.all("span")[0].text if item.all("span") else ""
        for item in read(response).classed("result")
    }


def device_ids(**narrowed):
    return set(Registration.objects.filter(**narrowed).values_list("device_id", flat=True))


# --- The form -------------------------------------------------------------------------------


def test_dialog_starts_with_one_empty_row(desk):
    for target in (None, "dialog"):
        response = desk.get(NEW, target=target)
        assert typed(response) == [""]
        assert problems(response) == {}
        assert bool(read(response).all("html")) is (target is None)
        form = read(response).one("form", data_register=True)
        assert form["action"] == NEW


def test_link_brings_an_id_along_and_registers_nothing(desk):
    assert typed(desk.get(NEW, {"externalId": "press-7"})) == ["press-7"]
    assert not Registration.objects.exists()


@pytest.mark.parametrize("device_id", ["\x00", "a b", "ä" * 3000, "<img src=x>", " "])
def test_link_with_a_strange_id_still_opens_the_dialog(desk, device_id):
    assert desk.get(NEW, {"externalId": device_id}).status_code == 200


def test_row_is_added_and_removed_without_javascript(desk):
    page = desk.post(NEW, rows("press-7", change="add"))
    assert typed(page) == ["press-7", ""]
    page = desk.post(NEW, rows("press-7", "press-8", "press-9", change="1"))
    assert typed(page) == ["press-7", "press-9"]
    page = desk.post(NEW, rows("press-7", change="0"))
    assert typed(page) == [""]
    assert not Registration.objects.exists()


def test_row_is_added_to_rows_that_have_no_id_yet(desk, console):
    page = desk.post(NEW, rows({"group": "Hall 2"}, change="add"))
    assert typed(page) == ["", ""]
    form = read(page).one("form", data_register=True)
    assert (form.fields["rows-0-group"], form.fields["rows-1-group"]) == ("Hall 2", "")
    assert problems(page) == {}
    response = desk.post(NEW, {**form.fields, "rows-0-device_id": "press-7"})
    assert headline(response) == "Device registered"
    assert device_ids(group__path="Hall 2") == {"press-7"}
    page = console("management/operator").post(NEW, rows({"tenant": "acme"}, change="add"))
    fields = read(page).one("form", data_register=True).fields
    assert (fields["rows-0-tenant"], fields["rows-1-tenant"]) == ("acme", "management")


def test_pasted_list_becomes_rows_without_javascript(desk):
    pasted = "press-8\r\n\r\n  press-9  \npress-10\r\n"
    page = desk.post(NEW, rows("press-7", "", change="paste", pasted=pasted))
    assert typed(page) == ["press-7", "press-8", "press-9", "press-10"]
    form = read(page).one("form", data_register=True)
    response = desk.post(NEW, form.fields)
    assert headline(response) == "4 devices registered"


@pytest.mark.parametrize("change", ["", "nonsense", "99", "-1", "9" * 5000, "\x00"])
def test_change_that_does_not_exist_changes_nothing(desk, change):
    assert typed(desk.post(NEW, rows("press-7", "press-8", change=change))) == [
        "press-7",
        "press-8",
    ]


@pytest.mark.parametrize("total", ["", "nonsense", "9" * 5000, "\x00", None])
@pytest.mark.parametrize("change", [None, "add", "paste"])
def test_form_with_a_damaged_number_of_rows_is_harmless(desk, total, change):
    sent = rows("press-7")
    sent |= {"change": change} if change else {}
    if total is None:
        del sent["rows-TOTAL_FORMS"]
    else:
        sent["rows-TOTAL_FORMS"] = total
    response = desk.post(NEW, sent)
    assert response.status_code == (200 if change else 422)
    assert len(typed(response)) >= 1
    assert not Registration.objects.exists()


@pytest.mark.parametrize("total", ["0", "-1"])
def test_form_always_has_a_row(desk, total):
    assert headline(desk.post(NEW, rows("press-7") | {"rows-TOTAL_FORMS": total})) == (
        "Device registered"
    )
    response = desk.post(NEW, {"rows-TOTAL_FORMS": total, "rows-INITIAL_FORMS": "0"})
    assert problems(response) == {"rows-0-device_id": "This field is required."}


# --- Registering ----------------------------------------------------------------------------


@pytest.mark.parametrize("target", [None, "dialog"], ids=["no JavaScript", "fragment"])
def test_device_is_registered_and_waits_for_connection(desk, target, acme):
    response = desk.post(NEW, rows("press-7"), target=target)
    assert response.status_code == 200
    assert headline(response) == "Device registered"
    assert response.get("HX-Trigger", "") == ("registrationsChanged" if target else "")
    registration = Registration.objects.get()
    assert (registration.device_id, registration.stage) == ("press-7", Stage.WAITING)
    assert registration.tenant == acme
    assert str(registration.created_by) == "acme/operator"
    assert events_of(registration)[0].request_id == response["X-Request-ID"]


def test_several_devices_are_registered_with_their_groups(desk):
    response = desk.post(
        NEW,
        rows(
            {"device_id": "press-7", "group": "Plant A/Hall 2"},
            {"device_id": " press-8 ", "group": "Plant A / Hall 2"},
            {"device_id": "press-9", "group": ""},
        ),
    )
    assert headline(response) == "3 devices registered"
    assert device_ids(group__path="Plant A/Hall 2") == {"press-7", "press-8"}
    assert device_ids(group=None) == {"press-9"}
    assert DeviceGroup.objects.count() == 2


def test_second_click_is_told_that_the_device_is_registered_already(desk):
    desk.post(NEW, rows("press-7"))
    response = desk.post(NEW, rows("press-7"))
    assert headline(response) == "Failed to register device"
    assert results(response) == {
        "press-7": "Device registration request with ID press-7 already exists."
    }
    assert Registration.objects.count() == 1


def test_mixed_outcome_is_told_row_by_row_failures_first(desk, make_registration):
    make_registration("press-8")
    response = desk.post(NEW, rows("press-7", "press-8", "press-9"))
    assert headline(response) == "Several devices failed to register"
    assert "Registration failed for 1 device out of 3." in read(response).text
    assert list(results(response).items()) == [
        ("press-8", "Device registration request with ID press-8 already exists."),
        ("press-7", ""),
        ("press-9", ""),
    ]
    assert device_ids() == {"press-7", "press-8", "press-9"}


def test_nothing_but_failures_says_so(desk, make_registration):
    make_registration("press-7")
    make_registration("press-8")
    response = desk.post(NEW, rows("press-7", "press-8"))
    assert headline(response) == "2 devices failed to register"
    assert "status changes to" not in read(response).text


def test_fix_errors_returns_to_the_form_with_the_failed_rows(desk, make_registration):
    make_registration("press-8")
    response = desk.post(NEW, rows("press-7", {"device_id": "press-8", "group": "Hall 2"}))
    form = next(
        each for each in read(response).all("form", action=NEW) if "Fix errors" in each.text
    )
    page = desk.post(NEW, {**form.fields, "change": "fix"})
    assert page.status_code == 200
    assert typed(page) == ["press-8"]
    fields = read(page).one("form", data_register=True).fields
    assert fields["rows-0-group"] == "Hall 2"
    response = desk.post(NEW, {**fields, "rows-0-device_id": "press-80"})
    assert headline(response) == "Device registered"
    assert device_ids(group__path="Hall 2") == {"press-80"}


def test_failed_row_leaves_no_group_behind(desk, make_registration, globex):
    make_registration("press-7", tenant=globex)
    desk.post(NEW, rows({"device_id": "press-7", "group": "Hall 2"}))
    assert not DeviceGroup.objects.exists()


def test_device_of_another_tenant_is_a_duplicate_without_saying_whose(
    desk, make_registration, globex
):
    make_registration("press-7", tenant=globex)
    response = desk.post(NEW, rows("press-7"))
    assert results(response) == {
        "press-7": "Device registration request with ID press-7 already exists."
    }
    assert b"globex" not in response.content


def test_device_that_is_in_can_be_registered_anew(desk, make_registration):
    old = make_registration("press-7", stage=Stage.CONFIRMED)
    assert headline(desk.post(NEW, rows("press-7"))) == "Device registered"
    assert Registration.objects.get().pk != old.pk


def test_a_thousand_devices_are_registered_in_one_go(desk):
    response = desk.post(
        NEW, rows(*({"device_id": f"d-{n}", "group": "Hall 2"} for n in range(1000)))
    )
    assert response.status_code == 200
    assert headline(response) == "1000 devices registered"
    assert Registration.objects.count() == 1000
    assert DeviceGroup.objects.count() == 1


@pytest.mark.parametrize("how", ["typed", "pasted"])
def test_more_than_a_thousand_devices_are_refused_not_cut_off(desk, how):
    names = [f"d-{n}" for n in range(1001)]
    if how == "typed":
        response = desk.post(NEW, rows(*names))
    else:
        response = desk.post(NEW, rows("", change="paste", pasted="\n".join(names)))
    assert response.status_code == 422
    assert "1,000 devices" in read(response).one("p", role="alert").text
    assert not Registration.objects.exists()


# --- Mistakes -------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [None, "dialog"], ids=["no JavaScript", "fragment"])
def test_mistakes_are_told_beside_their_fields_and_nothing_is_registered(desk, target):
    response = desk.post(
        NEW,
        rows("press-7", "a b", {"device_id": "press-8", "group": "a//b"}, "press-7"),
        target=target,
    )
    assert response.status_code == 422
    assert typed(response) == ["press-7", "a b", "press-8", "press-7"]
    assert problems(response) == {
        "rows-1-device_id": 'ID "a b" contains invalid character: space.',
        "rows-2-group": "A group path is names separated by single slashes, like Plant A/Hall 2.",
        "rows-3-device_id": "Device ID duplicates are not allowed",
    }
    assert not Registration.objects.exists()
    assert not DeviceGroup.objects.exists()


@pytest.mark.parametrize(
    ("device_id", "problem"),
    [
        ("a/b", 'contains invalid character: "/".'),
        ("a\\b", 'contains invalid character: "\\".'),
        ("a+b", 'contains invalid character: "+".'),
        ("a$b", 'contains invalid character: "$".'),
        ("a\tb", "contains invalid character: u+0009."),
        ("a\u200bb", "contains invalid character: zero width space."),
        ("..", "cannot be a device ID"),
        ("ä" * 501, "at most 1,000 bytes"),
    ],
)
def test_id_that_breaks_the_rule_is_refused_with_the_reason(desk, device_id, problem):
    response = desk.post(NEW, rows(device_id))
    assert response.status_code == 422
    assert problem in problems(response)["rows-0-device_id"]
    assert not Registration.objects.exists()


@pytest.mark.parametrize(
    "device_id", ["a:b", "00:1A:2b", "fühler", "センサー", "a.b-c_d@e~f!", "x" * 1000]
)
def test_id_within_the_rule_is_taken(desk, device_id):
    assert headline(desk.post(NEW, rows(device_id))) == "Device registered"
    assert device_ids() == {device_id}


def test_dialog_brings_the_rule_that_the_server_applies(desk):
    form = read(desk.get(NEW)).one("form", data_register=True)
    assert set(form["data-reserved"].split(" ")) == RESERVED
    assert int(form["data-max-bytes"]) == MAX_DEVICE_ID_BYTES
    assert form.one("input", name="rows-0-device_id")["pattern"] == HTML_PATTERN
    assert RULE in form.text


def test_same_id_in_two_spellings_of_unicode_is_a_duplicate(desk):
    response = desk.post(NEW, rows("f\u00fchler", "fu\u0308hler"))
    assert problems(response) == {"rows-1-device_id": "Device ID duplicates are not allowed"}


def test_empty_dialog_asks_for_an_id(desk):
    for sent in (rows(""), rows("", ""), rows("  ")):
        response = desk.post(NEW, sent)
        assert response.status_code == 422
        assert problems(response)["rows-0-device_id"] == "This field is required."


def test_group_without_an_id_asks_for_one(desk):
    response = desk.post(NEW, rows("press-7", {"group": "Hall 2"}))
    assert problems(response) == {"rows-1-device_id": "This field is required."}


@pytest.mark.parametrize(
    "sent",
    [rows("", "press-7"), rows("press-7", ""), rows({}, "press-7", {}), rows({}, {}, "press-7")],
)
def test_empty_and_removed_rows_are_passed_over(desk, sent):
    response = desk.post(NEW, sent)
    assert response.status_code == 200
    assert headline(response) == "Device registered"
    assert device_ids() == {"press-7"}


# --- Tenants --------------------------------------------------------------------------------


def test_tenant_is_chosen_by_management_only(desk, console):
    for page in (read(desk.get(NEW)), read(desk.post(NEW, rows("a b")))):
        assert not page.all("datalist", id="tenant-options")
        assert "rows-0-tenant" not in page.one("form", data_register=True).fields
        assert "globex" not in page.one("main").text.lower()
    page = read(console("management/operator").get(NEW))
    field = page.one("input", name="rows-0-tenant")
    assert field["value"] == "management"
    assert [(o["value"], o.text) for o in page.one(id=field["list"]).all("option")] == [
        ("acme", "Acme"),
        ("globex", "Globex"),
        ("management", "Management"),
    ]


@pytest.mark.parametrize("sent", [{}, {"change": "add"}], ids=["mistake", "row added"])
def test_dialog_costs_the_same_for_any_number_of_rows_and_tenants(
    console, management, django_assert_max_num_queries, sent
):
    desk, sizes = console("management/operator"), []
    for number, more_tenants in ((2, 0), (1000, 300)):
        Tenant.objects.bulk_create(
            Tenant(id=f"tenant-{each}", company=f"Company {each}", parent=management)
            for each in range(more_tenants)
        )
        devices = [{"device_id": f"d-{each}", "tenant": "acme"} for each in range(number - 1)]
        with django_assert_max_num_queries(6):
            response = desk.post(NEW, rows("a b", *devices, **sent))
        assert typed(response)[:number] == ["a b", *(each["device_id"] for each in devices)]
        sizes.append(len(response.content))
    assert (sizes[1] - sizes[0]) / 998 < 2500  # bytes of one row, the list of tenants included


def test_tenant_is_looked_up_once_for_all_rows(console, django_assert_max_num_queries):
    desk = console("management/operator")
    sent = rows(*({"device_id": f"a {n}", "tenant": "acme"} for n in range(200)))
    with django_assert_max_num_queries(6):
        assert desk.post(NEW, sent).status_code == 422


def test_suspended_tenant_is_not_offered(console, acme):
    suspend(acme)
    page = read(console("management/operator").get(NEW))
    options = [each["value"] for each in page.one(id="tenant-options").all("option")]
    assert options == ["globex", "management"]
    response = console("management/operator").post(
        NEW, rows({"device_id": "press-7", "tenant": "acme"})
    )
    assert response.status_code == 422
    assert not Registration.objects.exists()


def test_management_registers_for_a_tenant(console, make_registration):
    response = console("management/operator").post(
        NEW,
        rows(
            {"device_id": "press-7", "tenant": "acme"},
            {"device_id": "press-8", "tenant": "management", "group": "Hall 2"},
            {"device_id": "press-9"},
        ),
    )
    assert headline(response) == "3 devices registered"
    owners = dict(Registration.objects.values_list("device_id", "tenant_id"))
    assert owners == {"press-7": "acme", "press-8": "management", "press-9": "management"}
    assert DeviceGroup.objects.get().tenant_id == "management"


def test_tenant_that_somebody_else_types_is_ignored(desk):
    desk.post(NEW, rows({"device_id": "press-7", "tenant": "globex"}))
    assert Registration.objects.get().tenant_id == "acme"


@pytest.mark.parametrize("tenant", ["nowhere", "\x00", "x" * 500])
def test_tenant_that_does_not_exist_is_refused(console, tenant):
    response = console("management/operator").post(
        NEW, rows({"device_id": "press-7", "tenant": tenant})
    )
    assert response.status_code == 422
    assert "rows-0-tenant" in problems(response)
    if tenant == "nowhere":
        assert problems(response)["rows-0-tenant"] == "There is no active tenant with this ID."
        assert read(response).one("input", name="rows-0-tenant")["value"] == "nowhere"


@pytest.mark.parametrize("tenant", ["", " management "])
def test_tenant_that_is_left_out_is_the_own_one(console, tenant):
    console("management/operator").post(NEW, rows({"device_id": "press-7", "tenant": tenant}))
    assert Registration.objects.get().tenant_id == "management"


def test_device_goes_to_a_tenant_or_into_a_group(console):
    response = console("management/operator").post(
        NEW, rows({"device_id": "press-7", "tenant": "acme", "group": "Hall 2"})
    )
    assert response.status_code == 422
    assert "not both" in problems(response)["rows-0-group"]
    assert not Registration.objects.exists()


def test_fix_errors_keeps_the_tenant(console, make_registration):
    make_registration("press-7")
    desk = console("management/operator")
    response = desk.post(NEW, rows({"device_id": "press-7", "tenant": "globex"}))
    form = next(e for e in read(response).all("form", action=NEW) if "Fix errors" in e.text)
    page = desk.post(NEW, {**form.fields, "change": "fix"})
    assert read(page).one("form", data_register=True).fields["rows-0-tenant"] == "globex"


# --- Who may --------------------------------------------------------------------------------


@pytest.mark.parametrize("login", ["acme/reader", "acme/devicebootstrap"])
def test_person_without_the_right_registers_nothing(console, login):
    assert console(login).get(NEW).status_code == 403
    # Who reads the list may filter it, and is offered groups for that.
    assert console(login).get(GROUPS).status_code == (200 if "reader" in login else 403)
    assert console(login).post(NEW, rows("press-7")).status_code == 403
    assert not Registration.objects.exists()


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_dialog_is_shown_or_posted(desk, method):
    assert desk.call(method, NEW).status_code == 405


# --- Suggestions of groups ------------------------------------------------------------------


@pytest.fixture
def groups(acme, globex):
    group_at(acme, "Plant A/Hall 2", by=SYSTEM)
    group_at(acme, "Plant <B>", by=SYSTEM)
    group_at(globex, "Secret lab", by=SYSTEM)


@pytest.mark.parametrize(
    ("asked", "offered"),
    [
        ({}, ["Plant <B>", "Plant A", "Plant A/Hall 2"]),
        ({"rows-0-group": "hall"}, ["Plant A/Hall 2"]),
        ({"group": " plant a "}, ["Plant A", "Plant A/Hall 2"]),
        ({"group": "Secret"}, []),
        ({"group": "\x00"}, ["Plant <B>", "Plant A", "Plant A/Hall 2"]),
        ({"group": "%"}, []),
    ],
)
def test_groups_of_the_own_tenant_are_offered(groups, desk, asked, offered):
    options = read(desk.get(GROUPS, asked, target="x")).all("li", role="option")
    made = [one for one in options if "picker-create" in (one.attrs.get("class") or "")]
    assert sorted(one["data-value"] for one in options if one not in made) == offered


def test_only_as_many_groups_are_offered_as_anybody_reads(desk, acme):
    for number in range(40):
        group_at(acme, f"Hall {number}", by=SYSTEM)
    offered = read(desk.get(GROUPS))
    assert len(offered.all("li", role="option")) == 25
    assert "There are more" in offered.text
