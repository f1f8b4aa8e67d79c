"""The dialog "Register devices": rows of IDs, then what became of each."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse

from inventory.console.groups.picker import GroupRights, group_at
from inventory.fields import MAX_DEVICE_ID_BYTES
from inventory.models import GroupPathError
from registration.console.assigning import offered_tenants
from registration.console.forms import MAX_ROWS, DeviceFormSet, DeviceRowForm, filled
from registration.console.limits import near_limit
from registration.console.tables import CHANGED
from registration.console.views import ADMIN, LIST
from registration.device_ids import RESERVED, RULE
from registration.errors import RegistrationError
from registration.models import Registration
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.models import Tenant
from tenants.models.tenant import MAX_TENANT_ID_LENGTH
from ui.htmx import is_htmx, render_dialog, require_safe_or_post

PREFIX = "rows"
MAX_DIGITS = 10  # of a number of rows; nobody means more


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
    who = {
        "viewer": request.tenant,
        "tenants": _tenants(request),
        "groups": GroupRights.of(request),
    }
    if request.method != "POST":
        # A link may bring an ID along, and whose device it is; it never registers by itself.
        brought = {"device_id": "externalId", "tenant": "tenant"}
        row = {name: request.GET.get(there, "").strip() for name, there in brought.items()}
        rows = [{name: text for name, text in row.items() if text}]
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


def _tenants(request: TenantRequest) -> dict[str, Tenant]:
    """Return the tenants that were typed and may be chosen, by ID, in one query for all rows."""
    typed = {row["tenant"] for row in _typed_rows(request) if "tenant" in row}
    typed |= {text.strip() for text in request.GET.getlist("tenant")}
    if not request.tenant.is_management or not typed:
        return {}
    possible = {each for each in typed if len(each) <= MAX_TENANT_ID_LENGTH and "\x00" not in each}
    return Tenant.objects.active().in_bulk(possible)


def _show(
    request: TenantRequest, formset: Any, who: dict[str, Any], *, status: int = HTTPStatus.OK
) -> HttpResponse:
    empty = DeviceRowForm(prefix=f"{PREFIX}-__prefix__", **who)
    context = {
        "formset": formset,
        "empty": empty,
        "is_management": request.tenant.is_management,
        "tenants": offered_tenants() if request.tenant.is_management else (),
        "may_make_groups": who["groups"].may_make,
        "near_limit": near_limit(request.tenant),
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
        form.cleaned_data.get("group", ""),
        form.target,
    )
    problem = ""
    try:
        with transaction.atomic():
            group = group_at(request, tenant, path)
            Registration.objects.register(tenant, device_id, by=request.actor, group=group)
    except (RegistrationError, GroupPathError) as error:
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
