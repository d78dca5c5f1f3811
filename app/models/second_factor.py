"""What a person signs in with besides the password; it is the person's, in every organization."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified, references


class SecondFactor(Identified, Base):
    """An authenticator application that shares a secret with us (RFC 6238)."""

    __tablename__ = "second_factor"

    user_id: Mapped[str] = references("person.id", index=False, unique=True)
    secret: Mapped[bytes] = mapped_column(deferred=True)
    """Sealed by `app.tenancy.vault` for this person."""
    confirmed_at: Mapped[datetime | None]
    """When a first code was right; before that it is not asked for."""
    last_step: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    """Half minute of the last code that was taken; that one and earlier ones are used up."""
    failures_count: Mapped[int] = mapped_column(default=0)
    """Wrong codes since the last right one or the last pause."""
    locked_until: Mapped[datetime | None]


class RecoveryCode(Identified, Base):
    """A code that stands in for the authenticator once."""

    __tablename__ = "recovery_code"
    __table_args__ = (sa.UniqueConstraint("user_id", "digest"),)

    user_id: Mapped[str] = references("person.id", index=False)
    digest: Mapped[str] = mapped_column(sa.String(64))
    used_at: Mapped[datetime | None]
