"""Addresses and sentences of the pages about bulk registration."""

from bulk.models import Import
from tests.consoles import LIST, read

BULK = f"{LIST}bulk/"


def page_of(one, action=""):
    """Return the address of an import, or of something to be done with it."""
    return f"{BULK}{one.pk}/{action}"


def headline(response):
    """Return what the page of an import says first."""
    return read(response).one("h2", id="import-headline").text


def buttons(response):
    """Return what can be done on the page of an import."""
    place = read(response).one("div", id="import-actions")
    return [each.text for each in place.walk() if "button" in (each.attrs.get("class") or "")
            and each.tag in {"a", "button"}]  # fmt: skip


def numbers(response):
    """Return the numbers that stand out on the page of an import, by what they count."""
    cards = read(response).one("div", id="import-numbers").all("li")
    return {
        each.classed("state-label")[0].text: each.classed("state-number")[0].text for each in cards
    }


def fresh(one):
    """Return an import as it is now."""
    return Import.objects.get(pk=one.pk)
