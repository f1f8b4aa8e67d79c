"""How an open page learns of changes: a sealed key, and a version that every event changes."""

import time

import pytest

from registration.lane import LIVE_PATH, FastLane
from registration.lifecycle import Stage
from registration.live import LOOK_BACK, LiveKey, LiveState
from registration.models import RegistrationEvent
from tests.registration.test_lane import Behind, send
from tests.support import DEVICE, knock


@pytest.fixture
def behind():
    return Behind()


@pytest.fixture
def ask(behind):
    """Ask the lane for the version; None when it leaves the question to the view."""
    lane = FastLane(behind)

    def question(key):
        status, content_type, body = send(lane, "GET", LIVE_PATH, query=f"key={key}")
        if status == 299:
            return None
        assert (status, content_type) == (200, "text/plain")
        return body.decode()

    return question


def test_page_is_up_to_date_until_something_happens(ask, acme, make_registration):
    make_registration()
    state = LiveState.of(acme)
    assert ask(state.key) == state.version
    make_registration()
    assert ask(state.key) != state.version
    assert ask(state.key) == LiveState.of(acme).version


def test_every_event_changes_the_version(ask, acme, make_registration, operator):
    registration = make_registration()
    key = LiveState.of(acme).key
    versions = [ask(key)]
    for step in (
        lambda: knock(registration),
        lambda: registration.reset(by=operator),
        lambda: knock(registration),
        lambda: registration.accept(by=operator),
        lambda: knock(registration),
        lambda: registration.confirm(device=DEVICE),
        lambda: registration.remove(by=operator),
    ):
        step()
        versions.append(ask(key))
    assert len(set(versions)) == 8


def test_event_that_appears_below_the_newest_one_is_noticed(ask, acme, make_registration):
    make_registration()
    newest = RegistrationEvent.objects.latest("pk")
    RegistrationEvent.objects.filter(pk=newest.pk).update(id=newest.pk + 50)
    state = LiveState.of(acme)
    # Numbers are given out before they are committed.
    newest.pk = newest.pk + 20
    newest.save(force_insert=True)
    assert ask(state.key) != state.version


def test_tenant_hears_nothing_of_another_and_management_of_all(
    ask, acme, globex, management, make_registration
):
    states = {tenant.id: LiveState.of(tenant) for tenant in (acme, globex, management)}
    make_registration(tenant=globex)
    changed = {name for name, state in states.items() if ask(state.key) != state.version}
    assert changed == {"globex", "management"}


def test_old_key_looks_back_far_enough(ask, acme, make_registration):
    make_registration()
    state = LiveState.of(acme)
    event = RegistrationEvent.objects.get()
    RegistrationEvent.objects.bulk_create(
        RegistrationEvent(
            tenant_id="acme", device_id="x", kind="connected", at=event.at, actor_name="x"
        )
        for _ in range(LOOK_BACK * 4)
    )
    first = ask(state.key)
    make_registration(stage=Stage.WAITING)
    assert len({state.version, first, ask(state.key)}) == 3


def forged():
    good = LiveKey("acme", 5, int(time.time()) + 1000).text()
    body, _, seal = good.rpartition(".")
    return {
        "empty": "",
        "dots": "...",
        "no-seal": body,
        "empty-seal": body + ".",
        "other-tenant": good.replace("acme", "management"),
        "later-end": body[:-1] + "99" + "." + seal,
        "cut-seal": good[:-1],
        "other-seal": body + "." + seal[::-1],
        "garbage": "%00%FF",
        "unicode": "%C3%A4.1.2." + seal,
        "expired": LiveKey("acme", 5, int(time.time()) - 1).text(),
    }


@pytest.mark.parametrize("case", forged())
def test_key_that_was_altered_or_is_too_old_is_left_to_the_view(case, ask, behind, acme):
    assert ask(forged()[case]) is None
    assert len(behind.bodies) == 1


def test_question_without_a_key_is_left_to_the_view(behind, acme):
    assert send(FastLane(behind), "GET", LIVE_PATH)[0] == 299


def test_key_lasts_as_long_as_a_session(acme, settings):
    key = LiveKey.read(LiveState.of(acme).key)
    assert key.scope == "acme"
    assert 0 <= time.time() + settings.SESSION_COOKIE_AGE - key.until < 300


def test_version_costs_two_queries(acme, make_registration, django_assert_max_num_queries):
    make_registration()
    with django_assert_max_num_queries(2):
        LiveState.of(acme)
