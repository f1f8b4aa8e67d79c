from django.apps import AppConfig


class BulkConfig(AppConfig):
    name = "bulk"
    verbose_name = "Bulk registration"

    def ready(self) -> None:
        """Tell the apps below what tenants have here, and what is known here of devices."""
        from bulk import afterwards, models  # noqa: PLC0415 -- not loaded before
        from bulk.console import entries  # noqa: PLC0415
        from inventory.device_types import register_use  # noqa: PLC0415
        from inventory.history import register_batch, register_history  # noqa: PLC0415
        from registration.menu import register_entries  # noqa: PLC0415
        from tenants.holdings import Holding, register_holding  # noqa: PLC0415

        register_holding(Holding("imports", models.Import, "tenant", rank=10))
        register_history(afterwards.history)
        register_batch(afterwards.batch)
        register_entries(entries.entries)
        register_use(afterwards.is_being_registered)
