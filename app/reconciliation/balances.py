"""The arithmetic of a reconciliation: one function computes every balance that is shown.

Bar, report, certification and API all call `balances_of`; nothing else adds up amounts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from app.models import MatchItem, Reconciliation, db
from app.reconciliation.scope import open_bank, open_gl
from app.tenancy.scope import current_organization_id


@dataclass(frozen=True, slots=True)
class Side:
    """Open lines of one side."""

    count: int
    in_minor: int
    out_minor: int

    @property
    def total_minor(self) -> int:
        return self.in_minor + self.out_minor


@dataclass(frozen=True, slots=True)
class Balances:
    """All amounts in minor units of the reconciliation's currency.

    Money out is negative, so that plain sums work everywhere.
    """

    opening_minor: int
    cleared_in_minor: int
    cleared_out_minor: int
    cleared_bank_count: int
    cleared_gl_minor: int
    ending_minor: int
    open_bank: Side
    open_gl: Side

    @property
    def cleared_minor(self) -> int:
        return self.cleared_in_minor + self.cleared_out_minor

    @property
    def difference_minor(self) -> int:
        """Statement ending balance less opening balance and cleared items; zero is balanced."""
        return self.ending_minor - self.opening_minor - self.cleared_minor

    @property
    def matched_difference_minor(self) -> int:
        """Matched bank total less matched GL total; every match balances, so it is zero."""
        return self.cleared_minor - self.cleared_gl_minor

    @property
    def bank_count(self) -> int:
        """Bank lines of the period, cleared and open."""
        return self.cleared_bank_count + self.open_bank.count


def balances_of(reconciliation: Reconciliation) -> Balances:
    """Compute the balances from the database as the caller's transaction sees it."""
    return balances_of_many([reconciliation])[reconciliation.id]


def balances_of_many(reconciliations: Sequence[Reconciliation]) -> dict[str, Balances]:
    """Compute the balances of each, by id, in three statements however many there are."""
    if not reconciliations:
        return {}
    cleared = _cleared([each.id for each in reconciliations])
    bank = _sides({each.id: open_bank(each).subquery() for each in reconciliations})
    gl = _sides({each.id: open_gl(each).subquery() for each in reconciliations})
    nothing = (0, 0, 0, 0)
    return {
        each.id: Balances(
            each.opening_balance_minor,
            *cleared.get(each.id, nothing),
            ending_minor=each.ending_balance_minor,
            open_bank=bank[each.id],
            open_gl=gl[each.id],
        )
        for each in reconciliations
    }


def _cleared(reconciliation_ids: Sequence[str]) -> dict[str, tuple[int, int, int, int]]:
    """Return what is matched: bank in, bank out, bank lines, GL total."""
    amount = MatchItem.amount_minor
    on_bank = MatchItem.financial_transaction_id.is_not(None)
    rows = db.session.execute(
        sa.select(
            MatchItem.reconciliation_id,
            sa.func.sum(sa.case((on_bank & (amount > 0), amount), else_=0)),
            sa.func.sum(sa.case((on_bank & (amount < 0), amount), else_=0)),
            sa.func.sum(sa.case((on_bank, 1), else_=0)),
            sa.func.sum(sa.case((~on_bank, amount), else_=0)),
        )
        .where(
            MatchItem.organization_id == current_organization_id(),
            MatchItem.reconciliation_id.in_(reconciliation_ids),
            MatchItem.active,
        )
        .group_by(MatchItem.reconciliation_id)
    )
    return {row[0]: (int(row[1]), int(row[2]), int(row[3]), int(row[4])) for row in rows}


def _sides(lines: Mapping[str, sa.Subquery]) -> dict[str, Side]:
    """Count and add up the open lines of one side, of each reconciliation by its id."""
    sums = [
        sa.select(
            sa.literal(reconciliation_id),
            sa.func.count(),
            _sum_where(each.c.amount_minor, each.c.amount_minor > 0),
            _sum_where(each.c.amount_minor, each.c.amount_minor < 0),
        ).select_from(each)
        for reconciliation_id, each in lines.items()
    ]
    rows = db.session.execute(sa.union_all(*sums))
    return {row[0]: Side(int(row[1]), int(row[2]), int(row[3])) for row in rows}


def _sum_where(
    amount: sa.ColumnElement[int], holds: sa.ColumnElement[bool]
) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((holds, amount), else_=0)), 0)
