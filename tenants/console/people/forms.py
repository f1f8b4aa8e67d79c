"""Forms about people, roles and services."""

from collections.abc import Iterable
from typing import Any, Final

from django import forms

from tenants.console.lifetimes import LifetimeForm
from tenants.global_roles import offered
from tenants.models import MAX_USERNAME_LENGTH, GlobalRole, Tenant, User
from tenants.models.role import MAX_ROLE_NAME_LENGTH
from tenants.models.token import MAX_TOKEN_NAME_LENGTH
from tenants.roles import DESCRIPTIONS, Role

_PLAIN: Final = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}


class RolesField(forms.TypedMultipleChoiceField):
    """Global roles of one tenant, to be ticked; what comes back is the roles themselves."""

    def __init__(self) -> None:
        super().__init__(
            widget=forms.CheckboxSelectMultiple,
            label="Global roles",
            error_messages={
                "required": "Choose at least one role.",
                "invalid_choice": "One of these roles is no longer there. Choose again.",
            },
        )

    def offer(self, roles: Iterable[GlobalRole]) -> None:
        """Let one of ``roles`` be chosen, and nothing else."""
        by_pk = {str(role.pk): role for role in roles}
        self.offered = list(by_pk.values())
        self.choices = [(pk, role.name) for pk, role in by_pk.items()]
        self.coerce = by_pk.__getitem__


class PersonForm(forms.Form):
    """What is known about a person, and the roles of that person in ``tenant``."""

    full_name = forms.CharField(
        label="Name", max_length=255, required=False, widget=forms.TextInput(attrs=_PLAIN)
    )
    email = forms.EmailField(
        label="E-mail",
        max_length=254,
        required=False,
        widget=forms.EmailInput(attrs=_PLAIN),
        error_messages={"invalid": "Write an address like anna@example.com."},
    )
    roles = RolesField()

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = self.fields["roles"]
        if isinstance(roles, RolesField):
            roles.offer(GlobalRole.objects.for_tenant(tenant))

    @property
    def ticked(self) -> set[str]:
        """Return the roles that are ticked, as they stand in the form."""
        return {str(one) for one in self["roles"].value() or ()}


def username_field() -> forms.CharField:
    """Return the field of a new account's user name; its rule is applied where it is made."""
    return forms.CharField(
        label="User name",
        max_length=MAX_USERNAME_LENGTH,
        help_text="Cannot be changed later.",
        widget=forms.TextInput(attrs={**_PLAIN, "autofocus": True}),
        error_messages={"required": "Give the account a user name."},
    )


class InviteForm(PersonForm):
    """Somebody who is to come in."""

    username = username_field()
    field_order = ("username", "full_name", "email", "roles")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].help_text = "The invitation goes there if a mail server is set."


class ServiceForm(PersonForm):
    """What is known about a service, and its roles."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["email"]
        self.fields["full_name"].label = "What it is for"


class BootstrapForm(ServiceForm):
    """What is known about an account that devices knock with; its one right is fixed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["roles"]


class NewServiceForm(ServiceForm):
    """A program, or the devices of the tenant that have no credentials yet."""

    username = username_field()
    is_bootstrap = forms.BooleanField(label="Bootstrap account", required=False)
    field_order = ("username", "full_name", "is_bootstrap", "roles")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["roles"].required = False

    def clean(self) -> dict[str, Any]:
        """Ask for roles of a service that nobody knocks with."""
        cleaned = super().clean() or self.cleaned_data
        needs_roles = not cleaned.get("is_bootstrap") and not cleaned.get("roles")
        if needs_roles and "roles" not in self.errors:
            self.add_error("roles", "Choose at least one role.")
        return cleaned


class RoleForm(forms.Form):
    """A global role of ``tenant``; what it can hold is what that tenant can use."""

    name = forms.CharField(
        max_length=MAX_ROLE_NAME_LENGTH,
        widget=forms.TextInput(attrs=_PLAIN),
        error_messages={"required": "Give the role a name."},
    )
    description = forms.CharField(
        max_length=255, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    roles = forms.MultipleChoiceField(
        label="Rights",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one right."},
    )

    def __init__(self, *args: Any, tenant: Tenant, name_is_fixed: bool = False, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.groups = offered(tenant)
        self.fields["roles"].choices = [  # type: ignore[attr-defined]
            (str(role), DESCRIPTIONS[role]) for roles in self.groups.values() for role in roles
        ]
        self.fields["name"].disabled = name_is_fixed

    def rights(self) -> list[tuple[str, list[tuple[Role, str, bool]]]]:
        """Return what can be ticked, by what it is about: role, sentence, and if it is ticked."""
        ticked = set(self["roles"].value() or ())
        return [
            (about, [(role, DESCRIPTIONS[role], str(role) in ticked) for role in roles])
            for about, roles in self.groups.items()
        ]


class TokenForm(LifetimeForm):
    """A new API token of ``owner``: what it is for, what it may do, and for how long."""

    name = forms.CharField(
        label="Name",
        max_length=MAX_TOKEN_NAME_LENGTH,
        help_text="What will use it, so that others know what stops when it is revoked.",
        widget=forms.TextInput(attrs={**_PLAIN, "autofocus": True}),
        error_messages={"required": "Give the token a name."},
    )
    scopes = forms.MultipleChoiceField(
        label="Rights",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one right for the token."},
    )

    def __init__(self, *args: Any, owner: User, limit: frozenset[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held = owner.effective_roles & limit
        self.offered = [(role, DESCRIPTIONS[role]) for role in DESCRIPTIONS if role in held]
        self.fields["scopes"].choices = [  # type: ignore[attr-defined]
            (str(role), sentence) for role, sentence in self.offered
        ]

    @property
    def ticked(self) -> set[str]:
        """Return the rights that are ticked."""
        return set(self["scopes"].value() or ())
