"""The dialog "Register devices": rows of IDs, then what became of each."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from inventory.fields import MAX_DEVICE_ID_BYTES
from inventory.models import DeviceGroup
from registration.console.forms import MAX_ROWS, DeviceFormSet, DeviceRowForm, filled
from registration.console.tables import CHANGED
from registration.console.views import ADMIN, LIST, READ
from registration.device_ids import RESERVED, RULE
from registration.errors import RegistrationError
from registration.models import Registration
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.models import Tenant
from ui.htmx import is_htmx, render_dialog, require_safe_or_post

PREFIX = "rows"
MAX_DIGITS = 10  # of a number of rows; nobody means more
OFFERED_GROUPS = 25  # as many as anybody reads before typing on


@dataclass(frozen=True)
class Result:
    """What became of one row."""

    device_id: str
    group: str
    tenant: str
    problem: str = ""


@require_safe_or_post
@tenant_view(*ADMIN)
def register(request: TenantRequest) -> HttpResponse:
    """Show the rows, change their number without JavaScript, or register them."""
    who = {"viewer": request.tenant, "tenants": _tenants(request.tenant)}
    if request.method != "POST":
        # A link may bring an ID along; it never registers by itself.
        rows = [{"device_id": request.GET.get("externalId", "").strip()}]
        return _show(request, _formset(rows, who), who)
    if "change" in request.POST:
        rows = _changed_rows(request)
        status = HTTPStatus.UNPROCESSABLE_ENTITY if len(rows) > MAX_ROWS else HTTPStatus.OK
        return _show(request, _formset(rows, who), who, status=status)
    formset = DeviceFormSet(request.POST, prefix=PREFIX, form_kwargs=who)
    if not formset.is_valid():
        return _show(request, formset, who, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    results = [_register(request, form) for form in filled(formset)]
    outcome = _outcome(results)
    response = render_dialog(
        request,
        "registration/_register_result.html",
        outcome,
        title=outcome["headline"],
        back=reverse(LIST),
    )
    if is_htmx(request):
        response["HX-Trigger"] = CHANGED
    return response


def _tenants(viewer: Tenant) -> dict[str, Tenant]:
    """Return the tenants that ``viewer`` may register for, by ID, in one query for all rows."""
    if not viewer.is_management:
        return {}
    return {each.pk: each for each in Tenant.objects.filter(status=Tenant.Status.ACTIVE)}


def _show(
    request: TenantRequest, formset: Any, who: dict[str, Any], *, status: int = HTTPStatus.OK
) -> HttpResponse:
    empty = DeviceRowForm(prefix=f"{PREFIX}-__prefix__", **who)
    context = {
        "formset": formset,
        "empty": empty,
        "tenants": who["tenants"].values(),
        "rule": RULE,
        "reserved": " ".join(sorted(RESERVED)),
        "max_bytes": MAX_DEVICE_ID_BYTES,
    }
    return render_dialog(
        request,
        "registration/_register.html",
        context,
        title="Register devices",
        back=reverse(LIST),
        status=status,
    )


def _formset(rows: list[dict[str, str]], who: dict[str, Any]) -> Any:
    """Return a formset that holds ``rows``, as if they had been typed."""
    rows = rows or [{}]
    if not any(row.get("device_id") for row in rows):
        return DeviceFormSet(prefix=PREFIX, form_kwargs=who, initial=rows[:MAX_ROWS])
    data = {f"{PREFIX}-TOTAL_FORMS": str(len(rows)), f"{PREFIX}-INITIAL_FORMS": "0"}
    for index, row in enumerate(rows):
        typed = {"tenant": who["viewer"].pk} | row
        data |= {f"{PREFIX}-{index}-{name}": value for name, value in typed.items()}
    return DeviceFormSet(data, prefix=PREFIX, form_kwargs=who)


def _typed_rows(request: TenantRequest) -> list[dict[str, str]]:
    """Return what stands in the rows, whether or not it is right."""
    total = _number(request.POST.get(f"{PREFIX}-TOTAL_FORMS", ""))
    number = min(total or 0, MAX_ROWS)
    names = ("device_id", "tenant", "group")
    rows = [
        {name: request.POST.get(f"{PREFIX}-{index}-{name}", "").strip() for name in names}
        for index in range(number)
    ]
    return [{name: value for name, value in row.items() if value} for row in rows]


def _changed_rows(request: TenantRequest) -> list[dict[str, str]]:
    """Return the rows after a button that adds, removes or spreads a pasted list."""
    rows = _typed_rows(request)
    change = request.POST["change"]
    if change == "add":
        rows.append({})
    elif change == "paste":
        pasted = request.POST.get("pasted", "").split("\n")
        rows = [row for row in rows if row.get("device_id")]
        rows += [{"device_id": line.strip()} for line in pasted if line.strip()]
    else:
        index = _number(change)
        if index is not None and index < len(rows):
            del rows[index]
    return rows


def _number(text: str) -> int | None:
    """Return the number of a row or of rows, or None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < MAX_DIGITS else None


def _register(request: TenantRequest, form: DeviceRowForm) -> Result:
    device_id, path, tenant = (
        form.cleaned_data["device_id"],
        form.cleaned_data["group"],
        form.target,
    )
    problem = ""
    try:
        with transaction.atomic():
            group = DeviceGroup.objects.at_path(tenant, path) if path else None
            Registration.objects.register(tenant, device_id, by=request.actor, group=group)
    except RegistrationError as error:
        problem = str(error)
    return Result(device_id, path, tenant.pk if "tenant" in form.fields else "", problem)


def _outcome(results: list[Result]) -> dict[str, Any]:
    failed = [result for result in results if result.problem]
    done = [result for result in results if not result.problem]
    if len(results) == 1:
        headline = "Failed to register device" if failed else "Device registered"
    elif not failed:
        headline = f"{len(done)} devices registered"
    elif not done:
        headline = f"{len(failed)} devices failed to register"
    else:
        headline = "Several devices failed to register"
    return {"headline": headline, "failed": failed, "done": done, "total": len(results)}


@require_safe
@tenant_view(*READ, *ADMIN)
def group_options(request: TenantRequest) -> HttpResponse:
    """Offer groups whose path contains what is being typed, for the list of suggestions.

    They are the person's own; ``everywhere`` adds those of the tenants below, which can be
    looked at but not registered into.
    """
    named = next((name for name in request.GET if name.endswith("group")), "")
    typed = request.GET.get(named, "").replace("\x00", "")
    if request.GET.get("everywhere"):
        groups = DeviceGroup.objects.visible_to(request.tenant)
        below = request.GET.get("tenant", "").replace("\x00", "")
        groups = groups.filter(tenant=below) if below else groups
    else:
        groups = DeviceGroup.objects.for_tenant(request.tenant)
    paths = groups.matching(typed.strip()).order_by("path").values_list("path", flat=True)
    return render(
        request, "registration/_group_options.html", {"paths": paths.distinct()[:OFFERED_GROUPS]}
    )
