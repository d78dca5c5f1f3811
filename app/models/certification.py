"""What is signed, by whom, and what became of it: certificates, reopenings, reviews."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.clock import utc_now
from app.models.base import Base, Identified, OrganizationOwned, Text, one_of, references

_WAITING = sa.text("state = 'waiting'")


class ReviewState(StrEnum):
    WAITING = "waiting"
    APPROVED = "approved"
    """Certified: the reviewer signed what the preparer had signed."""
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"


class Certification(Identified, OrganizationOwned, Base):
    """The signed statement: written once, never changed.

    Of a reconciliation that was reopened and certified again there are several versions.
    """

    __tablename__ = "certification"
    __table_args__ = (sa.UniqueConstraint("organization_id", "reconciliation_id", "version"),)

    reconciliation_id: Mapped[str] = references("reconciliation.id", index=False)
    version: Mapped[int]
    """1, 2, … in the order in which they were signed."""
    certified_at: Mapped[datetime]
    certified_by: Mapped[str] = mapped_column(sa.String(32))
    """Of two signatures the reviewer's."""
    certified_by_name: Mapped[str]
    prepared_at: Mapped[datetime | None]
    """When it was submitted for review; None where one person certified alone."""
    prepared_by: Mapped[str | None] = mapped_column(sa.String(32))
    prepared_by_name: Mapped[str] = mapped_column(default="")
    document: Mapped[dict[str, Any]]
    """The whole report as it stood: totals, outstanding items, adjustments."""
    sha256: Mapped[str] = mapped_column(sa.String(64))
    remarks: Mapped[Text]


class Reopening(Identified, OrganizationOwned, Base):
    """That a certificate is not in force any more, who said so and why; written once."""

    __tablename__ = "reopening"
    __table_args__ = (sa.UniqueConstraint("organization_id", "certification_id"),)

    reconciliation_id: Mapped[str] = references("reconciliation.id")
    certification_id: Mapped[str] = references("certification.id", index=False)
    reopened_at: Mapped[datetime] = mapped_column(default=utc_now)
    reopened_by: Mapped[str] = mapped_column(sa.String(32))
    reopened_by_name: Mapped[str]
    reason: Mapped[Text]


class CertificationReview(Identified, OrganizationOwned, Base):
    """A reconciliation that its preparer submitted to a second person."""

    __tablename__ = "certification_review"
    __table_args__ = (
        one_of("state", ReviewState),
        sa.Index(
            "uq_certification_review_waiting",
            "organization_id",
            "reconciliation_id",
            unique=True,
            sqlite_where=_WAITING,
            postgresql_where=_WAITING,
        ),
    )

    reconciliation_id: Mapped[str] = references("reconciliation.id")
    state: Mapped[str] = mapped_column(sa.String(12), default=ReviewState.WAITING)
    prepared_at: Mapped[datetime] = mapped_column(default=utc_now)
    prepared_by: Mapped[str] = mapped_column(sa.String(32))
    prepared_by_name: Mapped[str]
    remarks: Mapped[Text]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    """Of the statement that the preparer signed; the reviewer signs the same or none."""
    decided_at: Mapped[datetime | None]
    decided_by_name: Mapped[str] = mapped_column(default="")
    reason: Mapped[Text]
