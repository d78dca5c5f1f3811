"""The arithmetic of a reconciliation: one function computes every balance that is shown.

Bar, report, certification and API all call `balances_of`; nothing else adds up amounts.
"""

from __future__ import annotations

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
    cleared = _cleared(reconciliation)
    return Balances(
        opening_minor=reconciliation.opening_balance_minor,
        cleared_in_minor=cleared["in"],
        cleared_out_minor=cleared["out"],
        cleared_bank_count=cleared["count"],
        cleared_gl_minor=cleared["gl"],
        ending_minor=reconciliation.ending_balance_minor,
        open_bank=_side(open_bank(reconciliation).subquery()),
        open_gl=_side(open_gl(reconciliation).subquery()),
    )


def _cleared(reconciliation: Reconciliation) -> dict[str, int]:
    amount = MatchItem.amount_minor
    on_bank = MatchItem.financial_transaction_id.is_not(None)
    row = db.session.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(sa.case((on_bank & (amount > 0), amount), else_=0)), 0),
            sa.func.coalesce(sa.func.sum(sa.case((on_bank & (amount < 0), amount), else_=0)), 0),
            sa.func.coalesce(sa.func.sum(sa.case((on_bank, 1), else_=0)), 0),
            sa.func.coalesce(sa.func.sum(sa.case((~on_bank, amount), else_=0)), 0),
        ).where(
            MatchItem.organization_id == current_organization_id(),
            MatchItem.reconciliation_id == reconciliation.id,
            MatchItem.active,
        )
    ).one()
    return dict(zip(("in", "out", "count", "gl"), map(int, row), strict=True))


def _side(lines: sa.Subquery) -> Side:
    amount = lines.c.amount_minor
    row = db.session.execute(
        sa.select(
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(sa.case((amount > 0, amount), else_=0)), 0),
            sa.func.coalesce(sa.func.sum(sa.case((amount < 0, amount), else_=0)), 0),
        ).select_from(lines)
    ).one()
    return Side(*map(int, row))
