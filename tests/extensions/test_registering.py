"""Registering by a protocol: its steps one after the other, its way of taking files.

The protocol is a package's, in this process; that a service answers alike is proved elsewhere.
"""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from extensions import packages
from extensions.protocols import (
    CANNOT_REGISTER,
    FILE_ERROR,
    NO_BULK,
    NO_DEFINITION,
    Metadata,
    Protocol,
    ProviderError,
)
from tenants import audit
from tenants.models import AuditRecord
from tests.consoles import LIST, messages_of, read
from tests.extensions.package.gatehouse_tracker import Tracker

SINGLE = f"{LIST}registering/tracker/"
FILE = f"{SINGLE}file/"
EXAMPLE = f"{SINGLE}example/1/"
EUI, KEY = "70B3D57ED0000001", "s3cret-of-tracker"
DEVICE = {"p0-f0": EUI, "p0-f1": "1", "p0-f2": ["0", "2"], "p0-f3": "15"}
KEYS = {"p1-f0": KEY, "p1-f1": "", "p1-f2": "", "p1-f4": "one\ntwo"}
MODEL = {
    "devEUI": EUI, "region": "US915", "channels": ["868.1", "868.5"], "interval": 15,
    "appKey": KEY, "moves": False, "notes": "one\ntwo",
}  # fmt: skip


@pytest.fixture
def known(monkeypatch):
    """Let packages bring protocols along, for this test."""
    monkeypatch.setattr(packages, "_known", {})
    return packages.register_protocol


@pytest.fixture
def tracker(known):
    known(found := Tracker())
    return found


@pytest.fixture
def desk(console):
    """The console of an operator of acme."""
    return console("acme/operator")


class Person:
    """Somebody who fills in the dialog, by HTMX or without JavaScript."""

    def __init__(self, desk, target):
        self.desk, self.target = desk, target
        self.page = self.get("?load=1")

    def get(self, query=""):
        return self.desk.get(f"{SINGLE}{query}", target=self.target, accept_language="de-AT,en")

    def go(self, where, **values):
        """Press a button of the form, with everything that it holds and these values."""
        form = next(f for f in read(self.page).all("form") if f.all("button", value=where))
        named = {name.replace("_", "-"): value for name, value in values.items()}
        hidden = [(each["name"], each["value"]) for each in form.all("input", type="hidden")]
        held = dict(form.fields)
        for name, _ in hidden:
            held[name] = [value for other, value in hidden if other == name]
        self.page = self.desk.post(
            SINGLE, held | named | {"go": where}, target=self.target, accept_language="de-AT,en"
        )
        return self.page

    @property
    def step(self):
        return read(self.page).one("li", aria_current="step").text


@pytest.fixture(params=[None, "dialog"], ids=["page", "htmx"])
def somebody(request, desk, tracker):
    return Person(desk, request.param)


def activities():
    found = AuditRecord.objects.filter(type=audit.Type.EXTENSION).order_by("pk")
    return list(found.values_list("tenant_id", "actor_name", "activity", "subject"))


def test_device_is_registered_step_by_step(somebody, tracker):
    page = read(somebody.page)
    assert page.one("h2", id="dialog-title").text == "Register a tracker"
    assert [each.text for each in page.classed("steps")[0].all("li")] == [
        "1. Device", "2. Keys", "3. Summary",
    ]  # fmt: skip
    assert somebody.go("next", p0_f0="no EUI").status_code == 422
    assert somebody.step == "1. Device"
    assert "autofocus" in read(somebody.page).one("input", name="p0-f0").attrs
    assert somebody.go("next", **DEVICE).status_code == 200
    assert somebody.step == "2. Keys"
    assert "checked" in read(somebody.page).one("input", name="p1-f3").attrs, "as by default"
    somebody.go("back", **KEYS)
    assert somebody.step == "1. Device"
    assert read(somebody.page).one("input", name="p0-f0")["value"] == EUI
    somebody.go("next", p0_f2=["0", "2"])
    assert not read(somebody.page).classed("is-invalid")
    assert "checked" not in read(somebody.page).one("input", name="p1-f3").attrs, "as it was left"
    somebody.go("next")
    assert somebody.step == "3. Summary"
    shown = read(somebody.page).classed("provider-summary")[0].text
    assert "Region America Channels 868.1, 868.5" in shown
    assert "••••••••" in shown
    assert KEY not in shown
    assert not tracker.registered
    done = somebody.go("register")
    assert done.status_code == (204 if somebody.target else 302)
    assert tracker.registered == [("acme", "de-AT", MODEL)]
    listed = somebody.desk.get(LIST)
    assert messages_of(listed) == ["Your device was successfully registered."]
    if somebody.target:
        assert {"dialogClosed", "registrationsChanged"} <= set(done["HX-Trigger"].split('"'))
    assert activities() == [("acme", "operator", "Device registered by an extension", "Tracker")]
    assert KEY not in str(AuditRecord.objects.values_list())


def test_what_the_provider_refuses_can_be_mended(somebody, tracker):
    somebody.go("next", **DEVICE | {"p0-f0": "F" * 16})
    somebody.go("next", **KEYS)
    refused = somebody.go("register")
    assert refused.status_code == 422
    assert read(refused).one(role="alert").text == "This tracker belongs to somebody else."
    assert not activities()
    somebody.go("fix")
    assert somebody.step == "1. Device"
    assert read(somebody.page).one("input", name="p0-f0")["value"] == "F" * 16
    somebody.go("next", p0_f0=EUI, p0_f2=["0", "2"])
    somebody.go("next")
    somebody.go("register")
    assert tracker.registered[0][2] == MODEL


def test_summary_that_is_sent_twice_registers_once(somebody, tracker):
    somebody.go("next", **DEVICE)
    somebody.go("next", **KEYS)
    summary = somebody.page
    assert somebody.go("register").status_code in {204, 302}
    somebody.page = summary  # a second click, or a step back in the browser
    again = somebody.go("register")
    assert again.status_code == 409
    assert "has been sent already" in read(again).one(role="alert").text
    assert len(tracker.registered) == len(activities()) == 1
    somebody.go("fix")  # whoever really has two goes through the steps again
    for _ in range(2):
        somebody.go("next")
    assert somebody.go("register").status_code in {204, 302}
    assert len(tracker.registered) == 2


def test_what_was_filled_in_outlives_a_provider_that_fails(somebody, tracker, monkeypatch):
    somebody.go("next", **DEVICE)
    with monkeypatch.context() as patch:
        patch.setattr(tracker, "metadata", lambda *_, **__: 1 / 0)
        failed = somebody.go("next", **KEYS)
    assert failed.status_code == 424
    assert NO_DEFINITION in read(failed).one(role="alert").text
    somebody.go("fix")
    somebody.go("next", p0_f2=["0", "2"])
    somebody.go("next")
    somebody.go("register")
    assert tracker.registered[0][2] == MODEL


def test_form_that_changed_meanwhile_is_gone_through_again(desk, tracker, monkeypatch):
    somebody = Person(desk, "dialog")
    somebody.go("next", **DEVICE)
    other = {"type": "object", "title": "Other", "properties": {"a": {}, "b": {}}}
    monkeypatch.setattr(tracker, "metadata", lambda *_, **__: Metadata("T", "", [other]))
    assert "has changed its form" in read(somebody.go("next", **KEYS)).text
    assert somebody.step == "1. Other"


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({}, 200),  # no form of ours at all: it begins anew
        ({"step": "9", "reached": "9", "go": "register"}, 422),
        ({"step": "2", "reached": "2", "go": "register", **DEVICE}, 422),
        ({"step": "-1", "reached": "٣", "go": "nowhere"}, 422),
        ({"step": "0", "go": "next", **DEVICE, "p0-f0": "a\x00"}, 422),
        ({"step": "0", "go": "next", **DEVICE, "p0-f1": ["0", "99999999999999999999"]}, 422),
    ],
)
def test_steps_cannot_be_jumped_over(desk, tracker, said, status):
    revision = read(desk.get(SINGLE)).one("input", name="revision")["value"]
    sent = said | {"revision": revision} if said else said
    assert desk.post(SINGLE, sent, target="dialog").status_code == status
    assert not tracker.registered


def test_dialog_opens_before_the_provider_answers(desk, tracker, monkeypatch):
    monkeypatch.setattr(tracker, "metadata", lambda *_, **__: 1 / 0)
    for url in (SINGLE, FILE):
        opening = read(desk.get(url, target="dialog")).one("p", role="status")
        assert opening.text == "Loading the registration form definition…"
        assert opening["hx-get"] == f"{url}?load=1"


# --- Files ----------------------------------------------------------------------------------------


def csv(content):
    return SimpleUploadedFile("trackers\x01.csv", content, "text/csv")


@pytest.mark.parametrize("target", [None, "dialog"])
def test_file_is_handed_on_and_the_answer_shown(desk, tracker, target):
    page = read(desk.get(f"{FILE}?load=1", target=target))
    assert page.one("h2", id="dialog-title").text == "Register trackers in bulk"
    assert page.classed("provider-examples")[0].all("a")[0]["href"] == EXAMPLE
    content = b"devEUI;appKey\n" + b"x" * 600_000
    done = desk.post(FILE, {"file": csv(content)}, target=target)
    assert tracker.files[0][1:] == (len(content), content)
    shown = read(done)
    assert shown.one("h2", id="dialog-title").text == "File successfully uploaded."
    assert shown.classed("facts")[0].text == "Operation 4711 Message 3 trackers"
    assert '"<b>": null' in shown.one("pre").text
    assert activities() == [("acme", "operator", "File registered by an extension", "Tracker")]


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({}, 422, "Choose a file first."),
        ({"file": csv(b"")}, 422, "File must not be empty, select another one."),
        ({"file": [csv(b"1"), csv(b"2")]}, 422, "Too many files selected."),
        ({"file": csv(b"bad")}, 424, "Device registration failed. Line 2 is bad."),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else "",
)
def test_file_that_is_refused_is_told_why(desk, tracker, sent, status, said):
    answer = desk.post(FILE, sent, target="dialog")
    assert answer.status_code == status
    assert read(answer).one(role="alert").text == said
    assert not activities()


def test_example_is_a_file_and_nothing_else(desk, tracker):
    answer = desk.get(EXAMPLE)
    assert answer.content == b"devEUI;appKey\n"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"] == 'attachment; filename="few.csv"'
    lost = desk.get(f"{SINGLE}example/2/")
    assert lost.status_code == 424
    assert read(lost).one(role="alert").text == "It is lost."
    for number in (0, 3, 5):
        assert desk.get(f"{SINGLE}example/{number}/").status_code == 404


def test_example_at_another_host_is_a_link_that_says_where_it_leads(desk, tracker):
    page = read(desk.get(FILE))
    links = page.classed("provider-examples")[0].all("a")
    assert [each["href"] for each in links if "target" in each.attrs] == [
        "https://files.example/many.csv"
    ]
    assert links[2].text == "Open at files.example"
    assert (links[2]["target"], links[2]["rel"]) == ("_blank", "noopener noreferrer")
    assert "javascript" not in desk.get(FILE).content.decode()


# --- Protocols that fail, and people who may not --------------------------------------------------


class Broken(Protocol):
    """Does whatever a test wants done badly."""

    key, name, has_bulk = "tracker", "Broken <b>", True
    page = {"type": "object", "properties": {"a": {}}}

    def __init__(self, **how):
        vars(self).update({name: self.doing(what) for name, what in how.items()})

    @staticmethod
    def doing(what):
        def do(*_, **__):
            if isinstance(what, Exception):
                raise what
            return what

        return do

    def metadata(self, caller, *, wants_bulk=False):
        return Metadata("T", "", [self.page])


def offering(pages):
    return Metadata("T", pages=pages)


LOOP = {"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"$ref": "#/$defs/a"}}}
WRONG = {
    # It is logged as it is, and what processes of the suite tell one another is UTF-8.
    "raises": (ZeroDivisionError("\x00"), NO_DEFINITION),
    "refuses": (ProviderError("Not \ud800 <b>now</b>", "\x00"), "Not <b>now</b>"),
    "nothing": (None, NO_DEFINITION),
    "no list": (offering(7), NO_DEFINITION),
    "no pages": (offering(()), "registration information is missing"),
    "no objects": (offering(["a"]), "registration information is missing"),
    "many pages": (offering([{"properties": {}}] * 21), "information is missing"),
    "NaN": (offering([{"properties": {"a": {"minimum": float("nan")}}}]), NO_DEFINITION),
    "no JSON": (offering([{"properties": {"a": {1, 2}}}]), NO_DEFINITION),
    "loop": (offering([LOOP]), "leads back to itself"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_whatever_a_protocol_does_is_a_sentence(desk, known, case):
    what, said = WRONG[case]
    known(Broken(metadata=what))
    for target in (None, "dialog"):
        answer = desk.get(f"{SINGLE}?load=1", target=target)
        assert answer.status_code == 424
        assert said in " ".join(read(answer).one(role="alert").text.split())
    files = desk.get(f"{FILE}?load=1", target="dialog")
    assert files.status_code == 424
    assert read(files).one("h2", id="dialog-title").text == "Error"
    assert desk.get(EXAMPLE).status_code == 424


@pytest.mark.parametrize("answer", [None, 7, OSError("x"), {"a": object()}, {"message": "\ud800"}])
def test_whatever_comes_of_registering_is_a_sentence(desk, known, answer):
    known(broken := Broken(register=answer, register_file=answer))
    somebody = Person(desk, None)
    somebody.go("next", p0_f0="x")
    done = somebody.go("register")
    failed = isinstance(answer, Exception)
    assert done.status_code == (424 if failed else 302)
    assert not failed or CANNOT_REGISTER in read(done).one(role="alert").text
    files = desk.post(FILE, {"file": csv(b"x")})
    is_answer = isinstance(answer, dict)
    assert files.status_code == (200 if is_answer else 424)
    assert is_answer or FILE_ERROR in read(files).one(role="alert").text
    assert NO_BULK in read(desk.post(FILE)).one(role="alert").text
    assert broken


def test_only_those_with_the_right_register_and_only_what_their_tenant_has(
    console, tracker, known, monkeypatch
):
    every = (SINGLE, FILE, EXAMPLE)
    for login, status in (("acme/reader", 403), ("globex/operator", 404)):
        monkeypatch.setattr(tracker, "is_for", lambda tenant: tenant.pk == "acme", raising=True)
        for url in every:
            assert console(login).get(url).status_code == status
            posted = console(login).post(url, {"file": csv(b"x")}).status_code
            assert posted == (405 if url == EXAMPLE and status == 404 else status) or posted == 405
    mine = console("acme/operator")
    assert [mine.client.put(url).status_code for url in every] == [405] * 3
    assert mine.post(EXAMPLE).status_code == 405
    tracker.has_single = tracker.has_bulk = False
    assert [mine.get(url).status_code for url in every] == [404] * 3
    assert mine.get(SINGLE.replace("tracker", "nobody")).status_code == 404
    assert not tracker.files
