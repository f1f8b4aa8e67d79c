"""An import as people are told about it: what it has come to, in sentences and numbers."""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.urls import reverse

from bulk.models import Existing, Form, Import, Outcome, State
from bulk.reading.columns import Form as ReadForm
from bulk.reading.dialect import Dialect

SURE_AFTER: Final = 0.5  # seconds at work, before which a rate says nothing
MINUTE, HOUR = 60, 3_600  # seconds

# The classes of badges, by what a state means for people.
TONES: Final = {
    State.RECEIVING: "badge-waiting",
    State.CHECKING: "badge-pending",
    State.READY: "badge-conflict",
    State.RUNNING: "badge-pending",
    State.PAUSED: "badge-conflict",
    State.FINISHED: "badge-delivered",
    State.CANCELLED: "badge-none",
    State.REFUSED: "badge-blocked",
    State.DISCARDED: "badge-none",
    State.UNDOING: "badge-pending",
    State.UNDONE: "badge-none",
}
CHOICES: Final = {
    Form.FULL: {
        Existing.UPDATE: "Names, types, groups, properties and passwords become those of the "
        "file; what the file leaves out stays.",
        Existing.SKIP: "Only new devices are registered.",
        Existing.FAIL: "They stay as they are, and are listed with the rows that failed.",
    },
    Form.SIMPLE: {
        Existing.UPDATE: "Those that wait already are moved to the group of the file.",
        Existing.SKIP: "Only new devices are registered.",
        Existing.FAIL: "They stay as they are, and are listed with the rows that failed.",
    },
}


@dataclass(frozen=True)
class Number:
    """A number, what it counts, and where its rows are."""

    label: str
    value: int
    tone: str
    hint: str = ""
    url: str = ""


class Shown:
    """What the page of an import says."""

    def __init__(self, one: Import) -> None:
        self.one = one
        self.state = State(one.state)
        self.plan: dict[str, Any] = one.preview

    @property
    def badge(self) -> str:
        """Return the class of its badge."""
        if self.state is State.READY and self.plan and not self.is_startable:
            return "badge-none"
        return TONES[self.state]

    @property
    def label(self) -> str:
        """Return its state in a word or two."""
        if self.state is State.RUNNING and self.one.wish:
            pausing = self.one.wish == Import.Wish.PAUSE
            return "Pausing" if pausing else "Cancelling"
        if self.state is State.READY and not self.is_startable:
            return "Nothing to register" if self.plan else "Not checked"
        return self.state.label

    @property
    def icon(self) -> str:
        """Return the icon beside its headline."""
        if self.state is State.FINISHED:
            return "circle-alert" if self.one.failed else "circle-check"
        return {
            State.READY: "list-checks" if self.is_startable else "info",
            State.PAUSED: "circle-pause",
            State.REFUSED: "file-x",
            State.UNDONE: "undo-2",
            State.UNDOING: "undo-2",
            State.CANCELLED: "circle-stop",
            State.DISCARDED: "trash-2",
        }.get(self.state, "file-clock")

    @property
    def headline(self) -> str:
        """Return what there is to say first."""
        one = self.one
        seen = f"{one.seen:,} of {one.rows or 0:,} rows"
        match self.state:
            case State.READY:
                return self._planned()
            case State.RUNNING:
                return f"Registering {one.rows or 0:,} row{'' if one.rows == 1 else 's'}"
            case State.PAUSED:
                return f"Paused after {seen}"
            case State.CANCELLED:
                return f"Cancelled after {seen}: {one.succeeded:,} registered"
            case State.FINISHED:
                return self._registered()
            case State.UNDONE:
                kept = f", {one.kept:,} kept because they are in use" if one.kept else ""
                return f"{_devices(one.undone)} taken away{kept}"
            case state:
                return _HEADLINES[state]

    def _planned(self) -> str:
        if not self.plan:
            return "The file has not been looked through to its end"
        if not self.is_startable:
            return "There is nothing to register"
        new, old, number = self.plan["create"], self.plan["update"], self.plan["rows"]
        if old:
            what = f"{_devices(new, 'new ')} and {old:,} to update" if new else ""
            return what or f"{_devices(old)} to update"
        if new == number:
            return f"{_devices(new)} can be registered"
        if self.plan["unchanged"]:
            return f"{_devices(new, 'new ')} can be registered"
        return f"{new:,} of {_devices(number)} can be registered"

    def _registered(self) -> str:
        one = self.one
        number = one.rows or 0
        if one.succeeded == number:
            return "1 device is registered" if number == 1 else f"All {number:,} are registered"
        skipped = f", {one.skipped:,} left as they were" if one.skipped else ""
        return f"{one.succeeded:,} of {number:,} registered{skipped}"

    @property
    def is_startable(self) -> bool:
        """Say whether starting it would change anything."""
        return bool(self.plan and self.plan["create"] + self.plan["update"])

    @property
    def why_not(self) -> str:
        """Return why there is nothing to register."""
        if not self.plan["unchanged"]:
            return "Every row has a problem. Correct the file, then upload it again."
        if self.plan["reject"]:
            return (
                "All devices that could be registered are there already, just as the file says. "
                "The other rows have a problem."
            )
        return "All devices of the file are there already, just as it says."

    @property
    def action(self) -> str:
        """Return what the button says that starts it."""
        if self.plan["create"]:
            return f"Register {_devices(self.plan['create'])}"
        return f"Update {_devices(self.plan['update'])}"

    @property
    def action_if_updating(self) -> str:
        """Return what the button says besides, when existing devices are to be updated."""
        both = self.asks and self.plan["update"]
        return f" and update {self.plan['update']:,}" if both else ""

    @property
    def existing(self) -> int:
        """Return how many of its devices are there already."""
        return int(self.plan["update"] + self.plan["unchanged"]) if self.plan else 0

    @property
    def asks(self) -> bool:
        """Say whether it has to be chosen what becomes of devices that are there."""
        return bool(self.existing and self.plan["create"])

    def choices(self, chosen: str = "") -> list[tuple[str, str, str, bool]]:
        """Return what can be done with devices that are there: value, label, hint, is chosen.

        Nothing is chosen beforehand where it matters: a password that is overwritten is gone.
        """
        if not chosen and not self.plan["update"]:
            chosen = Existing.UPDATE
        hints = CHOICES[Form(self.one.form)]
        return [(each, each.label, hints[each], each == chosen) for each in Existing]

    # --- Numbers ----------------------------------------------------------------------

    @property
    def numbers(self) -> list[Number]:
        """Return the counts that matter in its state."""
        if self.state is State.READY:
            return self._of_plan() if self.plan else []
        if self.state in {State.RUNNING, State.PAUSED, State.FINISHED, State.CANCELLED}:
            return self._of_rows()
        if self.state in {State.UNDOING, State.UNDONE}:
            return self._of_undo()
        return []

    def _of_plan(self) -> list[Number]:
        plan, is_full = self.plan, self.one.form == Form.FULL
        new = "let in at once, with the passwords of the file" if is_full else "will be expected"
        limit = plan.get("over_limit", 0)
        return [
            Number("New", plan["create"], "confirmed", new),
            Number("Update", plan["update"], "delivered", "there already, with other values"),
            Number("Unchanged", plan["unchanged"], "none", "there already, just like this"),
            Number(
                "Rejected", plan["reject"], "blocked",
                f"and {limit:,} beyond the device limit" if limit else "rows with a problem",
                "#import-problems" if plan["reject"] else "",
            ),
        ]  # fmt: skip

    def _of_rows(self) -> list[Number]:
        one = self.one
        found = [
            Number("Created", one.created, "confirmed", url=self._rows(Outcome.CREATED)),
            Number("Updated", one.updated, "pending", url=self._rows(Outcome.UPDATED)),
            Number("Unchanged", one.unchanged, "none", url=self._rows(Outcome.UNCHANGED)),
        ]
        if one.skipped:
            found.append(
                Number("Left as they were", one.skipped, "none", url=self._rows(Outcome.SKIPPED))
            )
        found.append(Number("Failed", one.failed, "blocked", url="#import-problems"))
        return [each if each.value else Number(each.label, 0, "none") for each in found]

    def _of_undo(self) -> list[Number]:
        one = self.one
        return [
            Number("Created", one.created, "none"),
            Number("Taken away", one.undone, "pending"),
            Number("Kept", one.kept, "delivered", "in use since", self._rows(Outcome.KEPT)),
        ]

    def _rows(self, outcome: Outcome) -> str:
        return f"{reverse('bulk:rows', args=[self.one.pk])}?{urlencode({'what': outcome.name})}"

    # --- Work on its way --------------------------------------------------------------

    @property
    def is_waiting(self) -> bool:
        """Say whether nobody has taken it up yet."""
        return self.one.is_at_work and not self.one.holder

    @property
    def steps(self) -> int | None:
        """Return how many rows there are to be looked at; None if nobody knows yet."""
        one = self.one
        if self.state is State.UNDOING:
            return one.created + one.updated + one.unchanged + one.skipped
        return one.rows

    @property
    def percent(self) -> int | None:
        """Return how much of the present work is done."""
        steps = self.steps
        if self.is_waiting and not self.one.seen:
            return None
        return min(100, self.one.seen * 100 // steps) if steps else None

    @property
    def progress(self) -> str:
        """Return how far it is, how fast it goes and how long it takes still."""
        one, steps = self.one, self.steps
        if self.is_waiting and not one.seen:
            return "Waiting for its turn…"
        about = "about " if self.state is State.CHECKING else ""
        said = [f"{one.seen:,} of {about}{steps:,} rows" if steps else f"{one.seen:,} rows"]
        if one.worked > SURE_AFTER and one.seen and self.state is not State.UNDOING:
            rate = one.seen / one.worked
            said.append(f"{rate:,.0f} rows/s")
            if steps and self.state is not State.PAUSED:
                said.append(f"{how_long(max(0, steps - one.seen) / rate)} left")
        return " · ".join(said)

    # --- Facts ------------------------------------------------------------------------

    @property
    def detected(self) -> str:
        """Return how the file is written."""
        return Dialect.from_dict(self.one.dialect).label() if self.one.dialect else ""

    @property
    def columns(self) -> list[str]:
        """Return the names of the file's columns."""
        return [name for name in self.one.header.get("names", ()) if name]

    @property
    def ended(self) -> str:
        """Return what it is called that the work came to an end."""
        return "Cancelled" if self.state is State.CANCELLED else "Finished"

    @property
    def took(self) -> str:
        """Return how long the work took, pauses left out."""
        return how_long(self.one.worked) if self.one.worked else ""

    @property
    def may_undo(self) -> bool:
        """Say whether there is anything to be taken away again."""
        return self.state in {State.FINISHED, State.CANCELLED} and bool(self.one.created)


_HEADLINES: Final = {
    State.RECEIVING: "The file is on its way",
    State.CHECKING: "Looking through the file",
    State.REFUSED: "This file cannot be read",
    State.DISCARDED: "Discarded: nothing was registered",
    State.UNDOING: "Taking away what was created",
}
TEMPLATE_NAMES: Final = {  # as operators know them from elsewhere
    ReadForm.SIMPLE: "Simple bulk registration - template.csv",
    ReadForm.FULL: "Full bulk registration - template.csv",
}


def how_long(seconds: float) -> str:
    """Return a duration in words, as exact as anybody needs it."""
    if seconds < 1:
        return "less than a second"
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    if seconds < HOUR:
        return f"{seconds / MINUTE:.0f} min"
    return f"{seconds // HOUR:.0f} h {seconds % HOUR / MINUTE:.0f} min"


def _devices(number: int, what: str = "") -> str:
    return f"{number:,} {what}device{'' if number == 1 else 's'}"
