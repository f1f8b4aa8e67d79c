"""Refusals with stable codes; the console and the API each say them in their own way."""

import math
from datetime import datetime


class RegistrationError(Exception):
    """A rule said no. ``code`` is stable, the message is a sentence for people."""

    code = "refused"


class DeviceIdError(RegistrationError):
    """The text cannot be a device ID."""

    code = "device-id"

    def __init__(self, message: str, *, device_id: str = "", character: str = "") -> None:
        super().__init__(message)
        self.device_id = device_id
        self.character = character


class DuplicateError(RegistrationError):
    """A registration of this ID is open, in this tenant or in another one."""

    code = "duplicate"

    def __init__(self, device_id: str) -> None:
        super().__init__(f"Device registration request with ID {device_id} already exists.")
        self.device_id = device_id


class DeviceOfTypeError(DuplicateError):
    """The ID is a device of a device type: it has its credentials, and gets no second ones."""

    def __init__(self, device_id: str) -> None:
        super().__init__(device_id)
        msg = (
            f"{device_id} is a device of a device type already. Replace its credentials, or delete "
            "it first."
        )
        self.args = (msg,)


class TransitionError(RegistrationError):
    """The registration is in a status from which this cannot be done."""

    code = "state"

    def __init__(self, device_id: str, status: str, needed: str) -> None:
        super().__init__(
            f'Device registration request with ID "{device_id}" is in state '
            f'"{_spoken(status)}", not "{_spoken(needed)}".'
        )
        self.device_id = device_id
        self.status = status
        self.needed = needed


class AlreadyAcceptedError(TransitionError):
    """Somebody was faster."""

    def __init__(self, device_id: str, by: str, at: datetime) -> None:
        super().__init__(device_id, "ACCEPTED", "PENDING_ACCEPTANCE")
        self.args = (f'"{device_id}" was already accepted by {by} at {at:%H:%M:%S} UTC.',)


class AlreadyReportedError(RegistrationError):
    """The device is in its groups by now."""

    code = "reported"

    def __init__(self, device_id: str) -> None:
        super().__init__(
            f'"{device_id}" has created its device object already. Change its groups on the page '
            "of the device."
        )
        self.device_id = device_id


class MoveRefusedError(TransitionError):
    """The registration cannot go to that tenant; the message says why."""

    def __init__(self, device_id: str, status: str, why: str) -> None:
        super().__init__(device_id, status, "WAITING_FOR_CONNECTION")
        self.args = (why,)


class DeviceLimitReachedError(RegistrationError):
    """The tenant has as many devices as it may."""

    code = "device-limit"

    def __init__(self, device_id: str) -> None:
        super().__init__(
            f'"{device_id}" was not accepted: the tenant\'s device limit is reached. It waits '
            "until there is room again."
        )
        self.device_id = device_id


class DevicePatternError(RegistrationError):
    """A device ID that is not what the device type asks for."""

    code = "pattern"

    def __init__(self, device_id: str, device_type: str) -> None:
        super().__init__(
            f'"{device_id}" is no device ID of the device type "{device_type}": it does not match '
            "the pattern that the type asks for."
        )
        self.device_id = device_id


class TooManyIntroductionsError(RegistrationError):
    """So many devices came by one provisioning key lately that it lets in no more for now."""

    code = "too-many"

    def __init__(self, seconds: float) -> None:
        self.seconds = max(1, math.ceil(seconds))
        super().__init__(
            "Too many new devices come by this provisioning key. Try again in "
            f"{self.seconds} second{'' if self.seconds == 1 else 's'}."
        )


class InvalidKeyError(RegistrationError):
    """A provisioning key that cannot be made so; ``field`` is what is wrong."""

    code = "key"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class NoKeysError(RegistrationError):
    """Devices of this type do not introduce themselves with a key."""

    code = "no-keys"

    def __init__(self, device_type: str) -> None:
        super().__init__(
            f"{device_type} is not a device type with temporary credentials, so that it has no "
            "provisioning keys."
        )


class TokenMismatchError(RegistrationError):
    """The token is wrong or missing, and attempts remain."""

    code = "token"

    def __init__(self, device_id: str, attempts_left: int) -> None:
        left = "1 attempt is" if attempts_left == 1 else f"{attempts_left} attempts are"
        super().__init__(
            "Provided security token does not match the security token stored for this device "
            f'"{device_id}". {left} left.'
        )
        self.device_id = device_id


class BlockedError(RegistrationError):
    """The token is wrong and this was the last attempt: the registration is now blocked."""

    code = "blocked"

    def __init__(self, device_id: str) -> None:
        super().__init__(
            "The provided security token does not match the token stored for device "
            f'"{device_id}". You have reached the maximum number of failed attempts, so the '
            "registration is now blocked. Unblock it with a reason, or cancel it and register "
            "the device again."
        )
        self.device_id = device_id


class TokenRequiredError(RegistrationError):
    """The policy requires a token and the device sent none: the registration is now blocked."""

    code = "token-required"

    def __init__(self, device_id: str) -> None:
        super().__init__(
            f'The security token policy is REQUIRED and device "{device_id}" sent no token, so the '
            "registration is now blocked."
        )
        self.device_id = device_id


class ReasonMissingError(RegistrationError):
    """Unblocking needs a written reason."""

    code = "reason"

    def __init__(self) -> None:
        super().__init__("Say why: a reason is needed to unblock a registration.")


class PollRefusedError(RegistrationError):
    """A device polls and gets nothing; ``status`` is what it may be told."""

    code = "poll"

    def __init__(self, device_id: str, status: str) -> None:
        super().__init__(f"NewDeviceRequest for device id {device_id} is in state {status}.")
        self.device_id = device_id
        self.status = status


def _spoken(status: str) -> str:
    return status.replace("_", " ").capitalize()
