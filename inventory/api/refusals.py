"""Refusals in the contract's own words, which clients match on.

Source: Cumulocity REST, error messages of inventory and identity.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from inventory.errors import (
    ExternalIdTakenError,
    GroupConflictError,
    InvalidObjectError,
    LoginError,
    NotAChildError,
    NotTheOwnerError,
)
from inventory.models import DeviceCredentials, GroupPathError, ManagedObject
from inventory.query import QueryError
from tenants.api.http import ApiError, denied, validation_error

INVALID_DATA = "inventory/Invalid Data"


def no_object(object_id: object) -> ApiError:
    """Return the answer to an ID that is not there, or not this tenant's."""
    return ApiError(
        HTTPStatus.NOT_FOUND,
        "inventory/Not Found",
        f"Finding device data from database failed : No managedObject for id '{object_id}'!",
    )


def no_external_id(kind: str, value: str) -> ApiError:
    """Return what a device hears that is not in the inventory yet, and goes on to create itself."""
    return ApiError(
        HTTPStatus.NOT_FOUND,
        "identity/Not Found",
        f"External id not found; external id = ID [type={kind}, value={value}]",
    )


@contextmanager
def contract_refusals(object_id: object = "") -> Iterator[None]:
    """Say what the inventory refuses as the contract has it."""
    try:
        yield
    except QueryError as error:
        raise ApiError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            INVALID_DATA,
            "Find by filter query failed : Query could not be understood.",
        ) from error
    except (InvalidObjectError, GroupPathError) as error:
        raise validation_error(str(error)) from error
    except NotAChildError as error:
        raise ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, INVALID_DATA, str(error)) from error
    except (GroupConflictError, LoginError) as error:
        raise ApiError(HTTPStatus.CONFLICT, "inventory/Conflict", str(error)) from error
    except ExternalIdTakenError as error:
        raise ApiError(HTTPStatus.CONFLICT, "identity/Conflict", str(error)) from error
    except NotTheOwnerError as error:
        raise denied() from error
    except DeviceCredentials.DoesNotExist as error:  # deleted while the device was asking
        raise ApiError(
            HTTPStatus.UNAUTHORIZED,
            "security/Unauthorized",
            "Invalid credentials! : Bad credentials",
        ) from error
    except ManagedObject.DoesNotExist as error:
        raise no_object(object_id) from error
