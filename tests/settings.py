"""Gatehouse's settings as the suite needs them: nothing of this machine, nothing slow.

pytest-django reads the settings before any conftest.py, so the environment is prepared here.
What runs as a process of its own (``tests/e2e``) starts with the real settings.
"""

import atexit
import os
import shutil
import tempfile

MEANT_FOR_THE_SUITE = {
    "GATEHOUSE_CHROMIUM",
    "GATEHOUSE_FUZZ_EXAMPLES",
    "GATEHOUSE_REQUIRE_ALL",
}
for name in list(os.environ):
    if name in {"HOST", "PORT"} or (
        name.startswith("GATEHOUSE_") and name not in MEANT_FOR_THE_SUITE
    ):
        del os.environ[name]
_scratch = tempfile.mkdtemp(prefix="gatehouse-tests-")
atexit.register(shutil.rmtree, _scratch, ignore_errors=True)
os.environ["GATEHOUSE_DATA_DIR"] = _scratch
os.environ["GATEHOUSE_SECRET_KEY"] = "a key of the suite, guarding nothing at all"

from config.settings import *  # noqa: E402, F403
from config.settings import DATA_DIR, DATABASES, STORAGES  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_ROOT = DATA_DIR / "staticfiles"
STATIC_ROOT.mkdir()
# A file, because threads have connections of their own and must meet the same database.
if "sqlite" in DATABASES["default"]["ENGINE"]:
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "suite.sqlite3")}
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
