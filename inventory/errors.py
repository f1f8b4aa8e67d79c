"""Refusals of the inventory; each message is a sentence for whoever asked."""


class InventoryError(Exception):
    """Something that cannot be done; the message says why."""


class InvalidObjectError(InventoryError):
    """A managed object that cannot be as it was sent."""


class GroupConflictError(InventoryError):
    """A group that cannot be there: its name is taken, or it would be within itself."""


class NotAChildError(InventoryError):
    """Something was to be taken out of where it is not."""


class NotTheOwnerError(InventoryError):
    """Something is another user's, and the caller may not touch it."""


class ExternalIdTakenError(InventoryError):
    """An external ID that names another object already."""

    def __init__(self, kind: str, value: str) -> None:
        # The contract's words; clients show them.
        super().__init__(
            f"ID [type={kind}, value={value}] was already bound to different Global ID."
        )


class ReportedError(InventoryError):
    """A step that only a device can take that has yet to create its object."""


class LoginError(InventoryError):
    """A step that a device's login cannot take as it stands."""


class InvalidDeviceTypeError(InventoryError):
    """A device type that cannot be as it was described; ``field`` is what is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class DeviceTypeNameTakenError(InventoryError):
    """There is a device type of this name in the tenant; ``number`` is its ID, if still there."""

    def __init__(self, name: str, number: int | None) -> None:
        super().__init__(f"There is a device type “{name}” already. Choose another name.")
        self.number = number


class DeviceTypeInUseError(InventoryError):
    """A step that a device type with devices cannot take."""
