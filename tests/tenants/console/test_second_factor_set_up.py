"""Setting up a second factor, moving it, switching it off; new recovery codes."""

import pytest
from django.apps import apps

from tenants import second_factors
from tenants.actors import SYSTEM, Actor
from tenants.models import AuditRecord, Authenticator, FailedSignIns
from tenants.models.second_factor import NUMBER_OF_CODES
from tests.accounts import (
    CODE,
    PROFILE,
    SET_UP,
    age,
    code_of,
    forget_codes,
    give_second_factor,
    require_second_factor,
    sign_in,
)
from tests.consoles import LIST, Console, read
from tests.support import PASSWORD

OFF = f"{SET_UP}off/"
CODES = "/profile/recovery-codes/"


@pytest.fixture
def user(person):
    return person("acme/operator")


@pytest.fixture
def factor(user):
    """The authenticator and the recovery codes of the operator of acme."""
    return give_second_factor(user)


@pytest.fixture
def app(factor):
    return factor[0]


def is_in(console):
    return console.get(LIST).status_code == 200


def changes():
    """Return what was done to accounts, in order."""
    found = AuditRecord.objects.filter(type="User").order_by("pk")
    return [one.activity for one in found]


def begin(console):
    assert console.post(SET_UP, {"current": PASSWORD})["Location"] == SET_UP
    return Authenticator.objects.get(confirmed=False)


def test_second_factor_is_set_up_with_password_key_and_code(user):
    console = Console("acme/operator")
    assert read(console.get(SET_UP)).one("input", name="current")
    app = begin(console)
    page = read(console.get(SET_UP))
    assert page.one("svg", class_="qr-code").all("path")
    assert page.classed("key-text")[0].text == app.secret_text
    assert not second_factors.has_one(user)
    response = console.post(SET_UP, {"code": code_of(app)})
    codes = [each.text for each in read(response).one("ol", class_="codes").all("code")]
    assert len(set(codes)) == NUMBER_OF_CODES
    assert second_factors.has_one(user)
    forget_codes(user)
    assert sign_in("acme/operator").post(CODE, {"code": codes[3]}).status_code == 302
    assert changes() == ["Second factor set up"]
    assert codes[0] not in read(console.get(SET_UP)).text + str(list(AuditRecord.objects.values()))


def test_key_and_codes_are_not_readable_in_the_database(factor):
    app, codes = factor
    kept = str([list(m._base_manager.values()) for m in apps.get_models()])
    assert app.bin_key.hex() not in kept
    assert app.secret_text.replace(" ", "") not in kept
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)


def test_other_sessions_end_when_the_second_factor_is_set_up(house):
    other, console = sign_in("acme/operator"), sign_in("acme/operator")
    stranger = sign_in("globex/operator")
    console.post(SET_UP, {"code": code_of(begin(console))})
    assert (is_in(console), is_in(other), is_in(stranger)) == (True, False, True)


@pytest.mark.parametrize("code", ["000000x", "", "wrong", "x\x00"])
def test_wrong_code_sets_nothing_up(user, code):
    console = Console("acme/operator")
    begin(console)
    response = console.post(SET_UP, {"code": code})
    assert response.status_code == 422
    assert read(response).one("svg", class_="qr-code")
    assert not second_factors.has_one(user)


def test_set_up_needs_the_password(user):
    console = Console("acme/operator")
    response = console.post(SET_UP, {"current": "wrong"})
    assert response.status_code == 422
    assert "This is not your current password." in read(response).text
    assert not Authenticator.objects.exists()


def test_key_that_waited_too_long_is_not_taken(user):
    console = Console("acme/operator")
    app = begin(console)
    age(Authenticator, "created_at", hours=2)
    assert read(console.get(SET_UP)).one("input", name="current")
    assert console.post(SET_UP, {"code": code_of(app)})["Location"] == SET_UP


def test_second_click_on_switch_on_leads_to_the_profile(user):
    console = Console("acme/operator")
    code = code_of(begin(console))
    assert console.post(SET_UP, {"code": code}).status_code == 200
    assert console.post(SET_UP, {"code": code})["Location"] == PROFILE
    assert Authenticator.objects.count() == 1


def test_another_app_takes_the_place_of_the_old_one(app, user):
    console = Console("acme/operator")
    new = begin(console)
    assert second_factors.has_one(user)
    console.post(SET_UP, {"code": code_of(new)})
    assert Authenticator.objects.get(user=user).pk == new.pk


# --- New codes, switching off -------------------------------------------------------------


@pytest.mark.parametrize("target", [None, "dialog"])
def test_new_recovery_codes_make_the_old_ones_void(factor, user, target):
    _, old = factor
    console = Console("acme/operator")
    assert console.get(CODES, target=target).status_code == 200
    response = console.post(CODES, {"current": PASSWORD}, target=target)
    new = [each.text for each in read(response).one("ol", class_="codes").all("code")]
    assert response["HX-Trigger"] == "profileChanged"
    assert sign_in("acme/operator").post(CODE, {"code": old[0]}).status_code == 422
    forget_codes(user)
    assert sign_in("acme/operator").post(CODE, {"code": new[0]}).status_code == 302


def test_new_recovery_codes_need_a_second_factor(house):
    assert Console("acme/operator").get(CODES)["Location"] == SET_UP


def test_second_factor_is_switched_off_with_the_password(factor, user, api):
    console = Console("acme/operator")
    assert console.post(OFF, {"current": "wrong"}).status_code == 422
    assert second_factors.has_one(user)
    assert console.post(OFF, {"current": PASSWORD})["Location"] == PROFILE
    assert not second_factors.has_one(user)
    assert changes()[-1] == "Second factor switched off"
    assert sign_in("acme/operator").response["Location"] == "/"
    assert api("acme/operator").get("/user/currentUser").status_code == 200
    assert console.post(OFF, {"current": PASSWORD}).status_code == 302  # a second click


def test_second_factor_is_switched_off_in_a_dialog(factor):
    response = Console("acme/operator").post(OFF, {"current": PASSWORD}, target="dialog")
    assert response.status_code == 204
    assert {"dialogClosed", "profileChanged"} <= set(response["HX-Trigger"].split('"'))


def test_required_second_factor_is_not_switched_off(factor, user, acme):
    require_second_factor(acme)
    response = Console("acme/operator").post(OFF, {"current": PASSWORD})
    assert response.status_code == 409
    assert "Your tenant requires a second factor" in read(response).text
    assert second_factors.has_one(user)


def test_reset_removes_it_also_where_it_is_required(factor, user, acme):
    require_second_factor(acme)
    assert second_factors.reset(user, by=SYSTEM)
    assert not second_factors.has_one(user)
    assert not second_factors.reset(user, by=SYSTEM)
    assert changes()[-1] == "Second factor reset"


@pytest.mark.parametrize("url", [CODES, OFF, SET_UP])
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_wrong_method_is_refused(factor, url, method):
    assert Console("acme/operator").call(method, url).status_code == 405


@pytest.mark.parametrize("url", [CODES, OFF, SET_UP])
@pytest.mark.parametrize("target", [None, "dialog"])
def test_guessing_the_password_from_a_session_is_throttled(factor, url, target):
    console = Console("acme/operator")
    for _ in range(10):
        assert console.post(url, {"current": "wrong"}, target=target).status_code == 422
    response = console.post(url, {"current": PASSWORD}, target=target)
    assert response.status_code == 429
    assert "Too many failed attempts." in read(response).text
    assert FailedSignIns.objects.filter(number__gt=10).exists()


def test_other_people_have_their_own(factor, person):
    assert not second_factors.has_one(person("globex/operator"))
    assert not second_factors.has_one(person("acme/reader"))
    by = Actor("operator", person("globex/operator"))
    assert not second_factors.switch_off(person("globex/operator"), by=by)
    assert second_factors.has_one(person("acme/operator"))
