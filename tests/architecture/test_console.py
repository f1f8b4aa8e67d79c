"""What holds for every address of the console, also for one that is added tomorrow."""

import re
from functools import cache
from itertools import product
from urllib.parse import quote

import pytest
from django.apps import apps
from django.db import connection
from django.http.request import HttpHeaders
from django.urls import URLPattern, URLResolver
from django.urls.converters import get_converters

from bulk.models import Door, Import, ImportItem, ImportProblem, Outcome, State
from config.urls import console_urls
from extensions import packages
from extensions.models import Extension
from extensions.protocols import Bulk, Example, Metadata, Protocol
from inventory.device_types import TypeDetails, create_type
from inventory.devices import report
from inventory.groups import add_to_group, group_at
from inventory.identity import bind
from inventory.logins import delete_login
from inventory.models import DeviceCredentials, ManagedObject, Tombstone
from registration.lifecycle import Stage
from registration.models import Activity, ActivityMark, BulkDecision, Registration
from registration.provisioning import make_key
from tenants.actors import SYSTEM
from tenants.models import ApiToken, AuditRecord, GlobalRole, Tenant, TenantOption, User
from tenants.options import set_option
from tests.consoles import Console, read
from tests.support import events_of, taken_back

# Whoever signs in or out is no user yet, or no longer needs to be one.
OUTSIDE_THE_GATE = {
    "accounts:sign_in",
    "accounts:second_factor",
    "accounts:sign_out",
    "accounts:welcome",
    "accounts:choose_password",
    "accounts:forgotten_password",
}
# The own account is everybody's; what is done there is done to oneself.
NEEDS_NO_RIGHT = {
    "home",  # each part of it is for whoever may see the list behind
    "registration:help",
    "accounts:profile",
    "accounts:details",
    "accounts:password",
    "accounts:set_up_second_factor",
    "accounts:switch_off_second_factor",
    "accounts:recovery_codes",
    "accounts:end_session",
    "accounts:end_other_sessions",
    "accounts:new_token",
    "accounts:revoke_token",
}
# Whatever an ID can be made of: no blanks and no slashes.
HOSTILE_IDS = ["<img|src=x|onerror=alert(1)>", "\"'><script>alert(1)<|script>", "{{7*7}}{%x%}"]

# Made anew for each answer, and of letters and digits alone.
ONE_TIME = re.compile(r'(?<=name="csrfmiddlewaretoken" value=")[A-Za-z0-9]+(?=")')


def walk(patterns, namespace=""):
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from walk(each.url_patterns, f"{each.namespace}:" if each.namespace else "")
        elif isinstance(each, URLPattern):
            yield f"{namespace}{each.name}", each


VIEWS = dict(walk(console_urls))
every_view = pytest.mark.parametrize("name", VIEWS)
# Whoever proves that nothing changes can ask many views in one scene.
TOGETHER = 40
NAMES = list(VIEWS)
some_views = pytest.mark.parametrize(
    "names",
    [NAMES[start : start + TOGETHER] for start in range(0, len(NAMES), TOGETHER)],
    ids=lambda names: names[0],
)


class Hostile(Protocol):
    """A way of registering that a package brought, with as hostile texts."""

    key, name, description, has_bulk = "hostile", *HOSTILE_IDS[:2], True

    def metadata(self, caller, *, wants_bulk=False):
        part = {
            "title": HOSTILE_IDS[1], "description": HOSTILE_IDS[0], "default": HOSTILE_IDS[1],
            "examples": [HOSTILE_IDS[1]],
        }  # fmt: skip
        group = {"title": HOSTILE_IDS[1], "properties": {"c": part}}
        properties = {HOSTILE_IDS[0]: {**part, "enum": HOSTILE_IDS}, "a": part, "b": group}
        page = {"title": HOSTILE_IDS[1], "description": HOSTILE_IDS[0], "properties": properties}
        files = Bulk(HOSTILE_IDS[0], [Example(*HOSTILE_IDS)])
        return Metadata(HOSTILE_IDS[0], HOSTILE_IDS[1], [page], files)

    def example(self, caller, example):
        return "".join(HOSTILE_IDS).encode()


@pytest.fixture
def scene(make_registration, house, person, operator, monkeypatch):
    """One of everything, with hostile names wherever a name can be given."""
    monkeypatch.setattr(packages, "_known", {"hostile": Hostile()})
    row = make_registration(HOSTILE_IDS[0], stage=Stage.PENDING, token="s3cret")
    for device_id, stage in zip(HOSTILE_IDS[1:], (Stage.BLOCKED, Stage.DELIVERED), strict=True):
        make_registration(device_id, stage=stage)
    group = group_at(row.tenant, HOSTILE_IDS[1].replace("/", "|"), by=SYSTEM)
    row.join_group(group, by=operator)
    blocked = Registration.objects.get(device_id=HOSTILE_IDS[1])
    blocked.unblock(by=operator, reason=HOSTILE_IDS[0])
    row.tenant.company = HOSTILE_IDS[1]
    row.tenant.save()
    decision = BulkDecision.about(
        Registration.objects.all(),
        BulkDecision.Action.ACCEPT,
        tenant=row.tenant,
        by=operator,
        hand_picked=False,
    )
    company = Tenant.objects.create(
        id="umbrella", company=HOSTILE_IDS[1], contact_name=HOSTILE_IDS[0], parent_id="management"
    )
    somebody = User.objects.create_user(
        row.tenant, "somebody", None, full_name=HOSTILE_IDS[1], global_roles=["reader"]
    )
    role = GlobalRole.objects.create(
        tenant=row.tenant, name="fitters", description=HOSTILE_IDS[1], roles=[]
    )
    token = ApiToken.objects.create(
        user=person("acme/administrator"), name=HOSTILE_IDS[1], start="gh", digest="0" * 64
    )
    login = DeviceCredentials.objects.get(device_id=HOSTILE_IDS[2])
    fragments = {"c8y_IsDevice": {}, HOSTILE_IDS[0]: {HOSTILE_IDS[1]: [HOSTILE_IDS[0] * 30]}}
    device, _ = report(
        login, name=HOSTILE_IDS[0], kind=HOSTILE_IDS[1], fragments=fragments, by=operator
    )
    add_to_group(group, [device], by=operator)
    bind(device, HOSTILE_IDS[0], HOSTILE_IDS[1], by=operator)
    set_option(row.tenant, HOSTILE_IDS[1], HOSTILE_IDS[0], HOSTILE_IDS[1], by=operator)
    kind = create_type(
        row.tenant,
        TypeDetails(
            HOSTILE_IDS[0],
            HOSTILE_IDS[1],
            security_option="temporary_credentials",
            device_id_pattern=r"[{<>'\"]+",
        ),
        by=operator,
    )
    key, _ = make_key(kind, HOSTILE_IDS[1], by=operator)
    device.device_type = kind
    device.save(update_fields=["device_type"])
    Registration.objects.filter(pk=row.pk).update(device_type=kind)
    gone = DeviceCredentials.issue(row.tenant, HOSTILE_IDS[0], "x" * 32)
    delete_login(gone, by=operator, reason=HOSTILE_IDS[1])
    extension = Extension.objects.create(
        tenant=row.tenant, name=HOSTILE_IDS[0], description=HOSTILE_IDS[1], context_path="lora",
        base_url="https://127.0.0.1", has_bulk=True, last_error=HOSTILE_IDS[2], health="bad",
    )  # fmt: skip
    # By the name of what stands in the URL, else by its kind.
    return {
        "type_pk": str(kind.pk),
        "key_pk": str(key.pk),
        "import_pk": str(import_of(row.tenant, operator, device).pk),
        "int": str(row.pk),
        "uuid": str(decision.pk),
        "path": quote(HOSTILE_IDS[2], safe=""),
        "device_pk": str(device.pk),
        "tenant_id": company.pk,
        "user_pk": str(somebody.pk),
        "role_pk": str(role.pk),
        "token_pk": str(token.pk),
        "extension_pk": str(extension.pk),
        "option_pk": str(TenantOption.objects.get(category=HOSTILE_IDS[1]).pk),
        "audit_pk": str(AuditRecord.objects.latest("pk").pk),
        "credentials_pk": str(login.pk),
        "tombstone_pk": str(Tombstone.objects.get().pk),
        "group_pk": str(group.pk),
        "session_id": "0" * 32,
        "protocol_key": "hostile",
        "secret": "x" * 32,
    }


def import_of(tenant, by, device):
    """A file that was looked through, with something on every list that its page has."""
    said = {"line": 2, "column": HOSTILE_IDS[0], "code": "id", "reason": HOSTILE_IDS[1],
            "device_id": HOSTILE_IDS[2]}  # fmt: skip
    one = Import.objects.create(
        tenant=tenant, state=State.READY, door=Door.CONSOLE, created_by=by.user,
        created_by_name=HOSTILE_IDS[0], file_name=HOSTILE_IDS[1], form="full", rows=3, failed=1,
        dialect={"encoding": "utf-8", "bom": 0, "delimiter": ";", "newline": "LF"}, created=1,
        device_type=device.device_type, header={"names": ["ID", HOSTILE_IDS[0]]},
        refusal={"line": 1, "column": HOSTILE_IDS[1], "message": HOSTILE_IDS[0]},
        preview={
            "rows": 4, "create": 2, "update": 1, "unchanged": 0, "reject": 1, "returning": 1,
            "groups": [HOSTILE_IDS[0]], "group_count": 1, "problems": [said], "over_limit": 1,
            "warnings": [said], "warning_count": 1, "tenants": {HOSTILE_IDS[1]: 3},
        },
    )  # fmt: skip
    ImportProblem.objects.create(owner=one, cells={"ID": HOSTILE_IDS[0]}, **said)
    ImportItem.objects.create(
        owner=one, line=3, key=1, outcome=Outcome.CREATED, tenant_id=tenant.pk, number=device.pk
    )
    return one


def address(name, scene):
    url = str(VIEWS[name].pattern)
    for parameter, converter in VIEWS[name].pattern.converters.items():
        kind = next(
            name for name, known in get_converters().items() if type(known) is type(converter)
        )
        value = scene[parameter if parameter in scene else kind]
        url = url.replace(f"<{kind}:{parameter}>", value)
    assert "<" not in url
    return f"/{url}"


# Counted from events by whoever looks first, and the same whoever that is.
DERIVED = {Activity, ActivityMark}


@cache
def reading_everything():
    """Return the statements that read all rows; written once, as they are needed thousandfold."""
    return {
        model._meta.label: model._base_manager.order_by("pk").query.sql_with_params()
        for model in apps.get_models()
        if model not in DERIVED
    }


def everything():
    """Return all rows of all tables, except what is derived from the others."""
    found = {}
    with connection.cursor() as cursor:
        for label, statement in reading_everything().items():
            cursor.execute(*statement)
            found[label] = cursor.fetchall()
    return found


@every_view
def test_view_stands_behind_the_gate(name):
    if name in OUTSIDE_THE_GATE:
        return
    assert isinstance(getattr(VIEWS[name].callback, "required_roles", None), tuple)


def test_only_help_and_the_own_account_are_open_to_everybody_who_signed_in():
    free = {
        name for name, view in VIEWS.items() if getattr(view.callback, "required_roles", 1) == ()
    }
    assert free == NEEDS_NO_RIGHT


@some_views
@pytest.mark.parametrize(
    "login", ["acme/operator", "acme/administrator", "management/administrator", None]
)
def test_looking_changes_nothing(scene, names, login):
    console = Console(login)
    console.get("/help/connecting-devices/")  # whatever the first page of a session writes
    before = everything()
    for name in names:
        for method, target in product(("get", "head"), (None, "dialog")):
            response = console.call(method, address(name, scene), target=target)
            # Not everybody may look at everything: 403, or 404 for what is another tenant's.
            assert response.status_code in {200, 204, 302, 403, 404, 405}, name
        assert everything() == before, name


@some_views
@pytest.mark.parametrize("login", ["acme/administrator", None])
@pytest.mark.parametrize("target", [None, "dialog"])
def test_forged_post_is_refused(scene, names, login, target):
    console = Console(login, enforce_csrf_checks=True)
    before = everything()
    for name in names:
        response = console.post(address(name, scene), {"next": "/"}, target=target)
        assert response.status_code == 403, name
        assert "This form is out of date" in read(response).text, name
        assert everything() == before, name


@some_views
def test_stranger_is_led_to_sign_in(scene, names):
    before = everything()
    for name in names:
        if name in OUTSIDE_THE_GATE:
            continue
        for method, target in product(("get", "post"), (None, "dialog")):
            response = Console().call(method, address(name, scene), target=target)
            if response.status_code == 405:
                continue
            where = "HX-Redirect" if target else "Location"
            assert response.status_code == (204 if target else 302), name
            assert response[where].startswith("/sign-in/"), name
        assert everything() == before, name


@some_views
def test_bootstrap_account_of_devices_has_no_business_here(scene, names):
    console = Console("acme/devicebootstrap")
    for name in names:
        if name in OUTSIDE_THE_GATE:
            continue
        codes = {console.call(m, address(name, scene)).status_code for m in ("get", "post")}
        assert codes <= {403, 405}, name


TARGETS = [
    None,
    "dialog",
    "registration-table",
    "registration-facts",
    "credentials-table",
    "credentials-card",
    "extension-cards",
    "login-1",
    "deleted-table",
    "device-table",
    "device-page",
    "keys-card",
    "device-type-table",
    "device-type-page",
    "import",
    "upload",
]


@pytest.fixture
def target_reads(monkeypatch):
    """Note whenever somebody looks at what HTMX targets."""
    reads = []
    get = HttpHeaders.__getitem__

    def noting(headers, name):
        if name.lower() == "hx-target":
            reads.append(name)
        return get(headers, name)

    monkeypatch.setattr(HttpHeaders, "__getitem__", noting)
    return reads


@some_views
@pytest.mark.parametrize("login", ["acme/administrator", "management/administrator"])
def test_names_are_shown_and_never_run(scene, names, login, target_reads):
    seen = set()  # most targets get the same page
    for name in names:
        said = {"reason": HOSTILE_IDS[0], "q": HOSTILE_IDS[1], "externalId": HOSTILE_IDS[1]}
        with taken_back():
            console = Console(login)
            is_same = False
            for method, target in product(("get", "post"), TARGETS):
                if method == "get" and is_same:
                    continue
                target_reads.clear()
                response = console.call(method, address(name, scene), said, target=target)
                # A page that did not look at one target does not know the others either. What is
                # sent is sent for each: it may find something else than the one before it did.
                is_same = target is not None and not target_reads
                if not response.get("Content-Type", "").startswith("text/html"):
                    continue
                page = ONE_TIME.sub("", response.content.decode())
                if page in seen:
                    continue
                seen.add(page)
                where = f"{name}: {method} of {target}"
                assert "<img" not in page, where
                assert "<script>" not in page, where
                assert ">49<" not in page, where
                elements = read(page)
                assert not elements.all("img"), where
                assert all(script.attrs.get("src") for script in elements.all("script")), where


def test_hostile_names_really_are_on_the_pages(scene):
    desk = Console("management/administrator")
    page = desk.get("/devices/registration/").content.decode()
    for device_id in HOSTILE_IDS:
        assert device_id not in page or device_id.startswith("{{")
    shown = read(desk.get("/devices/registration/")).text
    assert all(device_id in shown for device_id in HOSTILE_IDS)
    detail = read(desk.get(f"/devices/registration/{scene['int']}/")).text
    assert HOSTILE_IDS[0] in detail
    assert HOSTILE_IDS[1] in detail
    blocked = Registration.objects.get(device_id=HOSTILE_IDS[1])
    assert events_of(blocked)[-1].reason == HOSTILE_IDS[0]


def test_hostile_names_of_a_device_really_are_on_its_pages(scene):
    desk = Console("management/administrator")
    detail = read(desk.get(f"/devices/{scene['device_pk']}/")).text
    for text in HOSTILE_IDS:
        assert text in detail
    assert HOSTILE_IDS[0] in read(desk.get("/devices/")).text
    assert ManagedObject.objects.get(pk=scene["device_pk"]).name == HOSTILE_IDS[0]
