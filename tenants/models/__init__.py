"""Who: tenants, their people, their options, and what was done by whom."""

from tenants.models.attempts import FailedSignIns, KnownSource
from tenants.models.audit import AuditHead, AuditRecord
from tenants.models.link import OneTimeLink
from tenants.models.option import TenantOption
from tenants.models.role import GlobalRole
from tenants.models.second_factor import Authenticator, RecoveryCodes
from tenants.models.session import Session
from tenants.models.tenant import MANAGEMENT, MAX_TENANT_ID_LENGTH, Installation, Tenant
from tenants.models.token import ApiToken
from tenants.models.user import MAX_USERNAME_LENGTH, User, VerifiedLogin

__all__ = [
    "MANAGEMENT",
    "MAX_TENANT_ID_LENGTH",
    "MAX_USERNAME_LENGTH",
    "ApiToken",
    "AuditHead",
    "AuditRecord",
    "Authenticator",
    "FailedSignIns",
    "GlobalRole",
    "Installation",
    "KnownSource",
    "OneTimeLink",
    "RecoveryCodes",
    "Session",
    "Tenant",
    "TenantOption",
    "User",
    "VerifiedLogin",
]
