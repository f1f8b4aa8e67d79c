"""How a device gets in: registrations, what happened to them, how many stand where."""

from registration.models.activity import Activity, ActivityMark
from registration.models.decisions import BulkDecision, BulkDecisionItem
from registration.models.events import RegistrationEvent
from registration.models.facts import NEVER
from registration.models.provisioning_key import ProvisioningKey
from registration.models.queryset import RegistrationQuerySet
from registration.models.registration import Registration
from registration.models.tally import Tally, TallyChange

__all__ = [
    "NEVER",
    "Activity",
    "ActivityMark",
    "BulkDecision",
    "BulkDecisionItem",
    "ProvisioningKey",
    "Registration",
    "RegistrationEvent",
    "RegistrationQuerySet",
    "Tally",
    "TallyChange",
]
