"""Suggestions that can still be taken: undecided, and none of their lines matched elsewhere.

Nothing is written when a line is taken: the suggestion falls silent, and comes back by
itself when that match is undone.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from app.models import Match, MatchItem, MatchState, Reconciliation
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
    )
