"""Suggestions that can still be taken: undecided, their lines unmatched and as they were.

Nothing is written when a line is taken or changed: the suggestion falls silent, and comes
back by itself when that is undone.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from app.models import (
    FinancialTransaction,
    GlEntry,
    Match,
    MatchItem,
    MatchState,
    Reconciliation,
    TransactionStatus,
)
from app.tenancy.scope import current_organization_id, owned


def live_suggestions(reconciliation: Reconciliation) -> sa.Select[Match]:
    """Return the reconciliation's undecided suggestions whose lines are all open."""
    own, taken = aliased(MatchItem), aliased(MatchItem)
    organization_id = current_organization_id()
    somewhere_else = (
        sa.select(own.id)
        .join(
            taken,
            sa.and_(
                taken.organization_id == organization_id,
                taken.active,
                sa.or_(
                    taken.financial_transaction_id == own.financial_transaction_id,
                    taken.gl_entry_id == own.gl_entry_id,
                ),
            ),
        )
        .where(own.organization_id == organization_id, own.match_id == Match.id)
        .exists()
    )
    return owned(Match).where(
        Match.reconciliation_id == reconciliation.id,
        Match.state == MatchState.SUGGESTED,
        ~somewhere_else,
        ~_changed(reconciliation),
    )


def _changed(reconciliation: Reconciliation) -> sa.Exists:
    """Return the criterion that a line of the match is not any more what was suggested."""
    own = aliased(MatchItem)
    return (
        sa.select(own.id)
        .outerjoin(FinancialTransaction, FinancialTransaction.id == own.financial_transaction_id)
        .outerjoin(GlEntry, GlEntry.id == own.gl_entry_id)
        .where(
            own.organization_id == current_organization_id(),
            own.match_id == Match.id,
            sa.or_(
                FinancialTransaction.status != TransactionStatus.POSTED,
                FinancialTransaction.amount_minor != own.amount_minor,
                FinancialTransaction.posted_date > reconciliation.ending_date,
                GlEntry.amount_minor != own.amount_minor,
                GlEntry.date > reconciliation.ending_date,
            ),
        )
        .exists()
    )
