"""The append-only audit trail; triggers of the first migration refuse UPDATE and DELETE."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified, OrganizationOwned


class AuditHead(OrganizationOwned, Base):
    """Where an organization's chain ends; its row lock puts writers in line."""

    __tablename__ = "audit_head"
    __table_args__ = (sa.PrimaryKeyConstraint("organization_id"),)

    sequence: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    hash: Mapped[str] = mapped_column(sa.String(64))


class AuditEvent(Identified, OrganizationOwned, Base):
    __tablename__ = "audit_event"
    __table_args__ = (
        sa.UniqueConstraint("organization_id", "sequence"),
        sa.Index(
            "ix_audit_event_subject", "organization_id", "subject_type", "subject_id", "sequence"
        ),
        sa.Index("ix_audit_event_actor", "organization_id", "actor_user_id", "sequence"),
    )

    sequence: Mapped[int] = mapped_column(sa.BigInteger)
    at: Mapped[datetime]
    actor_user_id: Mapped[str | None] = mapped_column(sa.String(32))
    actor_name: Mapped[str]
    via: Mapped[str] = mapped_column(sa.String(20))
    ip_address: Mapped[str | None] = mapped_column(sa.String(45))
    request_id: Mapped[str | None] = mapped_column(sa.String(64))
    action: Mapped[str] = mapped_column(sa.String(60))
    subject_type: Mapped[str] = mapped_column(sa.String(40))
    subject_id: Mapped[str] = mapped_column(sa.String(64))
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    previous_hash: Mapped[str] = mapped_column(sa.String(64))
    hash: Mapped[str] = mapped_column(sa.String(64))
