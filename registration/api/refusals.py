"""Refusals in the contract's own words, which clients match on.

Source: Cumulocity REST, error messages of device control.
"""

from http import HTTPStatus

from registration.errors import (
    AlreadyAcceptedError,
    BlockedError,
    DeviceIdError,
    DeviceLimitReachedError,
    DuplicateError,
    MoveRefusedError,
    RegistrationError,
    TokenMismatchError,
    TransitionError,
)
from tenants.api.http import ApiError, validation_error

UNPROCESSABLE = "devicecontrol/Unprocessable Entity"
NOT_FOUND = "devicecontrol/Not Found"


def not_found(device_id: str) -> ApiError:
    """Return the answer to an ID that is not there, or not this tenant's."""
    return ApiError(
        HTTPStatus.NOT_FOUND, NOT_FOUND, f"Could not find newDeviceRequest by ID {device_id}"
    )


def no_request(device_id: str) -> ApiError:
    """Return what a device hears that nobody expects."""
    return ApiError(
        HTTPStatus.NOT_FOUND,
        NOT_FOUND,
        f"There is no newDeviceRequest for device id {device_id}.",
    )


def not_yet(device_id: str, status: str) -> ApiError:
    """Return what a device hears that must go on polling."""
    return ApiError(HTTPStatus.NOT_FOUND, NOT_FOUND, not_yet_message(device_id, status))


def not_yet_message(device_id: str, status: str) -> str:
    """Return the sentence by which agents tell the states apart."""
    return f"NewDeviceRequest for device id {device_id} is in state {status}, not ACCEPTED."


def translate(error: RegistrationError) -> ApiError:
    """Return ``error`` as the contract has it."""
    match error:
        case DuplicateError():
            return ApiError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "devicecontrol/Non Unique Result",
                f"NewDeviceRequest for id = {error.device_id} already exists.",
            )
        case DeviceIdError(character=character) if character:
            return validation_error(
                f"Device id '{error.device_id}' contains '{character}' character "
                "which is not permitted."
            )
        case DeviceIdError():
            return validation_error(str(error))
        case DeviceLimitReachedError():
            message = "You have reached devices limit. No more devices can be registered."
        case MoveRefusedError():
            message = str(error)
        case AlreadyAcceptedError() | TransitionError():
            message = (
                f"NewDeviceRequest for device id {error.device_id} is in state {error.status}, "
                f"not {error.needed}."
            )
        case TokenMismatchError():
            message = _mismatch(error.device_id)
        case BlockedError():
            # The contract has no space between the two sentences.
            message = _mismatch(error.device_id) + (
                "Reached maximum number of failed attempts while trying to register this device. "
                "Request will now be blocked and has to be removed manually to restart the "
                "process."
            )
        case _:
            message = str(error)
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, UNPROCESSABLE, message)


def _mismatch(device_id: str) -> str:
    return f"Provided security key does not match key stored for device {device_id}."
