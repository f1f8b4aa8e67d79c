"""Typed readers of the process environment; nothing else in Gatehouse reads ``os.environ``.

Every reader names its variable in the error it raises, because the person who sees the
message is looking at a terminal, not at this file.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url


class SettingError(Exception):
    """A setting is wrong; the message is one sentence that names the variable."""


def env_str(name: str, default: str = "") -> str:
    """Return the variable ``name`` without surrounding blanks, or ``default`` when it is empty."""
    return os.environ.get(name, "").strip() or default


def env_secret(name: str) -> str:
    """Return the variable ``name`` exactly as given: blanks may belong to a secret."""
    return os.environ.get(name, "")


def env_int(name: str, default: int, *, low: int, high: int) -> int:
    """Return the variable ``name`` as a whole number within ``low`` and ``high``, both included."""
    text = env_str(name)
    if not text:
        return default
    try:
        number = int(text)
    except ValueError:
        number = None
    if number is None or not low <= number <= high:
        msg = f"{name} must be a whole number from {low} to {high}, not {text!r}."
        raise SettingError(msg)
    return number


def env_list(name: str) -> list[str]:
    """Return the comma-separated entries of the variable ``name``."""
    return [entry.strip() for entry in env_str(name).split(",") if entry.strip()]


def env_directory(name: str, default: Path) -> Path:
    """Return the directory in ``name``, created if it is missing; it must be writable."""
    path = Path(env_str(name, str(default))).expanduser().resolve()
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        msg = f"{name} names {path}, which cannot be created: {error.strerror}."
        raise SettingError(msg) from error
    if not os.access(path, os.W_OK | os.X_OK):
        msg = f"{name} names {path}, which cannot be written to."
        raise SettingError(msg)
    return path


def env_database(name: str, sqlite_file: Path) -> dict[str, Any]:
    """Return Django's description of the database in ``name``; unset means ``sqlite_file``."""
    url = env_str(name)
    if not url:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(sqlite_file)}
    # A URL may carry a password: the sentences below never repeat it.
    if url.partition("://")[0] not in {"postgresql", "postgres", "sqlite"}:
        msg = f"{name} must start with postgresql:// or sqlite://."
        raise SettingError(msg)
    try:
        database = dict(dj_database_url.parse(url))
    except ValueError as error:
        msg = f"{name} is not a database URL that can be understood."
        raise SettingError(msg) from error
    if database.get("NAME") in {None, "", ":memory:"}:
        msg = f"{name} names no database; add it at the end of the URL, after a slash."
        raise SettingError(msg)
    return database


def env_public_url(name: str) -> str:
    """Return the address people and devices use, without a trailing slash; empty when unset."""
    url = env_str(name).rstrip("/")
    if not url:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets without an IPv6 address in them
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query:
        msg = f"{name} must look like https://gatehouse.example.com, not {url!r}."
        raise SettingError(msg)
    return url
