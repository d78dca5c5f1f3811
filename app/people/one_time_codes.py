"""Codes of an authenticator (RFC 6238: SHA-1, six digits, half minutes) and recovery codes."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Final

import pyotp

from app.kernel import limits

_ISSUER: Final = "Tieout"
_STEP_SECONDS: Final = 30
_STEPS_APART: Final = (0, -1, 1)
"""A clock may go wrong by half a minute, and typing takes a moment."""
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that are taken for another: 12 of them are 59 bits."""
_RECOVERY_CHARACTERS: Final = 12
_GROUP_CHARACTERS: Final = 4


def new_secret() -> str:
    """Return 160 random bits in base 32."""
    return pyotp.random_base32()


def provisioning_uri(secret: str, email: str) -> str:
    """Return what the QR code says, as authenticators read it."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=_ISSUER)


def fitting_step(secret: str, code: str, at: datetime) -> int | None:
    """Return the half minute, counted from 1970, that the code is of; None if it fits none."""
    now = int(at.timestamp()) // _STEP_SECONDS
    totp = pyotp.TOTP(secret)
    typed = code.replace(" ", "").encode()
    for apart in _STEPS_APART:
        if hmac.compare_digest(totp.generate_otp(now + apart).encode(), typed):
            return now + apart
    return None


def new_recovery_codes() -> list[str]:
    """Return codes as they are shown, in groups of four."""
    return [_recovery_code() for _ in range(limits.RECOVERY_CODES)]


def recovery_digest(user_id: str, code: str) -> str:
    """Return what is stored of a code; a plain hash will do, since the code is random."""
    typed = code.lower().replace("-", "").replace(" ", "")
    return hashlib.sha256(f"{user_id}:{typed}".encode()).hexdigest()


def grouped(text: str) -> str:
    """Return a secret as people type it."""
    parts = range(0, len(text), _GROUP_CHARACTERS)
    return " ".join(text[start : start + _GROUP_CHARACTERS] for start in parts)


def _recovery_code() -> str:
    text = "".join(secrets.choice(_ALPHABET) for _ in range(_RECOVERY_CHARACTERS))
    return grouped(text).replace(" ", "-")
