"""Services as ways of registering: the contract's requests, its sentences, and their health."""

import base64
import copy
import json
import logging

import pytest
from django.db import connection

from extensions import calling, packages, registry
from extensions.console.entries import entries
from extensions.finding import find, protocols_for
from extensions.models import Extension, Health
from extensions.protocols import Caller, Example, Protocol, ProviderError
from extensions.remote import RemoteProtocol
from registration.menu import Kind
from tenants.actors import SYSTEM
from tests.consoles import LIST, Console, read
from tests.extensions.services import METADATA, answer

SECRET = "tweety-4711-of-lora"
HTML = answer(body=b"<!doctype html><h1>Hello</h1>", content_type="text/html")


@pytest.fixture
def extension(service, make_extension):
    return make_extension(base_url=service.url, secret=SECRET)


@pytest.fixture
def remote(extension):
    return RemoteProtocol(extension)


@pytest.fixture
def caller(acme, operator):
    return Caller(acme, operator, "de-CH")


def metadata(**root):
    """Return metadata with some members of its root changed, or left out if they are None."""
    found = copy.deepcopy(METADATA)
    here = found["c8y_DeviceRegistration"]
    here.update(root)
    found["c8y_DeviceRegistration"] = {name: it for name, it in here.items() if it is not None}
    return found


def failure(ask):
    """Return what a person is told, and what the one who looks after the extension is."""
    with pytest.raises(ProviderError) as raised:
        ask()
    return str(raised.value), raised.value.cause


def health(extension):
    extension.refresh_from_db()
    return extension.health, extension.last_error


def test_service_is_asked_as_the_contract_says(service, remote, caller, extension):
    found = remote.metadata(caller)
    assert (found.title, found.description, len(found.pages)) == (
        "LoRa device", "Joins by OTAA", 2)  # fmt: skip
    assert found.bulk.title == "LoRa devices"
    remote.register(caller, {"devEUI": "70B3", "port": 5, "name": "Zürich"})
    content = b"devEUI;appKey\n70B3;00\n" * 1000
    service.says(answer(body={"operationId": "7", "message": "Done", "extra": [1]}))
    assert remote.register_file(
        caller, iter([content[:500], content[500:]]), 'fe"w\r\nX: 1.csv', len(content)
    ) == {"operationId": "7", "message": "Done", "extra": [1]}
    service.says(answer(body=b"devEUI\n", content_type="text/csv"))
    assert remote.example(caller, found.bulk.examples[0]) == b"devEUI\n"
    asked = service.requests
    assert [each.line.removesuffix(" HTTP/1.1") for each in asked] == [
        "GET /deviceRegistration/metadata?lang=de-CH", "POST /deviceRegistration",
        "POST /deviceRegistration/bulk", "GET /examples/few.csv",
    ]  # fmt: skip
    login = base64.b64encode(f"acme/lora:{SECRET}".encode()).decode()
    for each in asked:
        assert each.headers["authorization"] == f"Basic {login}"
        assert each.headers["accept-language"] == "de-CH"
        assert "cookie" not in each.headers
    assert asked[1].headers["content-type"] == "application/json"
    assert json.loads(asked[1].body) == {"devEUI": "70B3", "port": 5, "name": "Zürich"}
    boundary = asked[2].headers["content-type"].removeprefix("multipart/form-data; boundary=")
    assert asked[2].body == (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; '
        'filename="fe_w__X_ 1.csv"\r\nContent-Type: text/csv\r\n\r\n'.encode()
        + content + f"\r\n--{boundary}--\r\n".encode()
    )  # fmt: skip
    assert health(extension) == (Health.GOOD, "")


def test_without_a_secret_there_is_no_login(service, make_extension, caller):
    RemoteProtocol(make_extension(base_url=service.url)).metadata(caller)
    assert "authorization" not in service.requests[0].headers


NO_FORM = "Cannot fetch a form definition from the microservice."
INCOMPLETE = "The device registration information is missing."
NO_BULK = "The bulk registration information is missing."
BAD_METADATA = {
    "HTML": (HTML, NO_FORM, "text/html that is no JSON"),
    "no JSON": (answer(body=b'{"a": '), NO_FORM, "no JSON"),
    "empty": (answer(204, b""), NO_FORM, "with nothing, where JSON is expected"),
    "not UTF-8": (answer(body=b'{"a": "\xff"}'), NO_FORM, "no JSON"),
    "NaN": (answer(body=b'{"a": NaN}'), NO_FORM, "no JSON"),
    "infinite": (answer(body=b'{"a": 1e999}'), NO_FORM, "no JSON"),
    "long number": (answer(body=b'{"a": ' + b"9" * 5000 + b"}"), NO_FORM, "no JSON"),
    "deep": (answer(body=b"[" * 60 + b"]" * 60), NO_FORM, "no JSON"),
    "very deep": (answer(body=b"[" * 100_000), NO_FORM, "no JSON"),
    "huge": (answer(body=b" " * (1024 * 1024 + 1)), NO_FORM, "too long"),
    "redirect": (answer(302, b"", Location="http://169.254.169.254/"), NO_FORM, "redirects"),
    "packed": (answer(body=b"\x1f\x8b\x08", Content_Encoding="gzip"), NO_FORM, "no JSON"),
    "lost": (answer(404, METADATA), NO_FORM, "status 404"),
    "broken": (answer(500, METADATA), NO_FORM, "status 500"),
    "a list": (answer(body=[METADATA]), INCOMPLETE, ""),
    "no root": (answer(body={}), INCOMPLETE, ""),
    "root is a text": (answer(body={"c8y_DeviceRegistration": "x"}), INCOMPLETE, ""),
    "no pages": (answer(body=metadata(pages=None)), INCOMPLETE, "no pages"),
    "pages are no list": (answer(body=metadata(pages={"a": 1})), INCOMPLETE, "no list"),
    "page is a text": (answer(body=metadata(pages=["x"])), INCOMPLETE, "no list of objects"),
    "many pages": (answer(body=metadata(pages=[{}] * 21)), INCOMPLETE, "more than 20"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_METADATA)
def test_metadata_that_cannot_be_worked_with_is_a_sentence(
    service, remote, caller, extension, case
):
    raw, sentence, cause = BAD_METADATA[case]
    service.says(raw)
    said, because = failure(lambda: remote.metadata(caller))
    assert sentence in said
    assert cause in because
    state, error = health(extension)
    assert state == Health.BAD
    assert error == (because or said)
    assert extension.last_error_at is not None


def test_metadata_for_files_needs_no_pages_and_says_when_it_has_no_files(service, remote, caller):
    service.says(answer(body=metadata(pages=None)))
    assert remote.metadata(caller, wants_bulk=True).bulk.title == "LoRa devices"
    for wrong in (None, "x", []):
        service.says(answer(body=metadata(bulk=wrong)))
        assert NO_BULK in failure(lambda: remote.metadata(caller, wants_bulk=True))[0]


def test_what_the_contract_does_not_know_is_passed_over(service, remote, caller):
    found = metadata(title=["no text"], new={"a": 1}, bulk={"title": "B\x00\ud800", "x": 1,
                     "exampleFileUrls": ["x", {"title": 7, "url": "a.csv"}]})  # fmt: skip
    service.says(answer(body={**found, "more": None}))
    read_ = remote.metadata(caller)
    assert read_.title == ""
    assert [example.url for example in read_.bulk.examples] == ["a.csv"]
    read_.bulk.title.encode()
    assert "\x00" not in read_.bulk.title


REGISTERED = {
    "done": (answer(body={"id": 1}), {"id": 1}, ""),
    "any JSON": (answer(201, b"null"), None, ""),
    "refused": (answer(422, {"message": "devEUI is taken"}), "devEUI is taken", ""),
    "markup": (answer(400, {"message": "<b>no\x00\ud800"}), "<b>no?", ""),
    "refused silently": (answer(400, {}), "Cannot register your device.", ""),
    "refused oddly": (answer(400, {"message": {"a": 1}}), "Cannot register your device.", ""),
    "refused in HTML": (answer(404, b"<html>"), "Cannot register your device.", ""),
    "locked out": (answer(401, {"message": "Who?"}), "Who?", "status 401"),
    "broken": (answer(500, {"message": "trace"}), "Cannot register your device.", "status 500"),
    "HTML": (HTML, "Unable to reach the microservice.", "text/html that is no JSON"),
    "empty": (answer(204, b""), "Unable to reach the microservice.", "answers with nothing"),
    "huge": (answer(body=b" " * (256 * 1024 + 1)), "Unable to reach the microservice.", "too long"),
    "redirect": (answer(307, b"", Location="/x"), "Unable to reach the microservice.", "redirects"),
}  # fmt: skip


@pytest.mark.parametrize("case", REGISTERED)
def test_registering_one_device_ends_as_the_contract_says(service, remote, caller, extension, case):
    raw, result, cause = REGISTERED[case]
    service.says(raw)
    if not isinstance(result, str):
        assert remote.register(caller, {}) == result
        return
    said, because = failure(lambda: remote.register(caller, {}))
    assert said == result
    assert cause in because
    # That a device is refused says nothing bad about the service.
    assert (health(extension)[0] == Health.BAD) is bool(cause)


FAILED = "Device registration failed."
NOT_PROCESSED = "Error occurred while processing the uploaded file."
NOT_REACHED = "No internet connection. Unable to reach the microservice."
FILES = {
    "refused": (answer(400, {"message": "Line 3"}), FAILED, "Line 3"),
    "error": (answer(200, {"error": "x", "message": "Line 3"}), FAILED, "Line 3"),
    "locked out": (answer(403, b"no"), FAILED, "status 403"),
    "broken": (answer(503, {"message": "x"}), NOT_PROCESSED, "status 503"),
    "a list": (answer(200, b"[]"), NOT_PROCESSED, "no object"),
    "HTML": (HTML, "Unable to reach the microservice.", "no JSON"),
    "redirect": (answer(302, b"", Location="/x"), NOT_REACHED, "redirects"),
}


@pytest.mark.parametrize("case", FILES)
def test_handing_on_a_file_ends_as_the_contract_says(service, remote, caller, case):
    raw, sentence, cause = FILES[case]
    service.says(raw)
    said, because = failure(lambda: remote.register_file(caller, iter([b"a"]), "a.csv", 1))
    assert said == sentence
    assert cause in because


@pytest.mark.parametrize(
    ("url", "line"),
    {
        "examples/a.csv": "/examples/a.csv", "/a b.csv": "/a%20b.csv", "/a?x=1&y": "/a?x=1&y",
        "https://elsewhere.example/a": None, "//elsewhere.example/a": None, "../a": None,
        "/a/../../b": None, "/%2e%2e/b": None, "a/%2E./b": None,
        "http://169.254.169.254/": None, "javascript:alert(1)": None,
        "": None, "/a\r\nX: 1": "/a%0D%0AX:%201", "@elsewhere.example/": None,
        ":80@elsewhere.example/": None, "/ä.csv": "/%C3%A4.csv", "?a=1": "/?a=1",
        "BASE/a": "/a", "BASE": None, "BASE.evil.example/a": None, "BASE@evil.example/a": None,
        "BASE0/a": None, "/service/lora": "/service/lora", "/service/lora2/a": "/service/lora2/a",
    }.items(),
)  # fmt: skip
def test_example_is_fetched_from_the_service_itself_or_not_at_all(
    service, remote, caller, url, line
):
    example = Example("", "", url.replace("BASE", service.url))
    if line is None:
        said, _ = failure(lambda: remote.example(caller, example))
        assert said == "The example file cannot be fetched from the microservice."
        assert not service.requests
    else:
        remote.example(caller, example)
        assert service.requests[0].line == f"GET {line} HTTP/1.1"


@pytest.mark.parametrize(
    ("url", "link"),
    {
        "https://files.example/a b.csv?x=1&y#z": None, "https://files.example": "",
        "https://files.example/ä.csv?sig=a%2Fb#z": "https://files.example/%C3%A4.csv?sig=a%2Fb#z",
        "HTTPS://Files.example:8443/a": "HTTPS://Files.example:8443/a",
        "https://[2606:4700::1111]/a": "https://[2606:4700::1111]/a",
        "https://files.example?a=1": "https://files.example?a=1",
        "http://files.example/a": None, "//files.example/a": None, "javascript:alert(1)": None,
        "data:text/html,x": None, "ftp://files.example/a": None, "https:files.example": None,
        "https://me@files.example/a": None, "https://me:pw@files.example/a": None,
        "https://files.example\\@evil.example": None, "https://files.exämple/a": None,
        "https://files.example:x/a": None, "https://": None, "https:///a": None,
        "https://files.example/a\n.b": None, "https://files.example/" + "x" * 4000: None,
        "/a": None,
    }.items(),
)  # fmt: skip
def test_example_at_another_host_is_a_link_that_only_a_browser_follows(
    service, remote, caller, url, link
):
    link = url if link == "" else link or ""
    example = {"title": "a", "description": "b", "url": url}
    service.says(answer(body=metadata(bulk={"exampleFileUrls": [example]})))
    found = remote.metadata(caller, wants_bulk=True).bulk.examples[0]
    assert found.link == link
    assert (found.host == "files.example") == link.startswith("https://files.example")
    assert len(service.requests) == 1


def test_service_that_is_down_is_noted_and_well_again_when_it_answers(
    make_service, make_extension, caller
):
    service = make_service()
    extension = make_extension(base_url=service.url)
    service.close()
    remote = RemoteProtocol(extension)
    assert failure(lambda: remote.metadata(caller)) == (NO_FORM, "Nobody answers there.")
    assert failure(lambda: remote.register(caller, {})) == (
        "Unable to reach the microservice.", "Nobody answers there.")  # fmt: skip
    assert failure(lambda: remote.register_file(caller, iter([b""]), "a", 0))[0] == NOT_REACHED
    assert health(extension) == (Health.BAD, "Nobody answers there.")
    registry.change(
        extension,
        registry.Details(**{**vars(registry.Details.of(extension)), "base_url": "http://[::1]:9"}),
        by=SYSTEM,
    )
    failure(lambda: remote.metadata(caller))  # by the details of before
    assert health(extension)[0] == Health.UNKNOWN
    well = make_service()
    Extension.objects.filter(pk=extension.pk).update(base_url=well.url)
    extension.refresh_from_db()
    RemoteProtocol(extension).metadata(caller)
    assert health(extension) == (Health.GOOD, "Nobody answers there.")


def test_calls_of_ours_that_are_too_many_are_no_fault_of_the_service(
    extension, remote, caller, console, monkeypatch
):
    """Else one tenant could make a shared extension look broken to everybody."""
    monkeypatch.setattr(calling, "PATIENCE", 0.01)
    monkeypatch.setattr(calling.TURNS, "for_one", 0)
    assert "Too many calls" in failure(lambda: remote.metadata(caller))[1]
    assert "Too many calls" in failure(lambda: remote.register(caller, {}))[1]
    assert health(extension)[0] == Health.UNKNOWN
    page = console("acme/operator").get(f"{LIST}registering/ext-{extension.pk}/?load=1")
    assert "Try again in a moment." in read(page).one(role="alert").text


def test_that_it_still_works_is_not_written_each_time(
    remote, caller, extension, django_assert_num_queries
):
    remote.metadata(caller)
    extension.refresh_from_db()
    with django_assert_num_queries(0):
        remote.metadata(caller)


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_a_service_is_called(service, make_extension, caller):
    remote = RemoteProtocol(make_extension(base_url=service.url))
    inside = []

    def pieces():
        inside.append(connection.in_atomic_block)
        yield b"x"

    remote.register_file(caller, pieces(), "a.csv", 1)
    assert inside == [False]


def test_secret_that_can_no_longer_be_read_is_a_sentence(remote, caller, extension, service):
    Extension.objects.filter(pk=extension.pk).update(context_path="moved")  # behind our back
    extension.refresh_from_db()
    _, cause = failure(lambda: RemoteProtocol(extension).metadata(caller))
    assert cause == "Its shared secret cannot be read any more. Enter it again."
    assert not service.requests


# --- Who may use which, and the menu --------------------------------------------------------------


def test_people_may_use_their_own_and_shared_ones_that_are_enabled(
    make_extension, house, acme, globex, management
):
    shared = make_extension(name="Shared")
    make_extension(name="Not shared", context_path="b", is_shared=False)
    own = make_extension(acme, name="Own")
    off = make_extension(acme, name="Off", context_path="off")
    registry.enable(off, by=SYSTEM, enabled=False)
    names = {
        tenant.pk: sorted(one.name for one in protocols_for(tenant))
        for tenant in (acme, globex, management)
    }
    assert names == {"acme": ["Own", "Shared"], "globex": ["Shared"],
                     "management": ["Not shared", "Shared"]}  # fmt: skip
    assert find(acme, f"ext-{own.pk}").name == "Own"
    assert find(globex, f"ext-{shared.pk}").name == "Shared"
    for key in (f"ext-{own.pk}", f"ext-{off.pk}", "ext-", "ext-x", "ext--1", "ext-٣", "lora",
                f"ext-{'9' * 18}", f"ext-{'9' * 40}", "", "\x00"):  # fmt: skip
        assert find(globex, key) is None


class Broken(Protocol):
    key = name = "broken"

    def is_for(self, tenant):
        raise ZeroDivisionError

    def metadata(self, caller, *, wants_bulk=False):
        raise NotImplementedError


def test_package_that_is_broken_is_for_nobody_and_stops_nothing(monkeypatch, make_extension, acme):
    monkeypatch.setitem(packages._known, "broken", Broken())
    own = make_extension(acme)
    assert [one.key for one in protocols_for(acme)] == [f"ext-{own.pk}"]
    assert find(acme, "broken") is None


def test_menu_reads_the_database_and_asks_no_service(
    service, make_extension, acme, django_assert_max_num_queries
):
    ours = [
        make_extension(acme, name=f"Service {number}", context_path=f"s{number}",
                       base_url="https://slow.example", priority=number, has_bulk=number % 2 == 0)
        for number in range(10)
    ]  # fmt: skip
    make_extension(name="<b>Shared</b>", base_url=service.url, has_single=False)
    desk = Console("acme/operator")
    request = desk.get(LIST).wsgi_request
    request.tenant = acme
    with django_assert_max_num_queries(1):
        offered = list(entries(request))
    assert len([each for each in offered if each.kind is Kind.SINGLE]) == 10
    assert len([each for each in offered if each.kind is Kind.BULK]) == 6
    menu = read(desk.get(LIST)).classed("menu-items")[0]
    assert "<b>Shared</b>" in menu.text
    assert menu.text.index("Service 9") < menu.text.index("Service 0")
    for one in ours:
        assert menu.all("a", href=f"/devices/registration/registering/ext-{one.pk}/")
    assert not read(Console("acme/reader").get(LIST)).classed("menu-items")
    assert not service.requests


# --- What its log and its card say ----------------------------------------------------------------


def test_form_that_cannot_be_drawn_is_told_on_the_card_and_in_one_line_of_the_log(
    service, extension, console, caplog
):
    name = "\x1b[31m\u202e" + "x" * 50_000
    service.says(answer(body=metadata(pages=[{"properties": {name: 7}}])))
    failed = console("acme/operator").get(f"{LIST}registering/ext-{extension.pk}/?load=1")
    assert failed.status_code == 424
    state, error = health(extension)
    assert state == Health.BAD
    assert error.startswith("What stands at #/")
    (line,) = [text for one in caplog.records if "stands at" in (text := one.getMessage())]
    assert line.isprintable()
    assert len(line) < 2_000


# --- A canary in the shared secret --------------------------------------------------------------


def test_secret_is_in_no_log_and_no_error(make_service, make_extension, caller, caplog):
    caplog.set_level(logging.DEBUG)
    service = make_service().says(answer(500, {"message": "no"}))
    remote = RemoteProtocol(make_extension(base_url=service.url, secret=SECRET))
    told = [
        *failure(lambda: remote.metadata(caller)), *failure(lambda: remote.register(caller, {})),
        *failure(lambda: remote.register_file(caller, iter([b""]), "a", 0)),
    ]  # fmt: skip
    login = service.requests[0].headers["authorization"].removeprefix("Basic ")
    assert SECRET in base64.b64decode(login).decode()
    everything = "\n".join([caplog.text, *map(str, told),
                            *(str(record.__dict__) for record in caplog.records)])  # fmt: skip
    assert "failed" in caplog.text
    assert SECRET not in everything
    assert login not in everything
