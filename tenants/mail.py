"""Mail by Django's settings; without a mail server the console shows what a mail would say."""

import logging
import smtplib
from typing import Final

from django.conf import settings
from django.core.mail import send_mail

logger = logging.getLogger("gatehouse.mail")

_TROUBLE: Final = (OSError, smtplib.SMTPException)


def can_send() -> bool:
    """Say whether a mail server is set."""
    return bool(settings.EMAIL_HOST)


def send(to: str, subject: str, text: str) -> bool:
    """Send a mail; return False when it could not be handed to the server.

    Call it after the change was committed: a mail cannot be taken back.
    """
    if not (can_send() and to):
        return False
    try:
        send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [to])
    except _TROUBLE as error:
        logger.warning("A mail could not be sent: %s", type(error).__name__)
        return False
    return True
