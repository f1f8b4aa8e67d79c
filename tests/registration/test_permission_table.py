"""Who may do what to registrations: every action of console and API against every kind of person.

One table says what each action needs; from it and from each person's rights follows the answer.
A thing of another tenant does not exist (404), a right that is missing at home is 403.
"""

from dataclasses import dataclass
from functools import partial

import pytest

from inventory.groups import group_at
from inventory.models import DeviceGroup
from registration.lifecycle import Stage
from registration.models import BulkDecision, Registration
from tenants.actors import SYSTEM
from tenants.models import User
from tenants.roles import ADMINISTRATOR, BOOTSTRAP, OPERATOR, READER, Role, effective_roles
from tests.consoles import HELP, LIST, NEW, SETTINGS, Console, read, row_url, shown_ids
from tests.support import REQUESTS, Api, give_rights, request_path

READ, ADMIN = Role.DEVICE_CONTROL_READ, Role.DEVICE_CONTROL_ADMIN
OPTIONS, OPTIONS_ADMIN = Role.OPTION_MANAGEMENT_READ, Role.OPTION_MANAGEMENT_ADMIN
GROUPS = Role.INVENTORY_READ
ROWS = {"rows-TOTAL_FORMS": "1", "rows-INITIAL_FORMS": "0"}

PEOPLE = {
    "reader": READER,
    "operator": OPERATOR,
    "administrator": ADMINISTRATOR,
    "control read only": (READ,),
    "control admin only": (ADMIN,),
    "option read only": (OPTIONS,),
    "nobody": (),
    "bootstrap": BOOTSTRAP,
}
PLACES = ["acme", "globex", "management"]  # at home, next door, above; all things are acme's


@dataclass(frozen=True)
class Action:
    """What is called, what it needs, and how it answers whoever may.

    ``about`` says whether it names a registration of acme; ``above`` whether it is for the
    management tenant only.
    """

    method: str
    url: str
    needs: tuple[Role, ...] = ()
    status: int = 200
    body: object = None
    about: Stage | None = None
    above: bool = False


CONSOLE = {
    "list": Action("get", LIST, (READ,)),
    "reload": Action("get", LIST, (READ,), body="htmx"),
    "detail": Action("get", "{row}", (READ,), about=Stage.PENDING),
    "accept": Action("post", "{row}accept/", (ADMIN,), 302, about=Stage.PENDING),
    "reset": Action("post", "{row}reset/", (ADMIN,), 302, about=Stage.PENDING),
    "unblock": Action("post", "{row}unblock/", (ADMIN,), 302, {"reason": "x"}, Stage.BLOCKED),
    "unblock dialog": Action("get", "{row}unblock/", (ADMIN,), about=Stage.BLOCKED),
    "hand over again": Action("post", "{row}hand-over/", (ADMIN,), 302, about=Stage.DELIVERED),
    "cancel": Action("post", "{row}cancel/", (ADMIN,), 302, about=Stage.PENDING),
    "cancel dialog": Action("get", "{row}cancel/", (ADMIN,), about=Stage.PENDING),
    "join group": Action(
        "post", "{row}group/", (ADMIN, GROUPS), 302, {"group": "Hall 1"}, Stage.PENDING
    ),
    "move": Action(
        "post", "{row}move/", (ADMIN,), 302, {"tenant": "globex"}, Stage.PENDING, above=True
    ),
    "move dialog": Action("get", "{row}move/", (ADMIN,), about=Stage.PENDING, above=True),
    "register": Action("get", NEW, (ADMIN,)),
    "register devices": Action("post", NEW, (ADMIN,), body=ROWS | {"rows-0-device_id": "new-1"}),
    "accept all": Action("post", f"{LIST}accept-all/", (ADMIN,), 302),
    "decide selected": Action("post", f"{LIST}selected/", (ADMIN,), 302, {"selected": "{pk}"}),
    "groups": Action("get", "/devices/groups/options/", (GROUPS,)),
    "settings": Action("get", SETTINGS, (OPTIONS,)),
    "change settings": Action("post", SETTINGS, (OPTIONS_ADMIN,), 302, {"policy": "IGNORED"}),
    "help": Action("get", HELP),
}
API = {
    "list": Action("GET", REQUESTS, (READ,)),
    "one": Action("GET", "{request}", (READ,), about=Stage.PENDING),
    "limit": Action("GET", f"{REQUESTS}/limit", (READ,)),
    "register": Action("POST", REQUESTS, (ADMIN,), 201, {"id": "new-1"}),
    "accept": Action("PUT", "{request}", (ADMIN,), 200, {"status": "ACCEPTED"}, Stage.PENDING),
    "reset": Action(
        "PUT", "{request}", (ADMIN,), 200, {"status": "WAITING_FOR_CONNECTION"}, Stage.PENDING
    ),
    "move": Action(
        "PUT", "{request}", (ADMIN,), 200, {"tenantId": "globex"}, Stage.PENDING, above=True
    ),
    "cancel": Action("DELETE", "{request}", (ADMIN,), 204, about=Stage.PENDING),
    "accept all": Action("POST", f"{REQUESTS}/acceptAll", (ADMIN,)),
    "poll": Action(
        "POST",
        "/devicecontrol/deviceCredentials",
        (Role.DEVICE_BOOTSTRAP,),
        404,  # the device goes on polling
        {"id": "press-7"},
    ),
}


def expected(action, roles, place, *, instead=()):
    """Return the status: the right first, then whose it is, then what is for management only."""
    held = effective_roles(roles)
    gate, *inner = action.needs or (None,)
    if gate and gate not in held and not any(role in held for role in instead):
        return 403
    if action.above and place != "management" and action.method in {"get", "post"}:
        return 403  # the gate of the console knows; the API looks for the thing first
    if action.about and place == "globex":
        return 404
    if any(role not in held for role in inner) or (action.above and place == "acme"):
        return 403
    return action.status


@pytest.fixture
def somebody(house):
    """Return the login of a person of a tenant with exactly these rights."""

    def make(place, name):
        if name == "bootstrap":
            return f"{place}/devicebootstrap"
        person = User.objects.get(tenant_id=place, username="reader")
        give_rights(person, *PEOPLE[name])
        return f"{place}/reader"

    return make


def table(actions):
    return pytest.mark.parametrize(
        ("action", "place", "name"),
        [
            pytest.param(action, place, name, id=f"{what} - {place} {name}")
            for what, action in actions.items()
            for place in PLACES
            for name in PEOPLE
        ],
    )


def fill_in(value, registration):
    if isinstance(value, dict):
        return {key: fill_in(each, registration) for key, each in value.items()}
    if not isinstance(value, str):
        return value
    return value.format(
        row=row_url(registration), pk=registration.pk, request=request_path("press-7")
    )


@table(CONSOLE)
def test_console(make_registration, somebody, action, place, name):
    registration = make_registration("press-7", stage=action.about or Stage.PENDING)
    desk = Console(somebody(place, name))
    target = "registration-table" if action.body == "htmx" else None
    data = fill_in(action.body, registration) if isinstance(action.body, dict) else None
    before = Registration.objects.filter(pk=registration.pk).values().get()
    response = desk.call(action.method, fill_in(action.url, registration), data, target=target)
    # A service has no place in the console, whatever it may do through the API.
    wanted = 403 if name == "bootstrap" else expected(action, PEOPLE[name], place)
    assert response.status_code == wanted
    if response.status_code in {403, 404}:
        assert Registration.objects.filter(pk=registration.pk).values().get() == before


@table(API)
def test_api(make_registration, somebody, action, place, name):
    registration = make_registration("press-7", stage=Stage.PENDING)
    caller = Api(somebody(place, name))
    before = Registration.objects.filter(pk=registration.pk).values().get()
    send = partial(caller.call, action.method, fill_in(action.url, registration))
    answer = send(action.body) if action.body else send()
    # Who manages users may cancel as well, by the contract.
    instead = [Role.USER_MANAGEMENT_ADMIN] if action.method == "DELETE" else []
    assert answer.status_code == expected(action, PEOPLE[name], place, instead=instead)
    if answer.status_code == 403 or (answer.status_code == 404 and place == "globex"):
        assert Registration.objects.filter(pk=registration.pk).values().get() == before


def test_decision_is_for_whoever_made_it(make_registration, somebody, house, person):
    make_registration(stage=Stage.PENDING)
    by = person("acme/operator")
    decision = BulkDecision.objects.create(
        tenant=house["acme"], created_by=by, action="accept", hand_picked=False
    )
    url = f"{LIST}decisions/{decision.pk}/"
    for login, status in {
        "acme/operator": 200,
        "acme/administrator": 404,
        "acme/reader": 403,
        "globex/operator": 404,
        "management/operator": 404,
    }.items():
        assert Console(login).get(url).status_code == status


# --- What is shown ------------------------------------------------------------------------------

WITHOUT_OPTIONS = "control admin only"


@pytest.fixture
def required(acme, make_registration, operator, set_policy):
    """A pending device that sent no token, under a policy that requires one."""
    registration = make_registration("press-7", stage=Stage.PENDING)
    set_policy(acme, "REQUIRED")
    return registration


@pytest.mark.parametrize("name", ["operator", WITHOUT_OPTIONS])
def test_policy_is_shown_to_those_who_may_read_options(required, somebody, name):
    desk = Console(somebody("acme", name))
    knows = name == "operator"
    (row,) = read(desk.get(LIST)).all("tr", data_device="press-7")
    assert ("one is required" in row.text) is knows
    assert ("disabled" in row.one("button", aria_label="Accept press-7").attrs) is knows
    detail = read(desk.get(row_url(required))).text
    assert ("policy required" in detail, "policy optional" in detail) == (knows, not knows)
    assert (("is required ." if knows else "is optional .") in read(desk.get(HELP)).text) is True
    preview = read(desk.post(f"{LIST}accept-all/", target="dialog"))
    assert preview.one("h2").text == ("Accept 0 devices" if knows else "Accept 1 device")
    assert ("may not read the security token policy" in preview.text) is not knows


def test_server_applies_the_policy_that_is_not_shown(required, somebody):
    desk = Console(somebody("acme", WITHOUT_OPTIONS))
    preview = read(desk.post(f"{LIST}accept-all/", target="dialog"))
    result = read(desk.post(preview.one("form")["action"], target="dialog"))
    assert result.one("h2").text == "0 of 1 device accepted"
    assert "The policy requires a security token" in result.text
    assert desk.post(row_url(required, "accept/"), target="x").status_code == 409
    required.refresh_from_db()
    assert required.status == "BLOCKED"


@pytest.mark.parametrize("name", ["reader", "operator", "control read only", WITHOUT_OPTIONS])
def test_groups_are_shown_to_those_who_may_see_them(
    make_registration, somebody, acme, operator, name
):
    group = group_at(acme, "Hall 2", by=SYSTEM)
    registration = make_registration("press-7")
    registration.join_group(group, by=operator)
    desk = Console(somebody("acme", name))
    sees = name in {"reader", "operator"}
    for url in (LIST, row_url(registration)):
        assert ("Hall 2" in desk.get(url).content.decode()) is sees
    assert bool(read(desk.get(LIST)).all("td", data_label="Group")) is sees
    # A filter that cannot be seen is none.
    assert shown_ids(desk.get(LIST, {"group": "Hall 9"})) == ([] if sees else ["press-7"])
    if name in {"operator", WITHOUT_OPTIONS}:
        assert bool(read(desk.get(NEW)).all("input", name="rows-0-group")) is sees


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("Hall 2", ""),
        (" Hall 2 ", ""),
        ("Hall 3", "There is no group “Hall 3”. Making groups needs the right"),
        ("Secret lab", "There is no group “Secret lab”."),
        ("a//b", "A group path is names separated by single slashes"),
    ],
)
def test_new_groups_are_made_by_those_who_may(
    make_registration, person, acme, globex, path, problem
):
    group_at(acme, "Hall 2", by=SYSTEM)
    group_at(globex, "Secret lab", by=SYSTEM)
    give_rights(person("acme/operator"), ADMIN, Role.INVENTORY_READ)
    desk = Console("acme/operator")
    rows = ROWS | {"rows-0-device_id": "press-7", "rows-0-group": path}
    response = desk.post(NEW, rows)
    assert response.status_code == (422 if problem else 200)
    assert problem in read(response).text
    other = make_registration("press-8")
    page = read(desk.client.post(row_url(other, "group/"), {"group": path}, follow=True))
    assert problem in page.text
    other.refresh_from_db()
    assert str(other.group or "") == ("" if problem else "Hall 2")
    assert DeviceGroup.objects.count() == 2


def test_group_in_the_contract_needs_the_right_to_see_groups(person, acme):
    group = group_at(acme, "Hall 2", by=SYSTEM)
    body = {"id": "press-7", "groupId": str(group.pk)}
    give_rights(person("acme/operator"), ADMIN)
    assert Api("acme/operator").post(REQUESTS, body).status_code == 403
    assert not Registration.objects.exists()
    give_rights(person("acme/operator"), ADMIN, Role.INVENTORY_READ)
    assert Api("acme/operator").post(REQUESTS, body).status_code == 201


@pytest.mark.parametrize(
    ("name", "links"),
    [
        ("operator", {LIST, SETTINGS, HELP}),
        ("control read only", {LIST, HELP}),
        ("option read only", {SETTINGS, HELP}),
        ("nobody", {HELP}),
    ],
)
def test_navigator_leads_to_what_one_may_see(somebody, name, links):
    page = read(Console(somebody("acme", name)).get(HELP))
    found = {each["href"] for each in page.one("nav", aria_label="Main").all("a")}
    assert found & {LIST, SETTINGS, HELP} == links
