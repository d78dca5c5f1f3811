"""MX's identifiers: a prefix that tells the kind of object, and a UUID."""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid4, uuid5

NAMESPACE: Final = UUID("6f1d2c3a-7b0e-4f57-9a53-2f4f0f9c1e88")


def new_guid(kind: str) -> str:
    """Return a new identifier; `kind` is USR, MBR, ACT, TRN or INS."""
    return f"{kind}-{uuid4()}"


def guid_of(kind: str, key: str) -> str:
    """Return the same identifier for the same key, whenever it is asked for."""
    return f"{kind}-{uuid5(NAMESPACE, key)}"
