"""Devices registered with their secrets: the one way in for forms, clients and files of pairs.

Whoever hands over an ID with a secret has decided that the device may come in. All of a call is
done in one transaction, or nothing of it; what is so already is not written again.
"""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import DataError, IntegrityError, OperationalError, transaction
from django.utils import timezone

from bulk.engine import sql
from bulk.engine.changes import find_changes
from bulk.engine.grouping import Groups, Place, place_of
from bulk.engine.judging import Judge, Judged, Verdict
from bulk.engine.repeats import Repeats
from bulk.engine.running import count, number_of, told, write_items, write_problems, write_rows
from bulk.errors import SecretsForbiddenError
from bulk.models import Door, Existing, Form, Import, State
from bulk.pair_rules import Refusal, check_id, check_pair, check_secret
from bulk.reading.checks import SERIAL, clean_path
from bulk.reading.header import Header
from bulk.reading.rows import Entry, Problem
from inventory.device_types import share_type
from inventory.locks import share_ids
from inventory.models import DeviceType, GroupPathError
from inventory.models.managed_object import MAX_NAME_LENGTH
from tenants import audit
from tenants.actors import Actor

__all__ = ["MAX_OFFERS", "Offer", "Outcome", "Result", "check_pair", "register"]

MAX_OFFERS: Final = 5_000  # in one call: they are written in one transaction
ATTEMPTS: Final = 8  # while others register the same devices

CREATED, UPDATED, UNCHANGED = "created", "updated", "unchanged"
DUPLICATE, SKIPPED, FAILED = "duplicate", "skipped", "failed"
_RESULTS: Final = {
    Verdict.CREATE: CREATED,
    Verdict.UPDATE: UPDATED,
    Verdict.UNCHANGED: UNCHANGED,
    Verdict.DUPLICATE: DUPLICATE,
    Verdict.SKIP: SKIPPED,
    Verdict.FAIL: FAILED,
}
_WRITTEN: Final = {Verdict.CREATE, Verdict.UPDATE}
_COLUMNS: Final = ("ID", "NAME", "PATH")
_HEADER: Final = Header.of(_COLUMNS)


@dataclass(frozen=True, slots=True)
class Offer:
    """One device that is to be registered; ``path`` is of a group, which is made if missing."""

    device_id: str
    secret: str = ""
    name: str = ""
    path: str = ""

    def __repr__(self) -> str:  # a traceback must not show the secret
        return f"Offer({self.device_id!r})"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one offer, in the order given; or would have, if nothing was stored.

    ``code`` and ``detail`` say of a failed one why. ``number`` is the ID of the device's object, or
    of its registration where the device is expected.
    """

    index: int
    device_id: str
    result: str
    code: str = ""
    detail: str = ""
    number: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of all offers of a call; there is no ``batch`` if nothing had to be written."""

    results: list[Result]
    is_stored: bool
    batch: Import | None

    def count(self, result: str) -> int:
        """Return how many offers came to this result."""
        return sum(each.result == result for each in self.results)


def register(
    device_type: DeviceType,
    offers: Sequence[Offer],
    *,
    by: Actor,
    on_existing: Existing = Existing.UPDATE,
    partial: bool = False,
    door: Door = Door.OPS,
) -> Outcome:
    """Register devices of a type: all of them or none; with ``partial`` all that can be.

    Devices of a type with temporary credentials are expected: they get registrations.

    Raises:
        SecretsForbiddenError: the type's devices have no secrets, and an offer has one.
        DeviceType.DoesNotExist: the type is gone.
        ValueError: there are more than ``MAX_OFFERS``.
    """
    if len(offers) > MAX_OFFERS:
        msg = f"At most {MAX_OFFERS:,} devices can be registered at once."
        raise ValueError(msg)
    for attempt in range(ATTEMPTS):
        try:
            with transaction.atomic():
                share_ids()
                held = share_type(device_type)
                work = _Work(held, by, Existing(on_existing), door, is_partial=partial)
                outcome = work.register(offers)
                if outcome.batch is None:  # a group may have been made for nothing
                    transaction.set_rollback(True)
                return outcome
        except (IntegrityError, DataError, OperationalError) as error:
            # Somebody else has just registered one of these devices, or deleted a group.
            if attempt == ATTEMPTS - 1 or not sql.may_pass(error):
                raise
            time.sleep(0.02 * 2**attempt * random.random())  # noqa: S311 -- no secret
    raise AssertionError


class _Work:
    """One attempt, in the transaction of the caller."""

    def __init__(
        self,
        device_type: DeviceType,
        by: Actor,
        on_existing: Existing,
        door: Door,
        *,
        is_partial: bool,
    ) -> None:
        self.device_type, self.by, self.is_partial = device_type, by, is_partial
        now = timezone.now()
        self.one = Import(
            tenant=device_type.tenant, door=door, created_by=by.user,
            created_by_name=by.name[:1_000], source=by.source, request_id=by.request_id,
            form=Form.SIMPLE if device_type.has_provisioning_keys else Form.PAIRS,
            header=_HEADER.as_dict(), device_type=device_type, on_existing=on_existing,
            all_or_nothing=not is_partial, state=State.FINISHED, created_at=now, started_at=now,
        )  # fmt: skip
        self.groups = Groups(self.one)
        self.refused: dict[Place, str] = {}
        self.started = time.monotonic()
        self.is_saved = False

    def register(self, offers: Sequence[Offer]) -> Outcome:
        """Judge all offers, write what is to be written, and tell what became of each."""
        if not self.device_type.takes_secrets and any(offer.secret for offer in offers):
            raise SecretsForbiddenError(self.device_type)
        # Also an offer that cannot be carried out contradicts one with another secret.
        repeats = Repeats.among(_entry(index, offer) for index, offer in enumerate(offers))
        judge = Judge(self.one, Existing(self.one.on_existing), repeats)
        entries, refusals = self._sort(offers)
        self._make_groups(judge, entries)
        sql.check_keys_at_once()
        rows = judge.judge(entries, hold=True)
        for row in rows:
            place = place_of(row)
            if place in self.refused:
                row.fail("invalid_path", "PATH", self.refused[place])
        changes = find_changes(rows) if self.one.form != Form.SIMPLE else {}
        if self.groups.find(rows):
            raise IntegrityError  # a group was deleted meanwhile: begin anew
        if self._is_wanted(rows, refusals):
            write_rows(self.one, rows, changes, self.groups)
        is_written = self._is_wanted(rows, refusals)  # some may have found no place
        if is_written:
            self._note(rows, refusals)
        results = self._results(offers, rows, refusals)
        failed = sum(each.result == FAILED for each in results)
        is_stored = failed < len(results) if self.is_partial else not failed
        return Outcome(results, is_stored or not results, self.one if is_written else None)

    def _sort(self, offers: Sequence[Offer]) -> tuple[list[Entry], dict[int, Problem]]:
        """Return the offers that can be carried out, as far as their values say; and the others."""
        entries: list[Entry] = []
        refusals: dict[int, Problem] = {}
        for index, offer in enumerate(offers):
            found = self._refusal(offer)
            if found is None:
                path = clean_path(offer.path)
                entries.append(_entry(index, offer, name=offer.name.strip(), path=path))
                continue
            column, (code, reason), device_id = found
            refusals[index] = Problem(index + 1, column, code, reason, device_id, {"ID": device_id})
        return entries, refusals

    def _refusal(self, offer: Offer) -> tuple[str, Refusal, str] | None:
        """Return which value of an offer cannot be, why, and its ID if that may be told."""
        device_id = offer.device_id
        if wrong := check_id(self.device_type, device_id):
            return "ID", wrong, ""
        if wrong := check_secret(self.device_type, device_id, offer.secret):
            return "", wrong, "" if wrong[0] == "secret_equals_id" else device_id
        if offer.name and self.device_type.has_provisioning_keys:
            wrong = (
                "name_not_kept",
                (
                    "Devices of this type say their names themselves when they come in. Leave the "
                    "name out."
                ),
            )
            return "NAME", wrong, device_id
        if wrong := _check_name(offer.name):
            return "NAME", wrong, device_id
        try:
            clean_path(offer.path)
        except GroupPathError as error:
            return "PATH", ("invalid_path", str(error)), device_id
        return None

    def _make_groups(self, judge: Judge, entries: Sequence[Entry]) -> None:
        """Make the groups that are missing, before anything is held that comes after them."""
        own = self.one.tenant_id
        if not self.groups.look_up({(own, entry.path) for entry in entries if entry.path}):
            return
        rows = judge.judge(entries, hold=False)
        if self.one.form != Form.SIMPLE:
            find_changes(rows)
        if missing := self.groups.find(rows):
            self._save()
            self.refused = self.groups.make(missing, lambda: None)

    def _is_wanted(self, rows: Sequence[Judged], refusals: Mapping[int, Problem]) -> bool:
        """Say whether there is anything to write, and nothing that forbids it."""
        has_failed = bool(refusals) or any(row.verdict is Verdict.FAIL for row in rows)
        return any(row.verdict in _WRITTEN for row in rows) and (self.is_partial or not has_failed)

    def _note(self, rows: Sequence[Judged], refusals: Mapping[int, Problem]) -> None:
        """Keep what became of each offer, and who made them all."""
        one = self.one
        count(one, rows, len(refusals))
        one.rows, one.finished_at = one.seen, timezone.now()
        one.worked = time.monotonic() - self.started
        self._save()
        write_items(one, rows)
        problems = [*refusals.values(), *(row.problem(_HEADER) for row in rows if row.code)]
        write_problems(one, sorted(problems, key=lambda problem: problem.line))
        audit.record(
            self.by, one.tenant_id, audit.Type.REGISTRATION, "Devices registered",
            subject=str(self.device_type), text=told(one),
            severity=audit.Severity.WARNING if one.failed else audit.Severity.INFORMATION,
        )  # fmt: skip

    def _save(self) -> None:
        self.one.save(force_insert=not self.is_saved)
        self.is_saved = True

    def _results(
        self, offers: Sequence[Offer], rows: Sequence[Judged], refusals: Mapping[int, Problem]
    ) -> list[Result]:
        of_rows = {row.entry.line - 1: row for row in rows}
        first = {row.key: row for row in rows if not row.is_again}
        results = []
        for index, offer in enumerate(offers):
            if refused := refusals.get(index):
                results.append(
                    Result(index, refused.device_id, FAILED, refused.code, refused.reason)
                )
                continue
            row = of_rows[index]
            result = _RESULTS[row.verdict]
            if row.verdict is Verdict.DUPLICATE:
                row = first.get(row.key, row)
                # It is no better than the one it repeats.
                result = FAILED if row.verdict is Verdict.FAIL else result
            results.append(
                Result(
                    index, offer.device_id, result, row.code.replace("-", "_"), row.reason,
                    number_of(self.one, row),
                )
            )  # fmt: skip
        return results


def _entry(index: int, offer: Offer, *, name: str = "", path: str = "") -> Entry:
    """Return an offer as a row of a file."""
    return Entry(
        index + 1, offer.device_id, offer.secret, False, "", "", "", name, "", SERIAL, path, False,
        (), {},
    )  # fmt: skip


def _check_name(name: str) -> Refusal | None:
    if len(name) > MAX_NAME_LENGTH:
        return "name_too_long", f"A name can have at most {MAX_NAME_LENGTH} characters."
    if not name.isprintable():
        return "invalid_characters", "A name is one line of visible characters."
    return None
