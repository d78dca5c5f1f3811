"""What this organization decided before, as the engine's history takes it.

Confirmed: pairs of certified reconciliations.  Rejected: dismissed suggestions, and
automatic matches that a person took apart, unless the bank's change was the reason.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from app.matching import Decision, Outcome
from app.models import (
    Match,
    MatchOrigin,
    MatchState,
    Reconciliation,
    ReconciliationStatus,
    db,
)
from app.reconciliation.lines import bank_item, gl_item, lines_of_matches
from app.tenancy.scope import owned

DECISIONS_MAX: Final = 5_000
"""Newest decisions that a run learns from; older ones have decayed anyway."""


def past_decisions() -> tuple[Decision, ...]:
    """Return the newest one-to-one decisions of the organization in scope."""
    decided = db.session.scalars(
        owned(Match)
        .join(Reconciliation, Reconciliation.id == Match.reconciliation_id)
        .where(sa.or_(_confirmed(), _refused()))
        .order_by(Match.updated_at.desc(), Match.id.desc())
        .limit(DECISIONS_MAX)
    ).all()
    lines = lines_of_matches([match.id for match in decided])
    decisions = []
    for match in decided:
        bank, gl = lines[match.id]
        if len(bank) != 1 or len(gl) != 1:
            continue  # a group says nothing about one pair
        positive = match.state == MatchState.MATCHED
        decisions.append(
            Decision(
                outcome=Outcome.CONFIRMED if positive else Outcome.REJECTED,
                bank=bank_item(bank[0]),
                gl=gl_item(gl[0]),
                decided_on=match.updated_at.date(),
            )
        )
    db.session.rollback()
    return tuple(decisions)


def _confirmed() -> sa.ColumnElement[bool]:
    return sa.and_(
        Match.state == MatchState.MATCHED,
        Reconciliation.status == ReconciliationStatus.CERTIFIED,
        Match.adjustment_id.is_(None),
    )


def _refused() -> sa.ColumnElement[bool]:
    return sa.or_(
        Match.state == MatchState.REJECTED,
        sa.and_(
            Match.state == MatchState.UNMATCHED, Match.origin == MatchOrigin.AI, Match.flag == ""
        ),
    )
