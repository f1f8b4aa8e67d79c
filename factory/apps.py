from django.apps import AppConfig


class FactoryConfig(AppConfig):
    name = "factory"
    verbose_name = "Factory"

    def ready(self) -> None:
        """Tell the apps below how refusals of the Operations API are said."""
        from factory.api.refusals import PREFIX, problem_response  # noqa: PLC0415 -- not loaded before
        from tenants.api.errors import register_family  # noqa: PLC0415

        register_family(PREFIX, problem_response)
