"""Identifiers as aggregators give them: long, opaque, letters and digits, case-sensitive."""

from __future__ import annotations

import secrets
from base64 import b64encode
from hashlib import blake2b
from typing import Final

ID_BYTES: Final = 27
"""Thirty-six characters of base64, without padding."""
_LETTERS_AND_DIGITS: Final = bytes.maketrans(b"+/", b"xQ")


def random_id() -> str:
    return _as_text(secrets.token_bytes(ID_BYTES))


def derived_id(*parts: str) -> str:
    """Return the same identifier for the same parts, whenever it is asked for."""
    return _as_text(blake2b("|".join(parts).encode(), digest_size=ID_BYTES).digest())


def token(kind: str) -> str:
    """Return a secret such as access-sandbox-…; `kind` is access, public or link."""
    return f"{kind}-sandbox-{secrets.token_hex(16)}"


def _as_text(digest: bytes) -> str:
    return b64encode(digest).translate(_LETTERS_AND_DIGITS).decode()
