"""Whatever the document allows, and much that it forbids, is answered as the document says.

Schemathesis makes requests of the document. By default they are few and the same every time;
``GATEHOUSE_FUZZ_EXAMPLES=200`` makes more of them, and other ones at each run.
"""

import os

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bulk.preshared import Offer, register
from config.wsgi import application
from inventory.device_types import TypeDetails, create_type
from inventory.devices import report
from inventory.groups import add_to_group, group_at
from inventory.identity import bind
from inventory.models import DeviceCredentials, SecurityOption
from openapi.generate import document
from registration.lifecycle import Stage
from tenants.actors import Actor
from tenants.tokens import make_token
from tests.support import basic

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
MORE = int(os.environ.get("GATEHOUSE_FUZZ_EXAMPLES", "0"))


def closed(value):
    """Return the document without room for members that it does not name, in what is answered."""
    if isinstance(value, list):
        return [closed(each) for each in value]
    if not isinstance(value, dict):
        return value
    found = {name: closed(each) for name, each in value.items()}
    if "properties" in found and "additionalProperties" not in found:
        found["additionalProperties"] = False
    return found


def prepared():
    """Return the document with what is answered closed."""
    whole = document()
    whole["components"] = closed(whole["components"])
    for path in whole["paths"].values():
        for operation in path.values():
            if "responses" in operation:
                operation["responses"] = closed(operation["responses"])
    return whole


SCHEMA = schemathesis.openapi.from_dict(prepared())
SCHEMA.app = application
SCHEMA.config.phases.coverage.enabled = bool(MORE)


@pytest.fixture(autouse=True)
def one_connection():
    """Let requests leave the connection of the test alone."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def known(house, acme, operator, person, make_registration):
    """Return what there is to find, by the names of parameters."""
    make_registration("4711", stage=Stage.PENDING)
    login = DeviceCredentials.issue(acme, "press-1", "x" * 32)
    fragments = {"c8y_IsDevice": {}, "c8y_Hardware": {"serialNumber": "1"}}
    device, _ = report(login, name="Press 1", kind="press", fragments=fragments, by=operator)
    group = group_at(acme, "Hall 1", by=operator)
    add_to_group(group, [device], by=operator)
    bind(device, "c8y_Serial", "1", by=operator)
    device_types = [
        create_type(acme, TypeDetails(name=option, security_option=option), by=operator)
        for option in SecurityOption.values
    ]
    register(device_types[0], [Offer("device1", "secretfordevice1")], by=operator)
    return {
        "device_type_id": [str(each.pk) for each in device_types],
        "object_id": [str(group.pk), str(device.pk)],
        "child_id": [str(device.pk)],
        "device_id": ["4711", "press-1", "device1"],
        "tenant_id": ["acme", "acme", "acme", "globex"],
        "user_id": ["operator", "device_press-1"],
        "type": ["c8y_Serial"],
        "externalId": ["1"],
        "category": ["device-registration"],
        "key": ["security-token.policy", "k/editable"],
        "record_id": ["1"],
    }


@pytest.fixture
def callers(house, person):
    """Return headers by the area, else those of somebody who may do everything in acme."""
    owner = person("acme/administrator")
    by = Actor(owner.username, owner)
    _, text = make_token(owner, "fuzzer", sorted(owner.effective_roles), expires_at=None, by=by)
    return {
        "Tenants": {"Authorization": basic("management/administrator")},
        "bootstrap": {"Authorization": basic("management/devicebootstrap")},
        "": {"Authorization": f"Bearer {text}"},
    }


@SCHEMA.parametrize()
@hypothesis.settings(
    max_examples=MORE or 4,
    derandomize=not MORE,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_answers_are_those_of_the_document(case, known, callers, settings):
    settings.OPS_WRITES_PER_MINUTE = 1_000_000  # what is too often has tests of its own
    number = sum(map(ord, f"{case.path_parameters}{case.body}"))
    for name in case.path_parameters or {}:
        if name in known and number % 4:
            case.path_parameters[name] = known[name][number // 4 % len(known[name])]
    said = case.operation.definition.raw
    content = said.get("requestBody", {}).get("content", {}).get(case.media_type, {})
    examples = list(content.get("examples", {}).values())
    if examples and number % 3 == 0:
        case.body = examples[number // 3 % len(examples)]["value"]
    area = "bootstrap" if said["security"] == [{"bootstrap": []}] else said["tags"][0]
    case.call_and_validate(headers=callers.get(area, callers[""]), checks=CHECKS)
