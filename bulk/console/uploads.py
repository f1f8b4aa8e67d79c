"""The page of bulk registration: bringing a file, templates to start from, what was brought."""

from http import HTTPStatus
from typing import Any, Final, cast

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import content_disposition_header

from bulk import imports as steps
from bulk.console.shown import TEMPLATE_NAMES
from bulk.console.tables import ImportTable
from bulk.models import Door, Import, State
from bulk.models.imports import MAX_FILE_NAME
from bulk.reading.columns import COLUMNS, Form, template
from registration.console.tables import may_act
from registration.console.views import ADMIN, READ
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from ui.csv_export import BOM
from ui.htmx import leave, render_page, require_safe_or_post
from ui.tables import LAST_PAGE, KeysetPaginator
from ui.text import storable
from ui.uploads import SealedFile, takes_files

LIST: Final = "bulk:list"
FIELD: Final = "file"


def may_send(request: HttpRequest) -> bool:
    """Say whether whoever sends a request may bring a file with it."""
    user: Any = request.user
    return user.is_authenticated and not user.is_service and may_act(request)


@takes_files(may_send)
@require_safe_or_post
@tenant_view(*READ, change=ADMIN[0])
def imports(request: TenantRequest) -> HttpResponse:
    """Show what there is, or take a file: look at its first line, then through all of it."""
    if request.method != "POST":
        return _show(request)
    sent = cast("list[SealedFile]", request.FILES.getlist(FIELD))
    problem = problem_of(sent)
    if problem:
        return _show(request, problem=problem)
    file = sent[0]
    one = steps.receive(
        request.tenant, file.chunks(), by=request.actor, file_name=storable(file.name_sent),
        door=Door.CONSOLE,
    )  # fmt: skip
    if one.state == State.REFUSED:
        return _show(request, refused=one)
    steps.check(one)
    return leave(request, reverse("bulk:detail", args=[one.pk]))


def problem_of(sent: list[SealedFile]) -> str:
    """Return why what was sent is no file to look at. Source: Cumulocity, bulk registration."""
    if not sent:
        return "Choose a file first."
    if len(sent) > 1:
        return "Too many files selected."
    if not sent[0].size:
        return "File must not be empty, select another one."
    if len(sent[0].name_sent) > MAX_FILE_NAME:
        return "The filename is too long."
    return ""


def _show(
    request: TenantRequest, *, problem: str = "", refused: Import | None = None
) -> HttpResponse:
    mine = Import.objects.for_tenant(request.tenant)
    paginator = KeysetPaginator(mine, "created_at", descending=True)
    page = paginator.page(request.GET.get("after", ""), total=mine.count())
    context = {
        "problem": problem,
        "refused": refused,
        "columns": COLUMNS,
        "full": Form.FULL,
        "page": page,
        "last_page": LAST_PAGE,
        "table": ImportTable.of(page.rows),
        "may_act": may_act(request),
        "is_management": request.tenant.is_management,
    }
    is_refused = problem or refused
    return render_page(
        request,
        "bulk/import_list.html",
        context,
        fragments=("bulk/_upload.html",),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if is_refused else HTTPStatus.OK,
    )


@tenant_view(*READ)
def template_of(request: TenantRequest, form: Form) -> HttpResponse:
    """Send a file to start from, with rows that show what the columns hold."""
    text = template(form, with_tenant=request.tenant.is_management)
    response = HttpResponse((BOM + text).encode(), content_type="text/csv; charset=utf-8")
    name = TEMPLATE_NAMES[form]
    disposition = content_disposition_header(as_attachment=True, filename=name)
    response["Content-Disposition"] = str(disposition)
    return response
