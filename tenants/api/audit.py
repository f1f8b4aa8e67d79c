"""REST endpoints about the audit log; it is read here, and written by what is done.

Source: Cumulocity REST, audits.
"""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from django.http import HttpResponse
from django.utils.dateparse import parse_date, parse_datetime

from tenants.api import descriptions as says
from tenants.api.describing import described
from tenants.api.http import (
    ApiError,
    ApiRequest,
    api_view,
    respond,
    respond_page,
    self_url,
    validation_error,
    wire_time,
)
from tenants.models import AuditRecord
from tenants.models.audit import AuditRecordQuerySet
from tenants.roles import Role

APPLICATION: Final = "gatehouse"  # which wrote all entries
READ = Role.AUDIT_READ
MAX_ID_DIGITS: Final = 18


@described("Audit", says.AUDIT_RECORDS)
@api_view(GET=READ)
def audit_records(request: ApiRequest) -> HttpResponse:
    """List what was done, newest first; between two days, in the order of time."""
    found = _filtered(request)
    return respond_page(
        request,
        found,
        collection="auditRecords",
        kind="auditRecordCollection",
        represent=lambda entry: represent(request, entry),
        count=found.count,
    )


@described("Audit", says.ONE_AUDIT_RECORD, says.RECORD_ID)
@api_view(GET=READ)
def audit_record(request: ApiRequest, record_id: str) -> HttpResponse:
    """Show one entry."""
    is_id = record_id.isascii() and record_id.isdigit() and len(record_id) <= MAX_ID_DIGITS
    rows = AuditRecord.objects.for_tenant(request.tenant)
    entry = rows.filter(pk=int(record_id)).first() if is_id else None
    if entry is None:
        raise ApiError(
            HTTPStatus.NOT_FOUND, "audit/Not Found", f"Could not find auditRecord by ID {record_id}"
        )
    return respond(request, represent(request, entry), "auditRecord")


def represent(request: ApiRequest, entry: AuditRecord) -> dict[str, Any]:
    """Return an entry in the contract's shape, with what else is known in a fragment of ours."""
    when = wire_time(entry.at)
    return {
        "id": str(entry.pk),
        "self": self_url(request, "audit", "auditRecords", str(entry.pk)),
        "type": entry.type,
        "time": when,
        "creationTime": when,
        "source": {"id": entry.subject},
        "activity": entry.activity,
        "text": entry.text or entry.activity,
        "user": entry.actor_name,
        "application": APPLICATION,
        "severity": entry.severity,
        "changes": [_change(each) for each in entry.changes],
        "gatehouse_AuditEntry": {
            "tenant": entry.tenant_id,
            "userTenant": entry.actor_tenant,
            "address": entry.source,
            "requestId": entry.request_id,
            "number": entry.number,
            "digest": entry.digest,
        },
    }


def _change(change: dict[str, str]) -> dict[str, str]:
    if not change["previousValue"]:
        kind = "ADDED"
    else:
        kind = "REPLACED" if change["newValue"] else "REMOVED"
    return {**change, "changeType": kind, "type": "String"}


def _filtered(request: ApiRequest) -> AuditRecordQuerySet:
    """Return the entries that the query parameters leave, in the order of an index."""
    rows = AuditRecord.objects.for_tenant(request.tenant)
    start, end = _moment(request, "dateFrom"), _moment(request, "dateTo")
    wanted = {
        name: request.GET[name].replace("\x00", "\ufffd")  # which is nobody's name either
        for name in ("type", "user", "application", "source")
        if request.GET.get(name)
    }
    if wanted.get("application", APPLICATION) != APPLICATION:
        return rows.none()
    if "type" in wanted:
        rows = rows.filter(type=wanted["type"])
    if "user" in wanted:
        rows = rows.by_actor(wanted["user"])
    if "source" in wanted:
        rows = rows.filter(subject=wanted["source"])
    if start or end:
        return rows.between(start, end).order_by("-at", "-pk")
    return rows.order_by("-pk")


def _moment(request: ApiRequest, name: str) -> datetime | None:
    """Return the time in a query parameter; without a zone it is UTC, without a time midnight.

    Raises:
        ApiError: 422 no time.
    """
    text = request.GET.get(name, "").strip()
    if not text:
        return None
    # A plus in a URL that nobody encoded comes as a blank.
    head, blank, zone = text.rpartition(" ")
    candidates = [text, f"{head}+{zone}"] if blank else [text]
    for candidate in candidates:
        try:
            found = parse_datetime(candidate)
            if found is None and (day := parse_date(candidate)):
                found = datetime(day.year, day.month, day.day, tzinfo=UTC)
            if found:
                return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    msg = f"Query parameter {name} must be a time like 2026-03-19T12:16:31.586Z."
    raise validation_error(msg)
