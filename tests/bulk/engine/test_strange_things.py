"""Text that others take for something else, and people and tenants that are gone."""

import unicodedata

import pytest

from bulk import imports
from bulk.models import Existing, Import, ImportBlock, ImportItem, State
from inventory.models import DeviceCredentials, ManagedObject
from registration.models import Registration
from tenants.actors import Actor
from tenants.deletion import delete_tenant
from tenants.models import AuditRecord, Tenant, User
from tests.bulk.console.pages import page_of
from tests.bulk.files import FULL, SECRET, SIMPLE, carried_on, counts, reasons, received, registered
from tests.consoles import Console
from tests.logins import comes_in, login_of

pytestmark = pytest.mark.django_db
BY = Actor("olga")
IMAGE = "<img src=x onerror=alert(1)>.csv"
STRANGE = {
    "COPY's null": "\\N",
    "COPY's end": "\\.",
    "backslashes": "a\\b\\tc\\\\",
    "braces": '{"a": null}',
    "an array": "{1,2,NULL}",
    "percents": "100%s %(a)s %%",
    "a quote": 'it\'s "it"',
    "a comment": "'; DROP TABLE x; --",
    "another script": "Прес № 7 — 印刷機 🖨",
}


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE)
def test_text_is_kept_as_it_stands(acme, text):
    quoted = '"' + text.replace('"', '""') + '"'
    file = f"ID,CREDENTIALS,TYPE,NAME,note\nd,{SECRET},{quoted},{quoted},{quoted}\n"
    for expected in ({"created": 1}, {"unchanged": 1}):
        assert counts(registered(acme, file, BY)) == expected
    device = login_of("d").managed_object
    assert (device.name, device.type, device.fragments["note"]) == (text, text, text)
    other = file.replace(SECRET, "another-passw0rd").replace(",note", ",more")
    assert counts(registered(acme, other, BY)) == {"updated": 1}
    assert comes_in(login_of("d"), "another-passw0rd")


def test_an_id_in_another_composition_is_the_same_device(acme):
    composed = "süd-1"
    torn = unicodedata.normalize("NFD", composed)
    one = registered(acme, FULL + f"{composed};{SECRET};;;\n{torn};{SECRET};;;\n", BY)
    assert reasons(one) == [(3, "ID", "repeated")]
    one = registered(acme, FULL + f"{torn};{SECRET};;;\n", BY)
    assert counts(one) == {"unchanged": 1}


@pytest.mark.parametrize("rows", [1, 100], ids=["between chunks", "before the end"])
@pytest.mark.parametrize(
    "text", [FULL + f"a;{SECRET};;;\nx y;{SECRET};;;\n", SIMPLE + "a;\nx y;\n"]
)
def test_a_person_who_is_deleted_meanwhile_stops_nothing(acme, operator, monkeypatch, text, rows):
    for name in ("ROWS", "FIRST", "MOST"):
        monkeypatch.setattr(f"bulk.engine.pace.{name}", rows)
    one = received(acme, text, operator)
    imports.start(one, on_existing=Existing.UPDATE, by=operator)
    monkeypatch.setattr(
        "bulk.engine.pace.Pace.took", lambda *_: User.objects.filter(pk=operator.user.pk).delete()
    )
    one = carried_on(one)
    assert (one.state, counts(one)) == (State.FINISHED, {"created": 1, "failed": 1})


def test_a_tenant_goes_with_its_imports_also_with_one_that_is_paused(acme, globex):
    registered(globex, FULL + f"g;{SECRET};;;\n", BY)
    kept = registered(acme, SIMPLE + "a;\n", BY)
    one = received(globex, SIMPLE + "b;\n", BY)
    imports.start(one, on_existing=Existing.SKIP, by=BY)
    delete_tenant(globex, by=BY)
    assert list(Import.objects.all()) == [kept]
    assert set(ImportItem.objects.values_list("owner", flat=True)) == {kept.pk}
    assert not ImportBlock.objects.filter(owner=one.pk).exists()
    assert not DeviceCredentials.objects.exists()


def test_a_file_name_is_text_wherever_it_is_shown(acme):
    desk = Console("acme/operator")
    one = registered(acme, FULL + f"a;x;;;\nb;{SECRET};;;\n", BY, file_name=IMAGE)
    pages = [desk.get(page_of(one, step)) for step in ("", "undo/", "rows/")]
    pages += [
        desk.get("/devices/registration/bulk/"),
        desk.get(f"/devices/{login_of('b').managed_object.pk}/"),
    ]
    for page in pages:
        assert page.status_code == 200
        assert "<img src=x" not in page.content.decode()
    assert AuditRecord.objects.filter(subject=IMAGE).exists()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\uff1d"])
def test_no_cell_of_the_rows_that_failed_is_a_formula(acme, start):
    cell = f"{start}cmd|' /C calc'!A0"
    text = f'ID,NAME,"{start}column",CREDENTIALS\nd,"{cell}","{cell}",x\n'
    one = registered(acme, text, BY)
    rejects = Console("acme/operator").get(page_of(one, "rejects.csv"))
    body = b"".join(rejects.streaming_content).decode("utf-8-sig")
    assert f'"{cell}' not in body
    assert f"\"'{cell}" in body


def test_nobody_else_sees_anything_of_an_import(acme, globex):
    one = registered(acme, FULL + f"a;x;;;\nb;{SECRET};;;\n", BY)
    desk = Console("globex/operator")
    for step in ("", "rows/", "rejects.csv", "undo/", "cancel/"):
        assert desk.get(page_of(one, step)).status_code == 404


def test_a_column_tenant_does_nothing_for_a_tenant_of_its_own(acme, globex):
    text = f"ID;CREDENTIALS;TENANT;PATH\na;{SECRET};globex;Plant\n"
    assert counts(registered(acme, text, BY)) == {"created": 1}
    device = ManagedObject.objects.devices().get()
    assert {device.tenant_id, login_of("a").tenant_id} == {"acme"}
    assert set(ManagedObject.objects.values_list("tenant_id", flat=True)) == {"acme"}
    assert not Registration.objects.exists()
    assert Tenant.objects.get(pk="globex").device_count == 0
