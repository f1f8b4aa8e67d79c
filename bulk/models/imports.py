"""One file on its way through: received, checked, carried out, looked up later."""

import uuid
from typing import Any, Final, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from inventory.models import DeviceType
from tenants.actors import Actor
from tenants.models import Tenant, User

MAX_FILE_NAME: Final = 255  # characters; longer ones are cut


class State(models.TextChoices):
    """Where an import stands."""

    RECEIVING = "receiving", "Uploading"
    CHECKING = "checking", "Checking"
    READY = "ready", "Ready to register"
    RUNNING = "running", "Registering"
    PAUSED = "paused", "Paused"
    FINISHED = "finished", "Finished"
    CANCELLED = "cancelled", "Cancelled"
    REFUSED = "refused", "Refused"  # the file as a whole
    DISCARDED = "discarded", "Discarded"  # checked and not wanted, or left lying
    UNDOING = "undoing", "Undoing"
    UNDONE = "undone", "Undone"


# In these, somebody is to work on it; who does has the lease.
AT_WORK: Final = (State.CHECKING, State.RUNNING, State.UNDOING)
# In these the file is still needed; in all others nothing of it is left.
HOLDS_FILE: Final = (
    State.RECEIVING,
    State.CHECKING,
    State.READY,
    State.RUNNING,
    State.PAUSED,
)


class Form(models.TextChoices):
    """What the columns of the file say. Source: Cumulocity, bulk device registration."""

    SIMPLE = "simple", "Simple registration"
    FULL = "full", "Full registration"
    PAIRS = "pairs", "IDs with secrets"  # Source: Cirrent, bulk upload


class Existing(models.TextChoices):
    """What is done with devices that are there already."""

    UPDATE = "update", "Update them"
    SKIP = "skip", "Leave them as they are"
    FAIL = "fail", "Report them as failed"


class Door(models.TextChoices):
    """How the file came."""

    CONSOLE = "console", "Console"
    API = "api", "REST"
    OPS = "ops", "Operations API"


class ImportQuerySet(models.QuerySet["Import"]):
    """Imports are always asked for in the name of a tenant."""

    def for_tenant(self, tenant: Tenant) -> Self:
        """Narrow to those that people of ``tenant`` made; nobody sees another tenant's files."""
        return self.filter(tenant=tenant)


class Import(models.Model):
    """A file with devices to register.

    ``dialect`` and ``header`` are what was detected of it; ``position`` is where the next row
    begins. ``device_type`` is what pairs of IDs and secrets are for; with ``all_or_nothing`` they
    are registered only if all of them can be. ``preview`` is what the check found. Counts are of
    rows; ``seen`` is how many have been looked at, in this state. ``wish`` is what somebody wants
    whoever is at work to do next.
    """

    class Wish(models.TextChoices):
        """What whoever is at work shall do before the next rows."""

        NOTHING = "", ""
        PAUSE = "pause", "Pause"
        CANCEL = "cancel", "Cancel"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=12, choices=State, default=State.RECEIVING)
    wish = models.CharField(max_length=8, choices=Wish, blank=True, default=Wish.NOTHING)
    door = models.CharField(max_length=8, choices=Door)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_by_name = models.CharField(max_length=1_000)
    source = models.CharField(max_length=45, blank=True, default="")
    request_id = models.CharField(max_length=64, blank=True, default="")

    file_name = models.CharField(max_length=MAX_FILE_NAME, blank=True, default="")
    size = models.BigIntegerField(default=0)  # bytes
    form = models.CharField(max_length=8, choices=Form, blank=True, default="")
    dialect = models.JSONField(default=dict, blank=True)
    header = models.JSONField(default=dict, blank=True)
    file_key = models.BinaryField(default=b"", blank=True)  # wrapped; without it the file is noise

    refusal = models.JSONField(default=dict, blank=True)  # line, column and message
    preview = models.JSONField(default=dict, blank=True)
    on_existing = models.CharField(max_length=8, choices=Existing, blank=True, default="")
    device_type = models.ForeignKey(
        DeviceType, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    all_or_nothing = models.BooleanField(default=False)
    rows = models.BigIntegerField(null=True, blank=True)  # known from the check on
    seen = models.BigIntegerField(default=0)
    position = models.JSONField(default=dict, blank=True)
    created = models.BigIntegerField(default=0)
    updated = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    skipped = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    undone = models.BigIntegerField(default=0)
    kept = models.BigIntegerField(default=0)  # created, and in use when it was to be undone

    started_at = models.DateTimeField(null=True, blank=True)
    worked = models.FloatField(default=0)  # seconds at work since, pauses left out
    finished_at = models.DateTimeField(null=True, blank=True)
    holder = models.CharField(max_length=64, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)  # by the clock of the database

    objects = ImportQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "created_at", "id"], name="import_tenant_created"),
            models.Index(
                fields=["lease_until"], condition=Q(state__in=AT_WORK), name="import_at_work"
            ),
            models.Index(
                fields=["created_at"], condition=Q(state__in=HOLDS_FILE), name="import_holds_file"
            ),
        ]

    def __str__(self) -> str:
        return self.file_name or f"{self.created_at:%Y-%m-%d %H:%M}"

    @property
    def actor(self) -> Actor:
        """Return who brought the file: what it changes is done in that name."""
        return Actor(self.created_by_name, self.created_by, self.source, self.request_id)

    @property
    def has_file(self) -> bool:
        """Say whether the rows came in a file; else a form or a client named them in one call."""
        return self.size > 0

    @property
    def names_tenants(self) -> bool:
        """Say whether each row names the tenant that its device is for."""
        is_of_type = self.form == Form.PAIRS or self.device_type_id is not None
        return self.tenant.is_management and not is_of_type

    @property
    def is_at_work(self) -> bool:
        """Say whether somebody is to work on it."""
        return self.state in AT_WORK

    @property
    def is_ending(self) -> bool:
        """Say whether somebody wants it to end, and the rows on their way are not done yet."""
        return self.state == State.RUNNING and self.wish == self.Wish.CANCEL

    @property
    def succeeded(self) -> int:
        """Return how many rows are as the file wants them."""
        return self.created + self.updated + self.unchanged

    @property
    def percent(self) -> int:
        """Return how much of the present work is done."""
        return min(100, self.seen * 100 // self.rows) if self.rows else 0

    def state_of_file(self) -> dict[str, Any]:
        """Return what is to be saved when the file is no longer needed."""
        return {"file_key": b"", "position": {}}


class ImportBlock(models.Model):
    """A piece of a file, encrypted; a number of bytes that all pieces but the last have."""

    owner = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="blocks")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "number"], name="import_block_unique")
        ]

    def __str__(self) -> str:
        return f"{self.owner_id} {self.number}"


class Outcome(models.TextChoices):
    """What became of a row."""

    CREATED = "c", "Created"
    UPDATED = "u", "Updated"
    UNCHANGED = "n", "Unchanged"
    SKIPPED = "s", "Left as it was"
    FAILED = "f", "Failed"
    UNDONE = "x", "Undone"
    KEPT = "k", "Kept, because it was in use"


class ImportItem(models.Model):
    """A row of a file that stands for a device, and what became of it.

    ``key`` is made from the device ID: it finds a second row of the same device, and the imports
    that a device was in. ``number`` is the ID of the managed object or of the registration.
    """

    owner = models.ForeignKey(
        Import, on_delete=models.CASCADE, related_name="items", db_index=False, db_constraint=False
    )
    line = models.BigIntegerField()
    key = models.BigIntegerField()
    outcome = models.CharField(max_length=1, choices=Outcome)
    tenant_id = models.CharField(max_length=32)
    number = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "owner"], name="import_item_unique_key"),
        ]
        indexes = [models.Index(fields=["owner", "line"], name="import_item_line")]

    def __str__(self) -> str:
        return f"{self.owner_id} {self.line}"


class ImportProblem(models.Model):
    """A row that failed, and why. ``cells`` is the row without its secrets, by column."""

    owner = models.ForeignKey(
        Import, on_delete=models.CASCADE, related_name="problems", db_index=False
    )
    line = models.BigIntegerField()
    column = models.CharField(max_length=300, blank=True, default="")
    code = models.CharField(max_length=32)
    reason = models.CharField(max_length=1_500)
    device_id = models.CharField(max_length=1_000, blank=True, default="")
    cells = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["owner", "line", "id"], name="import_problem_line")]

    def __str__(self) -> str:
        return f"{self.line}: {self.reason}"


class ImportGroup(models.Model):
    """A group that an import made on the way; an undo takes it away if it is empty again."""

    owner = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="groups")
    number = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.owner_id} {self.number}"
