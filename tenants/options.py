"""Tenant options: which are known, what they may hold, and which value counts.

The value that counts is the tenant's own, else the nearest one up its line of parents, else the
platform's default. Source: Cumulocity REST, tenant options and system options.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tenants.actors import Actor
from tenants.models import Tenant, TenantOption

MAX_VALUE_LENGTH = 10_000  # characters


class OptionError(Exception):
    """A value that the option cannot hold; the message says what it can."""


@dataclass(frozen=True)
class Option:
    """An option that Gatehouse itself reads."""

    category: str
    key: str
    default: str
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None

    def check(self, value: str) -> None:
        """Refuse what this option cannot hold.

        Raises:
            OptionError: with a sentence that lists what it can.
        """
        if self.choices and value not in self.choices:
            allowed = ", ".join(self.choices)
            msg = f"Option {self.category}/{self.key} must be one of {allowed}."
            raise OptionError(msg)
        if self.minimum is not None and self.maximum is not None:
            number = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None
            if number is None or not self.minimum <= number <= self.maximum:
                msg = (
                    f"Option {self.category}/{self.key} must be a whole number "
                    f"from {self.minimum} to {self.maximum}."
                )
                raise OptionError(msg)

    def value_for(self, tenant: Tenant) -> str:
        """Return the value that counts for ``tenant``."""
        return self.evaluate(tenant)[0]

    def evaluate(self, tenant: Tenant) -> tuple[str, str]:
        """Return the value that counts and the id of the tenant it comes from ("" = default)."""
        return self._nearest(tenant.ancestry())

    def inherited(self, tenant: Tenant) -> tuple[str, str]:
        """Return what would count if ``tenant`` had no value of its own, and whose that is."""
        return self._nearest(tenant.ancestry()[1:])

    def values_for(self, tenants: Iterable[Tenant]) -> dict[str, str]:
        """Return the value that counts for each of ``tenants``, by their ids, in two queries."""
        parents = dict(Tenant.objects.values_list("pk", "parent_id"))
        held = self._held(parents)
        values = {}
        for tenant in tenants:
            owner: str | None = tenant.pk
            seen: set[str] = set()
            while owner is not None and owner not in held and owner not in seen:
                seen.add(owner)
                owner = parents.get(owner)
            values[tenant.pk] = held.get(owner or "", self.default)
        return values

    def _held(self, owners: Collection[str]) -> Mapping[str, str]:
        """Return the values that ``owners`` set themselves."""
        return dict(
            TenantOption.objects.filter(
                tenant__in=owners, category=self.category, key=self.key
            ).values_list("tenant_id", "value")
        )

    def _nearest(self, line: list[str]) -> tuple[str, str]:
        held = self._held(line)
        for owner in line:
            if owner in held:
                return held[owner], owner
        return self.default, ""


_known: dict[tuple[str, str], Option] = {}


def register_option(option: Option) -> None:
    """Make ``option`` known, so that every door refuses values it cannot hold."""
    _known[option.category, option.key] = option


def set_option(tenant: Tenant, category: str, key: str, value: Any, *, by: Actor) -> TenantOption:
    """Set an option of ``tenant``; unknown ones are stored as they come, as text.

    Raises:
        OptionError: the value does not fit, or a name is missing or too long.
    """
    if isinstance(value, bool):
        value = "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise OptionError("The value of an option must be text.")
    text = str(value)
    for name, part in (("category", category), ("key", key)):
        if not isinstance(part, str) or not part or len(part) > 256 or "\x00" in part:
            msg = f"The {name} of an option must have 1 to 256 characters."
            raise OptionError(msg)
    if len(text) > MAX_VALUE_LENGTH or "\x00" in text:
        msg = f"The value of an option can have at most {MAX_VALUE_LENGTH} characters, none NUL."
        raise OptionError(msg)
    known = _known.get((category, key))
    if known:
        known.check(text)
    option, _ = TenantOption.objects.update_or_create(
        tenant=tenant, category=category, key=key, defaults={"value": text, "updated_by": by.name}
    )
    return option


def clear_option(tenant: Tenant, category: str, key: str) -> None:
    """Remove the tenant's own value, so that the inherited one counts."""
    TenantOption.objects.filter(tenant=tenant, category=category, key=key).delete()
