from django.apps import AppConfig


class RegistrationConfig(AppConfig):
    name = "registration"

    def ready(self) -> None:
        """Tell the apps below which options this one reads, what it has, and what it knows."""
        from inventory.device_types import register_use  # noqa: PLC0415
        from inventory.group_numbers import register_joining  # noqa: PLC0415
        from inventory.groups import register_detach  # noqa: PLC0415
        from inventory.history import register_history, register_origin  # noqa: PLC0415
        from inventory.logins import register_release  # noqa: PLC0415
        from registration import afterwards, device_types, models, options  # noqa: PLC0415 -- not loaded before
        from registration.console import entries  # noqa: PLC0415
        from registration.menu import register_entries  # noqa: PLC0415
        from tenants.holdings import Holding, register_holding  # noqa: PLC0415
        from tenants.options import register_option  # noqa: PLC0415

        for option in options.ALL:
            register_option(option)
        register_holding(
            Holding("bulk decisions", models.BulkDecision, "tenant", rank=10, is_shown=False)
        )
        register_holding(
            Holding(
                "registrations",
                models.Registration,
                "tenant",
                rank=20,
                count=models.Tally.numbers_of,
            )
        )
        register_holding(Holding("events", models.RegistrationEvent, "tenant", rank=30))
        register_holding(Holding("provisioning keys", models.ProvisioningKey, "tenant", rank=25))
        for table in (models.Tally, models.TallyChange, models.Activity):
            register_holding(Holding("counts", table, "tenant", rank=40, is_shown=False))
        register_use(device_types.has_registrations, device_types.revoke_keys)
        register_entries(entries.entries)
        register_detach(afterwards.leave_groups)
        register_joining(afterwards.count_joining)
        register_release(afterwards.let_go)
        register_history(afterwards.history)
        register_origin(afterwards.origin)
