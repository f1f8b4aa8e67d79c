"""What people and clients do with imports: bring a file, start, pause, go on, cancel, undo.

The work itself is done by :mod:`bulk.engine`, by whoever has the lease. A file that has been
received is checked first; nothing is registered before somebody says so.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from bulk import files, tasks
from bulk.errors import SecretsForbiddenError, WrongStateError
from bulk.models import HOLDS_FILE, Door, Existing, Form, Import, State
from bulk.reading.dialect import Detector
from bulk.reading.header import read_header
from bulk.reading.pairs import HEADER, survey
from bulk.reading.problems import FileProblem
from bulk.reading.rows import read_batches
from inventory.device_types import keep_type
from inventory.models import DeviceType
from tenants import audit
from tenants.actors import Actor
from tenants.models import Tenant

NO_ROWS: Final = "There is nothing below the names of the columns. Add a row for each device."
LEFT_LYING: Final = timedelta(hours=24)  # a file that nobody did anything with is forgotten then


def receive(
    tenant: Tenant, blocks: Iterable[bytes], *, by: Actor, file_name: str = "", door: Door
) -> Import:
    """Keep a file and find out what kind it is; return the import, READY to be checked or run.

    A file that is none at all leaves an import that is REFUSED and says why. If ``blocks`` ends
    with an error nothing is kept, and the error goes on.
    """
    one = _arriving(tenant, by, file_name, door)
    keeper = files.Keeper(one)
    one.save(force_insert=True)
    return _take_in(one, keeper, blocks, Detector())


def receive_pairs(
    device_type: DeviceType,
    blocks: Iterable[bytes],
    *,
    by: Actor,
    all_or_nothing: bool,
    file_name: str = "",
    door: Door = Door.CONSOLE,
) -> Import:
    """Keep a list of IDs with secrets, and look it through; return the import, READY or REFUSED.

    If ``blocks`` ends with an error nothing is kept, and the error goes on.

    Raises:
        SecretsForbiddenError: devices of this type have no secrets that could be handed over.
        DeviceType.DoesNotExist: the type is gone.
    """
    one = _arriving(device_type.tenant, by, file_name, door)
    one.form, one.all_or_nothing = Form.PAIRS, all_or_nothing
    keeper = files.Keeper(one)
    with transaction.atomic():
        one.device_type = keep_type(device_type)
        if not one.device_type.takes_secrets:
            raise SecretsForbiddenError(one.device_type)
        one.save(force_insert=True)
    return _take_in(one, keeper, blocks, None)


def _arriving(tenant: Tenant, by: Actor, file_name: str, door: Door) -> Import:
    return Import(
        tenant=tenant, door=door, created_by=by.user, created_by_name=by.name[:1_000],
        source=by.source, request_id=by.request_id, file_name=file_name[:255],
    )  # fmt: skip


def _take_in(
    one: Import, keeper: files.Keeper, blocks: Iterable[bytes], detector: Detector | None
) -> Import:
    """Keep every block and look at the beginning, or refuse the file as a whole."""
    try:
        problem = _take(blocks, keeper, detector)
        if problem is None:
            keeper.close()
            if detector is None:
                _look_through(one)
            else:
                _read_head(one, detector)
    except FileProblem as error:
        problem = error
    except BaseException:
        files.forget(one)
        raise
    if problem is not None:
        refuse(one, problem)
    return one


def _take(
    blocks: Iterable[bytes], keeper: files.Keeper, detector: Detector | None
) -> FileProblem | None:
    """Keep every block; a file that is refused is read to its end, so that it can be answered."""
    problem: FileProblem | None = None
    for block in blocks:
        if problem is not None:
            keeper.owner.size += len(block)
            continue
        try:
            if detector is not None:
                detector.feed(block)
        except FileProblem as error:
            problem = error
        keeper.write(block)
    return problem


def _read_head(one: Import, detector: Detector) -> None:
    dialect = detector.finish()
    with files.open_file(one) as stream:
        header, position = read_header(stream, dialect)
        first = next(read_batches(stream, dialect, header, position, most=1))
    if first.is_last and not first.entries and not first.problems:
        raise FileProblem(NO_ROWS, line=position.line)
    one.dialect, one.header = dialect.as_dict(), header.as_dict()
    one.form, one.position = Form(header.form), position.as_dict()
    one.state = State.READY
    one.save()


def _look_through(one: Import) -> None:
    """Look at all of a list of pairs: one field that is missing makes secrets of the others IDs."""
    with files.open_file(one) as stream:
        dialect, position = survey(stream)
    one.dialect, one.header = dialect.as_dict(), HEADER.as_dict()
    one.position, one.state = position.as_dict(), State.READY
    one.save()


def refuse(one: Import, problem: FileProblem) -> None:
    """Say no to a file as a whole.

    Raises:
        WrongStateError: somebody has begun to work on it.
    """
    with transaction.atomic():
        held = _held(one)
        if held.state not in {State.RECEIVING, State.READY}:
            raise WrongStateError(_why_not(held))
        files.shred(one)
        one.state, one.finished_at = State.REFUSED, timezone.now()
        one.refusal = {
            "line": problem.line, "column": problem.column, "message": problem.message,
            "code": problem.code,
        }  # fmt: skip
        one.save()
        audit.record(
            one.actor, one.tenant_id, audit.Type.REGISTRATION, "Bulk registration refused",
            subject=str(one), text=problem.message,
        )  # fmt: skip


def check(one: Import) -> None:
    """Let the file be looked through, changing nothing."""
    _go(one, (State.READY,), State.CHECKING, seen=0)


def start(one: Import, *, on_existing: Existing, by: Actor, call: bool = True) -> None:
    """Register what the file holds; without ``call`` the caller does the work.

    Where all or nothing is wanted, the check must have found nothing that cannot be registered.
    What others do to the devices afterwards can still let a row fail.

    Raises:
        WrongStateError: it has been started, the file is no longer there, or not all of it can be
            registered.
    """
    with transaction.atomic():
        held = _held(one)
        if held.state == State.READY and held.all_or_nothing:
            _check_all(held.preview, Existing(on_existing))
        _go(
            one, (State.READY,), State.RUNNING, seen=0, on_existing=on_existing,
            started_at=timezone.now(), worked=0.0, call=call,
        )  # fmt: skip
        _record(one, by, "Bulk registration started", Existing(on_existing).label)


def _check_all(preview: Mapping[str, Any], on_existing: Existing) -> None:
    """Refuse a list of which not all can be registered, as far as the check knows."""
    if not preview:
        raise WrongStateError("The list has not been looked through yet. Check it first.")
    failing = preview["reject"]
    if on_existing is Existing.FAIL:
        failing += preview["update"] + preview["unchanged"]
    if failing:
        msg = (
            f"{failing:,} of {preview['rows']:,} rows cannot be registered, so that none is. "
            "Correct them and upload the list again, or let the valid ones be stored and the rest "
            "be skipped."
        )
        raise WrongStateError(msg)
    if preview["over_limit"]:
        msg = (
            f"There is no room for {preview['over_limit']:,} of the devices, so that none is "
            "registered. Ask for a higher device limit, or delete devices first."
        )
        raise WrongStateError(msg)


def skip_invalid(one: Import, *, by: Actor) -> None:
    """Let those of a list be registered that can be, though others cannot.

    Raises:
        WrongStateError: it has been started, or that is so already.
    """
    with transaction.atomic():
        held = _held(one)
        if held.state != State.READY or not held.all_or_nothing:
            raise WrongStateError(_why_not(held))
        held.all_or_nothing = False
        held.save(update_fields=["all_or_nothing"])
        one.refresh_from_db()
        _record(one, by, "Bulk registration to skip what is not valid")


def pause(one: Import, *, by: Actor) -> None:
    """Stop after the rows that are on their way."""
    with transaction.atomic():
        _wish(one, (State.RUNNING,), Import.Wish.PAUSE)
        _record(one, by, "Bulk registration paused")


def go_on(one: Import, *, by: Actor) -> None:
    """Go on where it was paused."""
    with transaction.atomic():
        _go(one, (State.PAUSED,), State.RUNNING)
        _record(one, by, "Bulk registration resumed")


def cancel(one: Import, *, by: Actor) -> None:
    """Stop for good after the rows on their way; what is registered stays until it is undone."""
    with transaction.atomic():
        held = _held(one)
        if held.state == State.PAUSED:
            files.shred(held)
            held.state, held.finished_at = State.CANCELLED, timezone.now()
            held.wish, held.refusal = Import.Wish.NOTHING, {}
            held.save()
            one.refresh_from_db()
        else:
            _wish(one, (State.RUNNING,), Import.Wish.CANCEL)
        _record(one, by, "Bulk registration cancelled")


def discard(one: Import, *, by: Actor) -> None:
    """Forget a file that was checked and is not wanted."""
    with transaction.atomic():
        held = _held(one)
        if held.state not in {State.READY, State.CHECKING}:
            raise WrongStateError(_why_not(held))
        _forget(held)
        one.refresh_from_db()
        _record(one, by, "Bulk registration discarded")


def undo(one: Import, *, by: Actor) -> None:
    """Take away what the import created, as far as nobody has used it yet."""
    with transaction.atomic():
        # One that stumbled has its place still, and goes on from there.
        is_new = not _held(one).position
        also: dict[str, Any] = {"seen": 0, "undone": 0, "kept": 0} if is_new else {}
        _go(one, (State.FINISHED, State.CANCELLED), State.UNDOING, **also)
        _record(one, by, "Bulk registration being undone")


def tidy() -> None:
    """Forget files that were left lying: half uploaded, or checked and never started."""
    files.sweep_all()
    old = timezone.now() - LEFT_LYING
    lying = Import.objects.filter(state__in=HOLDS_FILE, created_at__lt=old)
    for one in lying.filter(state__in=(State.RECEIVING, State.READY)):
        with transaction.atomic():
            held = _held(one)
            if held.state in {State.RECEIVING, State.READY}:
                _forget(held)


def _forget(held: Import) -> None:
    files.shred(held)
    held.state, held.finished_at = State.DISCARDED, timezone.now()
    held.holder, held.lease_until = "", None  # whoever checks it loses it
    held.save()


def _held(one: Import) -> Import:
    """Return the import as it is now, held until the transaction ends."""
    mine = Import.objects.filter(tenant=one.tenant_id)
    return (
        mine.select_for_update(of=("self",)).select_related("tenant", "created_by").get(pk=one.pk)
    )


def _go(
    one: Import, origins: tuple[State, ...], target: State, *, call: bool = True, **also: object
) -> None:
    """Take one step by a person's word, and call somebody to work on it."""
    with transaction.atomic():
        changed = Import.objects.filter(pk=one.pk, tenant=one.tenant_id, state__in=origins).update(
            state=target, wish="", holder="", lease_until=None, refusal={}, **also
        )
        one.refresh_from_db()
        if not changed:
            raise WrongStateError(_why_not(one))
        if call:
            transaction.on_commit(lambda: tasks.call(one))


def _wish(one: Import, origins: tuple[State, ...], wish: Import.Wish) -> None:
    mine = Import.objects.filter(pk=one.pk, tenant=one.tenant_id, state__in=origins)
    # What is to end is not paused instead.
    changed = mine.exclude(wish=Import.Wish.CANCEL).update(wish=wish)
    one.refresh_from_db()
    if not changed:
        raise WrongStateError(_why_not(one))


def _why_not(one: Import) -> str:
    label = "being cancelled" if one.is_ending else State(one.state).label.lower()
    return f"That cannot be done now: this import is “{label}”."


def _record(one: Import, by: Actor, activity: str, text: str = "") -> None:
    audit.record(by, one.tenant_id, audit.Type.REGISTRATION, activity, subject=str(one), text=text)
