"""A step of a provider's form as a form of our own, and the values that come of it.

Properties can be called anything, so fields are called by their numbers.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.core.validators import MaxLengthValidator, MinLengthValidator
from django.utils.html import escape

from extensions.schema.checking import find_problems
from extensions.schema.reading import Field, Kind, Page, Path
from ui.text import storable

MAX_TEXT: Final = 20_000  # characters of one value
MAX_DIGITS: Final = 40
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
            return cleaned
        for place, sentence in find_problems(self.page.schema, self.value):
            name = self._field_at(place)
            if name is None or not self.has_error(name):
                self.add_error(name, sentence)
        return cleaned

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
        for path, value in self.page.fixed:
            _put(made, path, value)
        for each in self.page.fields:
            name = self.by_path[each.path]
            if name not in cleaned:
                continue
            is_there, value = _value(each, cleaned[name])
            if is_there:
                _put(made, each.path, value)
        return made

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
            if not each.is_required or each.default is None:
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
            return forms.DateTimeField(widget=moment, **common)
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
        widget.attrs["pattern"] = _for_html(pattern)
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


def _for_html(pattern: str) -> str:
    """Return a pattern for the whole of an input, where the schema looks for it anywhere."""
    start = "" if pattern.startswith("^") else ".*"
    end = "" if pattern.endswith("$") and not pattern.endswith("\\$") else ".*"
    return f"{start}(?:{pattern.removeprefix('^')[: -1 if not end else None]}){end}"


def _number(each: Field, common: dict[str, Any], attrs: dict[str, str]) -> forms.Field:
    schema = each.schema
    step = schema.get("multipleOf") or (1 if each.kind is Kind.INTEGER else "any")
    bounds = {
        html: str(schema[name])
        for html, name in (("min", "minimum"), ("max", "maximum"))
        if name in schema
    }
    widget = forms.NumberInput(attrs={"step": str(step), **bounds, **attrs})
    if each.kind is Kind.INTEGER:
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
    return default if isinstance(default, str | int | float) and default is not True else None


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


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
            moment = value.astimezone(UTC) if value else None
            return value is not None, moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
    return value != "", value


def _item(each: Field, line: str) -> Any:
    """Return a line of a list as the number that it stands for, if numbers are wanted."""
    if each.schema.get("items", {}).get("type") in {"integer", "number"}:
        try:
            return _plain_number(Decimal(line[:MAX_DIGITS]))
        except (ArithmeticError, ValueError):
            return line  # which is no number, as the schema will say
    return line


def _plain_number(value: Decimal) -> int | float:
    if not value.is_finite():
        raise ValueError(value)
    if abs(value.adjusted()) > MAX_DIGITS:
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
