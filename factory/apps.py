from django.apps import AppConfig


class FactoryConfig(AppConfig):
    name = "factory"
    verbose_name = "Factory"

    def ready(self) -> None:
        """Add to the console's menu, and say how refusals of the Operations API are said."""
        from factory.api.refusals import PREFIX, problem_response  # noqa: PLC0415 -- not loaded before
        from factory.console import entries  # noqa: PLC0415
        from registration.menu import register_entries  # noqa: PLC0415
        from tenants.api.errors import register_family  # noqa: PLC0415

        register_entries(entries.entries)
        register_family(PREFIX, problem_response)
