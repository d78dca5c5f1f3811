"""Passwords: argon2id, checked for length and for the worst habits."""

from __future__ import annotations

from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.kernel.errors import Invalid

PASSWORD_CHARACTERS_MIN: Final = 12
PASSWORD_CHARACTERS_MAX: Final = 200

_hasher: Final = PasswordHasher()
_DUMMY_HASH: Final = _hasher.hash("compared when nobody has that address, to take as long")


def hash_password(password: str, email: str) -> str:
    """Return the argon2id hash.

    Raises:
        Invalid: Too short, too long, one character repeated, or the e-mail address itself.
    """
    if not PASSWORD_CHARACTERS_MIN <= len(password) <= PASSWORD_CHARACTERS_MAX:
        sentence = (
            f"A password has {PASSWORD_CHARACTERS_MIN} to {PASSWORD_CHARACTERS_MAX} characters."
        )
        raise Invalid(sentence, {"password": [sentence]})
    if password.lower() == email.lower() or len(set(password)) < 4:  # noqa: PLR2004
        sentence = "This password is too easy to guess; choose another."
        raise Invalid(sentence, {"password": [sentence]})
    return _hasher.hash(password)


def password_fits(password_hash: str | None, password: str) -> bool:
    """Compare in the same time whether or not there is a hash to compare with."""
    try:
        _hasher.verify(password_hash or _DUMMY_HASH, password[:PASSWORD_CHARACTERS_MAX])
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None
