"""Organizations, the people in them, and what each may do there."""

from __future__ import annotations

from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified, OrganizationOwned, one_of, references


class Role(StrEnum):
    ADMIN = "admin"
    CONTROLLER = "controller"
    ACCOUNTANT = "accountant"
    VIEWER = "viewer"


class Organization(Identified, Base):
    __tablename__ = "organization"
    __table_args__ = (
        sa.CheckConstraint(
            "1 <= review_threshold AND review_threshold <= auto_match_threshold"
            " AND auto_match_threshold <= 100",
            name="thresholds_ordered",
        ),
        sa.CheckConstraint("sync_interval_hours BETWEEN 1 AND 168", name="sync_interval_known"),
    )

    name: Mapped[str]
    time_zone: Mapped[str] = mapped_column(default="UTC")
    auto_match_threshold: Mapped[int] = mapped_column(default=85)
    review_threshold: Mapped[int] = mapped_column(default=50)
    sync_interval_hours: Mapped[int] = mapped_column(default=6)
    second_factor_required: Mapped[bool] = mapped_column(default=False)
    """Whoever has no second factor sets it up before anything else."""
    second_review: Mapped[bool] = mapped_column(default=False)
    """Whether a second person approves what one has prepared before it is certified."""


class User(Identified, Base):
    """A person; e-mail addresses are kept in lower case."""

    __tablename__ = "person"

    email: Mapped[str] = mapped_column(sa.String(320), unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    session_epoch: Mapped[int] = mapped_column(default=0)
    """Rises with every password change, which ends all sessions signed in before."""


class Membership(Identified, OrganizationOwned, Base):
    __tablename__ = "membership"
    __table_args__ = (
        sa.UniqueConstraint("organization_id", "user_id"),
        one_of("role", Role),
    )

    user_id: Mapped[str] = references("person.id")
    role: Mapped[str]
    bank_connections: Mapped[bool] = mapped_column(default=False)
