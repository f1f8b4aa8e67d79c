"""Tenant options: which are known, what they may hold, and which value counts.

The value that counts is the tenant's own, else the nearest one up its line of parents, else the
platform's default. Source: Cumulocity REST, tenant options and system options.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from tenants import audit
from tenants.actors import Actor
from tenants.models import MANAGEMENT, Tenant, TenantOption
from tenants.models.option import MASK, MAX_NAME_LENGTH

MAX_VALUE_LENGTH = 10_000  # characters


class OptionError(Exception):
    """A value that the option cannot hold; the message says what it can."""


class NotEditableError(OptionError):
    """The option may be read and not changed."""


@dataclass(frozen=True)
class Option:
    """An option that Gatehouse itself reads; ``label`` and ``help`` are for people."""

    category: str
    key: str
    default: str
    label: str = ""
    help: str = ""
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


def known_options() -> tuple[Option, ...]:
    """Return the options that Gatehouse itself reads, by category and key."""
    return tuple(_known[name] for name in sorted(_known))


def known_option(category: str, key: str) -> Option | None:
    """Return the option of this name if Gatehouse itself reads it."""
    return _known.get((category, key))


def is_handed_down(tenant: Tenant, category: str, key: str) -> bool:
    """Say whether ``tenant`` may read what the tenants above it have set.

    What Gatehouse itself reads counts for everybody and may be read by everybody. Other options
    are the business of those who own tenants. Source: Cumulocity REST, tenant options: options of
    the management tenant are readable by enterprise tenants.
    """
    return known_option(category, key) is not None or tenant.may_own_tenants


def inherited(tenant: Tenant, category: str, key: str) -> tuple[TenantOption | None, str]:
    """Return what ``tenant`` would have without a value of its own: an option up its line, if any.

    The second value is the platform's default, for when there is none.
    """
    line = tenant.ancestry()[1:] if is_handed_down(tenant, category, key) else []
    found = {
        one.tenant_id: one
        for one in TenantOption.objects.filter(tenant__in=line, category=category, key=key)
    }
    known = known_option(category, key)
    nearest = next((found[owner] for owner in line if owner in found), None)
    return nearest, known.default if known else ""


def set_option(tenant: Tenant, category: str, key: str, value: Any, *, by: Actor) -> TenantOption:
    """Set an option of ``tenant``; unknown ones are stored as they come, as text.

    Raises:
        NotEditableError: the management tenant has reserved this option for itself.
        OptionError: the value does not fit, or a name is missing or too long.
    """
    text = _checked(category, key, value)
    with transaction.atomic():
        option = _locked(tenant, category, key)
        before = option.shown if option else ""
        if option is None:
            option = TenantOption(tenant=tenant, category=category, key=key)
        _check_editable(option, by)
        same = option.pk is not None and option.plain == text
        option.keep(text)
        option.updated_by = by.name
        option.save()
        if not same:
            after = f"{MASK} (changed)" if option.is_encrypted else option.shown
            audit.record(
                by,
                tenant.pk,
                audit.Type.OPTION,
                "Option changed" if before else "Option set",
                subject=f"{category}/{key}",
                changes={"value": (before, after)},
            )
    return option


def clear_option(tenant: Tenant, category: str, key: str, *, by: Actor) -> bool:
    """Remove the tenant's own value, so that the inherited one counts; False if there was none.

    Raises:
        NotEditableError: the management tenant has reserved this option for itself.
    """
    with transaction.atomic():
        option = _locked(tenant, category, key)
        if option is None:
            return False
        _check_editable(option, by)
        audit.record(
            by,
            tenant.pk,
            audit.Type.OPTION,
            "Option removed",
            subject=f"{category}/{key}",
            changes={"value": (option.shown, "")},
        )
        option.delete()
    return True


def set_editable(option: TenantOption, *, is_editable: bool, by: Actor) -> bool:
    """Say whether the tenant itself may change ``option``; for the management tenant to decide.

    False if that was said before.

    Raises:
        TenantOption.DoesNotExist: somebody removed it meanwhile.
    """
    with transaction.atomic():
        found = _locked(option.tenant, option.category, option.key)
        if found is None:
            raise TenantOption.DoesNotExist
        option.is_editable = is_editable
        if found.is_editable == is_editable:
            return False
        found.is_editable = is_editable
        found.save(update_fields=["is_editable"])
        audit.record(
            by,
            option.tenant_id,
            audit.Type.OPTION,
            "Option released" if is_editable else "Option reserved",
            subject=str(option),
            changes={"editable": (not is_editable, is_editable)},
        )
    return True


def _checked(category: str, key: str, value: Any) -> str:
    """Return ``value`` as text, once it and its name are fit to be kept."""
    if isinstance(value, bool):
        value = "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise OptionError("The value of an option must be text.")
    text = str(value)
    for name, part in (("category", category), ("key", key)):
        too_long = not isinstance(part, str) or not 0 < len(part) <= MAX_NAME_LENGTH
        if too_long or "\x00" in part:
            msg = f"The {name} of an option must have 1 to {MAX_NAME_LENGTH} characters."
            raise OptionError(msg)
    if "/" in category:  # no address leads to it
        raise OptionError("The category of an option cannot contain a slash.")
    if len(text) > MAX_VALUE_LENGTH or "\x00" in text:
        msg = f"The value of an option can have at most {MAX_VALUE_LENGTH} characters, none NUL."
        raise OptionError(msg)
    known = known_option(category, key)
    if known:
        known.check(text)
    return text


def _locked(tenant: Tenant, category: str, key: str) -> TenantOption | None:
    # Two who set a new option at once: the tenant's row makes the second one wait.
    Tenant.objects.select_for_update().filter(pk=tenant.pk).first()
    return (
        TenantOption.objects.for_tenant(tenant)
        .select_for_update()
        .filter(category=category, key=key)
        .first()
    )


def _check_editable(option: TenantOption, by: Actor) -> None:
    decides = by.user is None or by.user.tenant_id == MANAGEMENT
    if not option.is_editable and not decides:
        msg = f"Option {option} is reserved: only the management tenant may change it."
        raise NotEditableError(msg)
