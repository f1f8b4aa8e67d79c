"""Accounts as their owners use them: sign-in in two steps, codes of an authenticator app."""

from datetime import timedelta

from django.db.models import F
from django.test import RequestFactory
from django_otp.oath import totp

from tenants import second_factors
from tenants.actors import SYSTEM
from tenants.links import make_link
from tenants.models import Authenticator, OneTimeLink, RecoveryCodes
from tenants.options import set_option
from tests.consoles import SIGN_IN, Console
from tests.support import PASSWORD

PROFILE = "/profile/"
CODE = "/sign-in/code/"
SET_UP = "/profile/second-factor/"
WELCOME = "/welcome/"
FORGOTTEN = "/forgotten-password/"


def code_of(authenticator):
    """Return what the app shows."""
    return f"{totp(authenticator.bin_key):06}"


def wrong_code_of(authenticator):
    """Return a code that counts neither now nor a step before or after."""
    near = {totp(authenticator.bin_key, drift=drift) for drift in range(-3, 4)}
    return f"{next(n for n in range(1_000_000) if n not in near):06}"


def give_second_factor(user):
    """Set up a second factor; return the authenticator and the recovery codes."""
    authenticator = Authenticator.prepare(user)
    codes = second_factors.confirm(user, code_of(authenticator), by=SYSTEM)
    forget_codes(user)
    user.refresh_from_db()
    return Authenticator.objects.get(user=user), codes


def forget_codes(user):
    """Let time pass as far as codes are concerned: none was used and none was wrong."""
    for model in (Authenticator, RecoveryCodes):
        found = model.objects.filter(user=user)
        found.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    Authenticator.objects.filter(user=user).update(last_t=-1)


def require_second_factor(tenant, value="true"):
    option = second_factors.REQUIRED
    set_option(tenant, option.category, option.key, value, by=SYSTEM)


def sign_in(login, password=PASSWORD, *, console=None, **more):
    """Give user and password; the console that comes back has the ``response``."""
    console = console or Console()
    console.response = console.post(SIGN_IN, {"username": login, "password": password, **more})
    return console


def age(model, field, **how):
    """Move a time into the past."""
    model.objects.update(**{field: F(field) - timedelta(**how)})


def link_of(user, purpose=OneTimeLink.Purpose.INVITATION):
    """Make a link; return its path."""
    request = RequestFactory().get("/")
    return make_link(request, user, purpose, by=SYSTEM).url.removeprefix("http://testserver")
