"""Values judged by a page's schema, with a sentence for each that does not fit.

Providers write the schemas, so no schema may keep the server busy: what is too laborious is left
to the provider, who has the last word anyway.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

import re2
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend

from extensions.schema.reading import first_example

MAX_PROBLEMS: Final = 50
NEEDED: Final = "This is needed."
MAX_PATTERN: Final = 1_000  # characters
MAX_PATTERN_MEMORY: Final = 1 << 20  # bytes
MAX_EFFORT: Final = 100_000  # of a page, in what takes some microseconds; together half a second
SEARCHED_AT_ONCE: Final = 1_000  # steps of a pattern's program times characters, for one of these
Path = tuple[str | int, ...]

_SENTENCES: Final[Mapping[str, str]] = {
    "minLength": "It needs at least {limit} characters.",
    "maxLength": "It can have at most {limit} characters.",
    "minimum": "It must be at least {limit}.",
    "maximum": "It can be at most {limit}.",
    "exclusiveMinimum": "It must be more than {limit}.",
    "exclusiveMaximum": "It must be less than {limit}.",
    "multipleOf": "It must be a multiple of {limit}.",
    "minItems": "Give at least {limit}.",
    "maxItems": "Give at most {limit}.",
    "uniqueItems": "One of these stands here twice.",
    "enum": "Choose one of the values that are offered.",
    "pattern": "It does not look as it should: {limit}",
}
_FORMATS: Final[Mapping[str, str]] = {
    "email": "Write an e-mail address.",
    "date": "Write a date, such as 2026-01-31.",
    "ipv4": "Write an IPv4 address, such as 192.0.2.1.",
    "ipv6": "Write an IPv6 address, such as 2001:db8::1.",
    "uuid": "Write a UUID.",
}


def find_problems(schema: Mapping[str, Any], value: Any) -> Iterator[tuple[Path, str]]:
    """Return what is wrong with a value, each with its place; ``schema`` has been made plain."""
    checker = _CheckedValidator(schema, format_checker=_Effort())
    try:
        for number, error in enumerate(checker.iter_errors(value)):
            if number == MAX_PROBLEMS:
                return
            yield from _told(error)
    except _LaboriousError:
        return


def _told(error: ValidationError) -> Iterator[tuple[Path, str]]:
    path: Path = tuple(error.absolute_path)
    if error.validator == "required":
        yield (*path, error.validator_value), NEEDED
        return
    if error.validator == "const":
        is_yes = error.validator_value is True
        yield path, "Tick this box." if is_yes else "Only one value is possible here."
        return
    if error.validator == "format":
        yield path, _FORMATS.get(str(error.validator_value), "It does not look as it should.")
        return
    example = first_example(error.schema) if error.validator == "pattern" else ""
    if example:
        yield path, f"It does not look as it should, such as {example}."
        return
    sentence = _SENTENCES.get(str(error.validator), "It does not fit what the provider asks for.")
    yield path, sentence.format(limit=str(error.validator_value)[:200])


@lru_cache(maxsize=128)
def compiled(pattern: str) -> Any:
    """Return a pattern as our engine reads it; None if it does not.

    The engine never goes back. Patterns with look-around, which need that, are left to the
    browser and to the provider.
    """
    if len(pattern) > MAX_PATTERN:
        return None
    options = re2.Options()
    options.max_mem, options.log_errors = MAX_PATTERN_MEMORY, False
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeError):
        return None


class _LaboriousError(Exception):
    """Checking takes more than it is worth."""


class _Effort:
    """What one check has cost; it goes everywhere with it in the place of a checker of formats."""

    def __init__(self) -> None:
        self.left = MAX_EFFORT

    def spend(self, effort: int) -> None:
        self.left -= effort
        if self.left < 0:
            raise _LaboriousError

    def check(self, instance: Any, name: str) -> None:
        _FORMAT_CHECKER.check(instance, name)


_Keyword = Callable[[Any, Any, Any, Any], Any]


def _counted(keyword: _Keyword) -> _Keyword:
    """Let a keyword cost something each time that a value is judged by it."""

    def judge(validator: Any, asked: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        sizes = [len(one) for one in (asked, instance) if isinstance(one, list | dict)]
        validator.format_checker.spend(1 + sum(sizes))
        yield from keyword(validator, asked, instance, schema) or ()

    return judge


def _pattern(
    validator: Any, pattern: str, instance: Any, _schema: Any
) -> Iterator[ValidationError]:
    known = compiled(pattern) if isinstance(instance, str) else None
    if known is None:
        return
    validator.format_checker.spend(len(instance) * known.programsize // SEARCHED_AT_ONCE)
    if known.search(instance) is None:
        yield ValidationError("pattern")


def _required(
    _validator: Any, names: list[str], instance: Any, _schema: Any
) -> Iterator[ValidationError]:
    """Name what is missing where it can be read; the library says it in its text alone."""
    if isinstance(instance, dict):
        for name in names:
            if name not in instance:
                yield ValidationError("required", validator="required", validator_value=name)


def _multiple_of(
    _validator: Any, step: float, instance: Any, _schema: Any
) -> Iterator[ValidationError]:
    """Count exactly: 868.3 is a multiple of 0.1, whatever it is to a computer."""
    is_number = isinstance(instance, int | float) and not isinstance(instance, bool)
    if is_number and Fraction(str(instance)) % Fraction(str(step)):
        yield ValidationError("multipleOf")


def _unique_items(
    _validator: Any, is_asked: bool, instance: Any, _schema: Any
) -> Iterator[ValidationError]:
    """Look at each value once; the library compares texts and numbers each with each."""
    if is_asked and isinstance(instance, list):
        different = {json.dumps(one, sort_keys=True) for one in instance}
        if len(different) < len(instance):
            yield ValidationError("uniqueItems")


_CheckedValidator: Any = extend(
    Draft202012Validator,
    {
        name: _counted(keyword)
        for name, keyword in {
            **Draft202012Validator.VALIDATORS,
            "pattern": _pattern,
            "required": _required,
            "multipleOf": _multiple_of,
            "uniqueItems": _unique_items,
        }.items()
    },
)
# Those that the library checks by itself, without going back over a pattern of its own.
_FORMAT_CHECKER: Final = FormatChecker(formats=tuple(_FORMATS))
