from django.apps import AppConfig


class TenantsConfig(AppConfig):
    name = "tenants"

    def ready(self) -> None:
        """Tell what of this app's a tenant has; all of it goes with the tenant.

        What hangs on a person (sessions, tokens, links, second factors) goes with the person.
        """
        from tenants import models  # noqa: PLC0415 -- not loaded before
        from tenants.holdings import Holding, register_holding  # noqa: PLC0415
        from tenants.options import register_option  # noqa: PLC0415
        from tenants.second_factors import REQUIRED  # noqa: PLC0415

        register_holding(Holding("options", models.TenantOption, "tenant", rank=70))
        register_holding(Holding("people and services", models.User, "tenant", rank=80))
        register_holding(
            Holding("global roles", models.GlobalRole, "tenant", rank=90, is_shown=False)
        )
        register_option(REQUIRED)
