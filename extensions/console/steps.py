"""Where a person stands in a provider's form: the steps, what was filled in, what comes next."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.http import QueryDict

from extensions.protocols import Metadata
from extensions.schema.forms import PageForm
from extensions.schema.reading import Page, read_pages

MAX_DIGITS: Final = 3
SUMMARY: Final = "Summary"


@dataclass
class Steps:
    """All steps of one form; ``at`` is the one that is shown, the last one is the summary.

    ``reached`` is the furthest that the person came: what lies behind it has been filled in.
    """

    metadata: Metadata
    pages: tuple[Page, ...]
    forms: list[PageForm]
    at: int = 0
    reached: int = 0

    @classmethod
    def of(cls, metadata: Metadata, sent: QueryDict | None = None) -> "Steps":
        """Return the steps, with what a person sent of them.

        Raises:
            extensions.schema.plain.SchemaError: the pages cannot be drawn.
        """
        pages = read_pages(metadata.pages)
        at = _number(sent, "step", len(pages)) if sent is not None else 0
        reached = max(at, _number(sent, "reached", len(pages))) if sent is not None else 0
        forms = [
            PageForm(page, sent if sent is not None and number <= reached else None,
                     prefix=f"p{number}")
            for number, page in enumerate(pages)
        ]  # fmt: skip
        return cls(metadata, pages, forms, at, reached)

    @property
    def is_summary(self) -> bool:
        """Say whether everything has been filled in."""
        return self.at == len(self.pages)

    @property
    def form(self) -> PageForm:
        """Return the form of the step that is shown."""
        return self.forms[self.at]

    @property
    def titles(self) -> Iterator[tuple[str, str]]:
        """Return the titles of the steps, each with its class."""
        for number, title in enumerate([*(page.title for page in self.pages), SUMMARY]):
            past = "step-done" if number < self.at else ""
            yield title, "step-now" if number == self.at else past

    @property
    def carried(self) -> Iterator[tuple[str, str]]:
        """Return what was sent for the steps that are not shown."""
        for number, form in enumerate(self.forms):
            if number != self.at and form.is_bound:
                yield from form.sent()

    @property
    def told(self) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """Return what was filled in, by step; every step must be valid."""
        for form in self.forms:
            yield form.page.title, list(form.told())

    @property
    def revision(self) -> str:
        """Return a text that is another one when the fields are others; defaults may vary."""
        fields = [
            [(each.path, each.kind.name, [one.value for one in each.choices])
             for each in page.fields]
            for page in self.pages
        ]  # fmt: skip
        text = json.dumps(fields)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def go_on(self) -> bool:
        """Step to the next page if all up to here is right, else to the first that is not."""
        for number, form in enumerate(self.forms[: self.at + 1]):
            if not form.is_valid():
                self.at = number
                return False
        self.at = min(self.at + 1, len(self.pages))
        self.reached = max(self.reached, self.at)
        self._come()
        return True

    def go_back(self) -> None:
        """Step to the page before."""
        self.at = max(0, self.at - 1)
        self._come()

    def begin(self) -> None:
        """Step to the first page, with everything kept."""
        self.at = 0
        self._come()

    def finish(self) -> Mapping[str, Any] | None:
        """Return the values of all pages in one object; None if one is not right, shown now."""
        self.at = len(self.pages) - 1
        if not self.go_on():
            return None
        model: dict[str, Any] = {}
        for form in self.forms:
            _merge(model, form.value)
        return model

    def _come(self) -> None:
        """Show a step as it was left, without complaints about what is still missing."""
        if not self.is_summary:
            self.form.forget_problems()


def _merge(model: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Add a page's values; pages may ask for parts of one group."""
    for name, value in more.items():
        known = model.get(name)
        if isinstance(known, dict) and isinstance(value, dict):
            _merge(known, value)
        else:
            model[name] = value


def _number(sent: QueryDict, name: str, most: int) -> int:
    text = sent.get(name, "")
    if not (text.isascii() and text.isdigit()) or len(text) > MAX_DIGITS:
        return 0
    return min(int(text), most)
