"""The list as a file: the same rows, safe to open, and never all of them in memory."""

import csv
import io
from datetime import UTC, datetime

import pytest

from inventory.console.devices import export, query
from inventory.models import ExternalId, State
from tests.consoles import read, shown_ids
from ui.csv_export import BOM

LIST = "/devices/"
FILE = f"{LIST}export/"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def table(response):
    text = b"".join(response.streaming_content).decode()
    assert text.startswith(BOM)
    return list(csv.DictReader(io.StringIO(text.removeprefix(BOM))))


def test_file_says_all_there_is_to_know(make_device, desk):
    device = make_device(
        "press-1", name="Press 1", kind="press-controller",
        groups=["Plant B", "Plant A/Hall 2", "Spares"],
        external_ids=[("imei", "356"), ("c8y_Serial", "SN")],
        created_at=NOON, last_contact_at=NOON,
    )  # fmt: skip
    response = desk.get(FILE)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="devices-20')
    assert table(response) == [
        {
            "Device ID": "press-1",
            "Name": "Press 1",
            "Type": "press-controller",
            "Device type": "",
            "State": "Connected",
            "External IDs": "c8y_Serial SN; imei 356",
            "Groups": "Plant A/Hall 2; Plant B; Spares",
            "Last contact (UTC)": "2026-03-01 12:00:00",
            "Registered (UTC)": "2026-03-01 12:00:00",
            "Registered by": "operator",
            "Owner": "operator",
            "Managed object ID": str(device.pk),
            "Tenant": "acme",
        }
    ]


@pytest.mark.parametrize("batch", [1, 2, 500])
@pytest.mark.parametrize("short", [query.SHORT, 3])
@pytest.mark.parametrize(
    "asked",
    ["", "sort=name", "sort=-device", "state=disabled", "type=a&sort=contact", "group=X",
     "group=X&below=1", "q=press", "q=same", "type=a&state=connected"],
)  # fmt: skip
def test_file_has_the_rows_of_the_list_in_its_order(
    make_device, desk, monkeypatch, asked, short, batch
):
    for number in range(5):
        make_device(
            f"press-{number}", name="Same", kind="ab"[number % 2], created_at=NOON,
            state=State.DISABLED if number % 3 else State.CONNECTED,
            groups=["X", "X/Y"] if number else [],
        )  # fmt: skip
    monkeypatch.setattr(export, "BATCH", batch)
    monkeypatch.setattr(query, "SHORT", short)
    rows = table(desk.get(f"{FILE}?{asked}"))
    assert [row["Device ID"] for row in rows] == shown_ids(desk.get(f"{LIST}?{asked}"))
    assert rows


def test_file_keeps_to_the_tenant(make_device, console, globex):
    make_device("of-acme", external_ids=[("a", "1")])
    make_device("of-globex", tenant=globex, external_ids=[("a", "2")])
    seen = {
        login: [row["Device ID"] for row in table(console(login).get(FILE))]
        for login in ("acme/reader", "globex/reader", "management/reader")
    }
    assert seen["acme/reader"] == ["of-acme"]
    assert seen["globex/reader"] == ["of-globex"]
    assert sorted(seen["management/reader"]) == ["of-acme", "of-globex"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", '"=1', "\uff1d1"])
def test_no_cell_is_run_by_a_spreadsheet(make_device, desk, acme, text):
    device = make_device("press-1", name=text, kind=text)
    ExternalId.objects.create(tenant=acme, managed_object=device, type=text, value=text)
    (row,) = table(desk.get(FILE))
    assert row["Name"] == f"'{text}"
    assert row["Type"] == f"'{text}"
    assert row["External IDs"].startswith("'")


def test_each_batch_costs_the_same(make_device, desk, monkeypatch, django_assert_num_queries):
    for number in range(6):
        make_device(f"press-{number}", groups=["X", "Y"], external_ids=[("a", str(number))])
    desk.get(LIST)

    def cost(batch, number):
        monkeypatch.setattr(export, "BATCH", batch)
        response = desk.get(FILE)  # whoever asks was looked at before the file begins
        with django_assert_num_queries(number):
            assert len(table(response)) == 6

    # How many there are; devices, their groups and external IDs of each batch; a look for more.
    cost(2, 1 + 3 * 4 + 1)
    cost(3, 1 + 2 * 4 + 1)
    cost(500, 1 + 4)


def test_list_leads_to_the_file_of_what_it_shows(make_device, desk):
    make_device("press-1")
    page = read(desk.get(LIST, {"q": "press", "sort": "name", "after": "x"}))
    link = next(a for a in page.all("a") if a.text == "Export CSV")
    assert link["href"] == f"{FILE}?q=press&sort=name"
    assert "Export CSV" not in read(desk.get(LIST, {"q": "nothing"})).text
