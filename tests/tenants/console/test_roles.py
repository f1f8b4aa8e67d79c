"""The page about global roles."""

import pytest

from tenants.models import AuditRecord, GlobalRole, User
from tests.consoles import LIST, Console, messages_of, read
from tests.support import give_rights

ROLES = "/administration/roles/"
NEW = f"{ROLES}new/"
READ = "ROLE_DEVICE_CONTROL_READ"


@pytest.fixture
def desk(console):
    """The console of the administrator of acme."""
    return console("acme/administrator")


@pytest.fixture
def own(acme):
    return GlobalRole.objects.create(tenant=acme, name="fitters", description="F", roles=[READ])


def role(tenant, name):
    return GlobalRole.objects.get(tenant=tenant, name=name)


def url(one, action):
    return f"{ROLES}{one.pk}/{action}/"


def ticked(form):
    return {box["value"] for box in form.all("input", name="roles") if "checked" in box.attrs}


def test_roles_are_shown_with_their_rights_and_how_many_have_them(desk, own, globex):
    GlobalRole.objects.create(tenant=globex, name="theirs", roles=[])
    page = read(desk.get(ROLES))
    assert [card.one("h2").text for card in page.all("article")] == [
        "administrator", "fitters", "operator", "reader"]  # fmt: skip
    card = page.one("article", id=f"role-{own.pk}").text
    assert "ROLE_DEVICE_CONTROL_READ" in card
    assert "Nobody has it." in card
    assert "theirs" not in page.text


def test_list_needs_few_queries(desk, acme, django_assert_max_num_queries):
    for number in range(20):
        GlobalRole.objects.create(tenant=acme, name=f"r{number}", roles=[READ])
    desk.get(ROLES)
    with django_assert_max_num_queries(7):
        desk.get(ROLES)


def test_form_offers_rights_in_groups_with_what_they_mean(console, desk):
    form = read(desk.get(NEW)).one("form", action=NEW)
    legends = [legend.text for legend in form.all("legend")]
    assert legends == ["Devices", "Options", "People", "Audit log"]
    assert "Register, accept, unblock and cancel devices." in form.text
    assert "ROLE_DEVICE_BOOTSTRAP" not in form.text
    top = read(console("management/administrator").get(NEW))
    assert "Subtenants" in [legend.text for legend in top.all("legend")]


@pytest.mark.parametrize("target", [None, "dialog"])
def test_role_is_made(target, desk, acme):
    sent = {"name": "night shift", "description": "At night.", "roles": [READ]}
    response = desk.post(NEW, sent, target=target)
    assert response.status_code == (204 if target else 302)
    assert messages_of(desk.get(ROLES)) == ["Role night shift is created."]
    assert role(acme, "night shift").roles == [READ]
    again = desk.post(NEW, sent, target=target)
    assert again.status_code == 409
    assert "already a global role night shift" in read(again).text


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"name": ""}, 422, "Give the role a name"), ({"name": "/"}, 422, "starts with a letter"),
        ({"name": "x" * 65}, 422, "64"), ({"name": "\x00"}, 422, "Null"),
        ({"description": "x" * 256}, 422, "255"), ({"description": "\x00"}, 422, "Null"),
        ({"roles": []}, 422, "at least one right"), ({"roles": ["ROLE_X"]}, 422, "ROLE_X"),
        ({"roles": ["ROLE_DEVICE_BOOTSTRAP"]}, 422, "ROLE_DEVICE_BOOTSTRAP"),
        ({"roles": ["ROLE_TENANT_MANAGEMENT_READ"]}, 422, "ROLE_TENANT"),
        ({"roles": ["\x00"]}, 422, "choice"), ({"name": "READER"}, 409, "already"),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("target", [None, "dialog"])
def test_bad_input_is_told(change, status, says, target, desk):
    sent = {"name": "x", "description": "typed", "roles": [READ]} | change
    response = desk.post(NEW, sent, target=target)
    assert response.status_code == status
    assert says in read(response).text
    assert GlobalRole.objects.filter(tenant="acme").count() == 3


@pytest.mark.parametrize("target", [None, "dialog"])
def test_changed_role_holds_at_once(target, desk, acme, person):
    operator = role(acme, "operator")
    form = read(desk.get(url(operator, "edit"), target=target)).one(
        "form", action=url(operator, "edit")
    )
    assert ticked(form) == set(operator.roles)
    assert "1 account has this role" in form.text
    assert "disabled" in form.one("input", name="name").attrs
    theirs = Console("acme/operator")
    assert theirs.get(LIST).status_code == 200
    sent = {"description": "d", "roles": ["ROLE_AUDIT_READ"]}
    response = desk.post(url(operator, "edit"), sent, target=target)
    assert response.status_code == (204 if target else 302)
    assert theirs.get(LIST).status_code == 403
    desk.post(url(operator, "edit"), sent, target=target)  # a second click changes nothing more
    assert AuditRecord.objects.filter(type="GlobalRole").count() == 1


def test_name_of_a_built_in_role_cannot_be_smuggled_in(desk, acme):
    operator = role(acme, "operator")
    desk.post(url(operator, "edit"), {"name": "boss", "roles": [READ]})
    operator.refresh_from_db()
    assert operator.name == "operator"


def test_own_role_is_renamed(desk, own):
    desk.post(url(own, "edit"), {"name": "installers", "roles": [READ]})
    own.refresh_from_db()
    assert own.name == "installers"


def test_administrators_do_not_take_their_own_right_away(desk, acme):
    response = desk.post(
        url(role(acme, "administrator"), "edit"), {"roles": [READ]}, target="dialog"
    )
    assert response.status_code == 409
    assert "must keep the right" in read(response).text


@pytest.mark.parametrize("target", [None, "dialog"])
def test_built_in_role_is_reset(target, desk, acme):
    operator = role(acme, "operator")
    GlobalRole.objects.filter(pk=operator.pk).update(roles=[READ])
    for _ in range(2):
        response = desk.post(url(operator, "reset"), target=target)
        assert response.status_code == (204 if target else 302)
    operator.refresh_from_db()
    assert "ROLE_DEVICE_CONTROL_ADMIN" in operator.roles
    assert AuditRecord.objects.filter(type="GlobalRole").count() == 1


@pytest.mark.parametrize("target", [None, "dialog"])
def test_own_role_is_deleted_once_nobody_has_it(target, desk, own, acme):
    holder = User.objects.create_user(acme, "holder", None, global_roles=["fitters"])
    response = desk.post(url(own, "delete"), target=target)
    assert response.status_code == 409
    assert "holder still have this role" in read(response).text
    holder.global_roles.clear()
    response = desk.post(url(own, "delete"), target=target)
    assert response.status_code == (204 if target else 302)
    assert messages_of(desk.get(ROLES)) == ["The role fitters is deleted."]
    assert desk.post(url(own, "delete"), target=target).status_code == 404


@pytest.mark.parametrize("action", ["edit", "reset", "delete"])
def test_role_of_another_tenant_is_not_there(action, desk, globex):
    foreign = role(globex, "operator")
    for method in ("get", "post"):
        assert getattr(desk, method)(url(foreign, action)).status_code == 404
    assert not AuditRecord.objects.exists()


@pytest.mark.parametrize("roles", [(), ("ROLE_USER_MANAGEMENT_READ",)], ids=["none", "read"])
@pytest.mark.parametrize("action", ["edit", "reset", "delete"])
def test_change_needs_the_right(action, roles, console, own, person):
    give_rights(person("acme/reader"), *roles)
    reader = console("acme/reader")
    for method in ("get", "post"):
        assert getattr(reader, method)(url(own, action)).status_code == 403
        assert getattr(reader, method)(NEW).status_code == 403
    assert reader.get(ROLES).status_code == (200 if roles else 403)
    if roles:
        assert not read(reader.get(ROLES)).classed("row-actions")


@pytest.mark.parametrize("action", ["edit", "reset", "delete"])
@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_wrong_method_is_refused(action, method, desk, own):
    assert desk.call(method, url(own, action)).status_code == 405
    assert desk.call(method, NEW).status_code == 405
