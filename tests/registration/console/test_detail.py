"""The page of one registration: its facts, its timeline, what can be done."""

import pytest

from inventory.devices import report
from inventory.groups import group_at, groups_of
from inventory.logins import delete_login
from inventory.models import DeviceCredentials, DeviceGroup
from registration.lifecycle import Stage, TokenPolicy
from tenants.actors import SYSTEM
from tests.consoles import LIST, messages_of, read, row_url
from tests.support import DEVICE, kinds, knock


def facts(response):
    root = read(response).one(id="facts")
    return {div.one("dt").text: div.one("dd").text for div in root.one("dl").all("div")}


def buttons(response):
    root = read(response).one(id="facts")
    return {each.text for each in (*root.all("button"), *root.classed("button")) if each.text}


@pytest.mark.parametrize(
    ("stage", "offered"),
    [
        (Stage.WAITING, {"Cancel registration"}),
        (Stage.PENDING, {"Accept", "Reset", "Cancel registration"}),
        (Stage.ACCEPTED, {"Cancel registration"}),
        (Stage.DELIVERED, {"Hand over again", "Cancel registration"}),
        (Stage.CONFIRMED, {"Cancel registration"}),
        (Stage.BLOCKED, {"Unblock", "Cancel registration"}),
    ],
)
def test_page_offers_what_can_be_done_at_its_stage(
    make_registration, desk, console, stage, offered
):
    registration = make_registration("press-7", stage=stage)
    assert buttons(desk.get(row_url(registration))) == offered
    reader = console("acme/reader").get(row_url(registration))
    assert reader.status_code == 200
    assert buttons(reader) == set()
    assert not read(reader).one(id="registration-facts").all("form")


def test_page_tells_the_facts(make_registration, desk, acme):
    group = group_at(acme, "Plant A/Hall 2", by=SYSTEM)
    registration = make_registration(
        "press-7", stage=Stage.CONFIRMED, token="s3cret", group=group, object_type="c8y_Press"
    )
    told = facts(desk.get(row_url(registration)))
    assert told["Tenant"] == "Acme acme"
    assert told["Group"] == "Plant A/Hall 2"
    assert told["Registered"].endswith("by operator")
    assert told["Last contact"].endswith("from 198.51.100.7")
    assert told["Security token"] == "Sent policy optional"
    assert told["Delivered"].endswith(", 1 time")
    assert told["Login"] == "acme/device_press-7"
    assert told["Type"] == "c8y_Press"
    assert {"Accepted", "Confirmed"} <= set(told)


def test_no_secret_is_on_the_page(make_registration, desk, console):
    for stage in Stage:
        registration = make_registration(f"press-{stage}", stage=stage, token="s3cret-token")
        password = ""
        if stage is Stage.DELIVERED:
            password = knock(registration, "s3cret-token")
        response = desk.get(row_url(registration))
        page = response.content.decode()
        assert "s3cret-token" not in page
        assert not password or password not in page
        assert registration.token_digest not in page or not registration.token_digest
        assert not registration.handover_nonce or registration.handover_nonce not in page


def test_timeline_tells_what_happened_newest_first(make_registration, desk):
    registration = make_registration("press-7", stage=Stage.CONFIRMED)
    timeline = read(desk.get(row_url(registration))).one("ol", class_="timeline")
    assert [each.text for each in timeline.classed("timeline-what")] == [
        "Logged in, hand-over confirmed",
        "Credentials delivered",
        "Accepted",
        "Knocked for the first time",
        "Registered",
    ]


def test_conflict_is_shown_on_the_page_and_in_the_list(make_registration, desk):
    registration = make_registration("press-7", stage=Stage.PENDING, token="s3cret")
    knock(registration, "another one")
    assert "1 poll did not fit." in read(desk.get(row_url(registration))).text
    assert read(desk.get(LIST)).classed("badge-conflict")[0]["href"] == row_url(registration)


def test_device_is_accepted_on_its_page_without_javascript(make_registration, desk):
    registration = make_registration("press-7", stage=Stage.PENDING, token="s3cret")
    form = read(desk.get(row_url(registration))).classed("accept-panel")[0]
    page = desk.client.post(form["action"], {**form.fields, "token": "wrong"}, follow=True)
    assert page.redirect_chain == [(row_url(registration), 302)]
    assert "2 attempts are left." in messages_of(page)[0]
    assert "2 attempts left." in read(page).classed("accept-panel")[0].text
    page = desk.client.post(form["action"], {**form.fields, "token": "s3cret"}, follow=True)
    assert "press-7 is accepted." in messages_of(page)[0]
    assert not read(page).classed("accept-panel")


def test_device_that_cannot_be_accepted_is_offered_no_button(
    make_registration, desk, acme, set_policy
):
    registration = make_registration("press-7", stage=Stage.PENDING)
    set_policy(acme, TokenPolicy.REQUIRED)
    panel = read(desk.get(row_url(registration))).classed("accept-panel")[0]
    assert "this device sent none, so it cannot be accepted" in panel.text
    assert not panel.all("button")


def test_live_refresh_gets_the_facts_alone(make_registration, desk):
    registration = make_registration("press-7")
    fragment = read(desk.get(row_url(registration), target="registration-facts"))
    top = [each for each in fragment.children if not isinstance(each, str)]
    assert [each["id"] for each in top] == ["registration-facts"]
    assert top[0]["hx-get"] == row_url(registration)


def test_registration_of_another_tenant_has_no_page(make_registration, console):
    registration = make_registration("press-7")
    assert console("globex/administrator").get(row_url(registration)).status_code == 404
    assert console("management/reader").get(row_url(registration)).status_code == 200
    assert console("acme/devicebootstrap").get(row_url(registration)).status_code == 403


@pytest.mark.parametrize("pk", ["0", "9" * 18, "9" * 19, "9" * 60])
def test_page_that_does_not_exist_is_not_found(desk, pk):
    assert desk.get(f"{LIST}{pk}/").status_code == 404


@pytest.mark.parametrize("events", [1, 250])
def test_page_costs_the_same_however_long_the_story(
    make_registration, desk, operator, django_assert_max_num_queries, events
):
    registration = make_registration("press-7")
    group = group_at(registration.tenant, "Hall 1", by=SYSTEM)
    for number in range(events):
        registration.join_group(None if number % 2 else group, by=operator)
    with django_assert_max_num_queries(16):
        response = desk.get(row_url(registration))
    shown = len(read(response).one("ol", class_="timeline").all("li"))
    assert shown == min(events + 1, 200)


# --- Its group ------------------------------------------------------------------------------


def join(desk, registration, path, **how):
    return desk.client.post(row_url(registration, "group/"), {"group": path}, follow=True)


def test_group_is_made_where_it_is_missing(make_registration, desk):
    registration = make_registration("press-7")
    page = join(desk, registration, " Plant A / Hall 2 ")
    assert messages_of(page) == ["press-7 will be put into Plant A/Hall 2."]
    assert facts(page)["Group"] == "Plant A/Hall 2"
    assert set(DeviceGroup.objects.values_list("path", flat=True)) == {"Plant A", "Plant A/Hall 2"}
    field = read(page).one("input", name="group")
    assert field["value"] == "Plant A/Hall 2"


def test_empty_group_takes_the_device_out(make_registration, desk, acme):
    registration = make_registration("press-7", group=group_at(acme, "Hall 2", by=SYSTEM))
    page = join(desk, registration, "  ")
    assert messages_of(page) == ["press-7 joins no group."]
    registration.refresh_from_db()
    assert registration.group is None


@pytest.mark.parametrize("path", ["a//b", "/a", "a/", "/", "a\x07b", "x" * 501, "a\u200bb"])
def test_group_that_cannot_be_is_refused(make_registration, desk, path):
    registration = make_registration("press-7")
    page = join(desk, registration, path)
    assert read(page).classed("message-error")
    assert kinds(registration) == ["registered"]
    assert not DeviceGroup.objects.exists()


def test_group_is_one_of_the_devices_own_tenant(make_registration, console, acme):
    registration = make_registration("press-7")
    join(console("management/operator"), registration, "Hall 2")
    assert DeviceGroup.objects.get().tenant == acme


def test_group_is_changed_until_the_device_reports(make_registration, desk, acme):
    registration = make_registration("press-7", stage=Stage.CONFIRMED)
    assert read(desk.get(row_url(registration))).one("input", name="group")
    join(desk, registration, "Hall 2")
    credentials = DeviceCredentials.objects.for_tenant(acme).get(device_id="press-7")
    device, _ = report(credentials, name="press", kind="", fragments={}, by=DEVICE)
    assert [str(group) for group in groups_of(device)] == ["Hall 2"]
    page = read(desk.get(row_url(registration)))
    assert not page.all("input", name="group")
    assert "The device has reported." in page.text
    (message,) = messages_of(join(desk, registration, "Hall 3"))
    assert "has created its device object already" in message
    assert [str(group) for group in groups_of(device)] == ["Hall 2"]
    assert not DeviceGroup.objects.for_tenant(acme).filter(path="Hall 3").exists()


def test_group_is_chosen_anew_for_a_device_that_was_deleted(make_registration, desk, acme):
    make_registration("press-7", stage=Stage.CONFIRMED)
    credentials = DeviceCredentials.objects.for_tenant(acme).get(device_id="press-7")
    device, _ = report(credentials, name="press", kind="", fragments={}, by=DEVICE)
    delete_login(credentials, by=SYSTEM)
    again = make_registration("press-7")
    page = read(desk.get(row_url(again)))
    assert page.one("input", name="group")
    assert "Its device object is still here" in page.text
    assert page.one("a", href=f"/devices/{device.pk}/")
    assert messages_of(join(desk, again, "Hall 2")) == ["press-7 will be put into Hall 2."]
    again.refresh_from_db()
    assert str(again.group) == "Hall 2"
    assert groups_of(device) == [], "it joins when it is let in"
