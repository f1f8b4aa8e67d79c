"""The menu *Register device*: each way of registering makes itself known, our own among them."""

import pytest

from registration import menu
from registration.menu import Entry, Kind, register_entries
from tests.consoles import read

pytestmark = pytest.mark.django_db


@pytest.fixture
def plugged_in(monkeypatch):
    """Let a package add to the menu, for this test."""
    monkeypatch.setattr(menu, "_sources", list(menu._sources))

    def source(request):
        yield Entry(Kind.SINGLE, "LoRa", "/lora/", hint=f"For {request.tenant.pk} <b>")
        yield Entry(Kind.SINGLE, "Aardvark", "/aardvark/")
        yield Entry(Kind.BULK, "First of all", "/first/", priority=101, is_dialog=True)

    register_entries(source)


def lines(response):
    return [link["aria-label"] for link in read(response).all("a") if _is_entry(link)]


def _is_entry(link):
    return link.attrs.get("aria-label", "").startswith(tuple(kind.value for kind in Kind))


def test_own_ways_stand_in_the_menu(desk):
    found = lines(desk.get("/devices/registration/"))
    assert {"Single registration: General", "Bulk registration: General"} <= set(found)


def test_ways_of_packages_stand_below_by_priority_and_then_by_name(desk, plugged_in):
    found = lines(desk.get("/devices/registration/"))
    singles = [line for line in found if line.startswith("Single")]
    assert singles[0] == "Single registration: General"
    assert singles.index("Single registration: Aardvark") + 1 == singles.index(
        "Single registration: LoRa"
    )
    assert next(line for line in found if line.startswith("Bulk")) == (
        "Bulk registration: First of all"
    )


def test_what_an_entry_says_is_text(desk, plugged_in):
    assert "For acme &lt;b&gt;" in desk.get("/devices/registration/").content.decode()


def test_reader_has_no_menu(console, plugged_in):
    assert lines(console("acme/reader").get("/devices/registration/")) == []
