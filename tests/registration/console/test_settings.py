"""The settings of device registration: what is in force, from where, and changing it."""

import pytest

from registration.lifecycle import Stage, TokenPolicy
from registration.options import HANDOVER_HOURS, TOKEN_POLICY, token_policy
from tenants.models import TenantOption
from tests.consoles import LIST, SETTINGS, messages_of, read


@pytest.fixture
def office(console):
    """The console of the administrator of acme."""
    return console("acme/administrator")


def change(office, policy="", hours="", **how):
    return office.post(SETTINGS, {"policy": policy, "handover_hours": hours}, **how)


def chosen(response):
    return next(r["value"] for r in read(response).all("input", name="policy")
                if "checked" in r.attrs)  # fmt: skip


def test_every_policy_is_explained(office):
    labels = {
        choice.one("input")["value"]: choice.text
        for choice in read(office.get(SETTINGS)).classed("choice")
    }
    assert set(labels) == {"", *TokenPolicy}
    assert labels[""] == "Inherited: Optional From the platform's default."
    assert "Whoever knocks with a registered ID can be accepted." in labels["IGNORED"]
    assert "accepted only with the same token" in labels["OPTIONAL"]
    assert "A device that sends none is blocked." in labels["REQUIRED"]


def test_page_says_what_is_in_force_and_from_where(office, acme, management, set_policy):
    def first():
        return read(office.get(SETTINGS)).all("fieldset")[0].all("p")[0].text

    assert first().endswith("In force now: Optional , the default.")
    set_policy(management, TokenPolicy.REQUIRED)
    assert first().endswith("In force now: Required , inherited from management.")
    set_policy(acme, TokenPolicy.IGNORED)
    assert first().endswith("In force now: Ignored , set here.")
    assert chosen(office.get(SETTINGS)) == "IGNORED"


@pytest.mark.parametrize("policy", list(TokenPolicy))
def test_policy_is_changed_and_remembered_with_its_author(office, acme, globex, policy):
    response = office.client.post(
        SETTINGS, {"policy": policy.value, "handover_hours": ""}, follow=True
    )
    assert messages_of(response) == ["The settings of device registration are saved."]
    assert chosen(response) == policy
    assert token_policy(acme) is policy
    assert token_policy(globex) is TokenPolicy.OPTIONAL
    last = read(response).text
    assert "Last changed" in last
    assert "by administrator" in last


def test_second_click_changes_nothing_more(office):
    for _ in range(2):
        assert change(office, "REQUIRED", "48").status_code == 302
    assert TenantOption.objects.count() == 2


def test_empty_choice_goes_back_to_what_is_inherited(office, acme, management, set_policy):
    set_policy(management, TokenPolicy.REQUIRED)
    change(office, "IGNORED", "48")
    change(office)
    assert token_policy(acme) is TokenPolicy.REQUIRED
    assert not TenantOption.objects.filter(tenant=acme).exists()


@pytest.mark.parametrize("hours", ["1", "48", "8760"])
def test_time_limit_of_the_hand_over_is_changed(office, acme, hours):
    change(office, hours=hours)
    assert HANDOVER_HOURS.value_for(acme) == hours
    assert read(office.get(SETTINGS)).one("input", name="handover_hours")["value"] == hours


@pytest.mark.parametrize(
    "hours", ["0", "-1", "8761", "1.5", "x", "\x00", "9" * 30, "9" * 5000, "\u0661 \u0662"]
)
def test_hours_that_cannot_be_are_refused_beside_their_field(office, hours):
    response = change(office, "REQUIRED", hours)
    assert response.status_code == 422
    field = read(response).one("input", name="handover_hours")
    assert "is-invalid" in field["class"]
    assert field["aria-invalid"] == "true"
    named = [read(response).one(id=each).text for each in field["aria-describedby"].split()]
    assert any("Ensure this value" in text or "whole number" in text or "Null" in text
               for text in named)  # fmt: skip
    assert chosen(response) == "REQUIRED"
    assert not TenantOption.objects.exists()


@pytest.mark.parametrize("policy", ["nonsense", "required", "\x00"])
def test_policy_that_does_not_exist_is_refused(office, policy):
    assert change(office, policy).status_code == 422
    assert not TenantOption.objects.exists()


@pytest.mark.parametrize("login", ["acme/reader", "acme/operator"])
def test_person_without_the_right_may_look_and_not_change(console, login):
    desk = console(login)
    page = read(desk.get(SETTINGS))
    assert all("disabled" in each.attrs for each in page.all("fieldset"))
    assert "Save" not in [button.text for button in page.all("button")]
    assert "needs the right ROLE_OPTION_MANAGEMENT_ADMIN" in page.text
    assert change(desk, "IGNORED").status_code == 403
    assert not TenantOption.objects.exists()


def test_person_who_may_not_read_options_sees_no_settings(console):
    assert console("acme/devicebootstrap").get(SETTINGS).status_code == 403


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_settings_are_shown_or_posted(office, method):
    assert office.call(method, SETTINGS).status_code == 405


def test_settings_of_one_tenant_are_not_another_ones(office, console, globex):
    change(office, "REQUIRED")
    page = console("globex/administrator").get(SETTINGS)
    assert chosen(page) == ""
    assert TOKEN_POLICY.value_for(globex) == "OPTIONAL"


def test_new_policy_counts_at_once(office, make_registration, desk):
    make_registration("press-7", stage=Stage.PENDING, token="s3cret")
    assert read(desk.get(LIST)).all("input", name="token")
    change(office, "IGNORED")
    assert not read(desk.get(LIST)).all("input", name="token")


def test_page_costs_few_queries(office, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        office.get(SETTINGS)
