"""Outstanding items by age: of each account as its latest reconciliation states them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from app.kernel.clock import utc_now
from app.models import Certification, LedgerBankAccount, Reconciliation, db
from app.reconciliation.ages import age_label
from app.reconciliation.certificates import in_force
from app.reconciliation.statement import (
    ReconciliationStatement,
    StatementLine,
    from_document,
    statement_of,
)
from app.reports.document import Column, Document, Kind, Level, Row, Section
from app.reports.statement_document import age_section
from app.reports.words import day_words
from app.tenancy.actor import Actor
from app.tenancy.scope import get_owned, owned

_COLUMNS: Final = (
    Column("Item", width=3.2),
    Column("Counterparty", width=1.8),
    Column("Reference", width=1.4),
    Column("Date", Kind.DATE, 1.2),
    Column("Age in days", Kind.NUMBER, 0.9),
    Column("Age", width=1.3),
    Column("Amount", Kind.MONEY, 1.6),
)


def outstanding_report(actor: Actor, account_id: str = "") -> Document:
    """Return the report of all accounts, or of one.

    An open reconciliation is counted as it stands; a certified one as it was signed.  So the
    totals are those of its statement, to the cent.

    Raises:
        NotFound: No such ledger bank account here.
    """
    if account_id:
        get_owned(LedgerBankAccount, account_id)
    sections: list[Section] = []
    for statement, state in _statements(account_id):
        sections += _sections(statement, state)
    return Document(
        title="Outstanding items by age",
        name="outstanding-items",
        facts=(
            ("Organization", actor.organization_name),
            ("As of", "the ending date of each account's latest reconciliation"),
        ),
        sections=tuple(sections),
        made_at=utc_now(),
    )


def account_choices() -> list[tuple[str, str]]:
    """Return the ledger bank accounts by name, for a filter."""
    rows = db.session.scalars(owned(LedgerBankAccount).order_by(LedgerBankAccount.name))
    return [(row.id, row.name) for row in rows]


def _statements(account_id: str) -> list[tuple[ReconciliationStatement, str]]:
    """Return each account's latest statement, by the account's name, and whether it is signed."""
    newest = (
        owned(Reconciliation)
        .with_only_columns(
            Reconciliation.ledger_bank_account_id,
            sa.func.max(Reconciliation.ending_date).label("ending_date"),
        )
        .group_by(Reconciliation.ledger_bank_account_id)
        .subquery()
    )
    latest = sa.and_(
        newest.c.ledger_bank_account_id == Reconciliation.ledger_bank_account_id,
        newest.c.ending_date == Reconciliation.ending_date,
    )
    signed = sa.and_(Certification.reconciliation_id == Reconciliation.id, in_force())
    found = (
        owned(Reconciliation)
        .join(newest, latest)
        .join(LedgerBankAccount, LedgerBankAccount.id == Reconciliation.ledger_bank_account_id)
        .outerjoin(Certification, signed)
        .order_by(LedgerBankAccount.name)
        .with_only_columns(Reconciliation, Certification)
    )
    if account_id:
        found = found.where(Reconciliation.ledger_bank_account_id == account_id)
    return [
        (from_document(certified.document), f"certified by {certified.certified_by_name}")
        if certified
        else (statement_of(reconciliation), "open, as it stands")
        for reconciliation, certified in db.session.execute(found).all()
    ]


def _sections(statement: ReconciliationStatement, state: str) -> list[Section]:
    name = statement.account_name
    as_of = f"{day_words(statement.ending_date)}, {state}"
    items = (*statement.deposits_in_transit, *statement.outstanding_payments)
    sections = [
        age_section(f"{name}: by age, {as_of}", items, statement.currency),
        _listed(f"{name}: entries that the bank has not booked", items, statement.currency),
    ]
    if statement.unrecorded_bank_items:
        title = f"{name}: bank transactions not in the books yet"
        sections.append(_listed(title, statement.unrecorded_bank_items, statement.currency))
    return sections


def _listed(title: str, items: Sequence[StatementLine], currency: str) -> Section:
    rows = [
        Row(
            (
                line.description,
                line.counterparty,
                line.reference,
                line.date,
                line.age_days,
                age_label(line.age_days),
                line.amount_minor,
            )
        )
        for line in sorted(items, key=lambda line: (line.date, line.id))
    ]
    if rows:
        total_minor = sum(line.amount_minor for line in items)
        sum_row = (f"All, {len(rows)}", "", "", None, None, "", total_minor)
        rows.append(Row(sum_row, Level.TOTAL))
    return Section(title, _COLUMNS, tuple(rows), currency, empty="Nothing is outstanding.")
