"""What the endpoints of the Operations API take and answer."""

from typing import Any, Final

from factory.api import shapes
from factory.api.refusals import MEDIA_TYPE
from tenants.api.describing import (
    GONE,
    Answer,
    Body,
    Operation,
    Parameter,
    Refusals,
    Schema,
)

AREA: Final = "Operations"
PROBLEMS: Final = Refusals(Schema("Problem", shapes.PROBLEM), MEDIA_TYPE, of_queries=400)
DEVICE_TYPE_ID: Final = Parameter("device_type_id", "The ID of the device type.", example="1")
DEVICE_ID: Final = Parameter("device_id", "The ID of the device.", example="device1")

DEVICE_TYPE: Final = Schema("DeviceType", shapes.DEVICE_TYPE)
THERMOSTAT: Final = {"name": "Thermostat T2", "security_option": "shared_secret"}
IN_USE: Final = "The device type has devices or registrations."


def _query(shape: dict[str, Any]) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(
            name,
            one.get("description", "Entries of a page."),
            {key: value for key, value in one.items() if key != "description"},
        )
        for name, one in shape.items()
    )


DEVICE_TYPES: Final = {
    "GET": Operation(
        "List device types",
        {200: Answer("One page, by name.", Schema("DeviceTypes", shapes.DEVICE_TYPES))},
        query=_query(shapes.DEVICE_TYPES_QUERY),
    ),
    "POST": Operation(
        "Make a device type",
        {201: Answer("It is made.", DEVICE_TYPE, headers={"Location": "Where it is."})},
        "Only the name is needed. Members that are not known are refused.",
        body=Body(
            Schema("NewDeviceType", shapes.NEW_DEVICE_TYPE),
            {
                "Devices with a secret of their own": THERMOSTAT,
                "Devices that come with a provisioning key": {
                    "name": "Sensor S1",
                    "security_option": "temporary_credentials",
                    "acceptance": "automatic",
                },
            },
        ),
        refusals={409: "The name is taken; `device_type_id` says by which."},
    ),
}
ONE_DEVICE_TYPE: Final = {
    "GET": Operation("Read a device type", {200: Answer("The device type.", DEVICE_TYPE)}),
    "PATCH": Operation(
        "Change a device type",
        {200: Answer("The device type as it now is.", DEVICE_TYPE)},
        "What is left out stays as it is.",
        body=Body(
            Schema("ChangedDeviceType", shapes.CHANGED_DEVICE_TYPE),
            {"Longer secrets": {"min_secret_length": 16}},
        ),
        refusals={409: "The name is taken, or the security option is not free to change."},
    ),
    "DELETE": Operation("Delete a device type", {204: GONE}, refusals={409: IN_USE}),
}
DEVICE_IDS: Final = {
    "GET": Operation(
        "List the device IDs of a type",
        {200: Answer("One page. Secrets are never shown.", Schema("DeviceIds", shapes.DEVICE_IDS))},
        query=_query(shapes.PAGE_QUERY),
    ),
    "PUT": Operation(
        "Register a set of device IDs",
        {
            200: Answer(
                "What became of each, in the order given.", Schema("Outcome", shapes.OUTCOME)
            )
        },
        "The set is added to what is there: IDs that are left out stay as they are. The same set "
        "again changes nothing, so that it is safe to send it once more. If one device is refused, "
        "nothing is stored, unless `partial=true`.",
        query=_query(shapes.OFFERS_QUERY),
        body=Body(
            Schema("Offers", shapes.OFFERS),
            {
                "Two devices": {
                    "device_ids": [
                        {"device_id": "device1", "secret": "secretfordevice1"},
                        {"device_id": "device2", "secret": "secretfordevice2", "name": "optional"},
                    ]
                }
            },
        ),
        refusals={
            409: "The security option of the device type forbids secrets.",
            422: "Devices were refused, and nothing was stored; `errors` says why.",
            429: "Too many wrong logins, or too many writes; `Retry-After` says when.",
        },
    ),
}
ONE_DEVICE_ID: Final = {
    "DELETE": Operation(
        "Delete a device, or take back its registration",
        {204: GONE},
        "With the device goes its login.",
        refusals={409: "It is too late for that."},
    )
}
