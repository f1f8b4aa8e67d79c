"""What people do with a file: each step proved with and without JavaScript, twice, by others."""

import json

import pytest

from bulk import imports
from bulk.models import Existing, State
from inventory.device_types import TypeDetails, create_type
from tenants.models import AuditRecord
from tests.bulk.console.pages import BULK, buttons, fresh, headline, page_of
from tests.bulk.files import FULL, SECRET, carried_on, checked, registered
from tests.consoles import messages_of, read

TWO = FULL + f"press-1;{SECRET};;;\npress-2;{SECRET};;;\n"


def running(tenant, by):
    one = checked(tenant, TWO, by)
    imports.start(one, on_existing=Existing.FAIL, by=by)
    return one


def paused(tenant, by):
    one = running(tenant, by)
    one.state = State.PAUSED
    one.save()
    return one


def held_back(tenant, by):
    """Return a list of pairs of which one cannot be registered, so that none is."""
    meter = create_type(tenant, TypeDetails("Meter"), by=by)
    pairs = f"press-1, {SECRET}, press-2, short"
    one = imports.receive_pairs(
        meter, [pairs.encode()], by=by, all_or_nothing=True, file_name="devices.csv"
    )
    imports.check(one)
    return carried_on(one)


MAKE = {
    "held": held_back,
    "ready": lambda tenant, by: checked(tenant, TWO, by),
    "running": running,
    "paused": paused,
    "finished": lambda tenant, by: registered(tenant, TWO, by),
}
# step: what it begins with, whether a dialog asks first, and what it leads to.
STEPS = {
    "check": ("ready", False, {"state": State.CHECKING}),
    "start": ("ready", False, {"state": State.RUNNING, "on_existing": Existing.FAIL}),
    "skip": ("held", False, {"state": State.READY, "all_or_nothing": False}),
    "pause": ("running", False, {"state": State.RUNNING, "wish": "pause"}),
    "resume": ("paused", False, {"state": State.RUNNING}),
    "discard": ("ready", False, {"state": State.DISCARDED, "file_key": b""}),
    "cancel": ("paused", True, {"state": State.CANCELLED, "file_key": b""}),
    "undo": ("finished", True, {"state": State.UNDOING}),
}
every_step = pytest.mark.parametrize("step", STEPS)
DIALOGS = [step for step, (_, asks, _) in STEPS.items() if asks]


@pytest.fixture
def ready_for(acme, operator):
    """Return an import with which a step can be taken."""
    return lambda step: MAKE[STEPS[step][0]](acme, operator)


def stands(one):
    """Return what there is of an import."""
    return {field.name: getattr(fresh(one), field.attname) for field in one._meta.concrete_fields}


def taken(one, step):
    now = fresh(one)
    return all(
        (bytes(getattr(now, name)) if name == "file_key" else getattr(now, name)) == value
        for name, value in STEPS[step][2].items()
    )


@every_step
def test_step_is_taken_by_htmx(desk, ready_for, step):
    one = ready_for(step)
    asks = STEPS[step][1]
    response = desk.post(page_of(one, f"{step}/"), target="dialog" if asks else "import")
    assert taken(one, step)
    if asks:
        assert response.status_code == 204
        told = json.loads(response["HX-Trigger"])
        assert told["dialogClosed"]["next"] == page_of(one)
        assert "importChanged" in told
    else:
        assert response.status_code == 200
        assert not read(response).all("h1")
        assert headline(response) == headline(desk.get(page_of(one)))


@every_step
def test_step_is_taken_without_javascript(desk, ready_for, step):
    one = ready_for(step)
    page = read(desk.get(page_of(one)))
    place = page.one("div", id="import-actions")
    if STEPS[step][1]:
        link = place.one("a", href=page_of(one, f"{step}/"))
        page = place = read(desk.get(link["href"]))
        assert page.one("nav", aria_label="Breadcrumb").one("a")["href"] == page_of(one)
    form = place.one("form", action=page_of(one, f"{step}/"))
    response = desk.post(form["action"], form.fields)
    assert (response.status_code, response["Location"]) == (302, page_of(one))
    assert taken(one, step)


@pytest.mark.parametrize("step", [step for step in STEPS if step != "pause"])
@pytest.mark.parametrize("target", ["import", None], ids=["fragment", "page"])
def test_second_click_is_refused_with_a_sentence_and_the_page_as_it_is(
    desk, ready_for, step, target
):
    one = ready_for(step)
    desk.post(page_of(one, f"{step}/"))
    before = stands(one)
    response = desk.post(page_of(one, f"{step}/"), target=target)
    assert response.status_code == 409
    assert "That cannot be done now: this import is" in read(response).text
    assert stands(one) == before
    if not STEPS[step][1]:
        assert headline(response) == headline(desk.get(page_of(one)))
        assert len(messages_of(response)) == 1


def test_second_click_on_pause_wishes_the_same_again(desk, ready_for):
    one = ready_for("pause")
    for _ in range(2):
        assert desk.post(page_of(one, "pause/"), target="import").status_code == 200
    assert taken(one, "pause")


@every_step
@pytest.mark.parametrize("login", ["globex/operator", "management/administrator"])
@pytest.mark.parametrize("target", ["import", None], ids=["fragment", "page"])
def test_import_of_others_is_not_there(console, ready_for, step, login, target):
    one = ready_for(step)
    before = stands(one)
    assert console(login).post(page_of(one, f"{step}/"), target=target).status_code == 404
    assert stands(one) == before


@every_step
def test_whoever_may_only_look_changes_nothing(console, ready_for, step):
    one = ready_for(step)
    before = stands(one)
    reader = console("acme/reader")
    assert reader.post(page_of(one, f"{step}/")).status_code == 403
    assert buttons(reader.get(page_of(one))) == []
    assert stands(one) == before


@every_step
def test_step_is_posted(desk, ready_for, step):
    one = ready_for(step)
    before = stands(one)
    methods = ["put", "delete", "patch"] if STEPS[step][1] else ["get", "head", "put", "delete"]
    for method in methods:
        assert desk.call(method, page_of(one, f"{step}/")).status_code == 405
    assert stands(one) == before


@every_step
def test_step_on_what_is_no_import_is_not_there(desk, house, step):
    for pk in ("0" * 8 + "-0000-4000-8000-" + "0" * 12, "x", "1"):
        assert desk.post(f"{BULK}{pk}/{step}/").status_code == 404


@pytest.mark.parametrize("step", DIALOGS)
def test_dialog_asks_and_changes_nothing(desk, ready_for, step):
    one = ready_for(step)
    before = stands(one)
    dialog = read(desk.get(page_of(one, f"{step}/"), target="dialog"))
    assert dialog.one("h2", id="dialog-title").text.endswith("bulk registration")
    assert "devices.csv" in dialog.text
    assert stands(one) == before


def test_dialog_of_undo_says_what_goes_and_what_stays(desk, acme, operator):
    registered(acme, TWO, operator)
    more = TWO.replace(f"press-2;{SECRET};;;", f"press-2;{SECRET};;Another name;")
    one = registered(acme, more + f"press-3;{SECRET};;;\n", operator)
    dialog = read(desk.get(page_of(one, "undo/"), target="dialog"))
    goes, stays = dialog.classed("undo-goes")[0].text, dialog.classed("undo-stays")[0].text
    assert "Of the 1 created device: those that never logged in" in goes
    assert "The 1 that was updated: it stays updated." in stays
    assert "have logged in, or that somebody has changed" in stays


# --- What is chosen when it is started ----------------------------------------------------------


@pytest.mark.parametrize("chosen", list(Existing))
def test_what_becomes_of_existing_devices_is_chosen(desk, acme, operator, chosen):
    registered(acme, TWO, operator)
    more = TWO.replace(f"{SECRET};;;\n", f"{SECRET};;New name;\n") + f"press-3;{SECRET};;;\n"
    one = checked(acme, more, operator)
    assert desk.post(page_of(one, "start/"), {"on_existing": chosen}).status_code == 302
    assert fresh(one).on_existing == chosen
    done = carried_on(one)
    assert (done.created, done.updated, done.skipped, done.failed) == {
        Existing.UPDATE: (1, 2, 0, 0),
        Existing.SKIP: (1, 0, 2, 0),
        Existing.FAIL: (1, 0, 0, 2),
    }[chosen]


@pytest.mark.parametrize("chosen", ["", "x", "\x00", "UPDATE"])
@pytest.mark.parametrize("target", ["import", None], ids=["fragment", "page"])
def test_start_asks_again_where_nothing_was_chosen(desk, acme, operator, chosen, target):
    registered(acme, TWO, operator)
    one = checked(acme, TWO + f"press-3;{SECRET};;;\n", operator)
    response = desk.post(page_of(one, "start/"), {"on_existing": chosen}, target=target)
    assert response.status_code == 422
    assert read(response).one("p", id="existing-problem").text.startswith("Choose what to do")
    assert fresh(one).state == State.READY


def test_device_that_came_since_the_plan_was_made_is_reported(desk, acme, operator):
    one = checked(acme, TWO, operator)
    registered(acme, FULL + f"press-1;another-{SECRET};;;\n", operator)
    desk.post(page_of(one, "start/"))
    done = carried_on(one)
    assert (done.created, done.updated, done.failed) == (1, 0, 1)


@pytest.mark.parametrize("is_checked", [True, False])
def test_what_has_nothing_to_do_is_not_started(desk, acme, operator, is_checked):
    one = checked(acme, FULL + f"bad id;{SECRET};;;\n", operator)
    if not is_checked:
        one.preview = {}
        one.save()
    response = desk.post(page_of(one, "start/"), target="import")
    assert response.status_code == 409
    assert messages_of(response)
    assert fresh(one).state == State.READY


@pytest.mark.parametrize(
    ("step", "activity"),
    [
        ("start", "Bulk registration started"),
        ("pause", "Bulk registration paused"),
        ("resume", "Bulk registration resumed"),
        ("discard", "Bulk registration discarded"),
        ("cancel", "Bulk registration cancelled"),
        ("undo", "Bulk registration being undone"),
    ],
)
def test_who_did_it_is_written_down(desk, ready_for, step, activity):
    one = ready_for(step)
    desk.post(page_of(one, f"{step}/"))
    entry = AuditRecord.objects.latest("pk")
    assert (entry.activity, entry.actor_name, entry.subject) == (activity, "operator", str(one))
