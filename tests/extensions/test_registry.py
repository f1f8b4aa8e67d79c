"""The page *Extensions* and what stands behind it: services made known, tried out and removed."""

from functools import partial

import pytest

from extensions import registry
from extensions.models import Extension, Health
from extensions.registry import MAX_EXTENSIONS, Details, InvalidExtensionError
from tenants import audit
from tenants.actors import SYSTEM
from tenants.models import AuditRecord
from tests.consoles import messages_of, read
from tests.extensions.services import METADATA, answer
from tests.support import at_once

PAGE = "/settings/extensions/"
ADD = f"{PAGE}add/"
SECRET = "tweety-4711-of-lora"
SAID = {
    "name": "LoRa", "description": "Joins by OTAA", "base_url": "https://lora.example/base/",
    "context_path": "lora", "priority": "60", "has_single": "on", "secret": SECRET,
}  # fmt: skip
ACTIONS = ("edit", "test", "enable", "disable", "remove")


def at(extension, action):
    return f"{PAGE}{extension.pk}/{action}/"


@pytest.fixture
def office(console):
    """The console of the administrator of acme."""
    return console("acme/administrator")


@pytest.fixture
def house_office(console):
    """The console of the administrator of the management tenant."""
    return console("management/administrator")


@pytest.fixture
def lora(make_extension, acme):
    """An extension of acme."""
    return make_extension(acme, secret=SECRET)


def card(response, extension):
    return read(response).one("section", id=f"extension-{extension.pk}")


def activities():
    kind = audit.Type.EXTENSION
    found = AuditRecord.objects.filter(type=kind).order_by("pk")
    return list(found.values_list("tenant_id", "activity", "subject"))


def changes():
    """Return the changes of the last record: before and after, by name."""
    told = AuditRecord.objects.filter(type=audit.Type.EXTENSION).latest("pk").changes
    return {each["attribute"]: (each["previousValue"], each["newValue"]) for each in told}


# --- Rules ----------------------------------------------------------------------------------------

WRONG = {
    "no name": ("name", {"name": " "}),
    "two lines": ("name", {"name": "a\nb"}),
    "NUL": ("description", {"description": "a\x00"}),
    "surrogate": ("description", {"description": "a\ud800"}),
    "long name": ("name", {"name": "x" * 101}),
    "long URL": ("base_url", {"base_url": "https://a.example/" + "x" * 500}),
    "capitals": ("context_path", {"context_path": "LoRa"}),
    "slash": ("context_path", {"context_path": "a/b"}),
    "dots": ("context_path", {"context_path": ".."}),
    "colon": ("context_path", {"context_path": "a:b"}),
    "empty path": ("context_path", {"context_path": ""}),
    "odd digits": ("context_path", {"context_path": "lora٣"}),
    "ftp": ("base_url", {"base_url": "ftp://a.example"}),
    "in clear": ("base_url", {"base_url": "http://a.example"}),
    "user": ("base_url", {"base_url": "https://me@a.example"}),
    "low": ("priority", {"priority": -1}),
    "as ours": ("priority", {"priority": 100}),
    "neither": ("has_single", {"has_single": False}),
    "blank in secret": ("secret", {"secret": "a b"}),
    "long secret": ("secret", {"secret": "x" * 501}),
    "shared": ("is_shared", {"is_shared": True}),
    "private": ("allows_private", {"allows_private": True}),
}


@pytest.mark.parametrize("case", WRONG)
def test_detail_that_cannot_be_is_refused_by_its_name(acme, operator, case):
    field, said = WRONG[case]
    good = {"name": "LoRa", "context_path": "lora", "base_url": "https://lora.example"}
    with pytest.raises(InvalidExtensionError) as refusal:
        registry.add(acme, Details(**{**good, **said}), by=operator)
    assert refusal.value.field == field
    assert str(refusal.value).endswith(".")
    assert not Extension.objects.exists()
    assert activities() == []


def test_context_path_is_one_extension_of_a_tenant(make_extension, acme, globex, lora):
    with pytest.raises(InvalidExtensionError, match="context path lora already"):
        make_extension(acme, name="Another")
    assert make_extension(globex)
    assert len(activities()) == 2


def test_secret_goes_to_no_other_address_unless_it_is_typed_again(lora, operator, acme):
    """Who may change the URL must not get to know the secret by that."""
    known = vars(Details.of(lora))
    for moved in ({"base_url": "https://mine.example"}, {"context_path": "mine"}):
        with pytest.raises(InvalidExtensionError, match="Enter the shared secret again") as refusal:
            registry.change(lora, Details(**{**known, **moved}), by=operator)
        assert refusal.value.field == "secret"
    moved = Details(**{**known, "base_url": "https://mine.example", "secret": "new"})
    assert registry.change(lora, moved, by=operator).secret == "new"
    assert changes() == {
        "base_url": ("https://lora.example", "https://mine.example"), "secret": ("", "changed"),
    }  # fmt: skip


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_who_change_one_extension_do_not_lose_what_the_other_did(
    make_extension, acme, operator
):
    lora = make_extension(acme)
    known = vars(Details.of(lora))
    same = at_once(
        partial(registry.change, lora, Details(**{**known, "name": "A"}), by=operator),
        partial(registry.enable, lora, by=operator, enabled=False),
        partial(registry.remove, lora, by=operator),
        partial(registry.remove, lora, by=operator),
        partial(registry.add, acme, Details(**known), by=operator),
    )
    gone = [one for one in same if isinstance(one, Extension.DoesNotExist)]
    assert 1 <= len(gone) <= 2, "one of the two that remove it finds nothing"
    left = Extension.objects.count()
    told = [activity for _, activity, _ in activities()]
    assert told.count("Extension added") - told.count("Extension removed") == left


# --- The page -------------------------------------------------------------------------------------


def test_list_tells_of_each_extension_and_asks_none(
    house_office, office, make_extension, make_service, acme, globex, django_assert_max_num_queries
):
    service = make_service()
    shared = make_extension(name="<b>Shared</b>", base_url=service.url, secret=SECRET,
                            description="For {{7*7}}")  # fmt: skip
    own = make_extension(acme, name="Own", priority=7)
    theirs = make_extension(globex, name="Theirs")
    Extension.objects.filter(pk=shared.pk).update(
        health=Health.BAD, last_error="<script>alert(1)</script>", last_error_at=own.created_at
    )
    shown = card(house_office.get(PAGE), shared)
    for text in ("<b>Shared</b>", "For {{7*7}}", "Failing", service.url, "lora", "50", "Single",
                 "Bulk", "Shared with all tenants", "Private network", "kept secret",
                 "<script>alert(1)</script>"):  # fmt: skip
        assert text in shown.text
    page = office.get(PAGE)
    mine = card(page, own)
    assert "Not tried yet" in mine.text
    assert "none" in mine.text
    others = read(page).classed("extension-others")[0].text
    assert others.startswith("<b>Shared</b> Single Bulk")
    for text in (service.url, "alert(1)", "Theirs", SECRET):
        assert text not in page.content.decode()
    assert not read(page).all("section", id=f"extension-{theirs.pk}")
    for number in range(10):
        make_extension(acme, context_path=f"x{number}")
    office.get(PAGE)
    with django_assert_max_num_queries(10):
        fragment = office.get(PAGE, target="extension-cards")
    assert "<html" not in fragment.content.decode()
    assert len(read(fragment).classed("extension")) == 11
    assert not service.requests


def test_who_may_only_look_sees_the_list_and_no_buttons(console, person, lora):
    person("acme/operator").global_roles.clear()
    reader = console("acme/reader")
    page = reader.get(PAGE)
    assert page.status_code == 200
    assert "LoRa" in read(page).text
    assert not read(page).classed("row-actions")
    assert not read(page).all("a", href=ADD)
    for method, url in [("get", ADD), ("post", ADD), *(("post", at(lora, a)) for a in ACTIONS)]:
        assert reader.call(method, url).status_code == 403
    assert console("acme/operator").get(PAGE).status_code == 403


@pytest.mark.parametrize("target", [None, "dialog"], ids=["plain", "htmx"])
def test_extension_is_added_changed_and_removed(office, acme, target):
    dialog = read(office.get(ADD, target=target))
    names = {each["name"] for each in dialog.all("input", name=True)}
    assert not names & {"is_shared", "allows_private", "forgets_secret"}
    response = office.post(ADD, SAID | {"is_shared": "on", "allows_private": "on"}, target=target)
    assert response.status_code == (204 if target else 302)
    extension = Extension.objects.get()
    assert (extension.tenant, extension.base_url, extension.priority, extension.secret) == (
        acme, "https://lora.example/base", 60, SECRET)  # fmt: skip
    assert not extension.is_shared
    assert not extension.allows_private
    assert SECRET not in extension.sealed_secret
    if target:
        assert "extensionsChanged" in response["HX-Trigger"]
    assert messages_of(office.get(PAGE)) == ["LoRa is added. Test it to see if it answers."]

    form = read(office.get(at(extension, "edit"), target=target)).one(
        "form", action=at(extension, "edit")
    )
    fields = form.fields | {"has_single": "on"}  # as a browser sends what is ticked
    assert fields["secret"] == ""
    assert SECRET not in form.text
    response = office.post(at(extension, "edit"), fields | {"name": "LoRaWAN"}, target=target)
    assert response.status_code == (204 if target else 302)
    extension.refresh_from_db()
    assert (extension.name, extension.secret) == ("LoRaWAN", SECRET)
    assert changes() == {"name": ("LoRa", "LoRaWAN")}
    office.post(at(extension, "edit"), fields | {"name": "LoRaWAN"}, target=target)
    assert len(activities()) == 2, "nothing was changed, so nothing is told"
    office.post(at(extension, "edit"), fields | {"name": "LoRaWAN", "forgets_secret": "on"})
    extension.refresh_from_db()
    assert extension.secret == ""

    for action, enabled in (("disable", False), ("disable", False), ("enable", True)):
        response = office.post(at(extension, action), target=target)
        assert response.status_code == (204 if target else 302)
        extension.refresh_from_db()
        assert extension.is_enabled is enabled
    assert "LoRaWAN was disabled already." in messages_of(office.get(PAGE))

    asked = read(office.get(at(extension, "remove"), target=target))
    assert "Devices that were registered by it stay." in asked.text
    assert office.post(at(extension, "remove"), target=target).status_code in {204, 302}
    assert office.post(at(extension, "remove"), target=target).status_code == 404
    assert not Extension.objects.exists()
    assert activities() == [
        ("acme", "Extension added", "LoRa"), ("acme", "Extension changed", "LoRaWAN"),
        ("acme", "Extension changed", "LoRaWAN"), ("acme", "Extension disabled", "LoRaWAN"),
        ("acme", "Extension enabled", "LoRaWAN"), ("acme", "Extension removed", "LoRaWAN"),
    ]  # fmt: skip
    assert SECRET not in repr(list(AuditRecord.objects.values()))


def test_management_tenant_shares_and_allows_private_networks_and_that_is_told(house_office):
    said = SAID | {"base_url": "http://10.0.0.1:8080", "is_shared": "on", "allows_private": "on"}
    assert house_office.post(ADD, said).status_code == 302
    extension = Extension.objects.get()
    assert extension.is_shared
    assert extension.allows_private
    assert changes()["allows_private"] == ("", "true")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"base_url": "http://lora.example"}, "Use https://."),
        ({"base_url": "https://lora.example/\x00"}, "Null characters are not allowed."),
        ({"context_path": "Lo Ra"}, "Use small letters, digits, dashes and underscores"),
        ({"priority": "100"}, "Choose a number from 0 to 99."),
        ({"priority": ""}, "Choose a number from 0 to 99."),
        ({"has_single": ""}, "Choose single registration, bulk registration or both."),
        ({"name": ""}, "An extension needs a name"),
        ({"context_path": "taken"}, "There is an extension with the context path taken already."),
        ({"secret": "a b"}, "without blanks"),
    ],
)
@pytest.mark.parametrize("target", [None, "dialog"], ids=["plain", "htmx"])
def test_wrong_input_is_told_beside_its_field(office, make_extension, acme, target, said, sentence):
    make_extension(acme, context_path="taken")
    response = office.post(ADD, SAID | said, target=target)
    assert response.status_code == 422
    page = read(response)
    assert sentence in page.text
    assert SECRET not in response.content.decode()
    if "secret" not in said:
        assert "Type the secret again" in page.text
    assert Extension.objects.count() == 1


def test_there_are_only_so_many(office, acme):
    Extension.objects.bulk_create(
        Extension(tenant=acme, name="X", context_path=f"x{number}")
        for number in range(MAX_EXTENSIONS)
    )
    response = office.post(ADD, SAID)
    assert response.status_code == 409
    assert "50 extensions at most" in read(response).text


@pytest.mark.parametrize("target", [None, "dialog"], ids=["plain", "htmx"])
def test_extensions_of_others_are_nowhere(office, make_extension, globex, target):
    for other in (make_extension(globex), make_extension()):  # the second one is shared
        before = Extension.objects.values().get(pk=other.pk)
        for action in ACTIONS:
            assert office.post(at(other, action), SAID, target=target).status_code == 404
        assert Extension.objects.values().get(pk=other.pk) == before


def test_number_that_nothing_can_have_is_nowhere(office):
    assert office.post(f"{PAGE}{'9' * 30}/enable/").status_code == 404


def test_only_looking_is_by_get(office, lora):
    for action in ("test", "enable", "disable"):
        assert office.get(at(lora, action)).status_code == 405
    assert office.post(PAGE).status_code == 405


# --- Trying out -----------------------------------------------------------------------------------

ONE_PAGE = {"c8y_DeviceRegistration": {**METADATA["c8y_DeviceRegistration"], "pages": []}}
NO_FILES = {"c8y_DeviceRegistration": {**METADATA["c8y_DeviceRegistration"], "bulk": None}}
BAD_PAGE = {"c8y_DeviceRegistration": {
    **METADATA["c8y_DeviceRegistration"],
    "pages": [{"properties": {"a": {"$ref": "https://elsewhere.example/schema"}}}],
}}  # fmt: skip


@pytest.mark.parametrize("target", [None, "dialog"], ids=["plain", "htmx"])
@pytest.mark.parametrize(
    ("said", "sentences", "is_good"),
    [
        (METADATA, ["LoRa works", "LoRa device", "Device Keys", "with 1 example file"], True),
        (ONE_PAGE, ["does not work", "registration information is missing"], False),
        (NO_FILES, ["does not work", "bulk registration information is missing"], False),
        (BAD_PAGE, ["Cannot fetch a form definition", "leads out of the page"], False),
        (b"<h1>Hi</h1>", ["does not work", "Cannot fetch a form definition", "no JSON"], False),
    ],
    ids=["good", "no pages", "no files", "bad page", "no JSON"],
)
def test_trying_out_tells_what_the_service_says(
    house_office, service, make_extension, target, said, sentences, is_good
):
    service.says(answer(body=said))
    extension = make_extension(base_url=service.url)
    registry.enable(extension, by=SYSTEM, enabled=False)  # before it is offered
    response = house_office.post(at(extension, "test"), target=target)
    assert response.status_code == 200
    text = read(response).text
    for sentence in sentences:
        assert sentence in text
    if target:
        assert "extensionsChanged" in response["HX-Trigger"]
    extension.refresh_from_db()
    assert extension.health == (Health.GOOD if is_good else Health.BAD)
    assert ("Works" if is_good else "Failing") in card(house_office.get(PAGE), extension).text


def test_trying_out_goes_nowhere_that_was_not_allowed(office, service, make_extension, acme):
    extension = make_extension(acme, base_url=service.url.replace("http:", "https:"))
    text = read(office.post(at(extension, "test"))).text
    assert "127.0.0.1 is in a private network." in text
    assert not service.requests
