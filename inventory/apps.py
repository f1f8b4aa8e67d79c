from django.apps import AppConfig


class InventoryConfig(AppConfig):
    name = "inventory"

    def ready(self) -> None:
        """Tell what of this app's a tenant has; all of it goes with the tenant."""
        from inventory import models  # noqa: PLC0415 -- not loaded before
        from tenants.holdings import Holding, register_holding  # noqa: PLC0415

        for holding in (
            Holding("device events", models.DeviceEvent, "tenant", rank=30),
            Holding("deleted devices", models.Tombstone, "tenant", rank=40, is_shown=False),
            Holding("device logins", models.DeviceCredentials, "tenant", rank=50),
            Holding("external IDs", models.ExternalId, "tenant", rank=55),
            Holding("devices and groups", models.ManagedObject, "tenant", rank=60, is_tree=True),
            Holding("device types", models.DeviceType, "tenant", rank=70),
        ):
            register_holding(holding)
