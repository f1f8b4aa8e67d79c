"""API tokens from end to end: what opens, what does not, and from when on no longer."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tenants import global_roles, people
from tenants.actors import Actor
from tenants.models import ApiToken, AuditRecord, GlobalRole, User
from tenants.roles import Role
from tenants.tokens import TokenError, make_token, revoke_token
from tests.consoles import suspend
from tests.support import REQUESTS, Api, give_rights

ME = "/user/currentUser"
OPTIONS = "/tenant/options"
ALL_OF_AN_OPERATOR = ["ROLE_DEVICE_CONTROL_ADMIN", "ROLE_USER_MANAGEMENT_OWN_READ"]


@pytest.fixture
def boss(person):
    return Actor("administrator", person("acme/administrator"))


@pytest.fixture
def make(person, boss):
    """Make a token; return it with its text."""

    def make_(*scopes, login="acme/operator", expires_at=None, name="t"):
        return make_token(
            person(login), name, scopes or ALL_OF_AN_OPERATOR, expires_at=expires_at, by=boss
        )

    return make_


class Bearer(Api):
    """A program that sends its token as such."""

    def __init__(self, text):
        super().__init__()
        self.headers["Authorization"] = f"Bearer {text}"


DOORS = {
    "bearer": Bearer,
    "basic with tenant": lambda text: Api("acme/operator", text),
    "basic with the name alone": lambda text: Api("operator", text),
    "basic with its start as the ID of a key": lambda text: Api(text[:10], text),
}
every_door = pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)


@every_door
def test_token_opens_what_it_is_for(door, make):
    _, text = make()
    caller = door(text)
    answer = caller.get(ME).json()
    assert answer["userName"] == "operator"
    assert [one["id"] for one in answer["effectiveRoles"]] == [
        "ROLE_DEVICE_CONTROL_ADMIN", "ROLE_DEVICE_CONTROL_READ",
        "ROLE_USER_MANAGEMENT_OWN_READ"]  # fmt: skip
    assert caller.get("/tenant/currentTenant").json()["name"] == "acme"
    assert caller.post(REQUESTS, {"id": "4711"}).status_code == 201


@every_door
def test_what_its_scopes_leave_out_stays_shut(door, make):
    _, text = make("ROLE_DEVICE_CONTROL_READ")
    caller = door(text)
    assert caller.get(REQUESTS).status_code == 200
    # The owner may do all of this; the token may not.
    assert caller.post(REQUESTS, {"id": "4711"}).status_code == 403
    assert caller.get(OPTIONS).status_code == 403
    assert caller.get(ME).status_code == 403
    assert Api("acme/operator").get(OPTIONS).status_code == 200


@pytest.mark.parametrize(
    "login",
    [
        "acme/reader",
        "globex/operator",
        "management/operator",
        "acme/nobody",
        "/operator",
        "ght_other1",
    ],
)
def test_token_speaks_for_its_owner_only(login, make):
    _, text = make()
    assert Api(login, text).get(ME).status_code == 401


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-1], lambda text: text + "x", lambda text: text.upper(),
        lambda text: text.removeprefix("ght_"), lambda text: text[:10], lambda text: "ght_",
        lambda text: "", lambda text: "\x00",
    ],
    ids=["short", "long", "upper", "no prefix", "start", "prefix", "empty", "nul"],
)  # fmt: skip
def test_nothing_but_the_token_opens(spoil, make):
    _, text = make()
    assert Bearer(spoil(text)).get(ME).status_code == 401
    assert Api("acme/operator", spoil(text)).get(ME).status_code == 401


def test_token_opens_no_console(make):
    _, text = make()
    answer = Bearer(text).get("/devices/registration/")
    assert answer.status_code == 302


# --- T13: from the very next request on ---------------------------------------------------


def take_the_role(user, token, boss):
    people.change(user, full_name="", email="", roles=[], by=boss)


def shrink_the_role(user, token, boss):
    role = GlobalRole.objects.get(tenant=user.tenant, name="operator")
    global_roles.change_role(
        role, name=role.name, description="", roles=["ROLE_AUDIT_READ"], by=boss
    )


def delete_the_owner(user, token, boss):
    people.delete(user, by=boss)


ENDS = {
    "role taken": (take_the_role, 403),
    "role shrunk": (shrink_the_role, 403),
    "owner deactivated": (lambda user, token, boss: people.deactivate(user, by=boss), 401),
    "owner deleted": (delete_the_owner, 401),
    "token revoked": (lambda user, token, boss: people.revoke(token, by=boss), 401),
    "tenant suspended": (lambda user, token, boss: suspend(user.tenant), 401),
}


@every_door
@pytest.mark.parametrize(("end", "status"), ENDS.values(), ids=ENDS)
def test_it_ends_with_the_very_next_request(end, status, door, make, boss, person):
    token, text = make()
    caller = door(text)
    assert caller.get(REQUESTS).status_code == 200
    end(person("acme/operator"), token, boss)
    assert caller.get(REQUESTS).status_code == status
    assert Bearer(text).post(REQUESTS, {"id": "x"}).status_code == status


def test_right_that_comes_back_works_again(make, person):
    _, text = make("ROLE_DEVICE_CONTROL_READ")
    user = person("acme/operator")
    give_rights(user, Role.AUDIT_READ)
    assert Bearer(text).get(REQUESTS).status_code == 403
    give_rights(user, Role.DEVICE_CONTROL_READ)
    assert Bearer(text).get(REQUESTS).status_code == 200


def test_token_works_until_it_expires(make):
    token, text = make(expires_at=timezone.now() + timedelta(hours=1))
    assert Bearer(text).get(ME).status_code == 200
    ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Bearer(text).get(ME).status_code == 401
    token.refresh_from_db()
    assert token.is_expired
    assert not token.is_alive


def test_token_is_revoked_once(make, boss):
    token, _ = make()
    assert revoke_token(token, by=boss) is True
    assert revoke_token(token, by=boss) is False
    told = AuditRecord.objects.filter(type="ApiToken").order_by("pk")
    assert [entry.activity for entry in told] == ["API token created", "API token revoked"]
    assert told[1].subject == "acme/operator: t"


@pytest.mark.parametrize(
    ("scopes", "days", "says"),
    [
        (["ROLE_AUDIT_READ"], None, "rights that its owner does not have"),
        (["ROLE_DEVICE_CONTROL_ADMIN", "ROLE_X"], None, "does not have"),
        ([], None, "at least one right"),
        (["ROLE_DEVICE_CONTROL_READ"], -1, "expired already"),
    ],
)
def test_token_that_cannot_be_is_refused(scopes, days, says, person, boss):
    expires_at = None if days is None else timezone.now() + timedelta(days=days)
    with pytest.raises(TokenError, match=says):
        make_token(person("acme/operator"), "t", scopes, expires_at=expires_at, by=boss)
    assert not ApiToken.objects.exists()


def test_token_itself_is_kept_nowhere(make):
    token, text = make()
    kept = str(list(ApiToken.objects.values())) + str(list(AuditRecord.objects.values()))
    assert text not in kept
    assert text.startswith(token.start)
    assert len(text) > len(token.start) + 30


def test_last_use_is_written_once_a_minute(make, django_assert_num_queries):
    token, text = make()
    assert Api().get(ME, Authorization=f"Bearer {text}", X_Forwarded_For=None).status_code == 200
    token.refresh_from_db()
    first = token.last_used_at
    assert first is not None
    assert token.last_used_from == "127.0.0.1"
    Bearer(text).get(ME)
    token.refresh_from_db()
    assert token.last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(seconds=61))
    Bearer(text).get(ME)
    token.refresh_from_db()
    assert token.last_used_at > first - timedelta(seconds=61)


def test_refused_token_notes_no_use(make, boss):
    token, text = make()
    revoke_token(token, by=boss)
    Bearer(text).get(ME)
    token.refresh_from_db()
    assert token.last_used_at is None


def test_actor_behind_a_token_is_its_owner(make, person):
    _, text = make()
    Bearer(text).post(REQUESTS, {"id": "4711"})
    registration_by = User.objects.get(pk=person("acme/operator").pk)
    from registration.models import Registration

    assert Registration.objects.get(device_id="4711").created_by == registration_by


def test_audit_log_tells_by_which_token_something_was_done(make):
    token, text = make()
    Bearer(text).post(REQUESTS, {"id": "by-token"})
    Api("acme/operator").post(REQUESTS, {"id": "by-password"})
    said = dict(
        AuditRecord.objects.filter(type="DeviceRegistration").values_list("subject", "text")
    )
    assert said == {"by-token": f"By API token {token.start}….", "by-password": ""}
    assert text not in str(list(AuditRecord.objects.values()))
