"""Passwords for devices: what they are made of, and new ones by chance."""

import secrets
from typing import Final

PASSWORD_LENGTH = 32  # characters; agents accept 8 to 32
# Letters and digits survive key=value files, CSV and shells; none of 0 O 1 l I misleads a reader.
LETTERS: Final = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def password_from(number: int) -> str:
    """Return the password that ``number`` stands for; one of 512 bits uses all letters evenly."""
    letters = []
    for _ in range(PASSWORD_LENGTH):
        number, index = divmod(number, len(LETTERS))
        letters.append(LETTERS[index])
    return "".join(letters)


def new_password() -> str:
    """Return a new password, 186 bits strong."""
    return password_from(secrets.randbits(512))
