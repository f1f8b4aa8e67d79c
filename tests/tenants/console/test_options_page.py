"""The options page: what counts, where it comes from, and changing it."""

import pytest

from registration.options import HANDOVER_HOURS, TOKEN_POLICY
from tenants.console.options import overview
from tenants.models import AuditRecord, Tenant, TenantOption
from tenants.options import known_options, set_editable, set_option
from tests.consoles import messages_of, read

PAGE = "/administration/options/"
CHANGE = f"{PAGE}change/"
NEW = f"{PAGE}new/"
POLICY = {"category": TOKEN_POLICY.category, "key": TOKEN_POLICY.key}
HOURS = {"category": HANDOVER_HOURS.category, "key": HANDOVER_HOURS.key}
SECRET = "a-very-secret-value"


@pytest.fixture
def office(console):
    """The console of the administrator of acme."""
    return console("acme/administrator")


@pytest.fixture
def house_office(console):
    """The console of the administrator of the management tenant."""
    return console("management/administrator")


@pytest.fixture
def give(operator):
    """Set an option and return it."""

    def set_(tenant, category, key, value="x"):
        return set_option(tenant, category, key, value, by=operator)

    return set_


def rows(response):
    """Return what each row reads, by the name of its option."""
    table = read(response).classed("options-table")
    return {
        row.classed("cell-option")[0].all("code")[-1].text: row
        for row in (table[0].all("tr") if table else [])
        if row.classed("cell-option")
    }


def value_and_origin(row):
    return row.classed("cell-value")[0].text, row.classed("badge")[0].text


def at(option, what):
    return f"{PAGE}{option.pk}/{what}/"


def test_known_options_come_first_with_what_counts(office, give, acme):
    give(acme, "a", "first")
    shown = rows(office.get(PAGE))
    assert list(shown) == [
        "device-registration/handover.time-limit.hours",
        "device-registration/security-token.policy",
        "two-factor-authentication/required",
        "first",
    ]
    policy = shown["device-registration/security-token.policy"]
    assert policy.one("strong").text == "Security token policy"
    assert TOKEN_POLICY.help in policy.text
    assert value_and_origin(policy) == ("OPTIONAL", "Platform default")


def test_origin_is_the_nearest_tenant_that_set_it(office, acme, management, set_policy):
    def policy():
        return value_and_origin(rows(office.get(PAGE))["device-registration/security-token.policy"])

    set_policy(management, "REQUIRED")
    assert policy() == ("REQUIRED", "Inherited from management")
    set_policy(acme, "IGNORED")
    assert policy() == ("IGNORED", "Set here")


def test_other_options_of_above_are_for_those_who_own_tenants(office, give, management, acme):
    give(management, "mail", "host", "mail.example")
    give(management, "mail", "credentials.password", SECRET)
    assert "host" not in rows(office.get(PAGE))
    assert office.get(CHANGE, {"category": "mail", "key": "host"}).status_code == 404
    acme.allow_create_tenants = True
    acme.save()
    shown = rows(office.get(PAGE))
    assert value_and_origin(shown["host"]) == ("mail.example", "Inherited from management")
    assert value_and_origin(shown["credentials.password"])[0] == "kept secret"
    give(acme, "mail", "host", "mail.acme.example")
    assert value_and_origin(rows(office.get(PAGE))["host"]) == ("mail.acme.example", "Set here")


def test_options_of_another_tenant_are_nowhere(office, give, globex, acme):
    theirs = give(globex, "theirs", "secret-plan")
    assert "secret-plan" not in rows(office.get(PAGE))
    assert office.get(PAGE, {"tenant": "globex"}).status_code == 404
    assert office.get(CHANGE, {"tenant": "globex", **POLICY}).status_code == 404
    assert (
        office.post(CHANGE, {"tenant": "globex", **POLICY, "value": "IGNORED"}).status_code == 404
    )
    assert office.post(NEW, {"tenant": "globex", "category": "c", "key": "k"}).status_code == 404
    assert office.post(at(theirs, "reset")).status_code == 404
    assert office.post(at(theirs, "reserve")).status_code == 403  # is not for it anywhere
    assert list(TenantOption.objects.all()) == [theirs]


def test_list_alone_is_what_htmx_gets(office):
    response = office.get(PAGE, target="options-table")
    assert "<html" not in response.content.decode()
    assert len(rows(response)) == len(known_options())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("POLICY", ["device-registration/security-token.policy"]),
        ("hours after delivery", ["device-registration/handover.time-limit.hours"]),
        ("mail", ["host"]), ("hos", ["host"]), ("nothing", []), ("\x00mail", ["host"]),
    ],
)  # fmt: skip
def test_options_are_found_by_their_names(office, give, acme, text, found):
    give(acme, "mail", "host", "nothing-of-this")
    response = office.get(PAGE, {"q": text})
    assert list(rows(response)) == found
    assert ("Nothing here for" in read(response).text) is not found


def test_options_are_grouped_by_category(office, give, acme):
    for category in ("b", "a"):
        for key in ("y", "x"):
            give(acme, category, f"{category}{key}")
    groups = [each.text for each in read(office.get(PAGE)).classed("table-group")]
    assert groups == ["Read by Gatehouse", "a", "b"]
    assert list(rows(office.get(PAGE)))[len(known_options()) :] == ["ax", "ay", "bx", "by"]


def test_page_shows_so_many_and_says_that_there_are_more(monkeypatch, office, give, acme):
    monkeypatch.setattr(overview, "MAX_SHOWN", 3)
    for number in range(4):
        give(acme, "c", f"key-{number}")
    response = office.get(PAGE)
    assert list(rows(response))[len(known_options()) :] == ["key-0", "key-1", "key-2"]
    assert "Search to find the rest." in read(response).text


def test_page_costs_few_queries(office, give, acme, django_assert_max_num_queries):
    for number in range(30):
        give(acme, f"c-{number}", "k")
    office.get(PAGE)
    with django_assert_max_num_queries(10):
        office.get(PAGE)


# --- Changing ------------------------------------------------------------------------------


def test_dialog_has_the_field_that_fits(office, give, acme):
    give(acme, "mail", "credentials.password", SECRET)
    give(acme, "mail", "host", "one\ntwo")
    policy = read(office.get(CHANGE, POLICY, target="dialog")).one("select", name="value")
    assert [each["value"] for each in policy.all("option")] == ["IGNORED", "OPTIONAL", "REQUIRED"]
    assert policy.one("option", selected=True)["value"] == "OPTIONAL"
    hours = read(office.get(CHANGE, HOURS, target="dialog")).one("input", name="value")
    assert (hours["type"], hours["min"], hours["max"], hours["value"]) == (
        "number", "1", "8760", "24")  # fmt: skip
    secret = read(office.get(CHANGE, {"category": "mail", "key": "credentials.password"}))
    field = secret.one("input", name="value")
    assert (field["type"], field.attrs.get("value")) == ("password", None)
    assert "Unchanged if left blank." in secret.text
    host = read(office.get(CHANGE, {"category": "mail", "key": "host"})).one("textarea")
    assert "one\ntwo" in "".join(host.children)


@pytest.mark.parametrize("target", [None, "dialog"])
def test_value_is_changed(office, acme, target):
    form = read(office.get(CHANGE, POLICY, target=target)).one("form", action=CHANGE)
    response = office.post(CHANGE, {**form.fields, "value": "REQUIRED"}, target=target)
    assert response.status_code == (204 if target else 302)
    if target:
        assert "optionsChanged" in response["HX-Trigger"]
    else:
        assert response["Location"] == PAGE
    assert messages_of(office.get(PAGE)) == ["Security token policy is changed."]
    assert TOKEN_POLICY.value_for(acme) == "REQUIRED"
    entry = AuditRecord.objects.get()
    assert (entry.subject, entry.actor_name) == (
        "device-registration/security-token.policy", "administrator")  # fmt: skip


def test_second_click_changes_nothing_more(office):
    for _ in range(2):
        assert office.post(CHANGE, {**POLICY, "value": "REQUIRED"}).status_code == 302
    assert AuditRecord.objects.count() == 1
    assert TenantOption.objects.count() == 1


@pytest.mark.parametrize(
    ("names", "value"),
    [
        (POLICY, "required"), (POLICY, ""), (POLICY, "\x00"), (HOURS, "0"), (HOURS, "8761"),
        (HOURS, ""), (HOURS, "x"), (HOURS, "9" * 5000), (HOURS, "\x00"),
        ({"category": "c", "key": "k"}, "x" * 10_001), ({"category": "c", "key": "k"}, "a\x00"),
    ],
    ids=lambda each: str(each)[:30],
)  # fmt: skip
@pytest.mark.parametrize("target", [None, "dialog"])
def test_value_that_does_not_fit_is_refused_beside_its_field(
    office, give, acme, names, value, target
):
    give(acme, "c", "k")
    response = office.post(CHANGE, {**names, "value": value}, target=target)
    assert response.status_code == 422
    assert read(response).classed("invalid-feedback")
    assert TenantOption.objects.get().value == "x"


def test_lines_of_a_browser_are_kept_as_lines(office, give, acme):
    give(acme, "c", "k")
    office.post(CHANGE, {"category": "c", "key": "k", "value": "one\r\ntwo"})
    assert TenantOption.objects.get().value == "one\ntwo"


@pytest.mark.parametrize("names", [{}, {"category": "c"}, {"category": "\x00", "key": "k"},
                                   {"category": "no", "key": "such"}], ids=str)  # fmt: skip
def test_option_that_is_not_there_cannot_be_changed(office, names):
    assert office.get(CHANGE, names).status_code == 404
    assert office.post(CHANGE, {**names, "value": "x"}).status_code == 404


def test_secret_is_set_kept_when_left_blank_and_never_shown(office, give, acme):
    names = {"category": "mail", "key": "credentials.password"}
    assert office.post(NEW, {**names, "value": SECRET}).status_code == 302
    option = TenantOption.objects.get()
    assert option.plain == SECRET
    assert SECRET not in option.value
    assert office.post(CHANGE, {**names, "value": ""}).status_code == 302
    option.refresh_from_db()
    assert option.plain == SECRET
    assert messages_of(office.get(PAGE))[-1] == "credentials.password stays as it was."
    office.post(CHANGE, {**names, "value": "another-secret"})
    option.refresh_from_db()
    assert option.plain == "another-secret"
    for url in (PAGE, f"{CHANGE}?category=mail&key=credentials.password", at(option, "reset")):
        page = office.get(url).content.decode()
        assert SECRET not in page
        assert "another-secret" not in page
        assert option.value not in page


def test_inherited_secret_needs_one_to_replace_it(office, give, management, acme):
    Tenant.objects.filter(pk="acme").update(allow_create_tenants=True)
    give(management, "mail", "credentials.password", SECRET)
    names = {"category": "mail", "key": "credentials.password"}
    response = office.post(CHANGE, {**names, "value": ""})
    assert response.status_code == 422
    assert "Type the secret." in read(response).text


# --- Adding --------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [None, "dialog"])
def test_option_is_added(office, acme, target):
    form = read(office.get(NEW, target=target)).one("form", action=NEW)
    sent = {**form.fields, "category": " c ", "key": "a/b.c", "value": "v"}
    response = office.post(NEW, sent, target=target)
    assert response.status_code == (204 if target else 302)
    option = TenantOption.objects.get()
    assert (option.tenant, str(option), option.value) == (acme, "c/a/b.c", "v")
    assert AuditRecord.objects.get().activity == "Option set"


def test_option_that_is_there_is_not_overwritten_by_adding(office, give, acme):
    give(acme, "c", "k", "before")
    response = office.post(NEW, {"category": "c", "key": "k", "value": "after"})
    assert response.status_code == 409
    assert "This option is there already." in read(response).text
    assert TenantOption.objects.get().value == "before"


@pytest.mark.parametrize(
    "wrong",
    [
        {"category": ""}, {"key": ""}, {"category": "a/b"}, {"category": "x" * 257},
        {"key": "x" * 257}, {"category": "\x00"}, {"key": "a\x00"}, {"value": "\x00"},
        {"value": "x" * 10_001}, {**POLICY, "value": "nonsense"}, {**HOURS, "value": "0"},
    ],
    ids=lambda each: str(each)[:30],
)  # fmt: skip
def test_option_that_cannot_be_is_refused(office, wrong):
    response = office.post(NEW, {"category": "c", "key": "k", "value": "v", **wrong})
    assert response.status_code == 422
    assert read(response).classed("invalid-feedback")
    assert not TenantOption.objects.exists()


@pytest.mark.parametrize("wrong", [{"category": ""}, {"category": "a/b"}])
def test_refused_secret_does_not_come_back_in_the_page(office, wrong):
    sent = {"category": "c", "key": "credentials.x", "value": SECRET, **wrong}
    response = office.post(NEW, sent)
    assert response.status_code == 422
    assert SECRET not in response.content.decode()
    assert "credentials.x" in response.content.decode()


# --- Resetting and reserving ---------------------------------------------------------------


@pytest.mark.parametrize("target", [None, "dialog"])
def test_value_is_reset_to_what_is_inherited(office, give, acme, management, target):
    give(management, **POLICY, value="REQUIRED")
    option = give(acme, **POLICY, value="IGNORED")
    page = read(office.get(at(option, "reset"), target=target))
    assert "What counts then: REQUIRED , from management." in page.text
    response = office.post(at(option, "reset"), target=target)
    assert response.status_code == (204 if target else 302)
    assert TOKEN_POLICY.value_for(acme) == "REQUIRED"
    assert AuditRecord.objects.latest("pk").activity == "Option removed"
    assert office.post(at(option, "reset"), target=target).status_code == 404


def test_reset_says_when_the_option_is_gone_with_it(office, give, acme):
    option = give(acme, "c", "k")
    assert "the option is gone" in read(office.get(at(option, "reset"))).text


def test_reserved_option_is_explained_and_cannot_be_changed(office, give, acme, globex, operator):
    option = give(acme, "c", "k", "before")
    set_editable(option, is_editable=False, by=operator)
    row = rows(office.get(PAGE))["k"]
    assert "Reserved: only the management tenant may change it." in row.text
    assert not row.classed("cell-actions")[0].all("a")
    response = office.post(CHANGE, {"category": "c", "key": "k", "value": "after"}, target="dialog")
    assert response.status_code == 409
    assert "is reserved" in read(response).one(role="alert").text
    assert office.post(at(option, "reset"), target="dialog").status_code == 409
    assert "Save" not in [b.text for b in read(response).all("button")]
    assert TenantOption.objects.get().value == "before"


def test_management_sees_and_sets_the_options_of_another_tenant(house_office, acme, set_policy):
    set_policy(acme, "IGNORED")
    page = house_office.get(PAGE, {"tenant": "acme"})
    assert "What counts for Acme (acme)" in read(page).text
    policy = rows(page)["device-registration/security-token.policy"]
    assert value_and_origin(policy) == ("IGNORED", "Set by this tenant")
    link = policy.classed("cell-actions")[0].all("a")[0]["href"]
    form = read(house_office.get(link)).one("form", action=CHANGE)
    response = house_office.post(CHANGE, {**form.fields, "value": "REQUIRED"})
    assert response["Location"] == f"{PAGE}?tenant=acme"
    assert TOKEN_POLICY.value_for(acme) == "REQUIRED"
    entry = AuditRecord.objects.latest("pk")
    assert (entry.tenant_id, entry.actor_tenant) == ("acme", "management")
    house_office.post(NEW, {"tenant": "acme", "category": "c", "key": "k", "value": "v"})
    assert TenantOption.objects.get(key="k").tenant == acme


@pytest.mark.parametrize("tenant", ["nobody", "\x00", "ACME"])
def test_tenant_that_does_not_exist_has_no_page(house_office, tenant):
    assert house_office.get(PAGE, {"tenant": tenant}).status_code == 404


@pytest.mark.parametrize("target", [None, "dialog"])
def test_management_reserves_and_releases(house_office, office, give, acme, target):
    option = give(acme, "c", "k")
    listed = f"{PAGE}?tenant=acme"
    for is_editable, told in ((False, "c/k is reserved: it can be read by acme."),
                              (True, "c/k may be changed by acme.")):  # fmt: skip
        form = rows(house_office.get(listed))["k"].one("form")
        for _ in range(2):  # the second click says the same
            response = house_office.post(form["action"], form.fields, target=target)
            assert response.status_code == (204 if target else 302)
        option.refresh_from_db()
        assert option.is_editable is is_editable
        assert messages_of(house_office.get(listed)) == [told]
    assert [e.activity for e in AuditRecord.objects.order_by("pk")][1:] == [
        "Option reserved", "Option released"]  # fmt: skip


def test_tenant_does_not_reserve_its_own(office, give, acme):
    option = give(acme, "c", "k")
    assert office.post(at(option, "reserve"), {"editable": "false"}).status_code == 403
    option.refresh_from_db()
    assert option.is_editable


# --- The gate --------------------------------------------------------------------------------


@pytest.mark.parametrize("login", ["acme/reader", "acme/operator"])
def test_person_without_the_right_looks_and_changes_nothing(console, give, acme, login):
    option = give(acme, "c", "k")
    desk = console(login)
    page = desk.get(PAGE)
    assert page.status_code == 200
    assert not [row for row in rows(page).values() if row.classed("row-actions")]
    assert "Add option" not in read(page).text
    for url in (CHANGE, NEW, at(option, "reset"), at(option, "reserve")):
        assert desk.post(url, POLICY | {"value": "IGNORED"}).status_code == 403
    assert list(TenantOption.objects.all()) == [option]


def test_person_who_may_not_read_options_has_no_page(console):
    assert console("acme/devicebootstrap").get(PAGE).status_code == 403


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_wrong_methods_are_refused(office, give, acme, method):
    option = give(acme, "c", "k")
    for url in (PAGE, CHANGE, NEW, at(option, "reset"), at(option, "reserve")):
        assert office.call(method, url).status_code == 405
    assert office.get(at(option, "reserve")).status_code == 405
    assert office.post(PAGE).status_code == 405


def test_navigator_leads_here(office):
    assert PAGE in [link["href"] for link in read(office.get("/help/connecting-devices/")).all("a")]
