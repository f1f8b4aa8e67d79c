"""What the endpoints about tenants, options, users and the audit log take and answer."""

from typing import Final

from tenants.api.describing import (
    ADDRESS,
    ANYTHING,
    FLAG,
    GONE,
    NOTHING,
    NUMBER,
    PAGING,
    TEXT,
    TIME,
    Body,
    Json,
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
from tenants.models import Tenant
from tenants.models.audit import AuditRecord

REFERENCES: Final = Schema(
    "References", shape("references", self=ADDRESS, references=several(ANYTHING))
)

# --- Who is calling -------------------------------------------------------------------------

LOGIN_OPTIONS: Final = {
    "GET": Operation(
        "Say how to log in",
        {
            200: answer(
                "The ways to log in; there is one.",
                shape(
                    "self loginOptions",
                    self=ADDRESS,
                    loginOptions=several(
                        shape(
                            "type",
                            type=TEXT,
                            userManagementSource=TEXT,
                            grantType=TEXT,
                            visibleOnLoginPage=FLAG,
                            self=ADDRESS,
                        )
                    ),
                ),
                "loginOptionCollection",
            )
        },
    )
}
CURRENT_TENANT: Final = {
    "GET": Operation(
        "Read the own tenant",
        {
            200: answer(
                "The tenant of the caller; `name` is its ID.",
                Schema(
                    "CurrentTenant",
                    shape(
                        "name domainName self",
                        name=TEXT,
                        domainName=TEXT,
                        allowCreateTenants=FLAG,
                        customProperties=NOTHING,
                        applications=REFERENCES,
                        parent=TEXT,
                        self=ADDRESS,
                    ),
                ),
                "currentTenant",
            )
        },
        query=(Parameter("withParent", "Name the tenant above, too.", FLAG),),
    )
}
ROLE: Final = shape("id name self", id=TEXT, name=TEXT, self=ADDRESS)
CURRENT_USER: Final = {
    "GET": Operation(
        "Read the own account",
        {
            200: answer(
                "Whoever is calling.",
                Schema(
                    "CurrentUser",
                    shape(
                        "id userName effectiveRoles self",
                        id=TEXT,
                        userName=TEXT,
                        effectiveRoles=several(ROLE),
                        shouldResetPassword=FLAG,
                        devicePermissions=NOTHING,
                        self=ADDRESS,
                    ),
                ),
                "currentUser",
            )
        },
        "A device that was given credentials calls this once: it confirms the hand-over.",
    )
}

# --- Options --------------------------------------------------------------------------------

CATEGORY: Final = Parameter(
    "category", "The category of the option.", example="device-registration"
)
KEY: Final = Parameter(
    "key", "The key of the option; it may contain slashes.", example="security-token.policy"
)
OPTION: Final = Schema(
    "Option",
    shape(
        "category key value",
        category=TEXT,
        key=TEXT,
        value=about(TEXT, "Of an option whose key begins with `credentials.`, a mask."),
        self=ADDRESS,
        editable=about(one_of("true", "false"), "Only in the answer to reserving it."),
    ),
)
VALUE: Final = {"anyOf": [TEXT, NUMBER, {"type": "number"}, FLAG]}
POLICY: Final = {"category": "device-registration", "key": "security-token.policy"}
FORBIDDEN_OPTION: Final = "The caller may not do this, or the option is reserved from above."
OPTIONS: Final = {
    "GET": Operation(
        "List the tenant's own options",
        {200: page_of(OPTION, collection="options", kind="optionCollection")},
        query=PAGING,
    ),
    "POST": Operation(
        "Set an option",
        {200: answer("The option as it now is.", OPTION, "option")},
        body=Body(
            shape("category key value", category=TEXT, key=TEXT, value=VALUE),
            {"Let devices in without a token": {**POLICY, "value": "OPTIONAL"}},
        ),
        refusals={403: FORBIDDEN_OPTION},
    ),
}
FLAT: Final[Json] = {"type": "object", "additionalProperties": TEXT}
CATEGORY_OF_OPTIONS: Final = {
    "GET": Operation(
        "Read all options of a category",
        {200: answer("Keys and their values.", FLAT, "option")},
    ),
    "PUT": Operation(
        "Set several options of a category",
        {200: answer("All keys of the category and their values.", FLAT, "option")},
        body=Body(
            {"type": "object", "additionalProperties": VALUE},
            {"Let devices in without a token": {"security-token.policy": "OPTIONAL"}},
        ),
        refusals={403: FORBIDDEN_OPTION},
    ),
}
ONE_OPTION: Final = {
    "GET": Operation(
        "Read one option",
        {200: answer("The option.", OPTION, "option")},
        query=(
            Parameter(
                "evaluate",
                "`inherited` reads what would count without a value of the tenant's own.",
                one_of("inherited"),
            ),
        ),
    ),
    "PUT": Operation(
        "Set one option, or reserve it",
        {200: answer("The option as it now is.", OPTION, "option")},
        "A key that ends in `/editable` reserves the option before it: the management tenant names "
        "the tenant by `targetTenant` and sends `editable`. That tenant may then read the option "
        "and no longer change it.",
        query=(Parameter("targetTenant", "Whose option is reserved or released."),),
        body=Body(
            shape(value=VALUE, editable={"anyOf": [FLAG, one_of("true", "false")]}),
            {"Let devices in without a token": {"value": "OPTIONAL"}},
        ),
        refusals={
            400: "The body cannot be read, or what is to be reserved is not said.",
            403: FORBIDDEN_OPTION,
        },
    ),
    "DELETE": Operation("Delete one option", {204: GONE}, refusals={403: FORBIDDEN_OPTION}),
}
SYSTEM_OPTIONS: Final = {
    "GET": Operation(
        "List what the platform itself sets",
        {
            200: answer(
                "Its version, and the defaults of the options that it reads.",
                shape("options", options=several(OPTION)),
                "optionCollection",
            )
        },
    )
}
SYSTEM_OPTION: Final = {
    "GET": Operation(
        "Read one option of the platform", {200: answer("The option.", OPTION, "option")}
    )
}

# --- Tenants --------------------------------------------------------------------------------

TENANT_ID: Final = Parameter("tenant_id", "The ID of the tenant.", example="management")
STATUS: Final = one_of(*Tenant.Status.values)
LIMIT: Final = about(
    {"type": ["integer", "null"]}, "How many devices it may let in; null is no limit."
)
# What is sent may be null, which is the same as leaving it out.
ABSENT_OR_TEXT: Final = {"type": ["string", "null"]}
ABSENT_OR_FLAG: Final = {"type": ["boolean", "null"]}
TENANT: Final = Schema(
    "Tenant",
    shape(
        "id self company status",
        id=TEXT,
        self=ADDRESS,
        domain=TEXT,
        company=TEXT,
        contactName=TEXT,
        contactPhone=TEXT,
        adminName=TEXT,
        adminEmail=TEXT,
        status=STATUS,
        creationTime=TIME,
        allowCreateTenants=FLAG,
        deviceLimit=LIMIT,
        customProperties=NOTHING,
        applications=REFERENCES,
        ownedApplications=REFERENCES,
        parent=TEXT,
    ),
)
DETAILS: Final[Json] = {
    "company": TEXT,
    "domain": ABSENT_OR_TEXT,
    "contactName": ABSENT_OR_TEXT,
    "contactPhone": ABSENT_OR_TEXT,
    "deviceLimit": {"type": ["integer", "null"], "minimum": 0},
    "allowCreateTenants": ABSENT_OR_FLAG,
    "status": {"type": ["string", "null"], "enum": [*Tenant.Status.values, None]},
}
TENANTS: Final = {
    "GET": Operation(
        "List the subtenants",
        {200: page_of(TENANT, collection="tenants", kind="tenantCollection")},
        query=(
            Parameter("company", "Only the one with this name."),
            Parameter("domain", "Only the one with this domain."),
            Parameter("parent", "Only those right beneath this tenant."),
            *PAGING,
        ),
    ),
    "POST": Operation(
        "Create a subtenant",
        {201: created("The tenant.", TENANT, "tenant")},
        "The first administrator is `adminName` with `adminPass`, or `adminEmail` with "
        "`sendPasswordResetEmail` where a mail server is set.",
        body=Body(
            shape(
                "company",
                id=ABSENT_OR_TEXT,
                adminName=ABSENT_OR_TEXT,
                adminPass={"type": ["string", "null"], "format": "password"},
                adminEmail=ABSENT_OR_TEXT,
                sendPasswordResetEmail=ABSENT_OR_FLAG,
                **DETAILS,
            ),
            {
                "A subtenant with a first administrator": {
                    "id": "acme",
                    "company": "Acme",
                    "adminName": "acme-admin",
                    "adminPass": "choose something long here",
                }
            },
        ),
        refusals={409: "The ID, the name or the domain is taken, or the tenant may own none."},
    ),
}
ONE_TENANT: Final = {
    "GET": Operation("Read one tenant", {200: answer("The tenant.", TENANT, "tenant")}),
    "PUT": Operation(
        "Change, suspend or activate a tenant",
        {200: answer("The tenant as it now is.", TENANT, "tenant")},
        "What the body leaves out stays; what was read may be sent back.",
        body=Body(shape(**DETAILS), {"Suspend it": {"status": Tenant.Status.SUSPENDED.value}}),
        refusals={409: "A rule is against it; `message` says which."},
    ),
    "DELETE": Operation(
        "Delete a tenant with all it has",
        {204: GONE},
        "For the management tenant only; the tenant must be suspended first.",
        refusals={409: "A rule is against it; `message` says which.",
                  422: "Understood, and refused."},
    ),
}  # fmt: skip

# --- Users ----------------------------------------------------------------------------------

USER_ID: Final = Parameter("user_id", "The user name.", example="admin")
GROUPS: Final = shape(
    "references",
    self=ADDRESS,
    references=several(shape(group=shape("id name self", id=NUMBER, name=TEXT, self=ADDRESS))),
)
ROLES: Final = shape("references", self=ADDRESS, references=several(shape(role=ROLE)))
USER: Final = Schema(
    "User",
    shape(
        "id userName enabled self",
        id=TEXT,
        userName=TEXT,
        displayName=TEXT,
        email=TEXT,
        enabled=FLAG,
        shouldResetPassword=FLAG,
        twoFactorAuthenticationEnabled=FLAG,
        groups=GROUPS,
        roles=ROLES,
        devicePermissions=NOTHING,
        customProperties=NOTHING,
        self=ADDRESS,
    ),
)
ENABLING: Final = Body(
    shape("enabled", enabled=FLAG),
    {"Disable it": {"enabled": False}, "Enable it": {"enabled": True}},
)
USERS: Final = {
    "GET": Operation(
        "List users, or device users",
        {200: page_of(USER, collection="users", kind="userCollection")},
        query=(
            Parameter("onlyDevices", "The users that devices log in with, and no others.", FLAG),
            Parameter("username", "Only those whose names begin so."),
            *PAGING,
        ),
    )
}
ONE_USER: Final = {
    "GET": Operation("Read one user", {200: answer("The user.", USER, "user")}),
    "PUT": Operation(
        "Enable or disable a user",
        {200: answer("The user as it now is.", USER, "user")},
        "Other members may come along as they were read; they are not changed here.",
        body=ENABLING,
        refusals={409: "Nobody would be left to administrate the tenant."},
    ),
}

# --- The audit log --------------------------------------------------------------------------

RECORD_ID: Final = Parameter("record_id", "The ID of the entry.", example="1")
AUDIT_RECORD: Final = Schema(
    "AuditRecord",
    shape(
        "id self type time source activity text user",
        id=TEXT,
        self=ADDRESS,
        type=one_of(*AuditRecord.Type.values),
        time=TIME,
        creationTime=TIME,
        source=shape("id", id=about(TEXT, "What it was done to.")),
        activity=TEXT,
        text=TEXT,
        user=TEXT,
        application=TEXT,
        severity=one_of(*AuditRecord.Severity.values),
        changes=several(
            shape(
                "attribute",
                attribute=TEXT,
                previousValue=TEXT,
                newValue=TEXT,
                changeType=one_of("ADDED", "REPLACED", "REMOVED"),
                type=TEXT,
            )
        ),
        gatehouse_AuditEntry=shape(
            "",
            tenant=TEXT,
            userTenant=TEXT,
            address=about(TEXT, "Where the request came from."),
            requestId=TEXT,
            number=about({"type": ["integer", "null"]}, "The place in the chain, once it has one."),
            digest=about(TEXT, "What chains it to the entry before."),
        ),
    ),
)
MOMENT: Final = "a time like `2026-03-19T12:16:31.586Z`, or a day."
AUDIT_RECORDS: Final = {
    "GET": Operation(
        "List what was done",
        {200: page_of(AUDIT_RECORD, collection="auditRecords", kind="auditRecordCollection")},
        "Newest first.",
        query=(
            Parameter("dateFrom", f"Nothing before this: {MOMENT}"),
            Parameter("dateTo", f"Nothing from this on: {MOMENT}"),
            Parameter("type", "Only entries about this.", one_of(*AuditRecord.Type.values)),
            Parameter("user", "Only what this user did."),
            Parameter("application", "Only what this application did; there is `gatehouse`."),
            Parameter("source", "Only what was done to this."),
            *PAGING,
        ),
    )
}
ONE_AUDIT_RECORD: Final = {
    "GET": Operation("Read one entry", {200: answer("The entry.", AUDIT_RECORD, "auditRecord")})
}
