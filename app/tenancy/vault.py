"""Credentials at rest: JSON, encrypted with Fernet, bound to the row that it belongs to.

Fernet itself binds a ciphertext to nothing, so what it is and whose it is stands inside and
is checked: a ciphertext copied into another row does not open (docs/decisions/0060).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask import current_app

from app.kernel.errors import Refusal

CREDENTIALS: Final = "credentials"
HOSTED_FLOW: Final = "hosted_flow"
SECOND_FACTOR: Final = "second_factor"
KEPT_ANSWER: Final = "kept_answer"

_SHUT: Final = {
    SECOND_FACTOR: (
        "Your second factor cannot be checked: {why}. Ask your operator to restore the key, or to "
        "remove your second factor, so that you can set it up anew."
    ),
}
_BANK_SHUT: Final = (
    "The stored access to the bank cannot be used: {why}. Ask your operator to restore the key, or "
    "delete the connection and connect the bank anew."
)


class VaultClosed(Refusal):
    """A sealed value cannot be opened: the key is gone, or the value was moved or altered."""

    code = "credentials_unreadable"
    status = 503
    title = "Stored credentials cannot be opened"

    def __init__(self, why: str, purpose: str = CREDENTIALS) -> None:
        super().__init__(_SHUT.get(purpose, _BANK_SHUT).format(why=why))


def seal(secrets: Mapping[str, str], *, purpose: str, organization_id: str, row_id: str) -> bytes:
    """Return the secrets encrypted with the newest key.

    Args:
        purpose: What they are; they open for the same purpose alone.
        organization_id: Whose row it is; empty for a person's own, who may be in several.
        row_id: The row.
    """
    bound = {"for": [purpose, organization_id, row_id], "secrets": dict(secrets)}
    return _keys(purpose).encrypt(json.dumps(bound, separators=(",", ":")).encode())


def unseal(sealed: bytes, *, purpose: str, organization_id: str, row_id: str) -> dict[str, str]:
    """Return what `seal` was given.

    Raises:
        VaultClosed: No key of `CREDENTIAL_KEYS` opens it, or it belongs to another row.
    """
    try:
        bound = json.loads(_keys(purpose).decrypt(sealed))
    except InvalidToken:
        raise VaultClosed("no key of CREDENTIAL_KEYS opens it", purpose) from None
    if bound["for"] != [purpose, organization_id, row_id]:
        raise VaultClosed("it belongs to another row", purpose)
    secrets: dict[str, str] = bound["secrets"]
    return secrets


def reseal(sealed: bytes) -> bytes:
    """Return the same value encrypted with the newest key.

    Raises:
        VaultClosed: No key of `CREDENTIAL_KEYS` opens it.
    """
    try:
        return _keys().rotate(sealed)
    except InvalidToken:
        raise VaultClosed("no key of CREDENTIAL_KEYS opens it") from None


def _keys(purpose: str = CREDENTIALS) -> MultiFernet:
    keys = current_app.extensions["settings"].credential_keys
    if not keys:
        raise VaultClosed(
            "CREDENTIAL_KEYS is not set (`make run` writes a key of its own)", purpose
        )
    return MultiFernet([Fernet(key) for key in keys])
