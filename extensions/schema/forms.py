"""A step of a provider's form as a form of our own, and the values that come of it.

Properties can be called anything, so fields are called by their numbers.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from math import ceil, floor
from typing import Any, Final

from django import forms
from django.core.validators import MaxLengthValidator, MinLengthValidator
from django.forms.utils import ErrorDict
from django.utils.html import escape

from extensions.answers import shown
from extensions.schema.checking import NEEDED, find_problems
from extensions.schema.patterns import for_html
from extensions.schema.plain import kind_of
from extensions.schema.reading import Field, Kind, Page, Path
from ui.text import storable

MAX_TEXT: Final = 20_000  # characters of one value
MAX_DIGITS: Final = 40
MAX_PLACE: Final = 200  # characters of the names above a problem
DOTS: Final = "••••••••"


class PageForm(forms.Form):
    """One step. ``page`` says what is asked; ``value`` is the page's object once it is valid."""

    def __init__(self, page: Page, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.page = page
        self.value: dict[str, Any] = {}
        self.by_path: dict[Path, str] = {}
        for number, each in enumerate(page.fields):
            name = f"f{number}"
            self.by_path[each.path] = name
            self.fields[name] = _form_field(each)

    def clean(self) -> dict[str, Any]:
        """Judge the page as a whole: the schema may ask for what no single field shows."""
        cleaned = super().clean() or {}
        self.value = self._object(cleaned)
        if self.errors:
            self._judge_alone(cleaned)
            return cleaned
        for place, sentence in find_problems(self.page.schema, self.value):
            name = self._field_at(place)
            if name is None:
                where = shown(".".join(str(step) for step in place))[:MAX_PLACE]
                self.add_error(None, f"{where}: {sentence}" if where else sentence)
            elif not self.has_error(name):
                self.add_error(name, self._in_group(name, sentence))
        return cleaned

    def _judge_alone(self, cleaned: Mapping[str, Any]) -> None:
        """Judge each value by itself: where others lack, rules between them would mislead."""
        for name, each in zip(self.fields, self.page.fields, strict=True):
            is_there, value = _value(each, cleaned[name]) if name in cleaned else (False, None)
            problem = next(find_problems(each.schema, value), None) if is_there else None
            if problem is not None:
                self.add_error(name, problem[1])

    def forget_problems(self) -> None:
        """Show what was filled in without judging it: the person only comes to this step."""
        self._errors = ErrorDict()
        self.cleaned_data = {}

    def take_focus(self) -> None:
        """Let the focus go to the first field that has a problem, or else to the first."""
        wrong = [name for name in self.fields if self.has_error(name)]
        for name in (wrong or list(self.fields))[:1]:
            self.fields[name].widget.attrs["autofocus"] = True

    def parts(self) -> Iterator[tuple[tuple[str, ...], list[forms.BoundField]]]:
        """Return the fields as they are drawn: those beneath one another under one heading."""
        found: list[tuple[tuple[str, ...], list[forms.BoundField]]] = []
        for number, each in enumerate(self.page.fields):
            if not found or found[-1][0] != each.groups:
                found.append((each.groups, []))
            found[-1][1].append(self[f"f{number}"])
        yield from found

    def told(self) -> Iterator[tuple[str, str]]:
        """Return what was filled in, as a summary reads; secrets are dots."""
        for number, each in enumerate(self.page.fields):
            value = self.cleaned_data.get(f"f{number}")
            label = " · ".join((*each.groups, each.label))
            yield label, _told(each, value)

    def sent(self) -> Iterator[tuple[str, str]]:
        """Return what was sent for this step, to carry it through the others."""
        for name, each in self.fields.items():
            key = self.add_prefix(name)
            values = each.widget.value_from_datadict(self.data, self.files, key)
            for value in values if isinstance(values, list) else [values]:
                if isinstance(value, bool):
                    if value:
                        yield key, "on"
                elif value not in (None, ""):
                    yield key, str(value)

    def _object(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for path in self.page.groups:
            _put(made, path, {})
        besides = list(self.page.fixed)
        for each in self.page.fields:
            name = self.by_path[each.path]
            if name not in cleaned:
                continue
            is_there, value = _value(each, cleaned[name])
            if is_there and value is False:
                besides.append((each.path, value))
            elif is_there:
                _put(made, each.path, value)
        # What nobody wrote begins no group that may be left out.
        for path, value in sorted(besides, key=lambda one: len(one[0])):
            if len(path) == 1 or _has(made, path[:-1]):
                _put(made, path, value)
        return made

    def _in_group(self, name: str, sentence: str) -> str:
        """Say of what a group alone needs, which may be left out, that it is all or nothing."""
        groups = self.page.fields[list(self.fields).index(name)].groups
        if sentence != NEEDED or not groups:
            return sentence
        return f"Fill this in too, or leave all of {groups[-1]} empty."

    def _field_at(self, place: tuple[str | int, ...]) -> str | None:
        """Return the field that a problem is about, or that holds what it is about."""
        for length in range(len(place), 0, -1):
            name = self.by_path.get(tuple(str(step) for step in place[:length]))
            if name is not None:
                return name
        return None


def _put(made: dict[str, Any], path: Path, value: Any) -> None:
    for step in path[:-1]:
        inner = made.setdefault(step, {})
        if not isinstance(inner, dict):
            return
        made = inner
    made[path[-1]] = value


def _has(made: Any, path: Path) -> bool:
    for step in path:
        if not isinstance(made, dict) or step not in made:
            return False
        made = made[step]
    return isinstance(made, dict)


class _Moment(forms.DateTimeField):
    """A date and a time, in UTC unless it says otherwise."""

    def to_python(self, value: Any) -> datetime | None:
        try:
            found = super().to_python(value)
            return found.astimezone(UTC) if found else None
        except OverflowError as error:  # on the first or the last day that there is
            raise forms.ValidationError(self.error_messages["invalid"]) from error


class _Text(forms.CharField):
    """Text that every database and every JSON can take."""

    def to_python(self, value: Any) -> str:
        text = str(super().to_python(value) or "").replace("\r\n", "\n")
        if storable(text) != text:
            raise forms.ValidationError("Take out the characters that cannot be seen.")
        return text


def _form_field(each: Field) -> forms.Field:
    common: dict[str, Any] = {
        "label": each.label,
        "help_text": escape(each.help),  # which forms take for markup of ours
        "required": each.is_required,
        "initial": _initial(each),
    }
    attrs = {"placeholder": each.placeholder} if each.placeholder else {}
    schema = each.schema
    match each.kind:
        case Kind.YES_NO:
            # Not ticking a box is an answer, too; a schema that wants it ticked says so.
            return forms.BooleanField(**{**common, "required": schema.get("const") is True})
        case Kind.CHOICE:
            options = [(str(at), choice.label) for at, choice in enumerate(each.choices)]
            if not each.is_required or common["initial"] is None:
                options = [("", "Choose …" if each.is_required else "-"), *options]
            return forms.ChoiceField(choices=options, **common)
        case Kind.CHOICES:
            options = [(str(at), choice.label) for at, choice in enumerate(each.choices)]
            return forms.MultipleChoiceField(
                choices=options, widget=forms.CheckboxSelectMultiple, **common
            )
        case Kind.INTEGER | Kind.NUMBER:
            return _number(each, common, attrs)
        case Kind.DATE:
            widget = forms.DateInput(attrs={"type": "date", **attrs}, format="%Y-%m-%d")
            return forms.DateField(widget=widget, **common)
        case Kind.MOMENT:
            moment = forms.DateTimeInput(
                attrs={"type": "datetime-local", **attrs}, format="%Y-%m-%dT%H:%M"
            )
            common["help_text"] = " ".join(filter(None, (common["help_text"], "In UTC.")))
            return _Moment(widget=moment, **common)
    return _text_field(each, common, attrs)


def _text_field(each: Field, common: dict[str, Any], attrs: dict[str, str]) -> forms.Field:
    schema = each.schema
    is_long = each.kind in {Kind.LINES, Kind.LIST}
    widget: forms.Widget
    if is_long:
        widget = forms.Textarea(attrs={"rows": 4, **attrs})
    elif each.kind is Kind.SECRET:
        widget = forms.PasswordInput(
            render_value=True, attrs={"autocomplete": "new-password", **attrs}
        )
    else:
        types = {Kind.EMAIL: "email", Kind.URL: "url"}
        widget = forms.TextInput(attrs={"type": types.get(each.kind, "text"), **attrs})
    least, most = schema.get("minLength", 0), min(schema.get("maxLength", MAX_TEXT), MAX_TEXT)
    pattern = schema.get("pattern")
    if pattern and not is_long:
        in_html = for_html(pattern)
        if in_html:
            looks = each.placeholder or pattern
            widget.attrs |= {"pattern": in_html, "title": f"Such as {looks}"[:MAX_PLACE]}
    made: forms.CharField
    made = forms.EmailField(widget=widget, **common) if each.kind is Kind.EMAIL else _Text(
        widget=widget, strip=each.kind is not Kind.SECRET, **common
    )  # fmt: skip
    if each.kind is Kind.URL:
        made.validators.append(_check_uri)
    if each.kind is not Kind.LIST:
        made.validators += [MinLengthValidator(least), MaxLengthValidator(most)]
        made.widget.attrs |= {
            "maxlength": str(most),
            **({"minlength": str(least)} if least else {}),
        }
    else:
        made.validators.append(MaxLengthValidator(MAX_TEXT))
    return made


def _check_uri(text: str) -> None:
    scheme, colon, rest = text.partition(":")
    is_scheme = scheme.isascii() and scheme[:1].isalpha() and scheme.replace("+", "").isalnum()
    if not (is_scheme and colon and rest) or any(one.isspace() for one in text):
        raise forms.ValidationError("Write an address, such as https://example.com.")


def _number(each: Field, common: dict[str, Any], attrs: dict[str, str]) -> forms.Field:
    schema = each.schema
    is_whole = each.kind is Kind.INTEGER
    # A browser counts steps from the lower bound, a schema from zero: multiples are for the server.
    step = "1" if is_whole else "any"
    bounds = {
        html: str(to_whole(schema[name]) if is_whole else schema[name])
        for html, name, to_whole in (("min", "minimum", ceil), ("max", "maximum", floor))
        if name in schema
    }
    widget = forms.NumberInput(attrs={"step": step, **bounds, **attrs})
    if is_whole:
        return forms.DecimalField(
            widget=widget, max_digits=MAX_DIGITS, decimal_places=0, **common,
            error_messages={"max_decimal_places": "Write a whole number."},
        )  # fmt: skip
    return forms.DecimalField(widget=widget, max_digits=MAX_DIGITS, **common)


def _initial(each: Field) -> Any:
    default = each.default
    if default is None:
        return None
    if each.kind is Kind.CHOICE:
        return next(
            (str(at) for at, one in enumerate(each.choices) if _same(one.value, default)), None
        )
    if each.kind is Kind.CHOICES:
        wanted = default if isinstance(default, list) else [default]
        return [
            str(at)
            for at, one in enumerate(each.choices)
            if any(_same(one.value, value) for value in wanted)
        ]
    if each.kind is Kind.YES_NO:
        return default is True
    if each.kind is Kind.LIST:
        return "\n".join(str(one) for one in default) if isinstance(default, list) else None
    if each.kind is Kind.MOMENT:
        return _moment(default)
    return default if isinstance(default, str | int | float) and default is not True else None


def _moment(default: Any) -> datetime | None:
    try:
        return _Moment(required=False).clean(default) if isinstance(default, str) else None
    except forms.ValidationError:
        return None


def _same(one: Any, other: Any) -> bool:
    """Say whether two values are one in JSON, where 1.0 is 1 and true is not."""
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def _value(each: Field, value: Any) -> tuple[bool, Any]:
    """Return whether a value was given, and as what it stands in JSON."""
    match each.kind:
        case Kind.YES_NO:
            return True, bool(value)
        case Kind.CHOICE:
            return value != "", each.choices[int(value)].value if value != "" else None
        case Kind.CHOICES:
            return bool(value) or each.is_required, [each.choices[int(at)].value for at in value]
        case Kind.LIST:
            lines = [line.strip() for line in value.splitlines() if line.strip()]
            return bool(lines) or each.is_required, [_item(each, line) for line in lines]
        case Kind.INTEGER | Kind.NUMBER:
            return value is not None, None if value is None else _plain_number(value)
        case Kind.DATE:
            return value is not None, value.isoformat() if value else None
        case Kind.MOMENT:
            told = value.isoformat().replace("+00:00", "Z") if value else None
            return value is not None, told
    return value != "", value


def _item(each: Field, line: str) -> Any:
    """Return a line of a list as the number that it stands for, if numbers are wanted."""
    if kind_of(each.schema.get("items", {})) in {"integer", "number"} and len(line) <= MAX_DIGITS:
        try:
            return _plain_number(Decimal(line))
        except (ArithmeticError, ValueError):
            return line  # which is no number, as the schema will say
    return line


def _plain_number(value: Decimal) -> int | float:
    if not value.is_finite() or value.adjusted() > MAX_DIGITS:
        raise ValueError(value)
    if value.adjusted() < -MAX_DIGITS:
        return float(value)
    return int(value) if value == value.to_integral_value() else float(value)


def _told(each: Field, value: Any) -> str:
    match each.kind:
        case Kind.YES_NO:
            return "Yes" if value else "No"
        case Kind.SECRET:
            return DOTS if value else ""
        case Kind.CHOICE:
            return each.choices[int(value)].label if value else ""
        case Kind.CHOICES:
            return ", ".join(each.choices[int(at)].label for at in value or ())
        case Kind.MOMENT | Kind.DATE | Kind.INTEGER | Kind.NUMBER:
            return "" if value is None else json.dumps(_value(each, value)[1]).strip('"')
    return str(value or "")
