from django.apps import AppConfig


class ExtensionsConfig(AppConfig):
    name = "extensions"
    verbose_name = "Extensions"

    def ready(self) -> None:
        """Tell the apps below what tenants have here, and load what packages bring along."""
        from extensions import models, packages  # noqa: PLC0415 -- not loaded before
        from extensions.console import entries  # noqa: PLC0415
        from registration.menu import register_entries  # noqa: PLC0415
        from tenants.holdings import Holding, register_holding  # noqa: PLC0415

        register_holding(Holding("extensions", models.Extension, "tenant", rank=5))
        register_entries(entries.entries)
        packages.load()
