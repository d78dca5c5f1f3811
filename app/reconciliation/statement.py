"""The bank reconciliation statement: bank side and book side, and why they agree.

balance per bank + deposits in transit + outstanding payments = adjusted bank balance
balance per books + bank items not in the books               = adjusted book balance
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from app.models import (
    FinancialTransaction,
    GlAccount,
    GlEntry,
    JournalEntry,
    LedgerBankAccount,
    Match,
    MatchState,
    Reconciliation,
    db,
)
from app.reconciliation.ages import AgeBucket, by_age
from app.reconciliation.balances import balances_of
from app.reconciliation.scope import gl_in_scope, open_bank, open_gl
from app.tenancy.scope import get_owned, owned


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One reconciling item, as it stood."""

    id: str
    date: date
    description: str
    counterparty: str
    reference: str
    amount_minor: int
    age_days: int
    """From its date to the statement's."""


@dataclass(frozen=True, slots=True)
class ReconciliationStatement:
    account_name: str
    gl_account_number: str
    currency: str
    ending_date: date
    opening_minor: int
    cleared_in_minor: int
    cleared_out_minor: int
    cleared_count: int
    bank_balance_minor: int
    deposits_in_transit: tuple[StatementLine, ...]
    outstanding_payments: tuple[StatementLine, ...]
    book_balance_minor: int
    unrecorded_bank_items: tuple[StatementLine, ...]
    """Bank transactions that the books lack; none once certified."""
    adjustments: tuple[StatementLine, ...]
    """Journal entries that this reconciliation recorded; the book balance includes them."""
    matches_by_origin: dict[str, int]

    @property
    def deposits_in_transit_minor(self) -> int:
        return sum(line.amount_minor for line in self.deposits_in_transit)

    @property
    def outstanding_payments_minor(self) -> int:
        return sum(line.amount_minor for line in self.outstanding_payments)

    @property
    def unrecorded_minor(self) -> int:
        return sum(line.amount_minor for line in self.unrecorded_bank_items)

    @property
    def adjustments_minor(self) -> int:
        return sum(line.amount_minor for line in self.adjustments)

    @property
    def books_before_adjustments_minor(self) -> int:
        return self.book_balance_minor - self.adjustments_minor

    @property
    def outstanding_minor(self) -> int:
        return self.deposits_in_transit_minor + self.outstanding_payments_minor

    @property
    def outstanding_by_age(self) -> tuple[AgeBucket, ...]:
        return by_age((*self.deposits_in_transit, *self.outstanding_payments))

    @property
    def adjusted_bank_minor(self) -> int:
        return self.bank_balance_minor + self.outstanding_minor

    @property
    def adjusted_book_minor(self) -> int:
        return self.book_balance_minor + self.unrecorded_minor

    @property
    def agrees(self) -> bool:
        return self.adjusted_bank_minor == self.adjusted_book_minor


def statement_of(reconciliation: Reconciliation) -> ReconciliationStatement:
    """Build the statement from the database as the caller's transaction sees it."""
    account = get_owned(LedgerBankAccount, reconciliation.ledger_bank_account_id)
    balances = balances_of(reconciliation)
    outstanding = _outstanding(reconciliation)
    return ReconciliationStatement(
        account_name=account.name,
        gl_account_number=get_owned(GlAccount, account.gl_account_id).number,
        currency=reconciliation.currency,
        ending_date=reconciliation.ending_date,
        opening_minor=balances.opening_minor,
        cleared_in_minor=balances.cleared_in_minor,
        cleared_out_minor=balances.cleared_out_minor,
        cleared_count=balances.cleared_bank_count,
        bank_balance_minor=balances.ending_minor,
        deposits_in_transit=tuple(line for line in outstanding if line.amount_minor > 0),
        outstanding_payments=tuple(line for line in outstanding if line.amount_minor <= 0),
        book_balance_minor=_book_balance(reconciliation, account),
        unrecorded_bank_items=_unrecorded(reconciliation),
        adjustments=_adjustments(reconciliation, account),
        matches_by_origin=_matches_by_origin(reconciliation),
    )


def as_document(statement: ReconciliationStatement) -> dict[str, Any]:
    """Return the statement as JSON values, the form in which it is certified."""
    document = asdict(statement)
    document["adjusted_bank_minor"] = statement.adjusted_bank_minor
    document["adjusted_book_minor"] = statement.adjusted_book_minor
    plain: dict[str, Any] = _plain(document)
    return plain


def from_document(document: dict[str, Any]) -> ReconciliationStatement:
    """Read a certified statement back, exactly as it was signed."""
    fields = {
        name: value
        for name, value in document.items()
        if name not in {"adjusted_bank_minor", "adjusted_book_minor"}
    }
    fields["ending_date"] = date.fromisoformat(fields["ending_date"])
    for name in (
        "deposits_in_transit",
        "outstanding_payments",
        "unrecorded_bank_items",
        "adjustments",
    ):
        fields[name] = tuple(
            StatementLine(**{**line, "date": date.fromisoformat(line["date"])})
            for line in fields[name]
        )
    return ReconciliationStatement(**fields)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value.isoformat() if isinstance(value, date) else value


def _outstanding(reconciliation: Reconciliation) -> list[StatementLine]:
    entries = db.session.scalars(open_gl(reconciliation).order_by(GlEntry.date, GlEntry.id))
    return [_line_of_entry(entry, reconciliation.ending_date) for entry in entries]


def _line_of_entry(entry: GlEntry, until: date) -> StatementLine:
    return StatementLine(
        id=entry.id,
        date=entry.date,
        description=entry.description,
        counterparty=entry.counterparty,
        reference=entry.reference,
        amount_minor=entry.amount_minor,
        age_days=(until - entry.date).days,
    )


def _unrecorded(reconciliation: Reconciliation) -> tuple[StatementLine, ...]:
    lines = db.session.scalars(
        open_bank(reconciliation).order_by(
            FinancialTransaction.posted_date, FinancialTransaction.id
        )
    )
    return tuple(
        StatementLine(
            id=line.id,
            date=line.posted_date,
            description=line.description,
            counterparty=line.counterparty,
            reference=line.reference,
            amount_minor=line.amount_minor,
            age_days=(reconciliation.ending_date - line.posted_date).days,
        )
        for line in lines
    )


def _book_balance(reconciliation: Reconciliation, account: LedgerBankAccount) -> int:
    entries = gl_in_scope(reconciliation).subquery()
    posted = db.session.scalar(sa.select(sa.func.sum(entries.c.amount_minor)))
    return (account.opening_balance_minor or 0) + int(posted or 0)


def _adjustments(
    reconciliation: Reconciliation, account: LedgerBankAccount
) -> tuple[StatementLine, ...]:
    entries = db.session.scalars(
        owned(GlEntry)
        .join(JournalEntry, JournalEntry.id == GlEntry.journal_entry_id)
        .join(Match, Match.adjustment_id == JournalEntry.id)
        .where(
            Match.reconciliation_id == reconciliation.id,
            Match.state == MatchState.MATCHED,
            GlEntry.gl_account_id == account.gl_account_id,
        )
        .order_by(GlEntry.date, GlEntry.id)
    )
    return tuple(_line_of_entry(entry, reconciliation.ending_date) for entry in entries)


def _matches_by_origin(reconciliation: Reconciliation) -> dict[str, int]:
    rows = db.session.execute(
        owned(Match)
        .where(Match.reconciliation_id == reconciliation.id, Match.state == MatchState.MATCHED)
        .with_only_columns(Match.origin, sa.func.count())
        .group_by(Match.origin)
    )
    return {origin: count for origin, count in rows}  # noqa: C416 - rows are not pairs to mypy
