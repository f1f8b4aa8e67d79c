"""Help: how a device gets in, with the tenant's own settings filled in."""

import pytest

from registration.lifecycle import Stage, TokenPolicy
from tests.consoles import HELP, read


def test_help_explains_every_status(desk):
    help_ = read(desk.get(HELP, target="dialog"))
    explained = [each.text for each in help_.all("dt")]
    assert explained[:-1] == [
        Stage.WAITING.label,
        Stage.PENDING.label,
        Stage.ACCEPTED.label,
        Stage.DELIVERED.label,
        Stage.CONFIRMED.label,
        Stage.BLOCKED.label,
    ]
    assert explained[-1] == "Conflict"


@pytest.mark.parametrize("policy", list(TokenPolicy))
def test_help_names_the_policy_in_force(desk, acme, set_policy, policy):
    set_policy(acme, policy)
    assert f"policy of your tenant is {policy.label.lower()} ." in read(desk.get(HELP)).text


def test_help_is_a_drawer_or_a_page(desk):
    assert not read(desk.get(HELP, target="dialog")).all("html")
    assert read(desk.get(HELP)).one("title")


def test_help_shows_the_address_that_devices_call(desk):
    assert "Host: testserver" in read(desk.get(HELP)).one("pre").text


@pytest.mark.parametrize("login", ["acme/reader", "globex/administrator"])
def test_help_is_for_everybody_who_signed_in(console, login):
    assert console(login).get(HELP).status_code == 200


@pytest.mark.parametrize("method", ["put", "delete", "patch", "post"])
def test_help_is_only_read(desk, method):
    assert desk.call(method, HELP).status_code == 405
