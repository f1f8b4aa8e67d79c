"""The audit log's pages: found, read, turned over and taken along."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from tenants import audit
from tenants.actors import Actor
from tenants.console.audit import search
from tenants.console.audit.search import AuditQuery
from tenants.models import AuditRecord
from tests.consoles import read

LOG = "/administration/audit-log/"
EXPORT = f"{LOG}export/"


@pytest.fixture
def office(console):
    """The console of the administrator of acme."""
    return console("acme/administrator")


@pytest.fixture
def house_office(console):
    """The console of the administrator of the management tenant."""
    return console("management/administrator")


@pytest.fixture
def note(house, person):
    """Write an entry; its subject names it."""

    def write(subject, *, tenant="acme", by=None, at=None, kind=audit.Type.OPTION, **more):
        by = by or Actor("anna", person("acme/operator"), "192.0.2.10", "request-of-anna")
        audit.record(by, tenant, kind, more.pop("activity", "Option changed"), subject=subject,
                     **more)  # fmt: skip
        entry = AuditRecord.objects.latest("pk")
        if at:
            AuditRecord.objects.filter(pk=entry.pk).update(at=at)
        return entry

    return write


def subjects(response):
    page = read(response)
    return [cell.text for cell in page.classed("cell-subject")]


def exported(response):
    assert response.status_code == 200
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_newest_entry_comes_first(office, note):
    for name in ("one", "two", "three"):
        note(name)
    assert subjects(office.get(LOG)) == ["three", "two", "one"]


def test_table_alone_is_what_htmx_gets(office, note):
    note("one")
    response = office.get(LOG, target="audit-table")
    assert "<html" not in response.content.decode()
    assert subjects(response) == ["one"]
    assert "HX-Target" in response["Vary"]


def test_tenant_sees_its_own_entries_and_the_management_tenant_all(
    office, house_office, console, note
):
    note("ours")
    note("theirs", tenant="globex")
    note("the house's", tenant="management")
    assert subjects(office.get(LOG)) == ["ours"]
    assert subjects(console("globex/administrator").get(LOG)) == ["theirs"]
    assert subjects(house_office.get(LOG)) == ["the house's", "theirs", "ours"]
    # The filter by tenant is the management tenant's alone.
    assert subjects(office.get(LOG, {"tenant": "globex"})) == ["ours"]
    assert subjects(house_office.get(LOG, {"tenant": "globex"})) == ["theirs"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["d", "c", "b", "a"]),
        ({"q": "B"}, ["c", "b"]),
        ({"q": "berta"}, ["c"]),
        ({"q": "why not"}, ["d"]),
        ({"q": "Token"}, ["d"]),
        ({"q": "100%"}, []),
        ({"q": "_"}, []),
        ({"type": "ApiToken"}, ["d"]),
        ({"type": "nonsense"}, ["d", "c", "b", "a"]),
        ({"person": "berta"}, ["c"]),
        ({"person": "acme/anna"}, ["d", "b", "a"]),
        ({"person": "globex/anna"}, []),
        ({"person": "ann"}, []),
        ({"from": "2026-01-02"}, ["d", "c", "b"]),
        ({"to": "2026-01-02"}, ["b", "a"]),
        ({"from": "2026-01-02", "to": "2026-01-02"}, ["b"]),
        ({"from": "2026-01-03", "to": "2026-01-01"}, []),
        ({"from": "nonsense", "to": "9999-12-31"}, ["d", "c", "b", "a"]),
        ({"q": "\x00"}, ["d", "c", "b", "a"]),
        ({"person": "\x00berta"}, ["c"]),
        ({"from": "2026-01-02", "person": "anna", "type": "Option"}, ["b"]),
    ],
    ids=str,
)
def test_entries_are_found(office, note, person, asked, found):
    def day(number):
        return datetime(2026, 1, number, 23, 59, 59, tzinfo=UTC)

    note("a", at=day(1))
    note("b", at=day(2))
    note("c", at=day(3), by=Actor("berta", person("acme/reader")))
    note("d", at=day(4), kind=audit.Type.TOKEN, activity="API token created", text="And why not?")
    assert subjects(office.get(LOG, asked)) == found


@pytest.mark.parametrize("asked", [{}, {"q": "entry"}, {"from": "2020-01-01"}], ids=str)
def test_pages_are_turned_to_the_end(office, note, asked):
    for number in range(120):
        note(f"entry {number:03}")
    response, seen = office.get(LOG, asked), []
    while True:
        seen += subjects(response)
        further = read(response).all("a", rel="next")
        if not further:
            break
        response = office.get(LOG + further[0]["href"].removeprefix(LOG))
    assert seen == [f"entry {number:03}" for number in reversed(range(120))]
    assert read(response).all("a", href=office_start(asked))


def office_start(asked):
    return LOG + ("?" + "&".join(f"{name}={value}" for name, value in asked.items())
                  if asked else "")  # fmt: skip


@pytest.mark.parametrize("with_days", [False, True])
def test_search_looks_at_so_many_entries_and_goes_on_from_there(monkeypatch, acme, note, with_days):
    monkeypatch.setattr(search, "LOOKED_THROUGH", 10)
    same_moment = timezone.now() - timedelta(days=1)
    for number in range(35):
        note("needle" if number in {0, 9, 24, 25} else "hay", at=same_moment)
    asked = {"q": "needle", **({"from": "2020-01-01"} if with_days else {})}
    query = AuditQuery.read(acme, asked)
    found, before, pages = [], "", 0
    while True:
        page = query.page(before)
        found += [entry.subject for entry in page.rows]
        pages += 1
        if page.older is None:
            break
        before = str(page.older)
    assert (found, pages) == (["needle"] * 4, 4)
    assert query.page().looked_back_to == same_moment


@pytest.mark.parametrize("before", ["x", "-1", "0", "9" * 40, "\x00", "²", "1.5"])
def test_place_that_is_none_is_the_beginning(office, note, before):
    note("one")
    assert subjects(office.get(LOG, {"before": before})) == ["one"]


def test_place_of_another_tenant_is_the_beginning(office, note):
    note("ours")
    other = note("theirs", tenant="globex")
    note("ours too")
    assert subjects(office.get(LOG, {"before": str(other.pk)})) == ["ours too", "ours"]


def test_list_costs_few_queries_however_long(office, note, django_assert_max_num_queries):
    for number in range(60):
        note(f"entry {number}")
    office.get(LOG)
    with django_assert_max_num_queries(8):
        office.get(LOG, {"q": "entry", "from": "2020-01-01"})


def test_entry_tells_everything(office, note):
    entry = note("acme/anna", text="She asked for it.", severity=audit.Severity.WARNING,
                 changes={"email": ("a@x.org", "b@x.org"), "phone": ("", "5")})  # fmt: skip
    for target in (None, "dialog"):
        page = read(office.get(f"{LOG}{entry.pk}/", target=target))
        assert len(page.all("html")) == (0 if target else 1)
        facts = {each.one("dt").text: each.one("dd").text
                 for each in page.all("div") if len(each.all("dt")) == 1}  # fmt: skip
        assert facts["By"] == "acme/anna"
        assert (facts["Address"], facts["Request"]) == ("192.0.2.10", "request-of-anna")
        assert facts["Subject"] == "acme/anna"
        rows = [row.text for row in page.classed("changes")[0].one("tbody").all("tr")]
        assert rows == ["email a@x.org b@x.org", "phone \u2013 5"]
        assert "She asked for it." in page.text
        assert "This is worth a look." in page.text


@pytest.mark.django_db(transaction=True)
def test_entry_shows_its_place_in_the_chain(office, note):
    entry = note("one")
    entry.refresh_from_db()
    text = read(office.get(f"{LOG}{entry.pk}/")).text
    assert f"Place in the chain {entry.number}" in text
    assert entry.digest in text


def test_links_of_an_entry_find_what_they_say(office, note):
    entry = note("a&b=c #1")
    note("another")
    page = read(office.get(f"{LOG}{entry.pk}/"))
    about, by = (link["href"] for link in page.one("dl", class_="facts").all("a"))
    assert subjects(office.get(about)) == ["a&b=c #1"]
    assert subjects(office.get(by)) == ["another", "a&b=c #1"]


@pytest.mark.parametrize(
    ("given", "back"),
    [
        (f"{LOG}?q=one", f"{LOG}?q=one"), ("https://evil.example/", LOG),
        ("//evil.example", LOG), ("", LOG),
    ],
)  # fmt: skip
def test_page_of_an_entry_leads_back_to_the_list(office, note, given, back):
    entry = note("one")
    page = read(office.get(f"{LOG}{entry.pk}/", {"next": given}))
    assert page.one("a", data_dialog_close=True)["href"] == back


def test_list_that_was_narrowed_is_what_an_entry_leads_back_to(office, note):
    note("one")
    page = read(office.get(LOG, {"q": "one"}))
    link = page.classed("cell-what")[0].one("a")
    back = read(office.get(link["href"])).one("a", data_dialog_close=True)["href"]
    assert back == f"{LOG}?q=one"


def test_entry_of_another_tenant_is_not_there(office, house_office, note):
    entry = note("theirs", tenant="globex")
    assert office.get(f"{LOG}{entry.pk}/").status_code == 404
    assert house_office.get(f"{LOG}{entry.pk}/").status_code == 200
    assert office.get(f"{LOG}{entry.pk + 1000}/").status_code == 404


@pytest.mark.parametrize("login", ["acme/operator", "acme/reader", "acme/devicebootstrap"])
def test_log_is_for_those_with_the_right(console, note, login):
    entry = note("one")
    desk = console(login)
    assert desk.get(LOG).status_code == 403
    assert desk.get(f"{LOG}{entry.pk}/").status_code == 403
    assert desk.post(EXPORT).status_code == 403
    assert AuditRecord.objects.count() == 1


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_log_is_only_looked_at(office, note, method):
    entry = note("one")
    assert office.call(method, LOG).status_code == 405
    assert office.call(method, f"{LOG}{entry.pk}/").status_code == 405


@pytest.mark.parametrize("method", ["get", "head", "put", "delete"])
def test_export_is_taken_by_post_only(office, method):
    assert office.call(method, EXPORT).status_code == 405
    assert not AuditRecord.objects.exists()


def test_export_has_what_the_filters_leave_and_nothing_of_others(office, note):
    note("press-1", changes={"status": ("", "PENDING"), "by": ("x", "y")})
    note("saw-1")
    note("press-2", tenant="globex")
    form = read(office.get(LOG, {"q": "press"})).one("form", action=EXPORT)
    response = office.post(EXPORT, form.fields)
    rows = exported(response)
    assert [row["Subject"] for row in rows] == ["press-1"]
    assert rows[0]["Changes"] == "status: “” → “PENDING”; by: “x” → “y”"
    assert (rows[0]["Actor"], rows[0]["Address"]) == ("anna", "192.0.2.10")
    assert f"audit-log-{timezone.now():%Y-%m-%d}.csv" in response["Content-Disposition"]


def test_export_is_an_entry_itself(office, note):
    note("one")
    for asked, told in (({}, "Everything."), ({"q": "one"}, "Filters: q: one.")):
        response = office.post(EXPORT, asked)
        assert [row["Subject"] for row in exported(response)][-1] == "one"
        entry = AuditRecord.objects.latest("pk")
        assert (entry.activity, entry.text) == ("Audit log exported", told)
        assert (entry.tenant_id, entry.actor_name) == ("acme", "administrator")


def test_second_export_is_another_entry(office):
    for _ in range(2):
        exported(office.post(EXPORT))
    assert AuditRecord.objects.filter(activity="Audit log exported").count() == 2


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@x", "\t=1", ' "=1"', "\uff1d1"])
def test_no_cell_of_an_export_runs(office, note, name):
    note(name)
    assert exported(office.post(EXPORT, {"type": "Option"}))[0]["Subject"] == f"'{name}"


def test_export_of_many_entries_reads_a_batch_at_a_time(
    monkeypatch, office, note, django_assert_max_num_queries
):
    monkeypatch.setattr(search, "EXPORT_BATCH", 20)
    for number in range(50):
        note(f"entry {number:02}", at=timezone.now() - timedelta(seconds=number % 3))
    response = office.post(EXPORT, {"q": "entry", "from": "2020-01-01"})
    with django_assert_max_num_queries(3):
        rows = exported(response)
    assert len({row["Subject"] for row in rows}) == 50


def test_export_form_guards_against_forgery(console):
    desk = console("acme/administrator", enforce_csrf_checks=True)
    assert desk.post(EXPORT).status_code == 403


def test_empty_log_says_what_will_be_here(office):
    assert "Nothing was changed yet" in read(office.get(LOG)).text
    assert "Nothing here for “x”" in read(office.get(LOG, {"q": "x"})).text


def test_navigator_shows_the_log_to_those_with_the_right(office, desk):
    def links(console):
        return [link["href"] for link in read(console.get("/help/connecting-devices/")).all("a")]

    assert LOG in links(office)
    assert LOG not in links(desk)


def test_link_from_a_number_shows_what_was_written_since_that_minute(office, note):
    now = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
    for minutes in (0, 1, 2):
        note(f"m{minutes}", at=now + timedelta(minutes=minutes))
    note("other", at=now - timedelta(days=1))
    asked = {"since": "2026-03-10T09:31Z", "q": "m"}
    response = office.get(LOG, asked)
    assert subjects(response) == ["m2", "m1"]
    page = read(response)
    assert page.one("form", role="search").fields["since"] == asked["since"]
    older = next(a for a in page.all("a") if a.text == "Show older ones as well")
    assert subjects(office.get(older["href"])) == ["m2", "m1", "m0"]
    assert subjects(office.get(LOG, asked | {"from": "2026-03-11"})) == []
    assert subjects(office.get(LOG, asked | {"from": "2026-03-09"})) == ["m2", "m1"]
    assert len(subjects(office.get(LOG, {"since": "damaged\x00"}))) >= 4
    form = page.one("form", id="audit-export").fields
    assert {row["Subject"] for row in exported(office.post(EXPORT, form))} == {"m1", "m2"}
