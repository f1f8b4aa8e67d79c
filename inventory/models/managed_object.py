"""Everything that the inventory holds: devices, groups, and whatever else clients keep there."""

from datetime import UTC, datetime
from typing import Final, Self

from django.db import models
from django.db.models import F, Func, Q
from django.utils import timezone

from inventory.fields import DeviceIdField, text_key
from inventory.models.device_type import DeviceType
from tenants.models import Tenant

MAX_NAME_LENGTH: Final = 500  # characters
MAX_TYPE_LENGTH: Final = 255  # characters
MAX_OWNER_LENGTH: Final = (
    1_100  # characters, and bytes; the user name of a device with the longest ID
)
KEY_LENGTH: Final = 200  # characters of a name that lists are sorted and searched by
NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)  # of last_contact_at: sorts before any real time

IS_DEVICE: Final = "c8y_IsDevice"
IS_GROUP: Final = "c8y_IsDeviceGroup"


class Kind(models.TextChoices):
    """What an object is, by the fragments that say so. Source: Cumulocity REST, inventory."""

    DEVICE = "device", "Device"
    GROUP = "group", "Group"
    OTHER = "other", "Object"


class State(models.TextChoices):
    """Where a device stands that is in; those without a login of their own have none."""

    NONE = "", "No login"
    NEVER_CONNECTED = "never", "Never connected"
    CONNECTED = "connected", "Connected"
    DISABLED = "disabled", "Disabled"


def of_kind(kind: Kind) -> Q:
    """Return the condition for objects of a kind, with the kind written into the statement.

    The indexes of devices and of groups hold those rows alone. A database that is given the kind
    as a parameter cannot tell that such an index answers it, and looks at every row for it.
    """
    return Q(kind=Func(template=f"'{kind.value}'"))


def by_number(column: str = "pk") -> Func:
    """Return the ID as devices of a tenant are sorted by it, in an index that has nothing else.

    Asked for the bare ID, PostgreSQL goes through the primary key, because most objects are
    devices of that tenant, and passes over every group that was made before the first of them.
    """
    number = models.BigIntegerField()
    return Func(F(column), template="(%(expressions)s + 0)", output_field=number)


class ManagedObjectQuerySet(models.QuerySet["ManagedObject"]):
    """Objects are always asked for in the name of a tenant."""

    def for_tenant(self, tenant: Tenant) -> Self:
        """Narrow to the objects of ``tenant``."""
        return self.filter(tenant=tenant)

    def visible_to(self, tenant: Tenant) -> Self:
        """Narrow to the objects ``tenant`` may look at: its own; all, for the management tenant."""
        return self if tenant.is_management else self.filter(tenant=tenant)

    def devices(self) -> Self:
        """Narrow to devices, with what their lists show and without what clients keep at them."""
        return self.filter(of_kind(Kind.DEVICE)).defer("fragments")

    def reported(self) -> Self:
        """Narrow to what the inventory's clients know: not devices that have yet to report."""
        return self.filter(reported_at__isnull=False)


def _of_devices(name: str, *fields: str) -> models.Index:
    return models.Index(fields=[*fields], condition=Q(kind=Kind.DEVICE), name=name)


class ManagedObject(models.Model):
    """One object of a tenant's inventory; groups and devices share its IDs, as on the wire.

    A device that has been let in is here from the moment its credentials are made, so that people
    find it; clients of the inventory know it from ``reported_at`` on, when it created its object
    itself. ``fragments`` holds what clients sent beside the columns, by name.

    ``type`` is the free text of the contract; ``device_type`` is how the device came in.
    ``parent`` and ``path`` are of groups: the names from the root, joined by slashes; a subgroup
    that has no place in the tree yet has an empty path. ``device_id``, ``state`` and the last
    contact are of devices that log in by themselves.
    """

    tenant = models.ForeignKey(
        Tenant, on_delete=models.PROTECT, related_name="managed_objects", db_index=False
    )
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.OTHER)
    name = models.CharField(max_length=MAX_NAME_LENGTH, blank=True, default="")
    name_key = DeviceIdField(max_length=KEY_LENGTH, blank=True, default="", editable=False)
    type = models.CharField(max_length=MAX_TYPE_LENGTH, blank=True, default="")
    owner = models.CharField(max_length=MAX_OWNER_LENGTH, blank=True, default="")
    fragments = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by_name = models.CharField(max_length=255, blank=True, default="")
    reported_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(default=timezone.now)

    parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="subgroups",
        db_index=False,
    )
    path = models.CharField(max_length=MAX_NAME_LENGTH, blank=True, default="")

    device_id = DeviceIdField(blank=True, default="")
    state = models.CharField(max_length=12, choices=State, blank=True, default=State.NONE)
    last_contact_at = models.DateTimeField(default=NEVER)
    last_contact_from = models.CharField(max_length=45, blank=True, default="")
    group_to_join = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    device_type = models.ForeignKey(
        DeviceType,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="devices",
        db_index=False,
    )

    objects = ManagedObjectQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "path"], condition=~Q(path=""), name="group_path_unique_in_tenant"
            ),
            models.UniqueConstraint(
                fields=["tenant", "device_id"],
                condition=~Q(device_id=""),
                name="object_unique_device",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "id"], name="object_tenant"),
            models.Index(fields=["tenant", "owner", "id"], name="object_owner"),
            # Clients ask for an object by its name without saying what it is.
            models.Index(fields=["tenant", "name_key", "id"], name="object_name"),
            # Few point at others; whoever deletes one asks who points at it.
            models.Index(
                fields=["parent"], condition=Q(parent__isnull=False), name="object_parent"
            ),
            models.Index(
                fields=["group_to_join"],
                condition=Q(group_to_join__isnull=False),
                name="object_group_to_join",
            ),
            # Of devices: one for each way their list can be sorted, of one tenant and of all.
            models.Index(
                F("tenant"),
                by_number("id"),
                condition=Q(kind=Kind.DEVICE),
                name="device_tenant_number",
            ),
            _of_devices("device_tenant_created", "tenant", "created_at", "id"),
            _of_devices("device_created", "created_at", "id"),
            _of_devices("device_tenant_name", "tenant", "name_key", "id"),
            _of_devices("device_name", "name_key", "id"),
            _of_devices("device_tenant_id", "tenant", "device_id", "id"),
            _of_devices("device_id", "device_id", "id"),
            _of_devices("device_tenant_contact", "tenant", "last_contact_at", "id"),
            _of_devices("device_contact", "last_contact_at", "id"),
            _of_devices("device_tenant_state", "tenant", "state", "created_at", "id"),
            _of_devices("device_state", "state", "created_at", "id"),
            _of_devices("device_tenant_type", "tenant", "type", "created_at", "id"),
            _of_devices("device_type", "type", "created_at", "id"),
            # Those that came in by a type of their tenant, in the order of their list.
            models.Index(
                fields=["device_type", "created_at", "id"],
                condition=Q(device_type__isnull=False),
                name="device_of_type",
            ),
            # "Has none" starts no index, and where most have one those without are few.
            models.Index(
                fields=["tenant", "created_at", "id"],
                condition=Q(kind=Kind.DEVICE, device_type__isnull=True),
                name="device_of_no_type",
            ),
            # Of groups: the children of one in the order of their names, and a path in all tenants.
            models.Index(
                fields=["tenant", "parent", "name_key", "id"],
                condition=Q(kind=Kind.GROUP),
                name="group_children",
            ),
            models.Index(fields=["path"], condition=~Q(path=""), name="group_path"),
            models.Index(
                fields=["tenant", "name_key", "id"], condition=Q(kind=Kind.GROUP), name="group_name"
            ),
            models.Index(
                fields=["name_key", "id"], condition=Q(kind=Kind.GROUP), name="group_name_anywhere"
            ),
            # The top level: "has no parent" starts no index, so that it takes indexes of its own.
            models.Index(
                fields=["tenant", "name_key", "id"],
                condition=Q(kind=Kind.GROUP, parent__isnull=True),
                name="group_top",
            ),
            models.Index(
                fields=["name_key", "id"],
                condition=Q(kind=Kind.GROUP, parent__isnull=True),
                name="group_top_anywhere",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.device_id or f"#{self.pk}"

    def rename(self, name: str) -> None:
        """Set the name, with the key that it is sorted and searched by; the caller saves."""
        self.name, self.name_key = name, text_key(name)

    @property
    def is_device(self) -> bool:
        """Say whether this is a device."""
        return self.kind == Kind.DEVICE

    @property
    def is_group(self) -> bool:
        """Say whether this is a group of devices."""
        return self.kind == Kind.GROUP


class ChildLink(models.Model):
    """One object beneath another: a member of a group, a device behind a gateway.

    An object can be beneath several others; a group is beneath one group at most, and then its
    ``parent`` says the same.
    """

    class Kind(models.TextChoices):
        """The contract's three kinds of children."""

        ASSET = "asset", "Child asset"
        DEVICE = "device", "Child device"
        ADDITION = "addition", "Child addition"

    parent = models.ForeignKey(
        ManagedObject, on_delete=models.CASCADE, related_name="child_links", db_index=False
    )
    child = models.ForeignKey(
        ManagedObject, on_delete=models.CASCADE, related_name="parent_links", db_index=False
    )
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.ASSET)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["parent", "kind", "child"], name="child_link_unique")
        ]
        indexes = [models.Index(fields=["child", "kind"], name="child_link_child")]

    def __str__(self) -> str:
        return f"{self.parent_id} > {self.child_id}"
