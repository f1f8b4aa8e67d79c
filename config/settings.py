"""The one settings module, for every machine; what differs comes from the environment."""

import socket
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from config.env import (
    SettingError,
    env_database,
    env_directory,
    env_int,
    env_list,
    env_public_url,
    env_secret,
    env_str,
)
from config.secret_key import load_secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = env_directory("GATEHOUSE_DATA_DIR", BASE_DIR / "data")
VERSION = "0.1.0"

# --- Where the server listens -------------------------------------------------------------

HOST = env_str("HOST", "127.0.0.1")
PORT = env_int("PORT", 8000, low=1, high=65535)
WORKERS = env_int("GATEHOUSE_WORKERS", 0, low=0, high=64)  # 0: one per processor
# Of a worker. A client that stalls in the middle of a body holds one for as long as it likes, so
# there are more than the processors can use; they are only made when they are needed.
THREADS = 16
# Processes that work on files of devices; 0 leaves that to ``manage.py work``, started elsewhere.
BULK_WORKERS = env_int("GATEHOUSE_BULK_WORKERS", 1, low=0, high=64)
PUBLIC_URL = env_public_url("GATEHOUSE_PUBLIC_URL")
TRUSTED_PROXIES = frozenset(env_list("GATEHOUSE_TRUSTED_PROXIES"))


def _own_names() -> set[str]:
    """Return the names under which this machine may be asked for without being told."""
    names = {"localhost", "127.0.0.1", "[::1]", socket.gethostname(), socket.getfqdn()}
    if HOST not in {"0.0.0.0", "::"}:  # noqa: S104 -- compared, not bound
        names.add(f"[{HOST}]" if ":" in HOST else HOST)
    # A machine that cannot look up its own name starts all the same.
    with suppress(OSError):
        found = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
        names |= {str(info[4][0]) for info in found}
    if PUBLIC_URL:
        names.add(urlsplit(PUBLIC_URL).hostname or "")
    return {name for name in names if name}


OWN_NAMES = _own_names()  # of the house, and so no subtenant's domain
ALLOWED_HOSTS = sorted(OWN_NAMES | set(env_list("GATEHOUSE_ALLOWED_HOSTS")))

# --- Secrets ------------------------------------------------------------------------------

SECRET_KEY = load_secret_key(DATA_DIR)
ADMIN_PASSWORD = env_secret("GATEHOUSE_ADMIN_PASSWORD")
BOOTSTRAP_PASSWORD = env_secret("GATEHOUSE_BOOTSTRAP_PASSWORD")
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]

# --- The rules of letting in --------------------------------------------------------------

MAX_TOKEN_ATTEMPTS = env_int("GATEHOUSE_MAX_TOKEN_ATTEMPTS", 3, low=1, high=100)
# New devices that one provisioning key introduces in a minute: a leaked one must not flood us.
PROVISIONING_RATE = env_int("GATEHOUSE_PROVISIONING_RATE", 600, low=1, high=1_000_000)
VERIFIED_LOGIN_SECONDS = 300  # how long a checked API password is remembered

# --- Django -------------------------------------------------------------------------------

DEBUG = False
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False  # clients of the REST API never send one and do not follow redirects
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "config.apps.StaticFiles",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "django_tables2",
    "crispy_forms",
    "crispy_bootstrap5",
    "lucide",
    "django_tasks",
    "django_tasks_db",
    "ui",
    "tenants",
    "inventory",
    "registration",
    "bulk",
    "factory",
    "extensions",
    "openapi",
    "drf_spectacular_sidecar",
]
MIDDLEWARE = [
    "ui.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "ui.middleware.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "ui.middleware.HtmxMessagesMiddleware",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# --- Database -----------------------------------------------------------------------------

_database = env_database("DATABASE_URL", DATA_DIR / "gatehouse.sqlite3")
if "sqlite" in _database["ENGINE"]:
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",  # a writer queues at BEGIN instead of failing half way
        "timeout": 20,  # seconds a writer waits for its turn
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY; "
            "PRAGMA mmap_size=268435456; PRAGMA cache_size=-32000;"
        ),
    }
_database["CONN_MAX_AGE"] = None
_database["CONN_HEALTH_CHECKS"] = "postgresql" in _database["ENGINE"]
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Work in the background ---------------------------------------------------------------

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

# --- People and devices signing in --------------------------------------------------------

AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = ["tenants.backends.PeopleBackend"]
API_AUTHENTICATORS = [
    "tenants.tokens.authenticate_token",
    "registration.provisioning.authenticate_key",
    "tenants.backends.authenticate_person",
    "registration.authentication.authenticate_device",
]
# A user name is unique within its tenant, not by itself; tenants.backends knows how to find it.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "home"
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "full_name", "email")},
    },
    # 20,000 passwords from breaches; the list comes with Django and nothing is asked outside.
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "tenants.passwords.StorableValidator"},
    {"NAME": "tenants.passwords.HouseNameValidator"},
]


def OTP_TOTP_ISSUER(device: Any) -> str:  # noqa: N802 -- the library's name of the setting
    """Return what an authenticator app shows above the name: one may be in several tenants."""
    return f"Gatehouse {device.user.tenant_id}"


SESSION_ENGINE = "tenants.sessions"
# A name with this prefix is set by this very host and over TLS only: browsers see to it.
_cookie_prefix = "__Host-" if PUBLIC_URL.startswith("https://") else ""
SESSION_COOKIE_NAME = f"{_cookie_prefix}gatehouse_session"
SESSION_COOKIE_AGE = 12 * 60 * 60  # seconds; one shift
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = f"{_cookie_prefix}gatehouse_csrf"
KNOWN_COOKIE_NAME = f"{_cookie_prefix}gatehouse_known"  # see tenants.throttle
CSRF_COOKIE_HTTPONLY = True
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- Mail ---------------------------------------------------------------------------------

# Without a host no mail is sent: the console shows links to those who may hand them over.
EMAIL_HOST = env_str("GATEHOUSE_EMAIL_HOST", "")
if EMAIL_HOST and not PUBLIC_URL:
    # Who asks for a new password for somebody else may choose the Host header, and the link in
    # the mail would lead there.
    msg = "GATEHOUSE_PUBLIC_URL must be set with GATEHOUSE_EMAIL_HOST: links in mails lead there."
    raise SettingError(msg)
EMAIL_PORT = env_int("GATEHOUSE_EMAIL_PORT", 587, low=1, high=65535)
EMAIL_HOST_USER = env_str("GATEHOUSE_EMAIL_USER", "")
EMAIL_HOST_PASSWORD = env_secret("GATEHOUSE_EMAIL_PASSWORD")
_email_security = env_str("GATEHOUSE_EMAIL_SECURITY", "starttls").lower()
if _email_security not in {"starttls", "tls", "none"}:
    msg = "GATEHOUSE_EMAIL_SECURITY must be starttls, tls or none."
    raise SettingError(msg)
EMAIL_USE_TLS = _email_security == "starttls"
EMAIL_USE_SSL = _email_security == "tls"
EMAIL_TIMEOUT = 10  # seconds; a page waits for it
DEFAULT_FROM_EMAIL = env_str("GATEHOUSE_EMAIL_FROM", "gatehouse@localhost")

# --- What a browser is told ---------------------------------------------------------------

SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if PUBLIC_URL:
    CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
if PUBLIC_URL.startswith("https://"):
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True

# TLS ends at the proxy in front, so Django never sees a secure request and would never say this.
STRICT_TRANSPORT_SECURITY = "max-age=31536000" if PUBLIC_URL.startswith("https://") else ""

# --- Bodies -------------------------------------------------------------------------------

DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # bytes of a form or a JSON body
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # a thousand pasted devices with their groups
FILE_UPLOAD_HANDLERS = ["ui.uploads.SealingHandler"]  # whichever address a file is sent to

# A file of devices that comes by REST is answered when it is done; larger ones go to the console.
BULK_API_MAX_BYTES = env_int(
    "GATEHOUSE_BULK_API_MAX_BYTES", 32 * 1024 * 1024, low=1024, high=1024**3
)
BULK_API_MAX_ROWS = env_int("GATEHOUSE_BULK_API_MAX_ROWS", 50_000, low=1, high=1_000_000)

# --- The Operations API -------------------------------------------------------------------

# Of one request that registers devices. All of them are written in one transaction.
OPS_MAX_BYTES = env_int("GATEHOUSE_OPS_MAX_BYTES", 4 * 1024 * 1024, low=1024, high=64 * 1024**2)
OPS_MAX_ITEMS = env_int("GATEHOUSE_OPS_MAX_ITEMS", 5_000, low=1, high=5_000)
# Of one API token, or of one person or service that signs in with a password.
OPS_WRITES_PER_MINUTE = env_int("GATEHOUSE_OPS_WRITES_PER_MINUTE", 60, low=1, high=100_000)

# --- Extensions ---------------------------------------------------------------------------

# Seconds that a service may take: to say what it needs to know, to register one device (or send
# an example file), to register a file; a long file has more.
EXTENSION_METADATA_SECONDS = env_int("GATEHOUSE_EXTENSION_METADATA_SECONDS", 10, low=1, high=60)
EXTENSION_REGISTER_SECONDS = env_int("GATEHOUSE_EXTENSION_REGISTER_SECONDS", 30, low=1, high=300)
EXTENSION_FILE_SECONDS = env_int("GATEHOUSE_EXTENSION_FILE_SECONDS", 120, low=1, high=3600)
# Services that one process calls at once: each holds one of its threads, and some must stay free.
EXTENSION_CALLS = env_int("GATEHOUSE_EXTENSION_CALLS", 6, low=1, high=THREADS - 4)
# Of them in the name of one tenant, so that it cannot take them all.
EXTENSION_CALLS_FOR_TENANT = env_int(
    "GATEHOUSE_EXTENSION_CALLS_FOR_TENANT", 3, low=1, high=THREADS - 4
)

# --- Language, time, static files ---------------------------------------------------------

LANGUAGE_CODE = "en-gb"
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Logs ---------------------------------------------------------------------------------

LOG_LEVEL = env_str("GATEHOUSE_LOG_LEVEL", "INFO").upper()
if LOG_LEVEL not in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}:
    msg = "GATEHOUSE_LOG_LEVEL must be DEBUG, INFO, WARNING, ERROR or CRITICAL."
    raise SettingError(msg)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    # A refused request is the client's business; a failed one is ours.
    # Anybody can send a wrong host name; it is answered, and must not fill the log.
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django.security": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        # A task is done every time somebody starts an import; the audit log says who and what.
        "django_tasks": {"level": "ERROR"},
        "django_tasks_db": {"level": "ERROR"},
    },
}
