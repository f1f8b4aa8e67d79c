from django.apps import AppConfig


class InventoryConfig(AppConfig):
    name = "inventory"

    def ready(self) -> None:
        """Tell what of this app's a tenant has; all of it goes with the tenant."""
        from inventory import models  # noqa: PLC0415 -- not loaded before
        from tenants.holdings import Holding, register_holding  # noqa: PLC0415

        register_holding(Holding("device logins", models.DeviceCredentials, "tenant", rank=50))
        register_holding(Holding("groups", models.DeviceGroup, "tenant", rank=60, is_tree=True))
