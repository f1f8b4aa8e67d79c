"""The pages about logins: who sees which, found by ID, state and tenant, page by page."""

from datetime import timedelta

import pytest
from django.utils import timezone

from inventory import logins
from inventory.console.credentials import filters
from inventory.models import DeviceCredentials, Tombstone
from tenants.models import AuditRecord
from tests.consoles import Console, messages_of, read, shown_ids
from tests.logins import let_in, login_of
from tests.support import give_rights

LOGINS = "/devices/credentials/"
DELETED = "/devices/deleted/"
WEEK = timedelta(days=7)


@pytest.fixture
def desk(house):
    return Console("acme/operator")


@pytest.fixture
def above(house):
    return Console("management/operator")


@pytest.fixture
def fleet(make_registration, operator, globex):
    """Logins in every state, and one of another tenant."""
    for device_id in ("enabled", "disabled", "revoked", "rotating", "overdue"):
        let_in(make_registration, device_id, reports=device_id == "enabled")
    let_in(make_registration, "never", logs_in=False)
    let_in(make_registration, "theirs", tenant=globex)
    logins.disable(login_of("disabled"), by=operator)
    logins.revoke(login_of("revoked"), by=operator)
    for device_id in ("rotating", "overdue"):
        logins.rotate(login_of(device_id), overlap=WEEK, by=operator)
    late = DeviceCredentials.objects.filter(device_id="overdue")
    late.update(previous_until=timezone.now() - timedelta(hours=1))


@pytest.fixture
def gone(make_registration, operator, globex, globex_operator):
    """Deleted devices, one of which came back, and one of another tenant."""
    for number, reason in enumerate(["Sold.", "", "<b>Stolen</b>"]):
        credentials, _ = let_in(make_registration, f"gone-{number}")
        logins.delete_login(credentials, by=operator, reason=reason)
    theirs, _ = let_in(make_registration, "theirs", tenant=globex)
    logins.delete_login(theirs, by=globex_operator)
    logins.note_knock(theirs.tenant, "theirs", by=globex_operator)
    acme = Tombstone.objects.get(device_id="gone-1").tenant
    logins.note_knock(acme, "gone-1", by=operator)


def row(response, device_id):
    return read(response).one("tr", data_device=device_id)


# --- Logins ------------------------------------------------------------------------------------


def test_logins_of_the_tenant_are_listed_by_id(desk, fleet):
    response = desk.get(LOGINS)
    assert shown_ids(response) == ["disabled", "enabled", "never", "overdue", "revoked", "rotating"]
    assert read(response).one(class_="count").text == "6"
    assert "theirs" not in response.content.decode()


@pytest.mark.parametrize(
    ("device_id", "badge"),
    [
        ("enabled", "Enabled"),
        ("disabled", "Disabled"),
        ("revoked", "Revoked"),
        ("rotating", "New password under way"),
        ("overdue", "New password not used"),
        ("never", "Never logged in"),
    ],
)
def test_state_is_told_in_words(desk, fleet, device_id, badge):
    cells = row(desk.get(LOGINS), device_id).classed("badge")
    assert [cell.text for cell in cells] == [badge]
    detail = read(desk.get(f"{LOGINS}{login_of(device_id).pk}/"))
    assert [cell.text for cell in detail.classed("badge")] == [badge]


def test_row_tells_login_device_and_last_use(desk, fleet):
    cells = row(desk.get(LOGINS), "enabled")
    login = cells.one(id=f"login-name-{login_of('enabled').pk}")
    assert login.text.replace(" ", "") == "acme/device_enabled"
    assert cells.one("button", data_copy=f"#{login['id']}")
    assert "Name of enabled" in cells.text
    assert "from 127.0.0.1" in cells.text
    assert "never" in row(desk.get(LOGINS), "never").text


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ("", ["disabled", "enabled", "never", "overdue", "revoked", "rotating"]),
        ("disabled", ["disabled"]),
        ("never", ["never"]),
        ("rotating", ["overdue", "rotating"]),
        ("revoked", ["revoked"]),
        ("nonsense", ["disabled", "enabled", "never", "overdue", "revoked", "rotating"]),
    ],
)
def test_state_narrows_the_list(desk, fleet, state, found):
    response = desk.get(LOGINS, {"state": state})
    assert shown_ids(response) == found
    [current] = read(response).all("a", aria_current="true", class_="chip")
    assert current["href"] == LOGINS + (f"?state={state}" if len(found) < 6 else "")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("able", ["disabled", "enabled"]),
        ("DISABLED", ["disabled"]),
        ("device_enabled", ["enabled"]),
        ("acme/device_enabled", ["enabled"]),
        (" rot ", ["rotating"]),
        ("nothing like that", []),
        ("theirs", []),
        ("%", []),
        ("a\x00ble", ["disabled", "enabled"]),
    ],
)
def test_search_looks_inside_the_ids(desk, fleet, text, found):
    assert shown_ids(desk.get(LOGINS, {"q": text})) == found


def test_in_a_long_list_search_looks_at_the_start(desk, fleet, monkeypatch):
    monkeypatch.setattr(filters, "SUBSTRING_UP_TO", 3)
    assert shown_ids(desk.get(LOGINS, {"q": "able"})) == []
    response = desk.get(LOGINS, {"q": "re"})
    assert shown_ids(response) == ["revoked"]
    assert "begin with the text" in read(response).text
    assert shown_ids(desk.get(LOGINS, {"q": "device_re", "state": "revoked"})) == ["revoked"]


def test_count_ends_where_nobody_would_read_on(desk, fleet, monkeypatch):
    monkeypatch.setattr(filters, "COUNTED_UP_TO", 4)
    response = desk.get(LOGINS)
    assert read(response).one(class_="count").text == "4+"
    assert "of more than 4" in read(response).one("nav", aria_label="Pages").text


@pytest.mark.parametrize("state", ["", "never"])
def test_pages_follow_each_other(desk, acme, state):
    DeviceCredentials.objects.bulk_create(
        DeviceCredentials(tenant=acme, device_id=f"d-{number:03}", digest="x")
        for number in range(120)
    )
    seen, url = [], f"{LOGINS}?state={state}"
    while url:
        response = desk.get(url)
        seen += shown_ids(response)
        links = read(response).all("a", rel="next")
        url = links[0]["href"] if links else ""
    assert seen == [f"d-{number:03}" for number in range(120)]
    backwards = desk.get(LOGINS, {"sort": "-device"})
    assert shown_ids(backwards)[0] == "d-119"
    assert read(backwards).one("th", class_="cell-device")["aria-sort"] == "descending"


@pytest.mark.parametrize("after", ["x", "W10", "e30", "=", "\x00", "x" * 20_000])
def test_damaged_page_is_the_first_one(desk, fleet, after):
    assert len(shown_ids(desk.get(LOGINS, {"after": after}))) == 6


def test_htmx_gets_the_table_alone(desk, fleet):
    response = desk.get(LOGINS, target="credentials-table")
    assert read(response).one("section", id="credentials-table")
    assert "<html" not in response.content.decode()
    assert {"HX-Request", "HX-Target"} <= set(response["Vary"].replace(" ", "").split(","))


def test_list_needs_few_queries(desk, fleet, acme, django_assert_max_num_queries):
    DeviceCredentials.objects.bulk_create(
        DeviceCredentials(tenant=acme, device_id=f"d-{number:03}", digest="x")
        for number in range(60)
    )
    for query in ("", "?q=d-", "?state=never", "?sort=-device"):
        with django_assert_max_num_queries(8):
            desk.get(LOGINS + query)


def test_management_sees_all_and_narrows_by_tenant(above, fleet):
    response = above.get(LOGINS)
    assert "theirs" in shown_ids(response)
    assert "globex" in row(response, "theirs").text
    assert read(response).one("th", class_="cell-tenant")
    assert shown_ids(above.get(LOGINS, {"tenant": "GLOBEX"})) == ["theirs"]
    assert shown_ids(above.get(LOGINS, {"tenant": "globex", "state": "disabled"})) == []
    nobody = above.get(LOGINS, {"tenant": "nobody\x00"})
    assert shown_ids(nobody) == []
    assert "There is no tenant “nobody”." in read(nobody).text


def test_tenant_in_the_url_is_nothing_to_others(desk, fleet):
    assert len(shown_ids(desk.get(LOGINS, {"tenant": "globex"}))) == 6
    assert not read(desk.get(LOGINS)).all("th", class_="cell-tenant")


def test_reader_looks_and_finds_nothing_to_press(fleet):
    page = read(Console("acme/reader").get(LOGINS))
    assert not page.one("main").all("form", method="post")
    assert not page.all("th", class_="cell-actions")
    detail = read(Console("acme/reader").get(f"{LOGINS}{login_of('enabled').pk}/"))
    assert not detail.one("main").all("form", method="post")
    assert not detail.one(id="credentials-card").all("a", hx_target="#dialog")


@pytest.mark.parametrize("path", [LOGINS, DELETED])
def test_right_is_needed_to_look(path, person):
    give_rights(person("acme/reader"), "ROLE_DEVICE_CONTROL_READ")
    assert Console("acme/reader").get(path).status_code == 403
    assert Console("acme/operator").post(path).status_code == 405


def test_empty_list_says_how_it_fills(desk):
    assert "No device has a login yet" in read(desk.get(LOGINS)).text
    assert "Nothing here" in read(desk.get(LOGINS, {"state": "revoked"})).text


# --- One ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [(), ("ROLE_DEVICE_CONTROL_READ",)], ids=["none", "registrations"])
def test_how_a_device_got_in_is_for_who_may_see_registrations(person, fleet, more):
    give_rights(person("acme/reader"), "ROLE_INVENTORY_READ", *more)
    page = read(Console("acme/reader").get(f"{LOGINS}{login_of('rotating').pk}/"))
    told = [one.text for one in page.classed("timeline-what")]
    assert "New password made" in told
    assert ("Accepted" in told) is bool(more)


def test_page_of_a_login_tells_its_history(desk, fleet):
    page = read(desk.get(f"{LOGINS}{login_of('rotating').pk}/"))
    told = [one.text for one in page.classed("timeline-what")]
    assert told[0] == "New password made"
    assert told[-1] == "Registered"
    assert "The old one counts until" in page.one(id="credentials-card").text
    assert "acme/device_rotating" in page.one(id="credentials-card").text
    late = read(desk.get(f"{LOGINS}{login_of('overdue').pk}/")).one(id="credentials-card")
    assert "The new password has not been used" in late.text


@pytest.mark.parametrize("login", ["globex/operator", "globex/administrator"])
def test_page_of_another_tenants_login_does_not_exist(fleet, login):
    assert Console(login).get(f"{LOGINS}{login_of('enabled').pk}/").status_code == 404


def test_card_is_whole_by_itself(desk, fleet):
    """The page of the device shows it among other things."""
    url = f"{LOGINS}{login_of('enabled').pk}/"
    alone = read(desk.get(url, target="credentials-card"))
    assert alone.one(id="credentials-card")["hx-get"] == url
    assert not alone.all("h1")
    inside = read(desk.get(url, target="credentials-facts")).one(id="credentials-card")
    assert "hx-get" not in inside.attrs


def test_device_that_came_back_has_its_past_on_the_page(desk, make_registration, operator):
    credentials, _ = let_in(make_registration, "4711")
    logins.delete_login(credentials, by=operator, reason="Sold.")
    again, _ = let_in(make_registration, "4711")
    page = read(desk.get(f"{LOGINS}{again.pk}/"))
    told = [one.text for one in page.classed("timeline-what")]
    assert "Login deleted" in told
    assert "Came back after it was deleted" in told


# --- Deleted devices ---------------------------------------------------------------------------


def test_deleted_devices_are_listed_the_last_one_first(desk, gone):
    response = desk.get(DELETED)
    assert shown_ids(response) == ["gone-2", "gone-1", "gone-0"]
    text = row(response, "gone-0").text
    assert "operator" in text
    assert "Sold." in text
    assert "never" in text
    assert "Came back" in row(response, "gone-1").text
    assert "192.0.2.10" in row(response, "gone-1").text
    assert "<b>Stolen</b>" in row(response, "gone-2").text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"state": "returned"}, ["gone-1"]),
        ({"q": "ne-2"}, ["gone-2"]),
        ({"q": "device_gone-2"}, ["gone-2"]),
        ({"q": "theirs"}, []),
        ({"sort": "deleted"}, ["gone-0", "gone-1", "gone-2"]),
        ({"sort": "device"}, ["gone-0", "gone-1", "gone-2"]),
        ({"sort": "nonsense"}, ["gone-2", "gone-1", "gone-0"]),
    ],
)
def test_deleted_devices_are_found_and_sorted(desk, gone, query, found):
    assert shown_ids(desk.get(DELETED, query)) == found


def test_in_a_long_list_the_start_of_deleted_ids_is_searched(desk, gone, monkeypatch):
    monkeypatch.setattr(filters, "SUBSTRING_UP_TO", 1)
    assert shown_ids(desk.get(DELETED, {"q": "gone"})) == ["gone-0", "gone-1", "gone-2"]
    assert shown_ids(desk.get(DELETED, {"q": "one"})) == []


def test_management_sees_the_deleted_devices_of_all(above, gone):
    response = above.get(DELETED)
    assert set(shown_ids(response)) == {"gone-0", "gone-1", "gone-2", "theirs"}
    assert "tenant=globex" in row(response, "theirs").one("a", class_="button")["href"]
    assert shown_ids(above.get(DELETED, {"tenant": "globex"})) == ["theirs"]


def test_list_of_deleted_needs_few_queries(desk, acme, django_assert_max_num_queries):
    Tombstone.objects.bulk_create(
        Tombstone(tenant=acme, device_id=f"d-{number:03}", deleted_by_name="x")
        for number in range(60)
    )
    for query in ("", "?q=d-", "?state=returned"):
        with django_assert_max_num_queries(8):
            desk.get(DELETED + query)


def test_nothing_deleted_says_so(desk):
    assert "No device was deleted" in read(desk.get(DELETED)).text
    fragment = desk.get(DELETED, target="deleted-table")
    assert not read(fragment).all("h1")
    assert read(fragment).one("section", id="deleted-table")


@pytest.mark.parametrize("device_id", ["gone-0", "a?b=c#d&e%20", "aa:bb", "Zähler", "\"'<x>"])
def test_deleted_device_is_registered_again_by_a_link(desk, make_registration, operator, device_id):
    credentials, _ = let_in(make_registration, device_id)
    logins.delete_login(credentials, by=operator)
    link = row(desk.get(DELETED), device_id).one("a", class_="button")
    assert link["href"] == link["hx-get"]
    form = read(desk.get(link["href"])).one("form", data_register=True)
    assert form.fields["rows-0-device_id"] == device_id
    response = desk.post(link["href"], form.fields)
    assert "Device registered" in read(response).text


def test_management_registers_it_again_where_it_was(above, gone):
    link = row(above.get(DELETED), "theirs").one("a", class_="button")
    form = read(above.get(link["href"])).one("form", data_register=True)
    assert form.fields["rows-0-tenant"] == "globex"
    assert "no active tenant" not in form.text


# --- Forgetting --------------------------------------------------------------------------------


def forget_url(device_id="gone-0"):
    return f"{DELETED}{Tombstone.objects.get(device_id=device_id).pk}/forget/"


@pytest.mark.parametrize("target", [None, "dialog"])
def test_deleted_device_is_forgotten_after_a_question(desk, gone, target):
    url = forget_url()
    asked = desk.get(url, target=target)
    assert "Accept all lets it in" in read(asked).text
    assert Tombstone.objects.filter(device_id="gone-0").exists()
    response = desk.post(url, target=target)
    assert response.status_code == (204 if target else 302)
    assert not Tombstone.objects.filter(device_id="gone-0").exists()
    assert messages_of(desk.get(DELETED)) == [
        "gone-0 is forgotten. Should it knock, it is a new device."
    ]
    assert desk.post(url, target=target).status_code == 404


@pytest.mark.parametrize(
    ("login", "status"),
    [("globex/operator", 404), ("globex/administrator", 404), ("acme/reader", 403)],
)
def test_not_everybody_forgets(gone, login, status):
    url = forget_url()
    assert Console(login).post(url).status_code == status
    assert Console(login).get(url).status_code == status
    assert Console("acme/operator").call("put", url).status_code == 405
    assert Tombstone.objects.filter(device_id="gone-0").exists()


def test_management_forgets_in_the_tenant_of_the_device(above, gone):

    assert above.post(forget_url("theirs")).status_code == 302
    entry = AuditRecord.objects.filter(activity="Deleted device forgotten").get()
    assert (entry.tenant_id, entry.actor_tenant) == ("globex", "management")
