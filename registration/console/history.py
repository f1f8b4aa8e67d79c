"""Who knocked and who was accepted, newest first: the list behind the plots of the start page."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from registration.console import plots
from registration.console.views import READ
from registration.models import Activity, Registration, RegistrationEvent
from registration.models.activity import hour_of
from registration.models.events import COUNTED_KINDS
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from ui.htmx import render_page
from ui.tables import LAST_PAGE, KeysetPaginator
from ui.text import minute_text, read_minute

LABELS: Final = {
    RegistrationEvent.Kind.CONNECTED: "Knocks",
    RegistrationEvent.Kind.ACCEPTED: "Acceptances",
}


@dataclass(frozen=True)
class KindChip:
    """One kind of event with its number, as it is drawn."""

    kind: str
    label: str
    number: int
    is_current: bool


@require_safe
@tenant_view(*READ)
def events(request: TenantRequest) -> HttpResponse:
    """Show the events of one kind since an hour; what the URL cannot mean is ignored."""
    now = timezone.now()
    asked = request.GET.get("kind", "")
    kind = next((each for each in COUNTED_KINDS if each.value == asked), COUNTED_KINDS[0])
    since = _since(request.GET.get("since", ""), now)
    counts = Activity.counts(request.tenant, since, now=now)
    totals = {
        each: sum(number for (counted, _), number in counts.items() if counted == each)
        for each in COUNTED_KINDS
    }
    rows = RegistrationEvent.objects.for_tenant(request.tenant).of_kind(kind).filter(at__gte=since)
    paginator = KeysetPaginator(rows, "at", descending=True)
    page = paginator.page(request.GET.get("after", ""), total=totals[kind])
    context = {
        "page": page,
        "last_page": LAST_PAGE,
        "rows": _with_registrations(request, page.rows),
        "since": since,
        "chips": [KindChip(k.value, LABELS[k], totals[k], k is kind) for k in COUNTED_KINDS],
        "periods": [
            (label, minute_text(start), start == since)
            for label, start in (
                ("24 hours", plots.start_of_day_plot(now)),
                ("30 days", plots.start_of_month_plot(now)),
            )
        ],
        "is_management": request.tenant.is_management,
    }
    return render_page(request, "registration/event_list.html", context)


def _since(text: str, now: datetime) -> datetime:
    """Return the hour asked for; else that of a day ago, and none before events are counted."""
    asked = read_minute(text)
    if asked is None or asked > now:
        return plots.start_of_day_plot(now)
    return max(hour_of(asked), plots.start_of_month_plot(now))


def _with_registrations(
    request: TenantRequest, rows: Iterable[RegistrationEvent]
) -> list[tuple[RegistrationEvent, Registration | None]]:
    """Return each event with the registration as it is now; None where that is gone."""
    rows = list(rows)
    found = Registration.objects.for_tenant(request.tenant).filter(
        device_id__in={row.device_id for row in rows}
    )
    now_at = {(row.tenant_id, row.device_id): row for row in found}
    return [(row, now_at.get((row.tenant_id, row.device_id))) for row in rows]
