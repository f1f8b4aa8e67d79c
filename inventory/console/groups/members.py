"""Who is in a group: devices put into it, several at once, and taken out."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from inventory.console.groups.manners import ADMIN, CHANGED, SECTION, find, page_of
from inventory.console.groups.tree import numbers_in
from inventory.device_search import devices_meant, offered_devices
from inventory.errors import NotAChildError
from inventory.group_numbers import devices_in
from inventory.groups import add_to_group, remove_from_group
from inventory.models import DeviceGroup, Kind, ManagedObject, of_kind
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from ui.htmx import back, dialog_done, is_htmx, render_dialog, require_safe_or_post
from ui.text import storable

MAX_LINES: Final = 1_000  # devices added at once; more come as another list
MAX_LINE_LENGTH: Final = 1_000  # characters; longer than any ID


@dataclass(frozen=True)
class Result:
    """What became of one line of the list."""

    text: str
    problem: str = ""
    note: str = ""


@dataclass(frozen=True)
class Candidate:
    """A device that may be ticked."""

    device: ManagedObject
    is_chosen: bool
    is_inside: bool


@require_safe_or_post
@tenant_view(ADMIN)
def add_devices(request: TenantRequest, group_pk: int) -> HttpResponse:
    """Ask which devices, by ticking them or by a list of IDs; then put them into the group."""
    group = find(request, group_pk)
    if request.method != "POST" or "change" in request.POST:
        return _show(request, group)
    chosen = _chosen(request, group)
    lines = _lines(request)
    if not chosen and not lines:
        return _show(request, group, "Tick a device, or write its ID into the list.")
    if len(lines) > MAX_LINES:
        return _show(request, group, f"At most {MAX_LINES:,} devices can be added at once.")
    meant = devices_meant(group.tenant, lines)
    wanted = {one.pk: one for one in chosen}
    wanted |= {found[0].pk: found[0] for found in meant.values() if len(found) == 1}
    already = _inside(group, wanted)
    number = add_to_group(group, wanted.values(), by=request.actor)
    results = [_result(text, found, already) for text, found in meant.items()]
    if all(not result.problem for result in results):
        there = f"{number} device{'' if number == 1 else 's'} put into {group}."
        known = len(wanted) - number
        also = f" {known} {'was' if known == 1 else 'were'} in it already." if known else ""
        messages.success(request, there + also)
        return dialog_done(request, back(request, page_of(group)), event=CHANGED)
    response = render_dialog(
        request,
        "groups/_added.html",
        {
            "group": group,
            "number": number,
            "failed": [result for result in results if result.problem],
            "done": [result for result in results if not result.problem],
            "again": "\n".join(result.text for result in results if result.problem),
        },
        title=f"Add devices to {group.name}",
        back=back(request, page_of(group)),
        section=SECTION,
    )
    return trigger_client_event(response, CHANGED) if is_htmx(request) else response


def _show(request: TenantRequest, group: DeviceGroup, problem: str = "") -> HttpResponse:
    return render_dialog(
        request,
        "groups/_add_devices.html",
        {
            "group": group,
            "typed": storable(request.POST.get("q", "")),
            "listed": storable(request.POST.get("listed", "")),
            "problem": problem,
            "candidates": _candidates(request, group),
        },
        title=f"Add devices to {group.name}",
        back=back(request, page_of(group)),
        section=SECTION,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
    )


@require_safe
@tenant_view(ADMIN)
def candidates(request: TenantRequest, group_pk: int) -> HttpResponse:
    """Offer devices for what is being typed; those that are ticked stay in view."""
    group = find(request, group_pk)
    return render(
        request,
        "groups/_candidates.html",
        {
            "group": group,
            "typed": storable(request.GET.get("q", "")).strip(),
            "candidates": _candidates(request, group),
        },
    )


def _candidates(request: TenantRequest, group: DeviceGroup) -> list[Candidate]:
    """Return what is ticked, then what was found, each once."""
    sent = request.POST if request.method == "POST" else request.GET
    chosen = {one.pk: one for one in _chosen(request, group)}
    found = {one.pk: one for one in offered_devices(group.tenant, storable(sent.get("q", "")))}
    inside = _inside(group, found)
    return [
        *(Candidate(one, is_chosen=True, is_inside=False) for one in chosen.values()),
        *(
            Candidate(one, is_chosen=False, is_inside=pk in inside)
            for pk, one in found.items()
            if pk not in chosen
        ),
    ]


def _chosen(request: TenantRequest, group: DeviceGroup) -> list[ManagedObject]:
    sent = request.POST if request.method == "POST" else request.GET
    numbers = numbers_in(sent.getlist("device"), MAX_LINES)
    devices = ManagedObject.objects.for_tenant(group.tenant).filter(of_kind(Kind.DEVICE))
    return list(devices.filter(pk__in=numbers).order_by("pk")) if numbers else []


def _lines(request: TenantRequest) -> list[str]:
    """Return the lines of the list, each once."""
    lines = storable(request.POST.get("listed", "")).splitlines()
    return list(dict.fromkeys(line.strip() for line in lines if line.strip()))


def _inside(group: DeviceGroup, devices: dict[int, ManagedObject]) -> set[int]:
    inside = devices_in(group).filter(child__in=list(devices)).order_by()
    return set(inside.values_list("child", flat=True))


def _result(text: str, found: list[ManagedObject], already: set[int]) -> Result:
    if not found:
        return Result(text, problem="There is no device with this ID.")
    if len(found) > 1:
        return Result(text, problem=f"{len(found)} devices are called that. Use the device ID.")
    return Result(text, note="Was in it already." if found[0].pk in already else "")


@require_POST
@tenant_view(ADMIN)
def remove_device(request: TenantRequest, group_pk: int, device_pk: int) -> HttpResponse:
    """Take a device out of the group; it stays in the inventory."""
    group = find(request, group_pk)
    mine = ManagedObject.objects.for_tenant(group.tenant)
    device = get_object_or_404(mine.exclude(kind=Kind.GROUP), pk=device_pk)
    status = HTTPStatus.OK
    try:
        remove_from_group(group, [device], by=request.actor)
    except NotAChildError:
        messages.error(request, f"{device} is not in {group} any more.")
        status = HTTPStatus.CONFLICT
    else:
        messages.success(request, f"{device} is taken out of {group}.")
    if not is_htmx(request):
        return redirect(back(request, page_of(group)))
    if status is HTTPStatus.OK:
        return dialog_done(request, page_of(group), event=CHANGED)
    return trigger_client_event(HttpResponse(status=status), CHANGED)
