"""What the endpoint of bulk registration takes and answers."""

from typing import Final

from tenants.api.describing import (
    NUMBER,
    TEXT,
    Body,
    Operation,
    about,
    answer,
    one_of,
    several,
    shape,
)

FILE: Final = "ID;PATH\npress-1;Hall 1\npress-2;Hall 1\n"
RESULT: Final = shape(
    "numberOfAll numberOfCreated numberOfFailed numberOfSuccessful",
    numberOfAll=NUMBER,
    numberOfCreated=NUMBER,
    numberOfFailed=NUMBER,
    numberOfSuccessful=NUMBER,
    credentialUpdatedList=several(
        shape("deviceId", bulkNewDeviceStatus=one_of("CREDENTIAL_UPDATED"), deviceId=TEXT)
    ),
    failedCreationList=several(
        shape(
            "failureReason lineNumber",
            bulkNewDeviceStatus=one_of("FAILED"),
            deviceId=TEXT,
            failureReason=TEXT,
            line=about(TEXT, "The row, without its secrets."),
            lineNumber=NUMBER,
        )
    ),
)
BULK_NEW_DEVICE_REQUESTS: Final = {
    "POST": Operation(
        "Register the devices of a file",
        {201: answer("What became of the rows.", RESULT, "bulkNewDeviceRequest")},
        "The answer comes when all rows are done, and is 201 also if some of them failed. The "
        "file may also be the body itself, as `text/csv`.",
        body=Body(
            shape("file", file={"type": "string", "contentMediaType": "text/csv"}),
            {"Two devices to wait for": {"file": FILE}},
            ("multipart/form-data",),
        ),
        refusals={
            400: "The body ended too early, or is no form. Nothing was registered.",
            409: "Somebody paused or cancelled it in the console; what is registered stays.",
            411: "A file that is the body itself needs the header `Content-Length`.",
            413: "The file is too large for one request; use the console.",
            415: "Neither a form nor CSV.",
            422: "The file cannot be read, or there is none in the form.",
        },
    )
}
