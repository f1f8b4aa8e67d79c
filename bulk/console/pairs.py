"""The page on which a list of IDs with secrets is handed over, as a file or pasted."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final, cast

from django import forms
from django.http import HttpResponse
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from bulk import imports as steps
from bulk.console.uploads import FIELD, may_send, problem_of
from bulk.errors import SecretsForbiddenError
from bulk.models import Import, State
from bulk.reading.pairs import TEMPLATE, TEMPLATE_SECRETS
from inventory.models import DeviceType, SecurityOption
from inventory.passwords import new_password
from registration.console.views import ADMIN
from tenants.decorators import tenant_view
from tenants.http import TenantRequest
from tenants.models import Tenant
from ui.htmx import leave, render_page, require_safe_or_post
from ui.text import storable
from ui.uploads import SealedFile, takes_files

PASTED: Final = "Pasted list"  # the name of a list that was no file
MOST_LISTED: Final = 500  # device types to choose from
MAX_DIGITS: Final = 18  # of a number in an address
TEMPLATE_NAME: Final = "IDs with secrets - template.csv"
GONE: Final = "This device type is not there any more. Choose another one."
NEITHER: Final = "Choose a file, or paste the list."
BOTH: Final = "There is a file and a pasted list. Remove one of them."
WHY_NOT: Final = {
    SecurityOption.TEMPORARY_CREDENTIALS: "Devices of the type {} get their secrets when they "
    "knock with a provisioning key, so none can be handed over. Register their IDs one by one, or "
    "let the devices knock.",
    SecurityOption.CERTIFICATE: "Devices of the type {} prove who they are by a certificate, so "
    "they have no secrets. Choose a device type whose security option is “Shared secret”.",
}


class PairsForm(forms.Form):
    """What is said about a list of IDs with secrets."""

    device_type = forms.ModelChoiceField(
        DeviceType.objects.none(),
        error_messages={
            "required": "Choose the device type that these devices are of.",
            "invalid_choice": GONE,
        },
    )
    partial = forms.BooleanField(required=False)

    def __init__(self, tenant: Tenant, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        mine = DeviceType.objects.for_tenant(tenant)
        cast("forms.ModelChoiceField[DeviceType]", self.fields["device_type"]).queryset = mine

    def clean_device_type(self) -> DeviceType:
        """Refuse a type whose devices have no secrets of this kind; say what to do instead."""
        device_type: DeviceType = self.cleaned_data["device_type"]
        if not device_type.takes_secrets:
            raise forms.ValidationError(why_not(device_type))
        return device_type


def why_not(device_type: DeviceType) -> str:
    """Return why no secrets can be handed over for devices of a type, and what to do instead."""
    return WHY_NOT[SecurityOption(device_type.security_option)].format(device_type)


@takes_files(may_send)
@sensitive_post_parameters("text")
@require_safe_or_post
@tenant_view(*ADMIN)
def pairs(request: TenantRequest) -> HttpResponse:
    """Ask for a list, or take one: look at all of it, then let it be checked."""
    if request.method != "POST":
        return _show(request, PairsForm(request.tenant, initial=_asked(request)))
    form = PairsForm(request.tenant, request.POST)
    sent = cast("list[SealedFile]", request.FILES.getlist(FIELD))
    text = request.POST.get("text", "")
    if not form.is_valid() or (problem := _problem(sent, text)):
        return _show(request, form, problem=problem if form.is_valid() else "")
    try:
        one = steps.receive_pairs(
            form.cleaned_data["device_type"], _blocks(sent, text), by=request.actor,
            all_or_nothing=not form.cleaned_data["partial"],
            file_name=storable(sent[0].name_sent) if sent else PASTED,
        )  # fmt: skip
    except (SecretsForbiddenError, DeviceType.DoesNotExist):
        form.add_error("device_type", GONE)
        return _show(request, form)
    if one.state == State.REFUSED:
        return _show(request, form, refused=one)
    steps.check(one)
    return leave(request, reverse("bulk:detail", args=[one.pk]))


def _problem(sent: list[SealedFile], text: str) -> str:
    """Return why what was sent is no list to look at."""
    if sent and text.strip():
        return BOTH
    if not sent:
        return "" if text.strip() else NEITHER
    return problem_of(sent)


def _blocks(sent: list[SealedFile], text: str) -> Iterable[bytes]:
    """Return the list as it came: what was pasted goes the way that a file goes."""
    # Half a character is no UTF-8, and is refused as such.
    return sent[0].chunks() if sent else [text.encode(errors="surrogatepass")]


def _asked(request: TenantRequest) -> dict[str, str]:
    return {"device_type": request.GET.get("device_type", "")}


def _show(
    request: TenantRequest,
    form: PairsForm,
    *,
    problem: str = "",
    refused: Import | None = None,
) -> HttpResponse:
    mine = DeviceType.objects.for_tenant(request.tenant)
    suited = mine.filter(security_option=SecurityOption.SHARED_SECRET).order_by("name_key")
    chosen = form["device_type"].value()
    types = list(suited[:MOST_LISTED])
    is_number = str(chosen).isdecimal() and len(str(chosen)) <= MAX_DIGITS
    named = mine.filter(pk=chosen).first() if is_number else None
    if named is not None and named.takes_secrets and named not in types:
        types.append(named)
    errors = [str(error) for error in form.errors.get("device_type", ())]
    if named is not None and not named.takes_secrets and not errors:
        errors = [why_not(named)]  # somebody came from its page
    is_refused = bool(form.errors or problem or refused)
    return render_page(
        request,
        "bulk/pairs.html",
        {
            "types": types,
            "chosen": named.pk if named is not None else None,
            "type_problem": " ".join(errors),
            "problem": problem,
            "refused": refused,
            "partial": bool(form["partial"].value()),
            "sample": TEMPLATE.format("a-secret-of-its-own", "another-secret", "one-more-secret"),
        },
        fragments=("bulk/_upload_pairs.html",),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if is_refused else HTTPStatus.OK,
    )


@require_safe
@tenant_view(*ADMIN)
def template(request: TenantRequest) -> HttpResponse:  # noqa: ARG001
    """Send a list to start from; the secrets in it are new each time."""
    text = TEMPLATE.format(*(new_password() for _ in range(TEMPLATE_SECRETS)))
    response = HttpResponse(text.encode(), content_type="text/csv; charset=utf-8")
    disposition = content_disposition_header(as_attachment=True, filename=TEMPLATE_NAME)
    response["Content-Disposition"] = str(disposition)
    return response
