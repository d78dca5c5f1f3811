"""Row locks of the ledger, always taken in this order, so that no two writers deadlock.

1. the organization (imports, one at a time), 2. its ledger bank accounts, 3. their open
reconciliations, 4. journal entries, 5. the head of the audit chain.  On SQLite every
writing transaction has the whole database to itself and the locks are no-ops.
"""

from __future__ import annotations

import sqlalchemy as sa

from app.models import (
    AuditHead,
    LedgerBankAccount,
    Organization,
    Reconciliation,
    ReconciliationStatus,
    db,
)
from app.tenancy.scope import current_organization_id, owned


def lock_imports() -> None:
    """Let one import of the organization write at a time, and no match be made meanwhile.

    A match is made under the lock of its open reconciliation, and a reconciliation is opened
    under a reference to its bank account: with both held, an entry that is unmatched now
    stays so until the caller's transaction ends.
    """
    organization = sa.select(Organization.id).where(Organization.id == current_organization_id())
    db.session.execute(organization.with_for_update(key_share=True))
    db.session.scalars(
        owned(LedgerBankAccount).order_by(LedgerBankAccount.id).with_for_update()
    ).all()
    db.session.scalars(
        owned(Reconciliation)
        .where(Reconciliation.status == ReconciliationStatus.OPEN)
        .order_by(Reconciliation.id)
        .with_for_update()
    ).all()


def lock_numbering() -> None:
    """Let one writer at a time draw a journal number; the audit record needs this lock anyway."""
    db.session.execute(owned(AuditHead).with_for_update())
