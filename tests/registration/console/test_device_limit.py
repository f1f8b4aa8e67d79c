"""The console says how near a tenant is to its device limit."""

import pytest

from registration.lifecycle import Stage
from tenants.models import Tenant
from tests.consoles import LIST, NEW, messages_of, read, row_url
from tests.support import set_limit


def fill(tenant, count, limit):
    Tenant.objects.filter(pk=tenant.pk).update(device_count=count, device_limit=limit)


def notice(response):
    return " ".join(each.text for each in read(response).classed("device-limit"))


@pytest.mark.parametrize(
    ("count", "limit", "said"),
    [
        (8, 10, ""),
        (10**6, None, ""),
        (9, 10, "9 of 10 devices. There is room for 1 more."),
        (1200, 1200, "1,200 of 1,200 devices. The device limit is reached."),
    ],
    ids=["room", "no limit", "nearly", "reached"],
)
@pytest.mark.parametrize("url", [LIST, NEW])
def test_page_and_dialog_warn_with_numbers(desk, acme, globex, count, limit, said, url):
    fill(acme, count, limit)
    fill(globex, 5, 5)
    shown = notice(desk.get(url)).replace("\N{NARROW NO-BREAK SPACE}", ",").replace("\xa0", ",")
    assert shown.startswith(said) if said else not shown
    assert "Globex" not in shown


def test_management_hears_of_every_tenant_or_of_the_chosen_one(console, acme, globex):
    fill(acme, 9, 10)
    fill(globex, 5, 5)
    desk = console("management/operator")
    for url in (LIST, NEW):
        said = notice(desk.get(url))
        assert said.index("Globex (globex): 5 of 5") < said.index("Acme (acme): 9 of 10")
    assert "Globex" not in notice(desk.get(LIST, {"tenant": "acme"}))


def test_registering_is_possible_at_the_limit(desk, acme):
    fill(acme, 5, 5)
    sent = {"rows-TOTAL_FORMS": "1", "rows-INITIAL_FORMS": "0", "rows-0-device_id": "press-7"}
    assert read(desk.post(NEW, sent)).one("h2", id="dialog-title").text == "Device registered"


def test_acceptance_beyond_the_limit_is_refused_with_a_sentence(make_registration, desk, acme):
    registration = make_registration("press-7", stage=Stage.PENDING)
    set_limit(acme, 0)
    response = desk.post(row_url(registration, "accept/"), target=f"registration-{registration.pk}")
    assert response.status_code == 409
    assert "the tenant's device limit is reached" in messages_of(response)[0]


def test_preview_says_for_whom_there_is_no_room(make_registration, desk, acme):
    for number in range(3):
        make_registration(f"d-{number}", stage=Stage.PENDING)
    set_limit(acme, 2)
    preview = read(desk.post(f"{LIST}accept-all/", target="dialog"))
    assert preview.one("h2").text == "Accept 2 devices"
    assert "leaves no room for 1 of them" in preview.text
    assert [each.text for each in preview.classed("result-failed")] == [
        "d-2 The tenant's device limit is reached."
    ]
    result = read(desk.post(preview.one("form")["action"], target="dialog"))
    assert result.one("h2").text == "2 of 3 devices accepted"
