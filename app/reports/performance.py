"""How well Bank Match AI did, as the decisions of people prove it: per period and by score.

Everything is counted from the matches themselves, so that nothing can drift.  A pair of the AI
was automatic where its score reached the threshold that its reconciliation started with; what
was only suggested stays below it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
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
from app.reconciliation.balances import balances_of
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
    periods = tuple(_period(found, name, counts.get(found.id, _Counts())) for found, name in rows)
    judged = _judged()
    versions = (period.model_version for period in periods if period.model_version)
    return Performance(
        periods=periods,
        bands=_bands(judged),
        judged_automatic_count=sum(1 for one in judged if one.automatic),
        right_automatic_count=sum(1 for one in judged if one.automatic and one.right),
        model_version=next(versions, ""),
    )


def simulate(auto_threshold: int, review_threshold: int) -> Simulated:
    """Return what these thresholds would have done on what the organization has certified."""
    pairs = _judged(certified=True)
    matched = [one for one in pairs if one.score >= auto_threshold and one.balanced]
    rest = [one for one in pairs if not (one.score >= auto_threshold and one.balanced)]
    return Simulated(
        auto_threshold=auto_threshold,
        review_threshold=review_threshold,
        matched_count=len(matched),
        wrong_count=sum(not one.right for one in matched),
        reviewed_count=sum(one.score >= review_threshold for one in rest),
        unseen_count=sum(one.right and one.score < review_threshold for one in rest),
    )


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


@dataclass(frozen=True, slots=True)
class _Judged:
    score: float
    automatic: bool
    right: bool
    balanced: bool


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


def _period(found: Reconciliation, account_name: str, counts: _Counts) -> Period:
    is_open = found.status != ReconciliationStatus.CERTIFIED
    bank_count = balances_of(found).bank_count if is_open else counts.matched_bank
    return Period(
        reconciliation_id=found.id,
        account_name=account_name,
        ending_date=found.ending_date,
        is_open=is_open,
        model_version=found.model_version,
        bank_count=bank_count,
        by_rule_count=counts.by_rule,
        by_ai_count=counts.by_ai,
        approved_count=counts.approved,
        decided_count=counts.decided,
        undone_count=counts.undone,
        automatic_count=counts.automatic,
    )


def _judged(*, certified: bool = False) -> list[_Judged]:
    """Return the AI's pairs that people have judged; what is certified judges all of its own.

    A suggestion that was left when its month was certified was not the pair.
    """
    is_certified = Reconciliation.status == ReconciliationStatus.CERTIFIED
    decided = sa.or_(is_certified, Match.state.in_([MatchState.REJECTED, MatchState.UNMATCHED]))
    balanced = sa.and_(
        Match.bank_total_minor == Match.gl_total_minor, Match.adjustment_id.is_(None)
    )
    rows = db.session.execute(
        owned(Match)
        .join(Reconciliation, Reconciliation.id == Match.reconciliation_id)
        .where(
            Match.origin == MatchOrigin.AI,
            Match.flag == "",
            Match.score.is_not(None),
            is_certified if certified else decided,
        )
        .with_only_columns(
            Match.score,
            _automatic().label("automatic"),
            (Match.state == MatchState.MATCHED).label("right"),
            balanced.label("balanced"),
        )
    )
    return [_Judged(float(row.score), row.automatic, row.right, row.balanced) for row in rows]


def _bands(judged: Iterable[_Judged]) -> tuple[Band, ...]:
    by_band: dict[int, list[_Judged]] = {}
    for one in judged:
        start = min(int(one.score // BAND_POINTS) * BAND_POINTS, 100 - BAND_POINTS)
        by_band.setdefault(start, []).append(one)
    return tuple(
        Band(
            score_from=start,
            score_to=start + BAND_POINTS,
            judged_count=len(pairs),
            right_count=sum(one.right for one in pairs),
            mean_score=sum(one.score for one in pairs) / len(pairs),
        )
        for start, pairs in sorted(by_band.items())
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
