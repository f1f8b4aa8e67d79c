"""Refusals of bulk registration; the console and the API each say them in their own way."""

from inventory.models import DeviceType


class BulkError(Exception):
    """A rule said no; the message is a sentence for people."""


class WrongStateError(BulkError):
    """The import is in a state in which this cannot be done."""


class SecretsForbiddenError(BulkError):
    """Devices of this type have no secrets."""

    def __init__(self, device_type: DeviceType) -> None:
        super().__init__(
            f"Devices of the device type “{device_type}” have no secrets: its security option is "
            f"“{device_type.get_security_option_display()}”. Leave the secrets out, or choose "
            "another device type."
        )


class LostLeaseError(Exception):
    """Somebody else works on the import now; whatever was begun is rolled back."""
