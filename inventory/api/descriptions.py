"""What the endpoints about the inventory, external IDs and device users take and answer."""

from typing import Final

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
    Json,
    Operation,
    Parameter,
    Schema,
    about,
    answer,
    created,
    page_of,
    plain,
    several,
    shape,
)
from tenants.api.descriptions import ENABLING, USER

OBJECT_ID: Final = Parameter("object_id", "The ID of the object.", example="1")
CHILD_ID: Final = Parameter("child_id", "The ID of the child.", example="2")
NO_CONTENT_TYPE: Final = "application/json"

# --- Managed objects ------------------------------------------------------------------------

MENTIONED: Final = Schema(
    "ManagedObjectReference",
    shape(
        "managedObject",
        managedObject=shape("id", id=TEXT, self=ADDRESS, name=TEXT),
        self=ADDRESS,
    ),
)
AROUND: Final = Schema(
    "ManagedObjectReferences",
    shape(
        "self references",
        self=ADDRESS,
        references=several(MENTIONED),
        count=about(NUMBER, "With `withChildrenCount`."),
        next=about(ADDRESS, "Where all of them are listed, if these are not all."),
    ),
)
NAMED: Final[Json] = {
    "name": TEXT,
    "type": about(TEXT, "Free text; a device type is something else."),
    "owner": about(TEXT, "The user whose object it is."),
    "c8y_IsDevice": about(ANYTHING, "Makes it a device."),
    "c8y_IsDeviceGroup": about(ANYTHING, "Makes it a group."),
}
OBJECT: Final = Schema(
    "ManagedObject",
    {
        **shape(
            "id self owner creationTime lastUpdated",
            **{
                **NAMED,
                "id": TEXT,
                "self": ADDRESS,
                "creationTime": TIME,
                "lastUpdated": TIME,
                "childAssets": AROUND,
                "childDevices": AROUND,
                "childAdditions": AROUND,
                "assetParents": AROUND,
                "deviceParents": AROUND,
                "additionParents": AROUND,
                "c8y_IsDevice": {},
                "c8y_IsDeviceGroup": {},
            },
        ),
        "additionalProperties": True,
        "description": "All other members are fragments, which are the client's own.",
    },
)
FRAGMENTS: Final = Schema(
    "ManagedObjectFragments",
    {
        **shape(**{name: {} for name in NAMED} | {"name": {"type": ["string", "null"]}}),
        "additionalProperties": True,
        "description": "A name, a type, and fragments of the client's own; null removes one.",
    },
)
A_DEVICE: Final[Json] = {
    "name": "Press 1",
    "type": "press",
    "c8y_IsDevice": {},
    "c8y_Hardware": {"serialNumber": "4711"},
}
SHOWN: Final = (
    Parameter("withChildren", "Show references to what is beneath.", FLAG),
    Parameter("withChildrenCount", "Count what is beneath.", FLAG),
    Parameter("withParents", "Show references to what is above.", FLAG),
    Parameter("withGroups", "Show references to the groups it is in.", FLAG),
    Parameter("skipChildrenNames", "Leave out the names in references.", FLAG),
)
FILTERS: Final = (
    Parameter("query", "An expression.", example="$filter=(has(c8y_IsDevice)) $orderby=name asc"),
    Parameter("q", "The same, of devices only."),
    Parameter("type", "Only those with this type."),
    Parameter("fragmentType", "Only those with this fragment.", example="c8y_IsDevice"),
    Parameter("owner", "Only those of this user."),
    Parameter("ids", "Only those with these IDs, with commas between them."),
    Parameter("text", "Only those whose names begin so."),
    Parameter("childAssetId", "Only what has this child asset."),
    Parameter("childDeviceId", "Only what has this child device."),
    Parameter("childAdditionId", "Only what has this child addition."),
    Parameter("onlyRoots", "Only what is beneath nothing.", FLAG),
)
AGAINST: Final = "A rule is against it; `message` says which."
OBJECTS: Final = {
    "GET": Operation(
        "List objects",
        {200: page_of(OBJECT, collection="managedObjects", kind="managedObjectCollection")},
        "With `ROLE_INVENTORY_CREATE` alone, only what is one's own. Lists that show references "
        "have at most 100 entries a page.",
        query=(*FILTERS, *SHOWN, *PAGING),
    ),
    "POST": Operation(
        "Make an object",
        {201: created("The object.", OBJECT, "managedObject")},
        "The first device object that a device makes is the device itself.",
        query=SHOWN,
        body=Body(
            FRAGMENTS,
            {
                "A device": A_DEVICE,
                "A group": {"name": "Hall 1", "type": "c8y_DeviceGroup", "c8y_IsDeviceGroup": {}},
            },
        ),
        refusals={409: AGAINST},
    ),
}
COUNT: Final = {
    "GET": Operation("Count objects", {200: Answer("The bare number.", NUMBER)}, query=FILTERS)
}
ONE_OBJECT: Final = {
    "GET": Operation(
        "Read one object", {200: answer("The object.", OBJECT, "managedObject")}, query=SHOWN
    ),
    "PUT": Operation(
        "Change an object",
        {200: answer("The object as it now is.", OBJECT, "managedObject")},
        "Fragments are merged by their names at the top level; null removes one.",
        query=SHOWN,
        body=Body(FRAGMENTS, {"Another name": {"name": "Press 2"}}),
        refusals={409: AGAINST},
    ),
    "DELETE": Operation(
        "Delete an object",
        {204: GONE},
        query=(
            Parameter("cascade", "With all beneath it, if it is a device or a group.", FLAG),
            Parameter("forceCascade", "With all beneath it, whatever it is.", FLAG),
            Parameter("withDeviceUser", "With the logins of the devices among them.", FLAG),
        ),
        refusals={409: AGAINST},
    ),
}

# --- Children -------------------------------------------------------------------------------

CHILD: Final = Schema("Child", shape("managedObject self", managedObject=OBJECT, self=ADDRESS))
REFERENCE: Final[Json] = shape(
    "managedObject", managedObject=shape("id", id={"type": ["string", "integer"]})
)
CHILDREN_BODY: Final = Schema(
    "ChildrenToAdd",
    {
        "anyOf": [
            REFERENCE,
            shape("references", references=several(REFERENCE)),
            FRAGMENTS,
        ],
        "description": "One reference, several, or an object that is to be made there.",
    },
)
TAKES_OUT: Final = Schema(
    "ChildrenToTakeOut",
    {"anyOf": [REFERENCE, shape("references", references=several(REFERENCE))]},
)
TYPES_OF_REFERENCES: Final = (
    NO_CONTENT_TYPE,
    plain("managedObjectReference"),
    plain("managedObjectReferenceCollection"),
)
ONE_REFERENCE: Final[Json] = {"managedObject": {"id": "2"}}
CHILDREN: Final = {
    "GET": Operation(
        "List the children of an object",
        {200: page_of(CHILD, collection="references", kind="managedObjectReferenceCollection")},
        query=(*FILTERS, *SHOWN, *PAGING),
    ),
    "POST": Operation(
        "Add children to an object, or make one",
        {
            201: Answer(
                "The child, the references that were added, or the object that was made.",
                CHILD,
                plain("managedObjectReference"),
                {"Location": "Where it is."},
                {
                    plain("managedObjectReferenceCollection"): shape(
                        "self references", self=ADDRESS, references=several(CHILD)
                    ),
                    plain("managedObject"): OBJECT,
                },
            )
        },
        "A group is in one other group at most.",
        query=SHOWN,
        body=Body(
            CHILDREN_BODY,
            {
                "One": ONE_REFERENCE,
                "Several": {"references": [ONE_REFERENCE]},
                "A new object": A_DEVICE,
            },
            (*TYPES_OF_REFERENCES, plain("managedObject")),
        ),
        refusals={409: AGAINST},
    ),
    "DELETE": Operation(
        "Take children out",
        {204: Answer("They are out; they stay in the inventory.")},
        body=Body(
            TAKES_OUT,
            {"One": ONE_REFERENCE, "Several": {"references": [ONE_REFERENCE]}},
            TYPES_OF_REFERENCES,
        ),
        refusals={409: AGAINST},
    ),
}
ONE_CHILD: Final = {
    "GET": Operation(
        "Read one child",
        {200: answer("The child.", CHILD, "managedObjectReference")},
        query=SHOWN,
    ),
    "DELETE": Operation(
        "Take one child out",
        {204: Answer("It is out; it stays in the inventory.")},
        refusals={409: AGAINST, 422: "It is no child of that object."},
    ),
}

# --- External IDs ---------------------------------------------------------------------------

EXTERNAL: Final = (
    "external",
    (
        Parameter("type", "The type of the external ID.", example="c8y_Serial"),
        Parameter("externalId", "The external ID; it may contain slashes.", example="4711"),
    ),
)
EXTERNAL_ID: Final = Schema(
    "ExternalId",
    shape(
        "externalId type managedObject self",
        externalId=TEXT,
        type=TEXT,
        managedObject=shape("id self", id=TEXT, self=ADDRESS),
        self=ADDRESS,
    ),
)
ONE_EXTERNAL_ID: Final = {
    "GET": Operation(
        "Find the object behind an external ID",
        {200: answer("The ID and its object.", EXTERNAL_ID, "externalId")},
    ),
    "DELETE": Operation("Take an external ID off its object", {204: GONE}),
}
EXTERNAL_IDS: Final = {
    "GET": Operation(
        "List the external IDs of an object",
        {
            200: answer(
                "All of them, at once.",
                shape("self externalIds", self=ADDRESS, externalIds=several(EXTERNAL_ID)),
                "externalIdCollection",
            )
        },
    ),
    "POST": Operation(
        "Give an object an external ID",
        {201: created("The ID.", EXTERNAL_ID, "externalId")},
        body=Body(
            shape("type externalId", type=TEXT, externalId=TEXT),
            {"A serial number": {"type": "c8y_Serial", "externalId": "4711"}},
        ),
        refusals={409: "Another object has it, or this one has too many."},
    ),
}

# --- Device users ---------------------------------------------------------------------------

DEVICE_ID: Final = Parameter("device_id", "The ID of the device.", example="4711")
DEVICE_USER: Final = {
    "GET": Operation(
        "Read the user of a device",
        {200: answer("The user.", USER, "user")},
        "A device reads its own.",
    ),
    "PUT": Operation(
        "Enable or disable the user of a device",
        {200: answer("The user as it now is.", USER, "user")},
        body=ENABLING,
        refusals={409: AGAINST},
    ),
    "DELETE": Operation(
        "Delete the user of a device",
        {204: Answer("It is deleted, and the device is out.")},
        refusals={409: AGAINST},
    ),
}
LOGIN: Final = answer(
    "The user name, and whether it is enabled.",
    shape("userName enabled self", userName=TEXT, enabled=FLAG, self=ADDRESS),
    "managedObjectUser",
)
USER_OF_OBJECT: Final = {
    "GET": Operation("Read the login of a device by its object", {200: LOGIN}),
    "PUT": Operation(
        "Enable or disable the login of a device by its object",
        {200: LOGIN},
        body=ENABLING,
        refusals={409: AGAINST},
    ),
}
DEVICE_ME: Final = {
    "GET": Operation(
        "Ask who I am, as a device",
        {
            200: Answer(
                "The device whose login this is.",
                shape(
                    "tenant device_id device_type device_type_id",
                    tenant=TEXT,
                    device_id=TEXT,
                    device_type=about({"type": ["string", "null"]}, "The name of its type."),
                    device_type_id={"type": ["integer", "null"]},
                ),
            )
        },
        "By this a device sees whether its login works: Basic, with the user "
        "`<tenant>/device_<device ID>` and its secret. Whatever is wrong with the login, the "
        "answer is the same 401.",
        refusals={404: "The caller is no device."},
    )
}
