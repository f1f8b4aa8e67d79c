"""What the endpoints of device registration take and answer."""

from typing import Final

from registration.lifecycle import Status
from tenants.api.describing import (
    ADDRESS,
    ANYTHING,
    FLAG,
    GONE,
    NUMBER,
    PAGING,
    TEXT,
    TIME,
    Answer,
    Body,
    Operation,
    Parameter,
    Schema,
    about,
    answer,
    created,
    one_of,
    page_of,
    several,
    shape,
)

DEVICE_ID: Final = Parameter(
    "device_id", "The ID of the device; it may contain slashes.", example="4711"
)
OPTIONAL_TEXT: Final = {"type": ["string", "null"]}
TOKEN: Final = about(OPTIONAL_TEXT, "The security token, where one is used.")
REGISTRATION: Final = Schema(
    "NewDeviceRequest",
    shape(
        "id status self tenantId",
        id=TEXT,
        status=one_of(*Status.values),
        self=ADDRESS,
        tenantId=TEXT,
        owner=TEXT,
        creationTime=TIME,
        groupId=TEXT,
        type=TEXT,
        customProperties=ANYTHING,
    ),
)
A_REGISTRATION: Final = answer("The registration.", REGISTRATION, "newDeviceRequest")
DEVICE_CREDENTIALS: Final = {
    "POST": Operation(
        "Ask for credentials, as a device",
        {
            201: created(
                "The credentials. They appear nowhere else.",
                Schema(
                    "DeviceCredentials",
                    shape(
                        "id self tenantId username password",
                        id=TEXT,
                        self=ADDRESS,
                        tenantId=TEXT,
                        username=TEXT,
                        password=TEXT,
                    ),
                ),
                "deviceCredentials",
            )
        },
        "A device asks every five seconds, or less often, until it is accepted. After 201 it logs "
        "in once, which confirms the hand-over; if the answer got lost, it asks again. "
        "Whoever calls is a bootstrap account, or a provisioning key of a device type: with a key, "
        "a device that nobody expects is registered as one of that type.",
        body=Body(
            shape("id", id=TEXT, securityToken=TOKEN),
            {
                "Without a token": {"id": "4711"},
                "With a token": {"id": "4711", "securityToken": "A1e3gh5ds"},
            },
        ),
        refusals={
            404: "Nobody expects it, or it is not accepted yet: go on asking.",
            422: "The body does not fit, or no device of the key's type has such an ID.",
            429: "Too many new devices come by this provisioning key.",
        },
    )
}
NEW_DEVICE_REQUESTS: Final = {
    "GET": Operation(
        "List open registrations",
        {
            200: page_of(
                REGISTRATION, collection="newDeviceRequests", kind="newDeviceRequestCollection"
            )
        },
        "Newest first.",
        query=PAGING,
    ),
    "POST": Operation(
        "Register a device",
        {201: created("The registration.", REGISTRATION, "newDeviceRequest")},
        "A group needs `ROLE_INVENTORY_READ` besides. The management tenant can name another "
        "tenant, but not its groups.",
        body=Body(
            shape(
                "id",
                id=TEXT,
                groupId=about({"type": ["string", "integer", "null"]}, "The group it is to join."),
                type=OPTIONAL_TEXT,
                tenantId=OPTIONAL_TEXT,
                customProperties={"type": ["object", "null"], "additionalProperties": True},
            ),
            {"A device": {"id": "4711"}},
        ),
    ),
}
NEW_DEVICE_REQUEST: Final = {
    "GET": Operation("Read one registration", {200: A_REGISTRATION}),
    "PUT": Operation(
        "Accept, reset or move a registration",
        {200: A_REGISTRATION},
        "`ACCEPTED` lets the device have its credentials; `WAITING_FOR_CONNECTION` forgets that it "
        "has knocked. The management tenant moves a registration by `tenantId` alone.",
        body=Body(
            shape(
                "",
                status={"type": ["string", "null"], "enum": [*Status.values, None]},
                securityToken=TOKEN,
                tenantId=OPTIONAL_TEXT,
            ),
            {
                "Accept it": {"status": "ACCEPTED"},
                "Accept it with its token": {"status": "ACCEPTED", "securityToken": "A1e3gh5ds"},
            },
        ),
    ),
    "DELETE": Operation(
        "Cancel a registration", {204: GONE}, refusals={422: "It is too late for that."}
    ),
}
ACCEPT_ALL: Final = {
    "POST": Operation(
        "Accept all that wait",
        {
            200: Answer(
                "One entry for each; those that were left out say why.",
                several(
                    shape("id successful", id=TEXT, successful=FLAG, error=TEXT),
                ),
            )
        },
        "Those that sent a security token are left out: each is accepted with its own.",
        body=Body(shape(), {"Nothing to say": {}}, is_required=False),
    )
}
LIMIT: Final = {
    "GET": Operation(
        "Read how many devices there are, and may be",
        {
            200: Answer(
                "The number of devices, and the limit if there is one.",
                shape("isReached deviceCount", isReached=FLAG, deviceCount=NUMBER, limit=NUMBER),
            )
        },
    )
}
