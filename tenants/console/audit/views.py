"""The audit log's pages: the list, one entry, and the file of what was looked for."""

from typing import Final, cast
from urllib.parse import quote

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from tenants import audit
from tenants.console.audit.search import AuditQuery
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.models import AuditRecord, Tenant
from tenants.models.audit import LOOKED_THROUGH
from tenants.roles import Role
from ui.csv_export import csv_response
from ui.htmx import back, render_dialog, render_page

LIST: Final = "audit:list"
MAX_CAME_FROM: Final = 500  # characters; every row repeats them
COLUMNS: Final = (
    "Number",
    "Time (UTC)",
    "Tenant",
    "Type",
    "Activity",
    "Subject",
    "Explanation",
    "Changes",
    "Severity",
    "Actor",
    "Actor's tenant",
    "Address",
    "Request",
    "Digest",
)


@require_safe
@tenant_view(Role.AUDIT_READ)
def audit_list(request: TenantRequest) -> HttpResponse:
    """Show what was done, newest first; HTMX gets the table alone."""
    query = AuditQuery.read(request.tenant, request.GET.dict())
    context = {
        "query": query,
        "page": query.page(request.GET.get("before", "")),
        "is_first": not request.GET.get("before"),
        "is_management": request.tenant.is_management,
        "kinds": AuditRecord.Type.choices,
        "tenants": Tenant.objects.all() if request.tenant.is_management else (),
        "looked_through": LOOKED_THROUGH,
        "came_from": _came_from(request),
    }
    return render_page(
        request,
        "audit/audit_list.html",
        context,
        fragments=("audit/_audit_table.html",),
    )


@require_safe
@tenant_view(Role.AUDIT_READ)
def audit_detail(request: TenantRequest, audit_pk: int) -> HttpResponse:
    """Show one entry: what was there before and after, and where it came from."""
    entry = get_object_or_404(AuditRecord.objects.for_tenant(request.tenant), pk=audit_pk)
    actor = f"{entry.actor_tenant}/{entry.actor_name}" if entry.actor_tenant else entry.actor_name
    context = {
        "entry": entry,
        "actor": actor,
        "by_actor": f"{reverse(LIST)}?{urlencode({'person': actor})}",
        "about_subject": f"{reverse(LIST)}?{urlencode({'q': entry.subject})}",
    }
    return render_dialog(
        request,
        "audit/_audit_record.html",
        context,
        title=entry.activity,
        section="Audit log",
        back=back(request, reverse(LIST)),
    )


@require_POST
@tenant_view(Role.AUDIT_READ)
def audit_export(request: TenantRequest) -> HttpResponse:
    """Send everything that the filters leave as a file; that it was taken is an entry itself."""
    query = AuditQuery.read(request.tenant, request.POST.dict())
    newest = query.newest()  # what is written about the export itself is no part of it
    said = ", ".join(f"{name}: {value}" for name, value in query.parameters().items())
    with transaction.atomic():
        audit.record(
            request.actor,
            request.tenant.pk,
            audit.Type.TENANT,
            "Audit log exported",
            subject="Audit log",
            text=f"Filters: {said}." if said else "Everything.",
        )
    # To Django a streamed answer is no HttpResponse, though it is treated as one everywhere.
    rows = map(_cells, query.every(up_to=newest))
    return cast("HttpResponse", csv_response("audit-log", COLUMNS, rows))


def _cells(entry: AuditRecord) -> tuple[object, ...]:
    return (
        entry.number,
        f"{entry.at:%Y-%m-%d %H:%M:%S.%f}",
        entry.tenant_id,
        entry.get_type_display(),
        entry.activity,
        entry.subject,
        entry.text,
        "; ".join(
            f"{each['attribute']}: “{each['previousValue']}” → “{each['newValue']}”"
            for each in entry.changes
        ),
        entry.get_severity_display(),
        entry.actor_name,
        entry.actor_tenant,
        entry.source,
        entry.request_id,
        entry.digest,
    )


def _came_from(request: TenantRequest) -> str:
    """Return what the link of a row appends to lead back to the list as it is looked at."""
    url = request.get_full_path()
    return f"?next={quote(url)}" if request.GET and len(url) <= MAX_CAME_FROM else ""
