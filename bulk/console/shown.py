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
    Form.PAIRS: {
        Existing.UPDATE: "Their secrets become those of the list, and devices without a device "
        "type get that of the list.",
        Existing.SKIP: "Only new devices are registered.",
        Existing.FAIL: "They stay as they are, and are listed with the pairs that failed.",
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
        self.are_pairs = one.form == Form.PAIRS
        self.makes_devices = one.form in {Form.FULL, Form.PAIRS}
        self.units = "pairs" if self.are_pairs else "rows"

    @property
    def badge(self) -> str:
        """Return the class of its badge."""
        if self.state is State.READY and self.plan and not self.is_startable:
            return "badge-blocked" if self.is_held_back else "badge-none"
        return TONES[self.state]

    @property
    def label(self) -> str:
        """Return its state in a word or two."""
        if self.state is State.RUNNING and self.one.wish:
            pausing = self.one.wish == Import.Wish.PAUSE
            return "Pausing" if pausing else "Cancelling"
        if self.state is State.READY and not self.is_startable:
            if self.is_held_back:
                return "Has errors"
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
        seen = f"{one.seen:,} of {one.rows or 0:,} {self.units}"
        match self.state:
            case State.READY:
                return self._planned()
            case State.RUNNING:
                return f"Registering {self._counted(one.rows or 0)}"
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
                headline = _HEADLINES[state]
                return headline.replace("file", "list") if self.are_pairs else headline

    def _counted(self, number: int) -> str:
        return f"{number:,} {self.units[:-1] if number == 1 else self.units}"

    def _planned(self) -> str:
        if not self.plan:
            what = "list" if self.are_pairs else "file"
            return f"The {what} has not been looked through to its end"
        if self.is_held_back and not self.plan["reject"]:
            return f"There is no room for {_devices(self.plan['over_limit'])}"
        if self.is_held_back:
            number = self.plan["reject"]
            has = "has an error" if number == 1 else "have errors"
            return f"{self._counted(number)} {has}, so nothing can be registered"
        if not self.is_startable:
            return "There is nothing to register"
        new, old, number = self.plan["create"], self.plan["update"], self.plan["rows"]
        if old:
            what = f"{_devices(new, 'new ')} and {old:,} to update" if new else ""
            return what or f"{_devices(old)} to update"
        if new == number:
            return f"{_devices(new)} can be registered"
        if self.plan["unchanged"] or self.plan.get("duplicate"):
            return f"{_devices(new, 'new ')} can be registered"
        return f"{new:,} of {_devices(number)} can be registered"

    def _registered(self) -> str:
        one = self.one
        number = one.rows or 0
        if one.succeeded == number and self.are_pairs:
            # Pairs that stand there twice are devices that were there before.
            return f"{self._counted(number)} {'is' if number == 1 else 'are'} registered"
        if one.succeeded == number:
            return "1 device is registered" if number == 1 else f"All {number:,} are registered"
        skipped = f", {one.skipped:,} left as they were" if one.skipped else ""
        return f"{one.succeeded:,} of {number:,} registered{skipped}"

    @property
    def is_startable(self) -> bool:
        """Say whether starting it would change anything."""
        changes = self.plan and self.plan["create"] + self.plan["update"]
        return bool(changes) and not self.is_held_back

    @property
    def is_held_back(self) -> bool:
        """Say whether pairs that cannot be registered keep all others from it."""
        if not (self.one.all_or_nothing and self.plan):
            return False
        return bool(self.plan["reject"] or self.plan["over_limit"])

    @property
    def may_skip(self) -> bool:
        """Say whether there are valid pairs besides, which could be registered alone."""
        return self.is_held_back and bool(self.plan["create"] + self.plan["update"])

    @property
    def new_secrets(self) -> int:
        """Return how many devices that are there would get another secret than they have."""
        return self.plan.get("new_secrets", 0) if self.are_pairs else 0

    @property
    def why_not(self) -> str:
        """Return why there is nothing to register."""
        if self.is_held_back and not self.plan["reject"]:
            return (
                "All devices of the list are registered, or none. Ask for a higher device limit, "
                "or delete devices; then check again."
            )
        if self.is_held_back:
            return (
                "All pairs of the list are registered, or none. Correct those below, then upload "
                "the list again; or let the valid pairs be stored without them."
            )
        if self.are_pairs:
            if not self.plan["unchanged"]:
                return "Every pair has an error. Correct the list, then upload it again."
            others = " The other pairs have an error." if self.plan["reject"] else ""
            return f"The devices of the list are there already, with just these secrets.{others}"
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
        offered = [each for each in Existing if self.may_choose(each)]
        return [(each, each.label, hints[each], each == chosen) for each in offered]

    def may_choose(self, on_existing: str) -> bool:
        """Say whether that can be done with devices that are there: what fails stops all others."""
        fails_all = self.one.all_or_nothing and on_existing == Existing.FAIL
        return on_existing in Existing.values and not fails_all

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
        plan = self.plan
        new = "let in at once, with the passwords of the file" if self.makes_devices else (
            "will be expected"
        )  # fmt: skip
        if self.are_pairs:
            new = "let in at once, with their secrets"
        again = plan.get("duplicate", 0)
        limit = plan.get("over_limit", 0)
        return [
            Number("New", plan["create"], "confirmed", new),
            Number("Update", plan["update"], "delivered", "there already, with other values"),
            Number("Unchanged", plan["unchanged"], "none", "there already, just like this"),
            *([Number("Repeated", again, "none", "stand in the list before")] if again else []),
            Number(
                "Rejected", plan["reject"], "blocked",
                f"and {limit:,} beyond the device limit"
                if limit
                else f"{self.units} with a problem",
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
        said = [
            f"{one.seen:,} of {about}{steps:,} {self.units}"
            if steps
            else f"{one.seen:,} {self.units}"
        ]
        if one.worked > SURE_AFTER and one.seen and self.state is not State.UNDOING:
            rate = one.seen / one.worked
            said.append(f"{rate:,.0f} {self.units}/s")
            if steps and self.state is not State.PAUSED:
                said.append(f"{how_long(max(0, steps - one.seen) / rate)} left")
        return " · ".join(said)

    # --- Facts ------------------------------------------------------------------------

    @property
    def detected(self) -> str:
        """Return how the file is written."""
        if self.are_pairs:
            return ""
        return Dialect.from_dict(self.one.dialect).label() if self.one.dialect else ""

    @property
    def columns(self) -> list[str]:
        """Return the names of the file's columns."""
        if self.are_pairs:
            return []
        return [name for name in self.one.header.get("names", ()) if name]

    @property
    def devices_url(self) -> str:
        """Return where the devices of its device type are listed; "" if there is none."""
        if self.one.device_type_id is None:
            return ""
        return f"{reverse('devices:list')}?{urlencode({'device_type': self.one.device_type_id})}"

    @property
    def upload_url(self) -> str:
        """Return where the file is brought once more, corrected, or another one."""
        if not self.are_pairs:
            return reverse("bulk:list")
        chosen = {"device_type": self.one.device_type_id} if self.one.device_type_id else {}
        return f"{reverse('bulk:pairs')}?{urlencode(chosen)}".rstrip("?")

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
