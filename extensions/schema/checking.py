"""Values judged by a page's schema, with a sentence for each that does not fit."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

import re2
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend

MAX_PROBLEMS: Final = 50
NEEDED: Final = "This is needed."
MAX_PATTERN: Final = 1_000  # characters
MAX_PATTERN_MEMORY: Final = 1 << 20  # bytes
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
    checker = _CheckedValidator(schema, format_checker=_FORMAT_CHECKER)
    for number, error in enumerate(checker.iter_errors(value)):
        if number == MAX_PROBLEMS:
            return
        yield from _told(error)


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
    sentence = _SENTENCES.get(str(error.validator), "It does not fit what the provider asks for.")
    yield path, sentence.format(limit=str(error.validator_value)[:200])


def search(pattern: str, text: str) -> bool:
    """Say whether a pattern is found; one that our engine does not know is found in everything.

    It never goes back, so no pattern keeps the server busy. Those with look-around are left to
    the browser and to the provider.
    """
    found = compiled(pattern)
    return found is None or found.search(text) is not None


@lru_cache(maxsize=512)
def compiled(pattern: str) -> Any:
    """Return a pattern as our engine reads it; None if it does not."""
    if len(pattern) > MAX_PATTERN:
        return None
    options = re2.Options()
    options.max_mem, options.log_errors = MAX_PATTERN_MEMORY, False
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeError):
        return None


def _pattern(
    _validator: Any, pattern: str, instance: Any, _schema: Any
) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not search(pattern, instance):
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


_CheckedValidator: Any = extend(
    Draft202012Validator,
    {"pattern": _pattern, "required": _required, "multipleOf": _multiple_of},
)
# Those that the library checks by itself, without going back over a pattern of its own.
_FORMAT_CHECKER: Final = FormatChecker(formats=tuple(_FORMATS))
