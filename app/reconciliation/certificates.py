"""The certificates of a reconciliation: the one in force, and those that a reopening ended."""

from __future__ import annotations

import sqlalchemy as sa

from app.models import Certification, Reopening, db
from app.tenancy.scope import current_organization_id, owned


def in_force() -> sa.ColumnElement[bool]:
    """Return the criterion on `Certification` that no reopening has ended it."""
    return ~(
        sa.select(Reopening.id)
        .where(
            Reopening.organization_id == current_organization_id(),
            Reopening.certification_id == Certification.id,
        )
        .exists()
    )


def certificate_in_force(reconciliation_id: str) -> Certification | None:
    """Return what is signed now; None while the reconciliation is open."""
    return db.session.scalar(
        owned(Certification).where(Certification.reconciliation_id == reconciliation_id, in_force())
    )


def next_version(reconciliation_id: str) -> int:
    """Return the number of the certificate that is signed next; 1 for the first."""
    signed = owned(Certification).where(Certification.reconciliation_id == reconciliation_id)
    newest = db.session.scalar(signed.with_only_columns(sa.func.max(Certification.version)))
    return (newest or 0) + 1
