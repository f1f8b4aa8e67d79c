"""What is counted in windows of time, so that floods end and a person is never shut out."""

from django.db import models
from django.utils import timezone

from tenants.models.user import User


class FailedSignIns(models.Model):
    """How often something was tried in the current window; its name is a keyed digest.

    Failed sign-ins, mails to those who lost their password, writes through the Operations API.
    """

    subject = models.CharField(max_length=64, primary_key=True)
    number = models.PositiveIntegerField(default=0)
    window_ends_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.number} until {self.window_ends_at}"


class KnownSource(models.Model):
    """An address that somebody signed in from: what strangers do elsewhere does not count there."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    source = models.CharField(max_length=45)
    last_used_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "source"], name="known_source_unique")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} from {self.source}"
