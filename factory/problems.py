"""What the Operations API refuses: each kind of problem has a name, a status and a help page.

Source: RFC 9457.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final


@dataclass(frozen=True)
class Problem:
    """One kind of problem; ``detail`` is what is said where nothing more is known."""

    name: str
    status: HTTPStatus
    title: str
    detail: str
    remedy: str

    @property
    def uri(self) -> str:
        """Return what names the problem in an answer: the address of its help page."""
        return f"/problems/{self.name}"


_ALL: Final = (
    Problem(
        "bad-request",
        HTTPStatus.BAD_REQUEST,
        "The request cannot be read",
        "The request could not be understood.",
        "Send one JSON object in UTF-8, each member once, as the documentation of the call shows "
        "it, and values in the query that it knows.",
    ),
    Problem(
        "unauthorized",
        HTTPStatus.UNAUTHORIZED,
        "The login is not accepted",
        "The login is missing, malformed, wrong or revoked.",
        "Send an API token: as Bearer, or as the password of a Basic login whose user name is the "
        "owner's or the start of the token. People and services may also use their password; who "
        "has a second factor uses an API token. Being signed in to the console does not count.",
    ),
    Problem(
        "forbidden",
        HTTPStatus.FORBIDDEN,
        "The login may not do this",
        "The login does not have the right that this call needs.",
        "Device types take ROLE_DEVICE_TYPE_READ or ROLE_DEVICE_TYPE_ADMIN, device IDs "
        "ROLE_DEVICE_CONTROL_READ or ROLE_DEVICE_CONTROL_ADMIN. An API token has the rights that "
        "were ticked when it was made, as far as its owner still has them. Devices never have any "
        "of these.",
    ),
    Problem(
        "not-found",
        HTTPStatus.NOT_FOUND,
        "There is nothing here",
        "There is nothing at this address.",
        "Compare the address with the documentation: it ends without a slash. GET "
        "/api/ops/v1/devicetypes lists the device types of your tenant with their IDs; those of "
        "other tenants are not there for you.",
    ),
    Problem(
        "method-not-allowed",
        HTTPStatus.METHOD_NOT_ALLOWED,
        "The method is not allowed here",
        "This address does not take this method.",
        "The header Allow lists the methods that it takes.",
    ),
    Problem(
        "request-timeout",
        HTTPStatus.REQUEST_TIMEOUT,
        "The body did not arrive",
        "The connection ended before the body was complete.",
        "Send the request again. Registering the same devices twice changes nothing.",
    ),
    Problem(
        "name-taken",
        HTTPStatus.CONFLICT,
        "The name is taken",
        "There is a device type of this name already.",
        "Choose another name, or use the device type that the answer names in device_type_id. "
        "Capital letters make no difference.",
    ),
    Problem(
        "device-type-in-use",
        HTTPStatus.CONFLICT,
        "The device type has devices",
        "The device type has devices or registrations.",
        "Delete those first, or keep the device type. Its security option cannot change while it "
        "has any; make another device type for devices that come in in another way.",
    ),
    Problem(
        "secrets-forbidden",
        HTTPStatus.CONFLICT,
        "Devices of this type have no secrets",
        "The security option of the device type forbids secrets.",
        "Leave the secrets out, or register the devices with a device type whose security option "
        "is shared_secret.",
    ),
    Problem(
        "too-large",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "The request is too large",
        "The body is too large.",
        "Send fewer devices at a time. Each request adds to those that are there.",
    ),
    Problem(
        "unsupported-media-type",
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "The body is not JSON",
        "The body is of another media type.",
        "Send JSON with the header Content-Type: application/json.",
    ),
    Problem(
        "validation-error",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "Some values are not valid",
        "Some values are not valid; nothing was stored.",
        "Look at errors: each entry says by its pointer where in the body it is, has one of the "
        "codes below, and says what is wrong. There are 100 entries at most; errors_total counts "
        "all.",
    ),
    Problem(
        "too-many-requests",
        HTTPStatus.TOO_MANY_REQUESTS,
        "Too many requests",
        "There were too many requests lately.",
        "Wait as many seconds as the header Retry-After says. Send many devices in one request "
        "rather than one by one.",
    ),
    Problem(
        "server-error",
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Something went wrong on our side",
        "Something went wrong on our side.",
        "Try again; if it stays, tell your administrator the X-Request-ID of the answer. "
        "Registering the same devices twice changes nothing.",
    ),
    Problem(
        "busy",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The server is busy",
        "Many logins are being checked. Try again in a moment.",
        "Wait as many seconds as the header Retry-After says. API tokens are checked at once; "
        "passwords are what takes long.",
    ),
)
PROBLEMS: Final = {each.name: each for each in _ALL}
# What a status means where nobody said which problem it is.
BY_STATUS: Final = {
    each.status.value: each for each in reversed(_ALL) if each.status != HTTPStatus.CONFLICT
}

# What can be wrong with one value, or with one device of many; the same codes at every door.
CODES: Final = {
    "missing": "A member that is needed is not there.",
    "unknown_member": "There is a member that is not known here.",
    "wrong_type": "The value is of another JSON type than the one that is asked for.",
    "invalid": "The value breaks a rule; the detail says which.",
    "too_short": "The text is too short.",
    "too_long": "The text is too long.",
    "too_small": "The number is too small.",
    "too_large": "The number is too large.",
    "unknown_value": "The value is none of those that are known.",
    "empty_id": "The device ID is missing or empty.",
    "empty_secret": "The secret is empty.",
    "invalid_characters": "A character is not plain English, or cannot be seen.",
    "invalid_device_id": "The device ID has a character that IDs cannot have, or is too long.",
    "pattern_mismatch": "The device ID does not match the pattern of the device type.",
    "secret_required": "A device of this device type needs a secret.",
    "secret_too_short": "The secret has fewer characters than the device type asks for.",
    "secret_too_long": "The secret has more than 256 characters.",
    "secret_equals_id": "The secret is the device ID itself.",
    "name_too_long": "The name has more than 500 characters.",
    "name_not_kept": "Devices of this type say their names themselves; leave the name out.",
    "duplicate_conflict": "The device ID is there twice, with different secrets.",
    "device_exists": "There is a device of this ID, and on_existing=fail was asked for.",
    "device_type_conflict": "There is a device of this ID with another device type.",
    "registration_pending": "A device with this ID has knocked and waits; a person decides.",
    "registration_in_progress": "A device with this ID is accepted and fetches its credentials.",
    "registration_blocked": "The registration of this ID is blocked; delete it first.",
    "id_taken": "The device ID is taken.",
    "external_id": "Another device has this ID as its external ID.",
    "device_limit": "The tenant has as many devices as it may have.",
}
