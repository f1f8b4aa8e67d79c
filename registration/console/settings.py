"""The settings page of device registration: what is in force, from where, what it means."""

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from registration.console.forms import PolicyForm
from registration.lifecycle import TokenPolicy
from registration.options import ALL, HANDOVER_HOURS, TOKEN_POLICY
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.models import TenantOption
from tenants.options import Option, clear_option, set_option
from tenants.roles import Role
from ui.htmx import posted, require_safe_or_post

EXPLANATIONS = {
    TokenPolicy.IGNORED: (
        "Tokens are not looked at. Whoever knocks with a registered ID can be accepted.",
        "For closed networks where nobody else can knock.",
    ),
    TokenPolicy.OPTIONAL: (
        (
            "A device that sends a token is accepted only with the same token; one that sends "
            "none is accepted without."
        ),
        "The default: new firmware is checked, old firmware still gets in.",
    ),
    TokenPolicy.REQUIRED: (
        (
            "Every device must send a token, and the operator must type the same one. A device "
            "that sends none is blocked."
        ),
        "For devices that are reached over the public internet.",
    ),
}


@require_safe_or_post
@tenant_view(Role.OPTION_MANAGEMENT_READ, change=Role.OPTION_MANAGEMENT_ADMIN)
def registration_settings(request: TenantRequest) -> HttpResponse:
    """Show the options of device registration, and change them for those who may."""
    may_change = request.user.has_role(Role.OPTION_MANAGEMENT_ADMIN)
    own = {
        option.key: option
        for option in TenantOption.objects.for_tenant(request.tenant).filter(
            category=TOKEN_POLICY.category, key__in=[each.key for each in ALL]
        )
    }
    initial = {
        "policy": own[TOKEN_POLICY.key].value if TOKEN_POLICY.key in own else "",
        "handover_hours": own[HANDOVER_HOURS.key].value if HANDOVER_HOURS.key in own else None,
    }
    form = PolicyForm(posted(request), initial=initial)
    status = HTTPStatus.OK
    if request.method == "POST":
        if form.is_valid():
            _save(request, TOKEN_POLICY, form.cleaned_data["policy"])
            hours = form.cleaned_data["handover_hours"]
            _save(request, HANDOVER_HOURS, "" if hours is None else str(hours))
            messages.success(request, "The settings of device registration are saved.")
            return redirect("registration:settings")
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    policy, policy_from = TOKEN_POLICY.evaluate(request.tenant)
    inherited, inherited_from = TOKEN_POLICY.inherited(request.tenant)
    context = {
        "form": form,
        "may_change": may_change,
        "policy": TokenPolicy(policy),
        "policy_from": policy_from,
        "inherited": TokenPolicy(inherited),
        "inherited_from": inherited_from,
        "hours": HANDOVER_HOURS.value_for(request.tenant),
        "inherited_hours": HANDOVER_HOURS.inherited(request.tenant)[0],
        "choices": [(each, *EXPLANATIONS[each]) for each in TokenPolicy],
        "chosen": form["policy"].value() or "",
        "last_change": max(own.values(), key=lambda each: each.updated_at, default=None),
    }
    return render(request, "registration/registration_settings.html", context, status=status)


def _save(request: TenantRequest, option: Option, value: str) -> None:
    """Set an option, or leave it to be inherited."""
    if value:
        set_option(request.tenant, option.category, option.key, value, by=request.actor)
    else:
        clear_option(request.tenant, option.category, option.key, by=request.actor)
