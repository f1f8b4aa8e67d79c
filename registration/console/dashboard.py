"""The start page: what an operator wants to know in the morning, each number with its list."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from inventory.console.numbers import device_numbers
from registration.console import plots
from registration.console.filters import STATUS_FILTERS
from registration.console.limits import near_limit
from registration.lifecycle import Stage
from registration.live import LiveState
from registration.models import Activity, Registration, RegistrationEvent
from tenants.decorators import tenant_view
from tenants.failed_sign_ins import ACTIVITY as SIGN_IN_FAILED
from tenants.failed_sign_ins import count_failed_sign_ins
from tenants.http import TenantRequest
from tenants.models import AuditRecord
from tenants.roles import Role
from ui.htmx import render_page
from ui.text import minute_text

NAMED: Final = 5  # registrations of a kind that are shown by name; the list has the others
LATELY: Final = timedelta(hours=24)

# What the number of a status means to whoever reads it in the morning.
MEANINGS: Final = {
    "waiting": "never knocked yet",
    "pending": "knocked, to be accepted",
    "accepted": "let in, not logged in yet",
    "delivered": "accepted, credentials never used",
    "blocked": "shut out until unblocked",
    "confirmed": "logged in, all is done",
}


@dataclass(frozen=True)
class StateNumber:
    """How many registrations have a status, and where they are listed."""

    key: str
    label: str
    stage: Stage
    meaning: str
    number: int
    url: str


@dataclass(frozen=True)
class Oldest:
    """The registrations that stand somewhere longest, and where all of them are listed.

    With each stands when it knocked, the last time that it began to wait for somebody.
    """

    rows: list[tuple[Registration, datetime | None]]
    url: str


@dataclass(frozen=True)
class Shown:
    """A plot with its title, the words for having nothing, and the list behind its total."""

    title: str
    nothing: str
    plot: plots.Plot
    url: str


@require_safe
@tenant_view()
def dashboard(request: TenantRequest) -> HttpResponse:
    """Show what the person may know; HTMX gets it without the page around it."""
    now = timezone.now()
    context: dict[str, Any] = {}
    for role, part in PARTS:
        if request.user.has_role(role):
            context |= part(request, now)
    return render_page(
        request,
        "registration/dashboard.html",
        {**context, "is_empty": not context, "is_management": request.tenant.is_management},
        fragments=("registration/_dashboard.html",),
    )


def _registrations(request: TenantRequest, now: datetime) -> dict[str, Any]:
    live = LiveState.of(request.tenant)  # before the numbers: what changes meanwhile is seen next
    counts = Activity.counts(request.tenant, plots.start_of_month_plot(now), now=now)
    return {
        "live": live,
        "near_limit": near_limit(request.tenant),
        "states": _states(request),
        "pending": _oldest(request, Stage.PENDING),
        "waiting": _oldest(request, Stage.WAITING),
        "conflicts": list(
            Registration.objects.for_tenant(request.tenant)
            .in_conflict()
            .with_display()
            .order_by("-last_conflict_at", "-pk")[:NAMED]
        ),
        "last_day": [
            _shown("Knocks", "No device knocked", plots.last_day(counts, KNOCK, now), KNOCK),
            _shown("Acceptances", "None was accepted", plots.last_day(counts, ACCEPT, now), ACCEPT),
        ],
        "last_month": [
            _shown("Knocks", "No device knocked", plots.last_month(counts, KNOCK, now), KNOCK),
            _shown(
                "Acceptances", "None was accepted", plots.last_month(counts, ACCEPT, now), ACCEPT
            ),
        ],
    }


def _states(request: TenantRequest) -> list[StateNumber]:
    """Return the numbers above the list of registrations, except that of all open ones."""
    counts = Registration.objects.count_by_stage(request.tenant)
    return [
        StateNumber(
            each.key,
            each.label,
            each.stages[0],
            MEANINGS[each.key],
            sum(counts.get(stage, 0) for stage in each.stages),
            _list(status=each.key),
        )
        for each in STATUS_FILTERS
        if each.key
    ]


def _oldest(request: TenantRequest, stage: Stage) -> Oldest:
    rows = list(
        Registration.objects.for_tenant(request.tenant)
        .at_stage(stage)
        .with_display()
        .order_by("created_at", "pk")[:NAMED]
    )
    knocked = _knocked_at(request, rows) if stage is Stage.PENDING else {}
    return Oldest(
        [(row, knocked.get((row.tenant_id, row.device_id))) for row in rows],
        _list(status=stage.value, sort="created"),
    )


def _knocked_at(
    request: TenantRequest, rows: Iterable[Registration]
) -> dict[tuple[str, str], datetime]:
    """Return when each of ``rows`` knocked, the last time that it began to wait for somebody."""
    events = RegistrationEvent.objects.for_tenant(request.tenant).filter(
        tenant_id__in={row.tenant_id for row in rows},
        device_id__in={row.device_id for row in rows},
        kind=KNOCK,
    )
    found = events.order_by("pk").values_list("tenant_id", "device_id", "at")
    return {(tenant, device): at for tenant, device, at in found}


def _sign_ins(request: TenantRequest, now: datetime) -> dict[str, Any]:
    since = (now - LATELY).replace(second=0, microsecond=0)
    asked = {
        "type": AuditRecord.Type.SIGN_IN.value,
        "q": SIGN_IN_FAILED,
        "since": minute_text(since),
    }
    return {
        "failed_sign_ins": count_failed_sign_ins(request.tenant, since),
        "failed_sign_ins_url": f"{reverse('audit:list')}?{urlencode(asked)}",
    }


def _devices(request: TenantRequest, _now: datetime) -> dict[str, Any]:
    return {"devices": device_numbers(request.tenant)}


def _shown(title: str, nothing: str, plot: plots.Plot, kind: str) -> Shown:
    asked = urlencode({"kind": kind, "since": minute_text(plot.since)})
    return Shown(title, nothing, plot, f"{reverse('registration:events')}?{asked}")


def _list(**asked: str) -> str:
    return f"{reverse('registration:list')}?{urlencode(asked)}"


KNOCK: Final = RegistrationEvent.Kind.CONNECTED.value
ACCEPT: Final = RegistrationEvent.Kind.ACCEPTED.value
# What is on the page, each for whoever may see the list behind it.
PARTS: Final[tuple[tuple[Role, Callable[[TenantRequest, datetime], dict[str, Any]]], ...]] = (
    (Role.DEVICE_CONTROL_READ, _registrations),
    (Role.INVENTORY_READ, _devices),
    (Role.AUDIT_READ, _sign_ins),
)
