"""A device's first day as published agents live it, and every way in which it can go wrong.

An agent collects its credentials, looks for its object by its external ID, creates it if there is
none, and binds the ID. It keeps nothing but its credentials: after a crash it starts anew.
"""

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.utils import timezone

from inventory.models import DeviceCredentials, DeviceEvent, ManagedObject, State
from tests.support import REQUESTS, Api, at_once

OBJECTS = "/inventory/managedObjects"
GROUP = {"type": "c8y_DeviceGroup", "c8y_IsDeviceGroup": {}}
STEPS = ["collect", "log in", "look", "create", "bind", "check"]
TWICE_OR_MORE = range(4)  # a race is run several times, since one run may go well by chance


class CrashError(Exception):
    """The agent died, after the server had done its part."""


class Agent:
    """A device with an agent; ``body`` is what it says of itself."""

    def __init__(self, device_id="press-1", **body):
        self.device_id = device_id
        self.body = {
            "name": f"Press {device_id}"[:500],
            "type": "acme_Press",
            "c8y_IsDevice": {},
            **body,
        }
        self.api = None
        self.answers = []

    def restarted(self):
        """Return the agent as it starts after a crash, with the credentials that it has kept."""
        again = Agent(self.device_id)
        again.body, again.api = self.body, self.api
        return again

    def run(self, *, crash_at=None):
        """Do everything up to the check and return the object's ID."""
        for step in STEPS:
            done = getattr(self, "_" + step.replace(" ", "_"))()
            if step == crash_at:
                raise CrashError
            if step == "collect" and self.api is None:
                self.api = done
            if step == "look" and done is not None:
                return done
        return done

    def _collect(self):
        if self.api is not None:
            return None
        answer = Api("management/devicebootstrap").poll(self.device_id)
        assert answer.status_code == 201, answer.content
        given = answer.json()
        return Api(f"{given['tenantId']}/{given['username']}", given["password"])

    def _log_in(self):
        answer = self.api.get("/user/currentUser")
        assert answer.json()["userName"] == f"device_{self.device_id}"

    def _look(self):
        answer = self.api.get(f"/identity/externalIds/c8y_Serial/{quote(self.device_id)}")
        assert answer.status_code in {200, 404}, answer.content
        return answer.json()["managedObject"]["id"] if answer.status_code == 200 else None

    def _create(self):
        answer = self.api.post(OBJECTS, self.body)
        assert answer.status_code == 201, answer.content
        self.object_id = answer.json()["id"]

    def _bind(self):
        body = {"type": "c8y_Serial", "externalId": self.device_id}
        answer = self.api.post(f"/identity/globalIds/{self.object_id}/externalIds", body)
        # Another run of the same agent may have been first.
        assert answer.status_code in {201, 409}, answer.content

    def _check(self):
        found = self._look()
        assert found == self.object_id
        return found


@pytest.fixture
def plant(api):
    """The ID of a group that nobody has touched for an hour."""
    made = api("acme/operator").post(OBJECTS, {"name": "Plant", **GROUP}).json()["id"]
    ManagedObject.objects.update(updated_at=timezone.now() - timedelta(hours=1))
    return made


@pytest.fixture
def let_agent_in(api, device):
    """Register a device and accept it: ``let_agent_in("press-1", group)``."""

    def let_in(device_id="press-1", group=None):
        operator = api("acme/operator")
        body = {"id": device_id} | ({"groupId": group} if group else {})
        assert operator.post(REQUESTS, body).status_code == 201
        assert device.poll(device_id).status_code == 404
        assert operator.accept(device_id).status_code == 200

    return let_in


def devices():
    return ManagedObject.objects.filter(kind="device").reported()


def members(api, group):
    answer = api("acme/reader").get(f"{OBJECTS}/{group}/childAssets?pageSize=100").json()
    return [each["managedObject"]["id"] for each in answer["references"]]


@pytest.mark.parametrize("device_id", ["press-1", "aa:bb:cc:00:11:22", "Zähler-Ü", "x" * 1000])
def test_device_finds_no_object_creates_it_and_is_in_its_group(device_id, let_agent_in, plant, api):
    let_agent_in(device_id, plant)
    before = api("acme/reader").get(f"{OBJECTS}/{plant}").json()
    agent = Agent(device_id)
    with pytest.raises(CrashError):
        agent.run(crash_at="look")
    assert members(api, plant) == []
    assert api("acme/reader").get(f"{OBJECTS}/{plant}").json() == before

    object_id = agent.restarted().run()
    assert members(api, plant) == [object_id]
    after = api("acme/reader").get(f"{OBJECTS}/{plant}").json()
    assert after["lastUpdated"] > before["lastUpdated"]
    shown = agent.api.get(f"{OBJECTS}/{object_id}").json()
    assert shown["owner"] == f"device_{device_id}"
    assert agent.body.items() <= shown.items()
    made = devices().get()
    assert (made.device_id, made.state, made.group_to_join) == (device_id, State.CONNECTED, None)
    assert DeviceCredentials.objects.get().managed_object == made
    assert DeviceEvent.objects.filter(kind="reported").count() == 1


def test_device_without_a_group_is_in_none(let_agent_in, api):
    let_agent_in()
    object_id = Agent().run()
    shown = api("acme/reader").get(f"{OBJECTS}/{object_id}?withParents=true").json()
    assert shown["assetParents"]["references"] == []


def test_group_that_is_deleted_meanwhile_is_not_joined(let_agent_in, plant, api):
    let_agent_in("press-1", plant)
    api("acme/operator").delete(f"{OBJECTS}/{plant}")
    Agent().run()
    assert devices().count() == 1


# --- Crashes --------------------------------------------------------------------------------


@pytest.mark.parametrize("second", STEPS)
@pytest.mark.parametrize("first", STEPS)
def test_crash_at_any_step_twice_in_a_row_leaves_one_device(
    first, second, let_agent_in, plant, api
):
    let_agent_in("press-1", plant)
    agent = Agent()
    for crash_at in (first, second):
        try:
            agent.run(crash_at=crash_at)
        except CrashError:
            agent = agent.restarted()
    object_id = agent.restarted().run()
    assert [str(one.pk) for one in devices()] == [object_id]
    assert members(api, plant) == [object_id]
    assert ManagedObject.objects.filter(kind="device").count() == 1


@pytest.mark.parametrize("step", ["create", "bind"])
def test_step_that_is_repeated_at_once_changes_nothing(step, let_agent_in):
    let_agent_in()
    agent = Agent()
    object_id = agent.run()
    getattr(agent, f"_{step}")()
    getattr(agent, f"_{step}")()
    assert agent.object_id == object_id
    assert devices().count() == 1
    assert devices().get().external_ids.count() == 1


def test_device_that_knows_no_external_ids_has_one_object_however_often_it_starts(let_agent_in):
    let_agent_in()
    agent = Agent()
    with pytest.raises(CrashError):
        agent.run(crash_at="create")
    made = []
    for version in (1, 2):
        answer = agent.api.post(OBJECTS, {**agent.body, "c8y_Firmware": {"version": version}})
        made.append(answer.json())
    assert made[0]["id"] == made[1]["id"] == str(devices().get().pk)
    assert made[1]["c8y_Firmware"] == {"version": 2}


def test_device_that_repeats_itself_keeps_to_the_limits(let_agent_in):
    let_agent_in()
    agent = Agent()
    with pytest.raises(CrashError):
        agent.run(crash_at="create")
    for number in range(4):
        body = {**agent.body, f"big_{number}": "x" * 100_000}
        status = agent.api.post(OBJECTS, body).status_code
        assert status == (201 if number < 2 else 422)
    assert devices().count() == 1


# --- Gateways -------------------------------------------------------------------------------


def test_devices_behind_a_gateway_are_devices_of_their_own(let_agent_in, plant, api):
    let_agent_in("press-1", plant)
    gateway = Agent()
    above = gateway.run()
    made = []
    for number in (1, 2):
        body = {"name": f"Sensor {number}", "type": "acme_Sensor", "c8y_IsDevice": {}}
        made.append(gateway.api.post(OBJECTS, body).json())
    assert len({above, *(one["id"] for one in made)}) == 3
    for number, one in enumerate(made):
        assert one["owner"] == "device_press-1"
        link = gateway.api.post(
            f"{OBJECTS}/{above}/childDevices", {"managedObject": {"id": one["id"]}}
        )
        assert link.status_code == 201
        body = {"type": "c8y_Serial", "externalId": f"sensor-{number}"}
        answer = gateway.api.post(f"/identity/globalIds/{one['id']}/externalIds", body)
        assert answer.status_code == 201
    assert members(api, plant) == [above]
    assert [one.device_id for one in devices().order_by("pk")] == ["press-1", "", ""]


@pytest.mark.parametrize("is_bound", [True, False])
def test_device_made_beneath_a_gateway_is_never_taken_for_it(is_bound, let_agent_in):
    let_agent_in()
    gateway = Agent()
    with pytest.raises(CrashError):
        gateway.run(crash_at="check" if is_bound else "create")
    above = str(devices().get().pk)
    made = gateway.api.post(f"{OBJECTS}/{above}/childDevices", gateway.body).json()
    assert made["id"] != above
    shown = gateway.api.get(f"{OBJECTS}/{above}").json()
    (child,) = shown["childDevices"]["references"]
    assert child["managedObject"]["id"] == made["id"]


def test_nameless_devices_behind_a_gateway_are_many(let_agent_in):
    let_agent_in()
    gateway = Agent(name="", type="")
    above = gateway.run()
    made = {gateway.api.post(OBJECTS, {"c8y_IsDevice": {}}).json()["id"] for _ in range(3)}
    assert len(made | {above}) == 4


def test_what_a_device_makes_beside_devices_is_no_device(let_agent_in):
    let_agent_in()
    agent = Agent()
    with pytest.raises(CrashError):
        agent.run(crash_at="log in")
    other = agent.restarted().api.post(OBJECTS, {"name": "dashboard"}).json()["id"]
    object_id = agent.restarted().run()
    assert other != object_id
    assert [one.device_id for one in devices()] == ["press-1"]


# --- Coming back ----------------------------------------------------------------------------


def test_device_that_is_registered_again_has_the_object_it_had(let_agent_in, plant, api):
    let_agent_in()
    object_id = Agent().run()
    let_agent_in("press-1", plant)
    again = Agent()
    assert again.run() == object_id
    assert again.api.put(f"{OBJECTS}/{object_id}", {"acme_New": {}}).status_code == 200
    assert devices().count() == 1
    assert members(api, plant) == [object_id]


@pytest.mark.parametrize("who", ["acme/operator", "device"])
def test_device_whose_object_is_deleted_creates_it_anew(who, let_agent_in, plant, api):
    let_agent_in("press-1", plant)
    agent = Agent()
    first = agent.run()
    caller = agent.api if who == "device" else api(who)
    assert caller.delete(f"{OBJECTS}/{first}").status_code == 204
    second = agent.restarted().run()
    assert second != first
    made = devices().get()
    assert (str(made.pk), made.device_id, made.state) == (second, "press-1", State.CONNECTED)
    assert DeviceCredentials.objects.get().managed_object == made
    assert members(api, plant) == []


def test_device_that_is_deleted_with_its_login_starts_as_a_new_one(let_agent_in, plant, api):
    let_agent_in("press-1")
    agent = Agent()
    first = agent.run()
    api("acme/operator").delete(f"{OBJECTS}/{first}?withDeviceUser=true")
    assert agent.api.get("/user/currentUser").status_code == 401
    let_agent_in("press-1", plant)
    second = Agent().run()
    assert second != first
    assert members(api, plant) == [second]


# --- At the same moment ---------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("crowd", [2, 6])
@pytest.mark.parametrize("attempt", TWICE_OR_MORE)
def test_connections_of_one_device_at_once_leave_one_device(
    attempt, crowd, let_agent_in, plant, api
):
    let_agent_in("press-1", plant)
    agent = Agent()
    with pytest.raises(CrashError):
        agent.run(crash_at="log in")
    results = at_once(*[agent.restarted().run for _ in range(crowd)])
    assert len(set(results)) == 1, results
    assert [str(one.pk) for one in devices()] == results[:1]
    assert members(api, plant) == results[:1]
    assert devices().get().external_ids.count() == 1
    assert DeviceEvent.objects.filter(kind="reported").count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", TWICE_OR_MORE)
def test_fragments_merged_at_once_are_all_there(attempt, let_agent_in):
    let_agent_in()
    agent = Agent()
    path = f"{OBJECTS}/{agent.run()}"
    results = at_once(
        *[
            lambda number=number: agent.api.put(path, {f"acme_{number}": number, "common": number})
            for number in range(12)
        ]
    )
    assert {answer.status_code for answer in results} == {200}
    shown = agent.api.get(path).json()
    assert [shown[f"acme_{number}"] for number in range(12)] == list(range(12))
    assert shown["common"] in range(12)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("with_login", [False, True])
@pytest.mark.parametrize("attempt", TWICE_OR_MORE)
def test_device_creates_itself_while_it_is_deleted(attempt, with_login, let_agent_in, api):
    let_agent_in()
    agent = Agent()
    path = f"{OBJECTS}/{agent.run()}"
    if with_login:
        path += "?withDeviceUser=true"
    results = at_once(
        lambda: api("acme/operator").delete(path),
        lambda: agent.api.post(OBJECTS, agent.body),
        lambda: api("acme/operator").delete(path),
        lambda: agent.api.put(path.partition("?")[0], {"acme_X": {}}),
        lambda: agent.api.post(OBJECTS, agent.body),
    )
    statuses = [answer.status_code for answer in results]
    assert statuses[0] in {204, 404}
    assert statuses[2] in {204, 404}
    assert set(statuses[1::2]) | {statuses[4]} <= {200, 201, 404, 401}, statuses
    assert devices().count() <= 1
    assert ManagedObject.objects.filter(device_id="press-1").count() <= 1
    held = DeviceCredentials.objects.filter(device_id="press-1").first()
    assert (held is None) is with_login
    if held is not None and devices().exists():
        assert held.managed_object == devices().get()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", TWICE_OR_MORE)
def test_one_external_id_bound_at_once_names_one_object(attempt, api):
    operator = api("acme/operator")
    made = [operator.post(OBJECTS, {}).json()["id"] for _ in range(6)]
    body = {"type": "c8y_Serial", "externalId": "4711"}
    results = at_once(
        *[
            lambda each=each: operator.post(f"/identity/globalIds/{each}/externalIds", body)
            for each in made
        ]
    )
    assert sorted(answer.status_code for answer in results) == [201] + [409] * 5


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", TWICE_OR_MORE)
@pytest.mark.parametrize("body", [GROUP, {"c8y_IsDevice": {}}], ids=["groups", "devices"])
def test_links_made_at_once_make_no_circle(attempt, body, api):
    operator = api("acme/operator")
    made = [operator.post(OBJECTS, {"name": name, **body}).json()["id"] for name in "abcd"]
    pairs = list(zip(made, [*made[1:], made[0]], strict=True))
    results = at_once(
        *[
            lambda above=above, below=below: operator.post(
                f"{OBJECTS}/{above}/childAssets", {"managedObject": {"id": below}}
            )
            for above, below in pairs
        ]
    )
    assert sorted(answer.status_code for answer in results) == [201, 201, 201, 422]
