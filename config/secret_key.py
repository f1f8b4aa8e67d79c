"""The installation's secret key: made once, kept outside the database.

Every keyed hash at rest (tokens, device passwords, the bootstrap secret) and every signed
cookie hangs on this key. A copy of the database alone is therefore worthless to a thief;
a lost key file means that devices must be registered again, so back it up apart from the
database.
"""

import os
import secrets
from pathlib import Path

from config.env import SettingError, env_secret

MIN_LENGTH = 32  # characters; 32 of any alphabet is more than anybody guesses
KEY_FILE = "secret.key"


def load_secret_key(data_dir: Path) -> str:
    """Return the key from ``GATEHOUSE_SECRET_KEY`` or from the data directory, made if missing."""
    from_environment = env_secret("GATEHOUSE_SECRET_KEY").strip()
    if from_environment:
        if len(from_environment) < MIN_LENGTH:
            msg = f"GATEHOUSE_SECRET_KEY must have at least {MIN_LENGTH} characters."
            raise SettingError(msg)
        return from_environment
    path = data_dir / KEY_FILE
    try:
        _create_once(path)
        key = path.read_text().strip()
    except OSError as error:
        msg = f"GATEHOUSE_DATA_DIR: {path} cannot be read or written: {error.strerror}."
        raise SettingError(msg) from error
    if len(key) < MIN_LENGTH:
        msg = f"GATEHOUSE_DATA_DIR: {path} is damaged; restore it from a backup."
        raise SettingError(msg)
    return key


def _create_once(path: Path) -> None:
    """Write a new key unless one is there; of two processes that race, the first one wins."""
    if path.exists():
        return
    draft = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        # A hard link appears whole or not at all, and never replaces what is there.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
