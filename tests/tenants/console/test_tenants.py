"""The pages of the tenants that a tenant looks after: who sees which, how many, in which order."""

import base64
from datetime import timedelta

import pytest
from django.utils import timezone

from registration.lifecycle import Stage
from tenants.models import Tenant
from tests.consoles import messages_of, read
from tests.support import give_rights
from ui.tables import PAGE_SIZE

TENANTS = "/administration/tenants/"


@pytest.fixture
def office(console):
    """The console of the administrator of the management tenant."""
    return console("management/administrator")


@pytest.fixture
def owner(house, console):
    """The console of the administrator of acme, which owns tenants."""
    Tenant.objects.filter(pk="acme").update(allow_create_tenants=True)
    Tenant.objects.create(id="below", company="Below", parent_id="acme", domain="below.example")
    return console("acme/administrator")


@pytest.fixture
def many(house):
    """Return the IDs of many tenants in the order of their companies."""
    now = timezone.now()
    Tenant.objects.bulk_create(
        Tenant(
            id=f"many-{number:03}",
            company=f"Many {number // 2:03}",  # two of each
            parent=house["management"],
            created_at=now + timedelta(seconds=number),
            device_count=number % 7,
        )
        for number in range(2 * PAGE_SIZE + 20)
    )
    return list(Tenant.objects.order_by("company", "pk").values_list("pk", flat=True))


def shown(response):
    return [row["data-tenant"] for row in read(response).all("tr", data_tenant=True)]


def row(response, tenant_id):
    return read(response).one("tr", data_tenant=tenant_id)


def cell(response, tenant_id, name):
    return row(response, tenant_id).classed(f"cell-{name}")[0].text


def chips(response):
    return [link.text for link in read(response).one("nav", id="status-chips").all("a")]


def link_to(response, text):
    return next(a["href"] for a in read(response).all("a") if a.text == text)


# --- Who sees what ----------------------------------------------------------------------------


def test_management_sees_all_and_an_owner_its_own(office, owner):
    assert shown(office.get(TENANTS)) == ["acme", "below", "globex", "management"]
    assert shown(owner.get(TENANTS)) == ["below"]
    assert owner.get(f"{TENANTS}below/").status_code == 200


@pytest.mark.parametrize("tenant_id", ["globex", "management", "acme", "nobody", "a%00b", "ü"])
def test_tenant_of_somebody_else_does_not_exist(owner, tenant_id):
    for path in ("", "edit/", "suspend/", "invite/"):
        assert owner.get(f"{TENANTS}{tenant_id}/{path}").status_code == 404
    for path in ("edit/", "suspend/", "activate/", "invite/"):
        assert owner.post(f"{TENANTS}{tenant_id}/{path}").status_code == 404
    # Deleting is for the management tenant; to others, the gate says no more than that.
    assert owner.get(f"{TENANTS}{tenant_id}/delete/").status_code == 403
    assert owner.post(f"{TENANTS}{tenant_id}/delete/").status_code == 403


def test_tenant_that_may_own_none_has_no_such_pages(console):
    administrator = console("globex/administrator")
    for path in ("", "new/", "acme/", "globex/"):
        assert administrator.get(TENANTS + path).status_code == 403
    page = read(administrator.get("/devices/registration/"))
    assert not [a for a in page.all("a") if a["href"] == TENANTS]


def test_navigator_leads_there(office):
    page = read(office.get(TENANTS))
    entry = next(a for a in page.one("nav", aria_label="Main").all("a") if a.text == "Tenants")
    assert (entry["href"], entry["aria-current"]) == (TENANTS, "page")


@pytest.mark.parametrize(
    ("role", "buttons"),
    [
        ("READ", set()),
        ("UPDATE", {"Edit", "Suspend"}),
        ("CREATE", {"Create tenant"}),
        ("ADMIN", {"Edit", "Invite an administrator", "Suspend", "Create tenant", "Delete"}),
    ],
)
def test_person_is_offered_what_the_person_may_do(office, person, role, buttons):
    give_rights(person("management/administrator"), f"ROLE_TENANT_MANAGEMENT_{role}")
    pages = [read(office.get(TENANTS)), read(office.get(f"{TENANTS}acme/"))]
    offered = {a.text for page in pages for a in page.all("a", class_=True)}
    known = {"Edit", "Invite an administrator", "Suspend", "Create tenant", "Delete"}
    assert offered & known == buttons


# --- The list ---------------------------------------------------------------------------------


def test_row_says_what_there_is_to_know(office, make_registration, acme):
    Tenant.objects.filter(pk="acme").update(
        domain="acme.example.com", contact_name="Jo Doe", device_limit=1000, device_count=812
    )
    make_registration("waiting")
    make_registration("confirmed", stage=Stage.CONFIRMED)
    response = office.get(TENANTS)
    told = {name: cell(response, "acme", name) for name in (
        "company", "status", "domain", "contact", "registrations", "devices")}  # fmt: skip
    assert told == {
        "company": "Acme acme",
        "status": "Active",
        "domain": "acme.example.com",
        "contact": "Jo Doe",
        "registrations": "1",
        "devices": f"{Tenant.objects.get(pk='acme').device_count} of 1,000",
    }
    assert link_to(response, "1") == "/devices/registration/?tenant=acme"
    assert cell(response, "globex", "registrations") == "0"
    assert cell(response, "globex", "devices") == "0"


def test_full_tenant_is_marked(office):
    Tenant.objects.filter(pk="acme").update(device_limit=3, device_count=3)
    assert "Limit reached" in cell(office.get(TENANTS), "acme", "devices")
    page = read(office.get(f"{TENANTS}acme/")).text
    assert "No further device can be let in" in page


def test_numbers_of_an_owner_lead_nowhere(owner, make_registration):
    make_registration("4711", tenant=Tenant.objects.get(pk="below"))
    response = owner.get(TENANTS)
    assert cell(response, "below", "registrations") == "1"
    assert "/devices/registration/?tenant" not in response.content.decode()


def test_parents_are_a_column_only_where_they_differ(office, console, house):
    heads = [th.text for th in read(office.get(TENANTS)).all("th")]
    assert heads == [
        "Tenant", "Status", "Domain", "Contact", "Created", "Open registrations", "Devices"
    ]  # fmt: skip
    Tenant.objects.filter(pk="acme").update(allow_create_tenants=True)
    Tenant.objects.create(id="below", company="Below", parent=house["acme"])
    assert cell(office.get(TENANTS), "below", "owner") == "acme"
    owner = console("acme/administrator").get(TENANTS)
    assert "Parent" not in [th.text for th in read(owner).all("th")]


def test_head_and_rows_have_the_same_columns(office, owner):
    for console in (office, owner):
        page = read(console.get(TENANTS))
        head = [th["class"].split()[0] for th in page.one("thead").all("th")]
        body = page.all("tr", data_tenant=True)[0]
        assert head == [td["class"].split()[0] for td in body.all("td")]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", ["acme", "globex", "management"]),
        ("ACM", ["acme"]),
        ("globex.example", ["globex"]),
        ("jo", ["globex"]),
        ("nothing", []),
        ("\x00", ["acme", "globex", "management"]),
        ("a\x00cme", ["acme"]),
        ("%", []),
        ("x" * 5000, []),
    ],
)
def test_search_looks_at_name_id_domain_and_contact(office, search, found):
    Tenant.objects.filter(pk="globex").update(domain="globex.example", contact_name="Jo")
    response = office.get(TENANTS, {"q": search})
    assert response.status_code == 200
    assert shown(response) == found


def test_chips_count_what_the_search_leaves(office):
    Tenant.objects.filter(pk="globex").update(status="SUSPENDED")
    assert chips(office.get(TENANTS)) == ["All 3", "Active 2", "Suspended 1"]
    assert shown(office.get(TENANTS, {"status": "suspended"})) == ["globex"]
    assert shown(office.get(TENANTS, {"status": "active"})) == ["acme", "management"]
    assert chips(office.get(TENANTS, {"q": "acme"})) == ["All 1", "Active 1", "Suspended 0"]
    assert shown(office.get(TENANTS, {"status": "nonsense"})) == ["acme", "globex", "management"]
    empty = read(office.get(TENANTS, {"status": "suspended", "q": "acme"}))
    assert "Nothing here for “acme”" in empty.text


def test_owner_without_tenants_is_told_what_they_are(console, acme):
    Tenant.objects.filter(pk="acme").update(allow_create_tenants=True)
    page = read(console("acme/administrator").get(TENANTS))
    assert "No subtenants yet" in page.text
    assert not page.all("table")


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("company", lambda each: (each.company, each.pk)),
        ("domain", lambda each: (each.domain, each.pk)),
        ("contact", lambda each: (each.contact_name, each.pk)),
        ("created", lambda each: (each.created_at, each.pk)),
        ("devices", lambda each: (each.device_count, each.pk)),
    ],
)
@pytest.mark.parametrize("sign", ["", "-"])
def test_list_is_paged_there_and_back_in_every_order(office, many, sort, key, sign):
    expected = [one.pk for one in sorted(Tenant.objects.all(), key=key, reverse=bool(sign))]
    pages, url = [], f"{TENANTS}?sort={sign}{sort}"
    while True:
        response = office.get(url)
        pages.append(shown(response))
        following = [a["href"] for a in read(response).all("a", rel="next")]
        if not following:
            break
        url = following[0]
    assert [one for page in pages for one in page] == expected
    assert [len(page) for page in pages] == [PAGE_SIZE, PAGE_SIZE, 23]
    assert "101\N{EN DASH}123 of 123" in read(response).text
    back = read(response).one("a", rel="prev")["href"]
    assert shown(office.get(back)) == pages[1]


@pytest.mark.parametrize(
    "cursor",
    ["x", "[]", "null", '["a", null, 1, false]', '["a", "\\u0000", 1, false]',
     '["a", "\\ud800", 1, false]', '["a", ["b"], 1, false]', '["\\u0000", "a", 1, false]',
     '["a", "b", -1, false]', "a" * 20000],
)  # fmt: skip
def test_damaged_cursor_is_the_first_page(office, many, cursor):
    packed = base64.urlsafe_b64encode(cursor.encode()).decode().rstrip("=")
    response = office.get(TENANTS, {"after": packed})
    assert response.status_code == 200
    assert shown(response) == many[:PAGE_SIZE]


def test_list_costs_the_same_however_long_it_is(office, many, django_assert_max_num_queries):
    office.get(TENANTS)
    with django_assert_max_num_queries(9):
        assert len(shown(office.get(TENANTS))) == PAGE_SIZE
    with django_assert_max_num_queries(9):
        office.get(f"{TENANTS}acme/")


def test_htmx_gets_the_table_alone(office):
    response = office.get(TENANTS, target="tenant-table")
    assert [child.attrs["id"] for child in read(response).children if hasattr(child, "tag")] == [
        "tenant-table"
    ]
    assert "HX-Target" in response["Vary"]
    whole = office.get(TENANTS)
    assert read(whole).one("section", id="tenant-table")["hx-trigger"].startswith("tenantsChanged")


# --- The page of one --------------------------------------------------------------------------


def test_page_says_what_there_is_to_know(office):
    Tenant.objects.filter(pk="acme").update(
        contact_name="Jo", contact_phone="+49 1", contact_email="jo@acme.example", device_limit=10
    )
    facts = {div.one("dt").text: div.one("dd").text for div in
             read(office.get(f"{TENANTS}acme/")).classed("facts")[0].all("div")}  # fmt: skip
    facts.pop("Created")
    assert facts == {
        "Tenant ID": "acme",
        "Domain": "\N{EN DASH}",
        "Contact": "Jo +49 1 jo@acme.example",
        "Parent": "management",
        "Subtenants": "May not own any",
        "Devices": "0 of 10",
        "Open registrations": "0",
    }


def test_page_of_a_suspended_tenant_says_what_that_means(office, globex):
    Tenant.objects.filter(pk="globex").update(status="SUSPENDED")
    page = read(office.get(f"{TENANTS}globex/"))
    assert "Its people and devices are locked out." in page.text
    assert [form["action"] for form in page.one("main").all("form")] == [
        f"{TENANTS}globex/activate/"
    ]


def test_management_tenant_can_be_edited_and_nothing_else(office):
    page = read(office.get(f"{TENANTS}management/"))
    assert "cannot be suspended or deleted" in page.text
    buttons = {a.text for a in page.one("main").classed("button")}
    assert buttons == {"Edit"}


def test_domain_that_this_server_does_not_answer_at_is_pointed_out(office, settings):
    settings.ALLOWED_HOSTS = ["testserver", ".known.example"]
    sentence = "This server does not answer at acme.example yet"
    form = {"company": "Acme", "domain": "acme.example"}
    saved = office.client.post(f"{TENANTS}acme/edit/", form, follow=True)
    assert any(sentence in one for one in messages_of(saved))
    assert sentence in read(saved).classed("notice")[0].text
    form["domain"] = "acme.known.example"
    saved = office.client.post(f"{TENANTS}acme/edit/", form, follow=True)
    assert messages_of(saved) == ["Tenant acme is saved."]
    assert not read(saved).classed("notice")
