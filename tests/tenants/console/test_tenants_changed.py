"""What can be done to a tenant in the console: each action proved six times, then by its rules."""

import pytest

from registration.lifecycle import Stage
from tenants.models import AuditRecord, OneTimeLink, Tenant, User
from tenants.models.tenant import MAX_DEVICE_LIMIT
from tests.consoles import Console, messages_of, read
from tests.support import Api, give_rights

TENANTS = "/administration/tenants/"
NEW = f"{TENANTS}new/"
EVENT = "tenantsChanged"

UMBRELLA = {
    "company": "Umbrella",
    "id": "umbrella",
    "admin_username": "admin",
    "admin_full_name": "Jo Doe",
    "admin_email": "jo@umbrella.example",
}
EDITED = {"company": "Acme Inc", "contact_name": "Jo", "device_limit": "10"}
# The action: its address, what is sent, the right it needs, whether it asks first.
ACTIONS = {
    "create": ("new/", UMBRELLA, "CREATE", True),
    "edit": ("acme/edit/", EDITED, "UPDATE", True),
    "suspend": ("acme/suspend/", {}, "UPDATE", True),
    "activate": ("globex/activate/", {}, "UPDATE", False),
    "invite": ("acme/invite/", {"admin_username": "rescue"}, "ADMIN", True),
    "delete": ("acme/delete/", {"typed": "acme"}, "ADMIN", True),
}
every_action = pytest.mark.parametrize("action", ACTIONS)


@pytest.fixture
def office(house, console):
    """The console of the administrator of the management tenant; globex is suspended."""
    Tenant.objects.filter(pk="globex").update(status="SUSPENDED")
    return console("management/administrator")


def state():
    """Return all tenants, people, links and records."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (Tenant, User, OneTimeLink, AuditRecord)
    ]


def url_of(action):
    return TENANTS + ACTIONS[action][0]


def is_done(action):
    """Say whether the action took place."""
    acme = Tenant.objects.filter(pk="acme").first()
    return {
        "create": lambda: Tenant.objects.filter(pk="umbrella").exists(),
        "edit": lambda: acme.company == "Acme Inc" and acme.device_limit == 10,
        "suspend": lambda: not acme.is_active,
        "activate": lambda: Tenant.objects.get(pk="globex").is_active,
        "invite": lambda: User.objects.filter(tenant=acme, username="rescue").exists(),
        "delete": lambda: acme is None,
    }[action]()


# --- Six proofs for each ----------------------------------------------------------------------


@every_action
def test_action_is_done_without_javascript_and_says_so(office, action):
    response = office.client.post(url_of(action), ACTIONS[action][1], follow=True)
    assert response.status_code == 200
    assert is_done(action)
    told = " ".join(messages_of(response)) + read(response).one("main").text
    assert {"create": "Tenant umbrella is created", "edit": "Tenant acme is saved.",
            "suspend": "Tenant acme is suspended.", "activate": "Tenant globex is active again.",
            "invite": "acme/rescue is invited",
            "delete": "Tenant acme is deleted, with everything it had.",
            }[action] in told  # fmt: skip


@every_action
def test_action_is_done_by_htmx_and_announced(office, action):
    response = office.post(url_of(action), ACTIONS[action][1], target="dialog")
    assert is_done(action)
    if action in {"create", "invite"}:  # the dialog shows the link
        assert response.status_code == 200
        assert response["HX-Trigger"] == EVENT
        assert len(read(response).all("html")) == 0
    elif action == "delete":
        assert (response.status_code, response["HX-Redirect"]) == (204, TENANTS)
    else:
        assert response.status_code == 204
        assert EVENT in response["HX-Trigger"]
        assert "dialogClosed" in response["HX-Trigger"]


@pytest.mark.parametrize(
    ("action", "status", "told"),
    [
        ("create", 409, "There is a tenant with the ID umbrella already."),
        ("edit", 204, None),
        ("suspend", 204, "Nothing was changed: it was suspended already."),
        ("activate", 204, "Nothing was changed: it was active already."),
        ("invite", 200, None),
        ("delete", 404, None),
    ],
)
def test_second_click_does_nothing_more(office, action, status, told):
    office.post(url_of(action), ACTIONS[action][1], target="dialog")
    before = state()
    response = office.post(url_of(action), ACTIONS[action][1], target="dialog")
    assert response.status_code == status
    if action == "invite":  # the same person gets a new link
        assert state()[:2] == before[:2]
        assert OneTimeLink.objects.count() == 1
    else:
        assert state() == before
    if told:
        there = read(response).text + read(office.get(TENANTS, target="tenant-table")).text
        assert told in there


@every_action
@pytest.mark.parametrize("login", ["globex/administrator", "acme/operator", "acme/administrator"])
def test_tenant_that_looks_after_none_may_do_nothing(house, action, login):
    console, before = Console(login), state()
    assert console.post(url_of(action), ACTIONS[action][1]).status_code == 403
    assert state()[:3] == before[:3]


@every_action
def test_owner_of_others_does_not_reach_this_one(house, action):
    Tenant.objects.filter(pk="globex").update(allow_create_tenants=True)
    if action == "create":
        return
    path, sent, _, _ = ACTIONS[action]
    console = Console("globex/administrator")
    refused = 403 if action == "delete" else 404  # deleting is for the management tenant
    own = f"{TENANTS}globex/{path.partition('/')[2]}"
    assert console.post(TENANTS + path, sent).status_code == refused
    assert console.post(own, sent).status_code == refused
    assert not is_done(action) or action == "activate"


@every_action
@pytest.mark.parametrize("right", ["READ", "CREATE", "UPDATE", "ADMIN"])
def test_each_action_needs_its_right(office, person, action, right):
    path, sent, needed, _ = ACTIONS[action]
    give_rights(person("management/administrator"), f"ROLE_TENANT_MANAGEMENT_{right}")
    before = state()
    response = office.post(TENANTS + path, sent)
    if right in {needed, "ADMIN"}:
        assert response.status_code in {200, 302}
        assert is_done(action)
    else:
        assert response.status_code == 403
        assert "Your account may not do this." in read(response).text
        assert state() == before


@every_action
@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_action_wants_a_post(office, action, method):
    before = state()
    response = office.call(method, url_of(action))
    asks = ACTIONS[action][3]
    assert response.status_code == (200 if method == "get" and asks else 405)
    assert state() == before


@every_action
def test_dialog_is_a_page_of_its_own_too(office, action):
    if not ACTIONS[action][3]:
        return
    for target in (None, "dialog"):
        page = read(office.get(url_of(action), target=target))
        form = page.one("form", action=url_of(action))
        assert form["method"] == "post"
        assert len(page.all("h2", id="dialog-title")) == 1
        assert bool(page.all("html")) is (target is None)


# --- Creating ---------------------------------------------------------------------------------


def test_link_is_shown_once_where_no_mail_is_sent(office):
    page = read(office.post(NEW, UMBRELLA, target="dialog"))
    link = page.one("input", id="handover-url")
    assert "readonly" in link.attrs
    assert link["value"].startswith("http://testserver/welcome/")
    secret = link["value"].split("/")[-2]
    assert "No mail was sent." in page.text
    assert "It works once, until" in page.text
    shown = [office.get(path).content.decode() for path in (TENANTS, f"{TENANTS}umbrella/", NEW)]
    assert not any(secret in one for one in shown)
    assert secret not in str(state())


def test_link_is_not_shown_when_it_was_sent(office, settings, mailoutbox):
    settings.EMAIL_HOST = "mail.example"
    page = read(office.post(NEW, UMBRELLA, target="dialog"))
    assert not page.all("input")
    assert "A link was sent to jo@umbrella.example" in page.text
    (message,) = mailoutbox
    assert message.to == ["jo@umbrella.example"]
    assert "/welcome/" in message.body
    assert "/welcome/" not in page.text


def test_new_tenant_is_as_it_was_typed(office):
    office.post(NEW, {**UMBRELLA, "domain": "Umbrella.Example", "contact_name": "Jo",
                      "contact_phone": "1", "contact_email": "jo@umbrella.example",
                      "device_limit": "5", "allow_create_tenants": "on"})  # fmt: skip
    tenant = Tenant.objects.get(pk="umbrella")
    assert (tenant.domain, tenant.device_limit) == ("umbrella.example", 5)
    assert (tenant.parent_id, tenant.allow_create_tenants) == ("management", True)
    admin = User.objects.get(tenant=tenant)
    assert (str(admin), admin.full_name) == ("umbrella/admin", "Jo Doe")


@pytest.mark.parametrize(
    ("field", "value", "status", "sentence"),
    [
        ("company", "", 422, "A tenant needs the name of its organisation"),
        ("company", "x" * 256, 422, "at most 255 characters"),
        ("id", "Bad ID", 422, "A tenant ID has at least two characters"),
        ("id", "gatehouse", 422, "The ID gatehouse is reserved."),
        ("id", "acme", 409, "There is a tenant with the ID acme already."),
        ("domain", "not a domain", 422, "A domain has at least two characters"),
        ("domain", "TAKEN.example", 409, "Another tenant has the domain taken.example already."),
        ("contact_email", "nobody", 422, "This is no e-mail address."),
        ("device_limit", "-1", 422, "A device limit is a whole number"),
        ("device_limit", str(MAX_DEVICE_LIMIT + 1), 422, "A device limit is a whole number"),
        ("device_limit", "many", 422, "A device limit is a whole number"),
        ("admin_username", "", 422, "Give the administrator a user name."),
        ("admin_username", "a/b", 422, "A user name cannot contain"),
        ("admin_username", "device_1", 422, "belong to devices"),
        ("admin_email", "nobody", 422, "Enter a valid email address."),
        ("company", "a\x00b", 422, "Null characters are not allowed."),
        ("id", "a\x00b", 422, "Null characters are not allowed."),
        ("admin_username", "a\x00b", 422, "Null characters are not allowed."),
    ],
)
@pytest.mark.parametrize("target", [None, "dialog"])
def test_wrong_input_is_said_beside_its_field(office, field, value, status, sentence, target):
    Tenant.objects.filter(pk="acme").update(domain="taken.example")
    before = state()
    response = office.post(NEW, {**UMBRELLA, field: value}, target=target)
    assert response.status_code == status
    page = read(response)
    box = page.one(id=f"div_id_{field}")
    assert sentence in box.text
    assert box.one("input")["aria-invalid"] == "true"
    if field != "company":  # what was typed elsewhere stays
        assert page.one("input", id="id_company")["value"] == "Umbrella"
    assert state() == before


def test_half_a_character_is_no_trouble(office):
    body = b"company=%ED%A0%80&id=umbrella&admin_username=%ED%A0%80"
    response = office.client.post(NEW, body, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 200


def test_owner_creates_tenants_of_its_own(house, console):
    Tenant.objects.filter(pk="acme").update(allow_create_tenants=True)
    owner = console("acme/administrator")
    form = read(owner.get(NEW)).one("form", action=NEW)
    assert "allow_create_tenants" not in form.fields
    response = owner.post(NEW, {**UMBRELLA, "allow_create_tenants": "on"})
    assert response.status_code == 200
    tenant = Tenant.objects.get(pk="umbrella")
    assert (tenant.parent_id, tenant.allow_create_tenants) == ("acme", False)
    office = console("management/administrator")
    assert office.get(f"{TENANTS}umbrella/").status_code == 200
    assert console("globex/administrator").get(f"{TENANTS}umbrella/").status_code == 403


# --- Editing ----------------------------------------------------------------------------------


def test_form_holds_what_is_so(office):
    Tenant.objects.filter(pk="acme").update(domain="acme.example", device_limit=7)
    fields = read(office.get(f"{TENANTS}acme/edit/")).one("form", action=url_of("edit")).fields
    assert (fields["company"], fields["domain"], fields["device_limit"]) == (
        "Acme", "acme.example", "7")  # fmt: skip


def test_saving_what_is_shown_changes_nothing(office):
    fields = read(office.get(f"{TENANTS}acme/edit/")).one("form", action=url_of("edit")).fields
    before = state()
    assert office.post(f"{TENANTS}acme/edit/", fields).status_code == 302
    assert state() == before


def test_change_in_the_console_is_audited_with_its_request(office):
    response = office.post(f"{TENANTS}acme/edit/", EDITED)
    record = AuditRecord.objects.get(activity="Tenant changed")
    assert (record.tenant_id, record.actor_tenant, record.source) == (
        "acme", "management", "127.0.0.1")  # fmt: skip
    assert record.request_id == response["X-Request-ID"]


def test_management_tenant_can_be_renamed_and_nothing_more(office):
    office.post(f"{TENANTS}management/edit/", {"company": "House"})
    assert Tenant.objects.get(pk="management").company == "House"
    for action in ("suspend", "delete"):
        response = office.post(f"{TENANTS}management/{action}/", {"typed": "management"})
        assert response.status_code == 409
        assert "The management tenant runs this Gatehouse" in read(response).text
    assert Tenant.objects.get(pk="management").is_active


# --- Suspending and deleting ------------------------------------------------------------------


def test_suspended_tenant_is_out_and_in_again_by_a_click(office):
    desk, api = Console("acme/operator"), Api("acme/operator")
    office.post(f"{TENANTS}acme/suspend/")
    assert desk.get("/devices/registration/").status_code == 302
    assert api.get("/user/currentUser").status_code == 401
    office.post(f"{TENANTS}acme/activate/")
    assert desk.get("/devices/registration/").status_code == 200
    assert api.get("/user/currentUser").status_code == 200


def test_dialog_says_exactly_what_will_be_deleted(office, make_registration):
    make_registration("waiting")
    make_registration("confirmed", stage=Stage.CONFIRMED)
    page = read(office.get(f"{TENANTS}acme/delete/"))
    assert [li.text for li in page.one("ul", aria_label="What will be deleted").all("li")] == [
        "Registrations 2",
        "Events 6",
        "Device logins 1",
        "Devices and groups 1",
        "People and services 4",
    ]


@pytest.mark.parametrize("typed", ["", "ACME", "Acme", "acm", "acme2", "globex", "a\x00b"])
def test_deletion_wants_the_id_letter_by_letter(office, typed):
    before = state()
    response = office.post(f"{TENANTS}acme/delete/", {"typed": typed}, target="dialog")
    assert response.status_code == 422
    assert "Type acme here, letter by letter." in read(response).text
    assert state() == before


def test_tenant_with_subtenants_is_not_deleted(office, acme):
    Tenant.objects.create(id="below", company="Below", parent=acme)
    for method, status in (("get", 200), ("post", 409)):
        response = office.call(method, f"{TENANTS}acme/delete/", {"typed": "acme"})
        assert response.status_code == status
        page = read(response)
        assert "Tenant acme has subtenants (below). Delete these first." in page.text
        assert "Delete tenant" not in [button.text for button in page.all("button")]
    assert Tenant.objects.filter(pk="acme").exists()


def test_owner_may_suspend_and_not_delete(house, console):
    Tenant.objects.filter(pk="acme").update(allow_create_tenants=True)
    Tenant.objects.create(id="below", company="Below", parent_id="acme")
    owner = console("acme/administrator")
    page = read(owner.get(f"{TENANTS}below/"))
    assert "Delete" not in [a.text for a in page.classed("button")]
    for method in ("get", "post"):
        assert owner.call(method, f"{TENANTS}below/delete/", {"typed": "below"}).status_code == 403
    assert owner.post(f"{TENANTS}below/suspend/").status_code == 302
    assert not Tenant.objects.get(pk="below").is_active


# --- Inviting again ---------------------------------------------------------------------------


def test_new_link_makes_the_old_one_void(office):
    first = read(office.post(NEW, UMBRELLA)).one("input", id="handover-url")["value"]
    again = read(office.post(f"{TENANTS}umbrella/invite/", {"admin_username": "admin"}))
    second = again.one("input", id="handover-url")["value"]
    assert first != second
    assert OneTimeLink.objects.usable().count() == 1
    assert User.objects.filter(tenant_id="umbrella").count() == 1
    assert User.objects.get(tenant_id="umbrella").email == "jo@umbrella.example"


def test_account_in_use_is_not_taken_over(office):
    response = office.post(f"{TENANTS}acme/invite/", {"admin_username": "operator"})
    assert response.status_code == 409
    assert "There is a user acme/operator already." in read(response).text
    assert OneTimeLink.objects.count() == 0


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_nobody_is_led_elsewhere(office, url):
    response = office.post(f"{TENANTS}acme/edit/", {**EDITED, "next": url})
    assert response["Location"] == f"{TENANTS}acme/"


def test_nobody_gets_rights_at_home_by_inviting_an_administrator_there(office):
    response = office.post(f"{TENANTS}management/invite/", {"admin_username": "mine"})
    assert response.status_code == 409
    assert "Invite people of your own tenant on the page People." in read(response).text
    assert not User.objects.filter(username="mine").exists()
