"""``manage.py recover``: a way back in for somebody whom no administrator can help."""

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import transaction

from tenants import audit, second_factors
from tenants.actors import SYSTEM
from tenants.links import make_link
from tenants.models import OneTimeLink, User


class Command(BaseCommand):
    """Make a link for a new password, and remove a lost second factor.

    Whoever can run this has the database and its key, and so every right already.
    """

    help = "Print a link by which a person chooses a new password; it works once."

    def add_arguments(self, parser: CommandParser) -> None:
        """Describe the command line."""
        parser.add_argument("login", metavar="TENANT/USER", help="for example management/admin")
        parser.add_argument(
            "--second-factor", action="store_true", help="remove the second factor as well"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Open the account again and print the link."""
        tenant, _, name = options["login"].partition("/")
        users = User.objects.get_queryset().people().select_related("tenant")
        user = users.filter(tenant_id=tenant, username=name).first()
        if user is None:
            msg = f"There is no person {options['login']}. Write the tenant before the user."
            raise CommandError(msg)
        if not user.tenant.is_active:
            msg = f"Tenant {user.tenant} is suspended; its people cannot come in."
            raise CommandError(msg)
        with transaction.atomic():
            if not user.is_active:
                user.is_active = True
                user.save(update_fields=["is_active"])
                audit.record(
                    SYSTEM, user.tenant_id, audit.Type.USER, "User activated", subject=str(user)
                )
            if options["second_factor"]:
                second_factors.reset(user, by=SYSTEM)
        handover = make_link(None, user, OneTimeLink.Purpose.PASSWORD_RESET, by=SYSTEM)
        if handover.was_sent:
            self.stdout.write(f"A link was sent to {user.email}. It works once, too:")
        self.stdout.write(handover.url)
