from django.apps import AppConfig


class RegistrationConfig(AppConfig):
    name = "registration"

    def ready(self) -> None:
        """Tell the tenants app which options this one reads, so that bad values are refused."""
        from registration import options  # noqa: PLC0415 -- needs the models loaded
        from tenants.options import register_option  # noqa: PLC0415

        for option in options.ALL:
            register_option(option)
