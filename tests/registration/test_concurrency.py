"""Many at the same moment: real threads on connections of their own, and one truth afterwards."""

from collections import Counter
from functools import partial

import pytest

from inventory.groups import group_at
from inventory.models import DeviceCredentials, DeviceGroup
from registration.errors import (
    AlreadyAcceptedError,
    BlockedError,
    DuplicateError,
    TokenMismatchError,
    TransitionError,
)
from registration.lifecycle import Stage, Status
from registration.models import BulkDecision, Registration
from tenants.actors import SYSTEM, Actor
from tenants.models import TenantOption, VerifiedLogin
from tests.support import (
    DEVICE,
    REQUESTS,
    Api,
    at_once,
    kinds,
    knock,
    recount,
    tally,
    total_of_tally,
)

pytestmark = pytest.mark.django_db(transaction=True)
CROWD = 50
TWICE_OR_MORE = range(4)  # a race is run several times, since one run may go well by chance


def fresh(registration):
    """Return the row as somebody else has it in hands."""
    return Registration.objects.get(pk=registration.pk)


def types(results):
    return Counter(type(result) for result in results)


@pytest.mark.postgres
def test_fifty_wrong_tokens_at_once_are_three_attempts(make_registration, operator):
    registration = make_registration(stage=Stage.PENDING, token="s3cret")
    rows = [fresh(registration) for _ in range(CROWD)]
    results = at_once(
        *[
            lambda row=row, number=number: row.accept(by=operator, token=f"guess {number}")
            for number, row in enumerate(rows)
        ]
    )
    assert types(results) == {TokenMismatchError: 2, BlockedError: 1, TransitionError: CROWD - 3}
    registration.refresh_from_db()
    assert (registration.status, registration.failed_attempts) == ("BLOCKED", 3)
    assert Counter(kinds(registration)) == {
        "registered": 1,
        "connected": 1,
        "token-rejected": 3,
        "blocked": 1,
    }
    with pytest.raises(TransitionError):
        registration.accept(by=operator, token="s3cret")


@pytest.mark.postgres
def test_right_token_among_wrong_ones_lets_in_once_or_comes_too_late(make_registration, operator):
    registration = make_registration(stage=Stage.PENDING, token="s3cret")
    rows = [fresh(registration) for _ in range(12)]
    results = at_once(
        *[
            lambda row=row, token=token: row.accept(by=operator, token=token)
            for row, token in zip(rows, ["s3cret", *["guess"] * 11], strict=True)
        ]
    )
    registration.refresh_from_db()
    happened = Counter(kinds(registration))
    assert registration.failed_attempts == happened["token-rejected"] <= 3
    if results[0] is None:
        assert registration.status == Status.ACCEPTED
        assert (happened["accepted"], happened["blocked"]) == (1, 0)
    else:
        assert registration.status == Status.BLOCKED
        assert (happened["accepted"], happened["blocked"]) == (0, 1)


@pytest.mark.parametrize("_", TWICE_OR_MORE)
def test_of_two_operators_one_accepts_and_the_other_hears_who(_, make_registration, person):
    registration = make_registration(stage=Stage.PENDING)
    actors = [Actor("alice", person("acme/operator")), Actor("bob", person("acme/administrator"))]
    results = at_once(*[partial(fresh(registration).accept, by=by) for by in actors])
    assert types(results) == {type(None): 1, AlreadyAcceptedError: 1}
    assert kinds(registration).count("accepted") == 1
    (winner,) = (by for by, result in zip(actors, results, strict=True) if result is None)
    (refusal,) = (result for result in results if result is not None)
    assert f"already accepted by {winner.name}" in str(refusal)
    assert tally(registration.tenant) == {Stage.ACCEPTED: 1}


@pytest.mark.parametrize("_", TWICE_OR_MORE)
def test_of_two_claimants_exactly_one_fixes_its_token(_, make_registration, operator):
    registration = make_registration()
    results = at_once(*[partial(knock, fresh(registration), t) for t in ("one", "other")])
    # Neither learns who was first.
    assert results == [Status.PENDING_ACCEPTANCE] * 2
    happened = Counter(kinds(registration))
    assert happened == {"registered": 1, "connected": 1, "conflict": 1}
    accepting = []
    for token in ("one", "other"):
        try:
            fresh(registration).accept(by=operator, token=token)
            accepting.append(token)
        except (TokenMismatchError, AlreadyAcceptedError):
            pass
    assert len(accepting) == 1


@pytest.mark.parametrize("crowd", [CROWD])
def test_of_fifty_registrations_of_one_id_one_wins(crowd, acme, globex, operator):
    results = at_once(
        *[
            lambda tenant=tenant: Registration.objects.register(tenant, "4711", by=operator)
            for tenant in [acme, globex] * (crowd // 2)
        ]
    )
    assert types(results) == {Registration: 1, DuplicateError: crowd - 1}
    registration = Registration.objects.get()
    assert kinds(registration) == ["registered"]
    assert total_of_tally() == {(registration.tenant_id, Stage.WAITING): 1}


def test_finished_registration_gives_way_once(make_registration, acme, operator):
    make_registration("4711", stage=Stage.CONFIRMED)
    results = at_once(
        *[lambda: Registration.objects.register(acme, "4711", by=operator) for _ in range(8)]
    )
    assert types(results) == {Registration: 1, DuplicateError: 7}
    happened = kinds(Registration.objects.get())
    assert (happened.count("superseded"), happened.count("registered")) == (1, 2)
    assert tally(acme) == recount(acme)


def test_crowd_that_collects_gets_one_password(make_registration):
    registration = make_registration(stage=Stage.ACCEPTED)
    results = at_once(*[partial(knock, fresh(registration)) for _ in range(8)])
    assert len(set(results)) == 1
    assert Counter(kinds(registration)[3:]) == {"delivered": 1, "delivered-again": 7}
    password = results[0]
    assert Api("acme/device_device-1", password).get("/user/currentUser").status_code == 200


def test_first_logins_at_once_confirm_once_and_all_come_in(make_registration, acme):
    registration = make_registration("4711", stage=Stage.ACCEPTED)
    password = knock(registration)
    answers = at_once(
        *[lambda: Api("acme/device_4711", password).get("/user/currentUser") for _ in range(8)]
    )
    assert [answer.status_code for answer in answers] == [200] * 8
    assert kinds(registration).count("confirmed") == 1
    assert tally(acme) == {Stage.CONFIRMED: 1}


@pytest.mark.parametrize("_", TWICE_OR_MORE)
def test_cancelling_while_a_device_collects_leaves_nothing_usable(_, make_registration, operator):
    registration = make_registration(stage=Stage.ACCEPTED)
    results = at_once(
        partial(knock, fresh(registration)),
        partial(fresh(registration).remove, by=operator),
        partial(knock, fresh(registration)),
    )
    assert results[1] is None
    assert all(isinstance(one, str | Registration.DoesNotExist) for one in results[::2])
    assert not Registration.objects.exists()
    assert not DeviceCredentials.objects.exists()


def test_cancelling_twice_at_once_happens_once(make_registration, operator, acme):
    registration = make_registration(stage=Stage.PENDING)
    results = at_once(*[partial(fresh(registration).remove, by=operator) for _ in range(6)])
    assert types(results) == {type(None): 1, Registration.DoesNotExist: 5}
    assert kinds(registration).count("removed") == 1
    assert tally(acme) == {}


def test_decision_is_carried_out_once_however_often_it_is_clicked(
    make_registration, acme, operator
):
    rows = [make_registration(stage=Stage.PENDING) for _ in range(5)]
    decision = BulkDecision.about(
        Registration.objects.for_tenant(acme),
        BulkDecision.Action.ACCEPT,
        tenant=acme,
        by=operator,
        hand_picked=False,
    )
    clicks = [BulkDecision.objects.get(pk=decision.pk) for _ in range(6)]
    results = at_once(*[lambda click=click: click.carry_out(by=operator) for click in clicks])
    assert Counter(results) == {True: 1, False: 5}
    assert all(kinds(row).count("accepted") == 1 for row in rows)
    assert tally(acme) == {Stage.ACCEPTED: 5}


@pytest.mark.parametrize("_", TWICE_OR_MORE)
def test_accepting_all_accepting_one_and_cancelling_at_once_agree_in_the_end(
    _, make_registration, acme, management, operator
):
    rows = [make_registration(stage=Stage.PENDING) for _ in range(12)]

    def decide(action, tenant):
        decision = BulkDecision.about(
            Registration.objects.for_tenant(tenant),
            action,
            tenant=tenant,
            by=operator,
            hand_picked=False,
        )
        return decision.carry_out(by=operator)

    results = at_once(
        lambda: decide(BulkDecision.Action.ACCEPT, acme),
        lambda: decide(BulkDecision.Action.ACCEPT, management),
        lambda: [fresh(row).remove(by=operator) for row in rows[:4]],
        *[partial(fresh(row).accept, by=operator) for row in rows[4:8]],
        *[partial(knock, fresh(row)) for row in rows[8:]],
    )
    assert results[:2] == [True, True]
    assert not [
        one
        for one in results[3:]
        if isinstance(one, Exception) and not isinstance(one, AlreadyAcceptedError)
    ]
    assert Registration.objects.count() == 8
    for row in rows:
        happened = Counter(kinds(row))
        assert happened["accepted"] <= 1
        assert happened["removed"] == (1 if row in rows[:4] else 0)
    assert tally(acme) == recount(acme)
    assert {row.status for row in Registration.objects.all()} == {"ACCEPTED"}


def test_whole_contract_at_once_answers_everybody(house, make_registration, acme):
    for number in range(6):
        make_registration(f"device-{number}")
    everything = [
        *[lambda n=n: Api("management/devicebootstrap").poll(f"device-{n}") for n in range(6)],
        *[lambda n=n: Api("acme/operator").post(REQUESTS, {"id": f"new-{n}"}) for n in range(6)],
        *[lambda: Api("acme/reader").get(f"{REQUESTS}?withTotalPages=true") for _ in range(6)],
        *[lambda: Api("acme/operator").post(f"{REQUESTS}/acceptAll") for _ in range(2)],
    ]
    answers = at_once(*everything)
    assert [getattr(answer, "status_code", answer) for answer in answers] == [
        *[404] * 6,
        *[201] * 6,
        *[200] * 8,
    ]
    assert VerifiedLogin.objects.count() == 3
    assert tally(acme) == recount(acme)


def test_same_group_and_option_made_at_once_exist_once(acme, person):
    groups = at_once(
        *[lambda: group_at(acme, "Plant A/Hall 2", by=SYSTEM) for _ in range(6)],
        *[
            lambda: Api("acme/administrator").put("/tenant/options/c/k", {"value": "x"})
            for _ in range(6)
        ],
    )
    assert len({group.pk for group in groups[:6]}) == 1
    assert [answer.status_code for answer in groups[6:]] == [200] * 6
    assert DeviceGroup.objects.count() == 2
    assert TenantOption.objects.count() == 1


def test_history_of_a_device_is_in_the_order_in_which_it_happened(make_registration, operator):
    registration = make_registration()
    at_once(
        *[partial(knock, fresh(registration)) for _ in range(4)],
        partial(fresh(registration).confirm, device=DEVICE),
    )
    assert kinds(registration) == ["registered", "connected"]
