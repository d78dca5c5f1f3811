"""How well Bank Match AI did, as the decisions of people prove it: per period and by score.

Everything is counted from the matches themselves, so that nothing can drift.  A pair of the AI
was automatic where its score reached the threshold that its reconciliation started with; what
was only suggested stays below it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from app.models import (
    LedgerBankAccount,
    Match,
    MatchItem,
    MatchOrigin,
    MatchState,
    Reconciliation,
    ReconciliationStatus,
    db,
)
from app.reconciliation.balances import Balances, balances_of_many
from app.tenancy.scope import owned

PERIODS_SHOWN: Final = 24
BAND_POINTS: Final = 10
_Z_95: Final = 1.96


@dataclass(frozen=True, slots=True)
class Period:
    """One reconciliation; rates are shares of 1, None where there is nothing to divide by."""

    reconciliation_id: str
    account_name: str
    ending_date: date
    is_open: bool
    model_version: str
    bank_count: int
    by_rule_count: int
    """Bank transactions that a rule matched."""
    by_ai_count: int
    """Bank transactions that the AI matched by itself."""
    approved_count: int
    decided_count: int
    undone_count: int
    """Automatic matches that a person took apart."""
    automatic_count: int
    """Automatic matches, those undone included."""

    @property
    def auto_match_rate(self) -> float | None:
        return _share(self.by_rule_count + self.by_ai_count, self.bank_count)

    @property
    def acceptance_rate(self) -> float | None:
        return _share(self.approved_count, self.decided_count)

    @property
    def override_rate(self) -> float | None:
        return _share(self.undone_count, self.automatic_count)


@dataclass(frozen=True, slots=True)
class Band:
    """Pairs of a range of scores that somebody has judged: what was said, what was right."""

    score_from: int
    score_to: int
    judged_count: int
    right_count: int
    mean_score: float

    @property
    def right_rate(self) -> float:
        return self.right_count / self.judged_count


@dataclass(frozen=True, slots=True)
class Performance:
    periods: tuple[Period, ...]
    """Newest first."""
    bands: tuple[Band, ...]
    judged_automatic_count: int
    right_automatic_count: int
    model_version: str
    """Of the newest matching run; empty before the first."""

    @property
    def precision(self) -> float | None:
        """Share of the AI's automatic matches that nobody had to correct, once certified."""
        return _share(self.right_automatic_count, self.judged_automatic_count)

    @property
    def precision_at_least(self) -> float | None:
        """Lower end of its 95 % interval (Wilson 1927)."""
        return wilson_lower(self.right_automatic_count, self.judged_automatic_count)


@dataclass(frozen=True, slots=True)
class Simulated:
    """What two thresholds would have done with the pairs of certified reconciliations."""

    auto_threshold: int
    review_threshold: int
    matched_count: int
    wrong_count: int
    """Of those: pairs that people certified otherwise."""
    reviewed_count: int
    unseen_count: int
    """Right pairs that nobody would have been shown."""


def performance() -> Performance:
    """Return how the AI did in the newest periods of the organization in scope."""
    rows = db.session.execute(
        owned(Reconciliation)
        .join(LedgerBankAccount, LedgerBankAccount.id == Reconciliation.ledger_bank_account_id)
        .add_columns(LedgerBankAccount.name)
        .order_by(Reconciliation.ending_date.desc(), Reconciliation.id.desc())
        .limit(PERIODS_SHOWN)
    ).all()
    counts = _counts([reconciliation.id for reconciliation, _ in rows])
    balances = balances_of_many([found for found, _ in rows if not _is_certified(found)])
    periods = tuple(
        _period(found, name, counts.get(found.id, _Counts()), balances.get(found.id))
        for found, name in rows
    )
    bands, automatic_count, right_count = _bands()
    versions = (period.model_version for period in periods if period.model_version)
    return Performance(
        periods=periods,
        bands=tuple(bands),
        judged_automatic_count=automatic_count,
        right_automatic_count=right_count,
        model_version=next(versions, ""),
    )


def simulate(auto_threshold: int, review_threshold: int) -> Simulated:
    """Return what these thresholds would have done on what the organization has certified."""
    balanced = sa.and_(
        Match.bank_total_minor == Match.gl_total_minor, Match.adjustment_id.is_(None)
    )
    matched = sa.and_(Match.score >= auto_threshold, balanced)
    shown = Match.score >= review_threshold
    row = db.session.execute(
        _scored()
        .where(_certified())
        .with_only_columns(
            sa.func.count().filter(matched).label("matched"),
            sa.func.count().filter(matched, ~_right()).label("wrong"),
            sa.func.count().filter(~matched, shown).label("reviewed"),
            sa.func.count().filter(~matched, ~shown, _right()).label("unseen"),
        )
    ).one()
    return Simulated(auto_threshold, review_threshold, *row)


def wilson_lower(right: int, count: int) -> float | None:
    """Return the lower end of the 95 % interval of a share; None of nothing."""
    if not count:
        return None
    share, z2 = right / count, _Z_95**2
    middle = share + z2 / (2 * count)
    spread = _Z_95 * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2))
    return max(0.0, (middle - spread) / (1 + z2 / count))


@dataclass(slots=True)
class _Counts:
    matched_bank: int = 0
    by_rule: int = 0
    by_ai: int = 0
    approved: int = 0
    decided: int = 0
    undone: int = 0
    automatic: int = 0


def _automatic() -> sa.ColumnElement[bool]:
    """Tell of an AI's pair whether it was matched without anybody."""
    return Match.score >= Reconciliation.auto_match_threshold


def _counts(reconciliation_ids: list[str]) -> dict[str, _Counts]:
    bank_lines = (
        owned(MatchItem)
        .where(
            MatchItem.reconciliation_id.in_(reconciliation_ids),
            MatchItem.financial_transaction_id.is_not(None),
        )
        .with_only_columns(MatchItem.match_id, sa.func.count().label("lines"))
        .group_by(MatchItem.match_id)
        .subquery()
    )
    automatic = sa.or_(Match.origin == MatchOrigin.RULE, _automatic())
    rows = db.session.execute(
        owned(Match)
        .join(Reconciliation, Reconciliation.id == Match.reconciliation_id)
        .outerjoin(bank_lines, bank_lines.c.match_id == Match.id)
        .where(Match.reconciliation_id.in_(reconciliation_ids), Match.flag == "")
        .with_only_columns(
            Match.reconciliation_id,
            Match.origin,
            Match.state,
            sa.func.coalesce(automatic, sa.false()).label("automatic"),
            sa.func.count().label("matches"),
            sa.func.coalesce(sa.func.sum(bank_lines.c.lines), 0).label("lines"),
        )
        .group_by(
            Match.reconciliation_id,
            Match.origin,
            Match.state,
            sa.func.coalesce(automatic, sa.false()),
        )
    )
    found: dict[str, _Counts] = {}
    for row in rows:
        _count(found.setdefault(row.reconciliation_id, _Counts()), row)
    return found


def _count(counts: _Counts, row: Any) -> None:
    matched = row.state == MatchState.MATCHED
    if matched:
        counts.matched_bank += int(row.lines)
    if row.origin == MatchOrigin.MANUAL:
        return
    if row.automatic:
        if matched:
            counts.by_rule += int(row.lines) if row.origin == MatchOrigin.RULE else 0
            counts.by_ai += int(row.lines) if row.origin == MatchOrigin.AI else 0
        counts.automatic += row.matches if matched or row.state == MatchState.UNMATCHED else 0
        counts.undone += row.matches if row.state == MatchState.UNMATCHED else 0
    elif row.state != MatchState.SUGGESTED:
        counts.decided += row.matches
        counts.approved += row.matches if row.state != MatchState.REJECTED else 0


def _is_certified(found: Reconciliation) -> bool:
    return found.status == ReconciliationStatus.CERTIFIED


def _period(
    found: Reconciliation, account_name: str, counts: _Counts, balances: Balances | None
) -> Period:
    """Return one row; of what is open the balances count the lines that wait as well."""
    return Period(
        reconciliation_id=found.id,
        account_name=account_name,
        ending_date=found.ending_date,
        is_open=balances is not None,
        model_version=found.model_version,
        bank_count=balances.bank_count if balances else counts.matched_bank,
        by_rule_count=counts.by_rule,
        by_ai_count=counts.by_ai,
        approved_count=counts.approved,
        decided_count=counts.decided,
        undone_count=counts.undone,
        automatic_count=counts.automatic,
    )


def _certified() -> sa.ColumnElement[bool]:
    return Reconciliation.status == ReconciliationStatus.CERTIFIED


def _right() -> sa.ColumnElement[bool]:
    """A suggestion that was left when its month was certified was not the pair."""
    return Match.state == MatchState.MATCHED


def _scored() -> sa.Select[Any]:
    """Return the AI's pairs with their reconciliations; what the bank changed proves nothing."""
    return (
        owned(Match)
        .join(Reconciliation, Reconciliation.id == Match.reconciliation_id)
        .where(Match.origin == MatchOrigin.AI, Match.flag == "", Match.score.is_not(None))
    )


def _bands() -> tuple[list[Band], int, int]:
    """Return the bands of what people have judged, and of the automatic ones all and the right."""
    decided = sa.or_(_certified(), Match.state.in_([MatchState.REJECTED, MatchState.UNMATCHED]))
    # Whole bands by comparisons: the two databases round a cast differently.
    start = sa.case(
        *((Match.score >= start, start) for start in range(100 - BAND_POINTS, 0, -BAND_POINTS)),
        else_=0,
    )
    rows = db.session.execute(
        _scored()
        .where(decided)
        .with_only_columns(
            start.label("start"),
            sa.func.count().label("judged"),
            sa.func.count().filter(_right()).label("right"),
            sa.func.avg(Match.score).label("mean"),
            sa.func.count().filter(_automatic()).label("automatic"),
            sa.func.count().filter(_automatic(), _right()).label("right_automatic"),
        )
        .group_by(start)
        .order_by(start)
    ).all()
    bands = [
        Band(row.start, row.start + BAND_POINTS, row.judged, row.right, float(row.mean))
        for row in rows
    ]
    return bands, sum(r.automatic for r in rows), sum(r.right_automatic for r in rows)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
