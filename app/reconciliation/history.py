"""What this organization decided before, as the engine's history takes it.

Confirmed: pairs of certified reconciliations.  Rejected: dismissed suggestions, and
automatic matches that a person took apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from app.matching import Decision, Item, Outcome
from app.models import (
    FinancialTransaction,
    GlEntry,
    Match,
    MatchItem,
    MatchOrigin,
    MatchState,
    Reconciliation,
    ReconciliationStatus,
    db,
)
from app.reconciliation.lines import bank_item, gl_item
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
    lines = _lines_of([match.id for match in decided])
    decisions = []
    for match in decided:
        bank, gl = lines.get(match.id, ([], []))
        if len(bank) != 1 or len(gl) != 1:
            continue  # a group says nothing about one pair
        positive = match.state == MatchState.MATCHED
        decisions.append(
            Decision(
                outcome=Outcome.CONFIRMED if positive else Outcome.REJECTED,
                bank=bank[0],
                gl=gl[0],
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
        sa.and_(Match.state == MatchState.UNMATCHED, Match.origin == MatchOrigin.AI),
    )


def _lines_of(match_ids: Sequence[str]) -> dict[str, tuple[list[Item], list[Item]]]:
    lines: dict[str, tuple[list[Item], list[Item]]] = {}
    rows = db.session.execute(
        owned(MatchItem)
        .outerjoin(
            FinancialTransaction, FinancialTransaction.id == MatchItem.financial_transaction_id
        )
        .outerjoin(GlEntry, GlEntry.id == MatchItem.gl_entry_id)
        .where(MatchItem.match_id.in_(match_ids))
        .with_only_columns(MatchItem.match_id, FinancialTransaction, GlEntry)
    )
    for match_id, transaction, entry in rows:
        bank, gl = lines.setdefault(match_id, ([], []))
        if entry is None:
            bank.append(bank_item(transaction))
        else:
            gl.append(gl_item(entry))
    return lines
