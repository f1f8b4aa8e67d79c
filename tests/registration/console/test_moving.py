"""Choosing a tenant by typing, and the dialog that moves a registration to another one."""

import pytest

from registration.lifecycle import Stage
from registration.models import Registration
from tenants.models import Tenant
from tests.consoles import LIST, messages_of, read, row_url, shown_ids, suspend

OPTIONS = f"{LIST}tenants/"
LOGIN = "management/operator"


@pytest.fixture
def pending(make_registration):
    return make_registration("press-7", stage=Stage.PENDING)


def owner():
    return Registration.objects.get(device_id="press-7").tenant_id


# --- The dialog -------------------------------------------------------------------------------


def test_dialog_moves_and_says_so(pending, console):
    desk = console(LOGIN)
    dialog = read(desk.get(row_url(pending, "move/"), target="dialog"))
    assert dialog.one("h2").text == "Move press-7"
    assert dialog.one("input", name="tenant")["value"] == ""
    response = desk.post(row_url(pending, "move/"), {"tenant": "globex"}, target="dialog")
    assert response.status_code == 204
    assert "registrationsChanged" in response["HX-Trigger"]
    assert owner() == "globex"
    page = desk.get(row_url(pending))
    assert messages_of(page) == ["press-7 is moved from acme to globex."]
    assert "Moved here from another tenant" in read(page).text


def test_move_works_without_javascript(pending, console):
    desk = console(LOGIN)
    page = read(desk.get(f"{row_url(pending, 'move/')}?next={row_url(pending)}"))
    form = next(each for each in page.all("form") if "Move to tenant" in each.text)
    response = desk.post(form["action"], {**form.fields, "tenant": " Globex "})
    assert (response.status_code, response["Location"]) == (302, row_url(pending))
    assert owner() == "globex"


def test_second_click_is_refused_with_a_sentence(pending, console):
    desk = console(LOGIN)
    desk.post(row_url(pending, "move/"), {"tenant": "globex"})
    response = desk.post(row_url(pending, "move/"), {"tenant": "globex"}, target="dialog")
    assert response.status_code == 409
    assert "is in tenant globex already" in read(response).text


@pytest.mark.parametrize("stage", [Stage.ACCEPTED, Stage.DELIVERED, Stage.CONFIRMED])
def test_device_that_was_let_in_is_not_offered_and_not_moved(make_registration, console, stage):
    registration = make_registration("press-7", stage=stage)
    desk = console(LOGIN)
    for url in (row_url(registration), f"{LIST}?status={stage.value}"):
        assert "move/" not in desk.get(url).content.decode()
    response = desk.post(row_url(registration, "move/"), {"tenant": "globex"}, target="dialog")
    assert response.status_code == 409
    assert "has been accepted" in read(response).text
    assert owner() == "acme"


@pytest.mark.parametrize("tenant", ["", " ", "nowhere", "\x00", "glo\x00bal", "x" * 5000, "\ud800"])
def test_tenant_that_is_none_is_refused_beside_the_field(pending, console, tenant):
    typed = tenant.encode("utf-8", "replace").decode()
    response = console(LOGIN).post(row_url(pending, "move/"), {"tenant": typed}, target="dialog")
    assert response.status_code == 422
    page = read(response)
    assert page.one("input", name="tenant")["aria-invalid"] == "true"
    assert page.classed("invalid-feedback")[0].text
    assert owner() == "acme"


def test_nothing_moves_to_a_suspended_tenant(pending, console, globex):
    suspend(globex)
    response = console(LOGIN).post(row_url(pending, "move/"), {"tenant": "globex"}, target="dialog")
    assert response.status_code == 422
    assert owner() == "acme"


@pytest.mark.parametrize(
    ("login", "status"),
    [
        ("acme/operator", 403),
        ("acme/administrator", 403),
        ("acme/reader", 403),
        ("globex/administrator", 403),
        ("globex/reader", 403),
        ("management/reader", 403),
        ("management/administrator", 302),
    ],
)
def test_only_the_management_tenants_operators_move(pending, console, login, status):
    desk = console(login)
    assert desk.post(row_url(pending, "move/"), {"tenant": "globex"}).status_code == status
    assert owner() == ("globex" if status == 302 else "acme")
    if status == 403 and not login.startswith("globex/"):
        assert "move/" not in desk.get(row_url(pending)).content.decode()


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_dialog_is_shown_or_posted(pending, console, method):
    assert console(LOGIN).call(method, row_url(pending, "move/")).status_code == 405


def test_after_the_move_the_old_tenant_sees_nothing_of_it(pending, console):
    console(LOGIN).post(row_url(pending, "move/"), {"tenant": "globex"})
    for login, ids, status in (("acme/operator", [], 404), ("globex/operator", ["press-7"], 200)):
        desk = console(login)
        assert shown_ids(desk.get(LIST)) == ids
        assert desk.get(row_url(pending)).status_code == status
        assert "acme" not in desk.get(row_url(pending)).content.decode() or status == 404
    assert console("acme/operator").post(row_url(pending, "accept/")).status_code == 404


# --- Suggestions, and the filter of the list ---------------------------------------------------


def offered(desk, asked=None):
    return [each["value"] for each in read(desk.get(OPTIONS, asked or {})).all("option")]


def test_tenants_are_offered_by_id_and_name(console, management):
    Tenant.objects.create(id="umbrella", company="Rain & Co", parent=management)
    desk = console(LOGIN)
    assert offered(desk) == ["acme", "globex", "management", "umbrella"]
    assert offered(desk, {"tenant": "GLO"}) == ["globex"]
    assert offered(desk, {"rows-3-tenant": "rain"}) == ["umbrella"]
    assert offered(desk, {"tenant": "\x00"}) == ["acme", "globex", "management", "umbrella"]
    assert offered(desk, {"tenant": "%"}) == []


def test_suspended_tenants_are_offered_to_the_filter_only(console, globex):
    suspend(globex)
    assert offered(console(LOGIN)) == ["acme", "management"]
    assert offered(console(LOGIN), {"all": "1"}) == ["acme", "globex", "management"]


def test_only_as_many_tenants_are_offered_as_anybody_reads(
    console, management, django_assert_max_num_queries
):
    Tenant.objects.bulk_create(
        Tenant(id=f"tenant-{number:04}", company="Company", parent=management)
        for number in range(2000)
    )
    desk = console(LOGIN)
    for url in (OPTIONS, f"{LIST}new/", f"{LIST}?tenant=tenant-1999"):
        with django_assert_max_num_queries(18):
            page = desk.get(url)
        assert len(read(page).all("option")) <= 50
    assert offered(desk, {"tenant": "1999"}) == ["tenant-1999"]


@pytest.mark.parametrize("login", ["acme/administrator", "acme/reader"])
def test_nobody_else_is_told_of_tenants(console, login):
    assert console(login).get(OPTIONS).status_code == 403


def test_filter_names_a_tenant_by_its_whole_id(make_registration, console, globex):
    make_registration("of-acme")
    make_registration("of-globex", tenant=globex)
    desk = console("management/reader")
    response = desk.get(LIST, {"tenant": " Globex "})
    assert shown_ids(response) == ["of-globex"]
    assert read(response).one("input", name="tenant")["value"] == "globex"
    response = desk.get(LIST, {"tenant": "glob"})
    assert shown_ids(response) == []
    assert "There is no tenant “glob”." in read(response).text
    assert read(response).one("h1").text == "Device registration 0 open"
