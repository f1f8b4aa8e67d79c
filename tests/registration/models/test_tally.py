"""The counts on the page: always what counting would find."""

import random
from contextlib import suppress

import pytest

from registration.errors import RegistrationError
from registration.lifecycle import Stage
from registration.models import BulkDecision, Registration, Tally, TallyChange
from registration.models import tally as tally_module
from tests.support import DEVICE, at_once, knock, recount, tally, total_of_tally


def any_step(dice, rows, tenants, operator):
    """Take any step of the product, allowed or not."""
    tenant = dice.choice(tenants)
    if not rows or dice.random() < 0.25:
        device_id = f"device-{dice.randrange(25)}"
        rows[device_id] = Registration.objects.register(tenant, device_id, by=operator)
        return
    row = dice.choice(list(rows.values()))
    token = dice.choice(["", "one", "two"])
    steps = [
        lambda: knock(row, token),
        lambda: knock(row, token),
        lambda: row.accept(by=operator, token=token),
        lambda: row.accept(by=operator, token=token),
        lambda: row.confirm(device=DEVICE),
        lambda: row.reset(by=operator),
        lambda: row.unblock(by=operator, reason="Why not."),
        lambda: row.hand_over_again(by=operator),
        lambda: row.remove(by=operator),
        lambda: decide(dice, tenant, operator),
        Tally.fold,
    ]
    dice.choice(steps)()


def decide(dice, tenant, operator):
    action = dice.choice(BulkDecision.Action.values)
    if action == "remove" and dice.random() < 0.8:
        return
    BulkDecision.about(
        Registration.objects.for_tenant(tenant),
        BulkDecision.Action(action),
        tenant=tenant,
        by=operator,
        hand_picked=dice.random() < 0.5,
    ).carry_out(by=operator)


@pytest.mark.parametrize("seed", range(6))
def test_counts_equal_a_recount_after_any_sequence_of_steps(
    seed, acme, globex, management, operator
):
    dice = random.Random(seed)
    rows = {}
    for number in range(120):
        with suppress(RegistrationError, Registration.DoesNotExist):
            any_step(dice, rows, [acme, globex], operator)
        if number % 20 == 0:
            assert tally(management) == recount(management)
    for tenant in (acme, globex, management):
        assert tally(tenant) == recount(tenant)
    assert tally_of_one(management, acme) == recount(acme)
    Tally.fold()
    assert tally(management) == recount(management)
    assert not TallyChange.objects.exists()


def tally_of_one(management, tenant):
    return +Tally.counts(management, only=tenant)


def test_folding_keeps_the_sums(make_registration, globex):
    for stage in Stage:
        make_registration(stage=stage)
        make_registration(tenant=globex, stage=stage)
    before = total_of_tally()
    Tally.fold()
    assert total_of_tally() == before
    assert not TallyChange.objects.exists()
    make_registration()
    Tally.fold()
    assert total_of_tally()["acme", Stage.WAITING] == before["acme", Stage.WAITING] + 1


def test_reading_folds_when_many_changes_have_piled_up(monkeypatch, make_registration, acme):
    monkeypatch.setattr(tally_module, "FOLD_AT", 3)
    for _ in range(4):
        make_registration()
    assert tally(acme) == {Stage.WAITING: 4}
    assert not TallyChange.objects.exists()
    assert tally(acme) == {Stage.WAITING: 4}


def test_counts_of_one_tenant_say_nothing_about_another(make_registration, acme, globex):
    make_registration()
    assert tally(globex) == {}
    assert tally(acme) == {Stage.WAITING: 1}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_folds_at_the_same_time_lose_and_double_nothing(acme, globex, operator):
    for number in range(300):
        Tally.moved("acme" if number % 2 else "globex", None, Stage.WAITING)
    before = total_of_tally()
    results = at_once(
        *[Tally.fold] * 4,
        *[lambda: Tally.counts(acme)[Stage.WAITING]] * 4,
        *[lambda: Tally.moved("acme", None, Stage.PENDING)] * 4,
    )
    assert results[:4] == [None] * 4
    assert results[4:8] == [150] * 4
    Tally.fold()
    assert total_of_tally() == {**before, ("acme", Stage.PENDING): 4}


def test_changes_fold_by_themselves_where_nobody_looks(
    monkeypatch, make_registration, acme, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(tally_module, "FOLD_AT", 4)
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(8):
            make_registration()
    assert TallyChange.objects.count() < 4
    assert tally(acme) == {Stage.WAITING: 8}
