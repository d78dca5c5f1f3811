"""Access of programs: API keys, and the calls whose answers are kept for repetitions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified, OrganizationOwned, references


class ApiKey(Identified, OrganizationOwned, Base):
    """A key of one organization; the key itself is shown once and never stored.

    It acts as a person of its own, who signs in nowhere, so that whatever a program did names
    its key.
    """

    __tablename__ = "api_key"
    __table_args__ = (sa.UniqueConstraint("digest"),)

    user_id: Mapped[str] = references("person.id")
    name: Mapped[str]
    beginning: Mapped[str] = mapped_column(sa.String(16))
    """First characters of the key, by which a person tells which one it is."""
    digest: Mapped[str] = mapped_column(sa.String(64))
    """SHA-256 of the key."""
    permissions: Mapped[list[Any]]
    created_by_name: Mapped[str]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class IdempotentCall(Identified, OrganizationOwned, Base):
    """A call with an idempotency key, written in the transaction of what it did."""

    __tablename__ = "idempotent_call"
    __table_args__ = (
        sa.UniqueConstraint("organization_id", "api_key_id", "key"),
        sa.Index("ix_idempotent_call_created", "created_at"),
    )

    api_key_id: Mapped[str] = references("api_key.id")
    key: Mapped[str] = mapped_column(sa.String(255))
    request_digest: Mapped[str] = mapped_column(sa.String(64))
    """SHA-256 of method, address and body."""
    status: Mapped[int | None]
    """Of the answer; None until it is kept, which comes after what the call did."""
    body: Mapped[bytes | None]
    """Sealed by `app.tenancy.vault`: an answer may hold an address that lets in whoever has it."""
    headers: Mapped[dict[str, Any]] = mapped_column(default=dict)
