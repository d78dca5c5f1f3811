"""Adjustments: what reconciling has recorded in the books, with what was reversed of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from app.kernel import limits
from app.kernel.clock import utc_now
from app.models import (
    GlAccount,
    GlEntry,
    JournalEntry,
    JournalSource,
    LedgerBankAccount,
    Match,
    Reconciliation,
    User,
    db,
)
from app.reports.document import Column, Document, Kind, Level, Row, Section
from app.reports.words import day_words
from app.tenancy.actor import Actor
from app.tenancy.scope import get_owned, owned

_COLUMNS: Final = (
    Column("Entry", width=1.1),
    Column("Date", Kind.DATE, 1.2),
    Column("Description", width=2.8),
    Column("Contra account", width=2.2),
    Column("Statement of", Kind.DATE, 1.2),
    Column("Recorded by", width=1.5),
    Column("State", width=1.5),
    Column("Amount", Kind.MONEY, 1.5),
)


@dataclass(frozen=True, slots=True)
class AdjustmentFilter:
    """Booking dates, both inclusive, and one ledger bank account; what is empty is not asked."""

    account_id: str = ""
    first_day: date | None = None
    last_day: date | None = None


def adjustments_report(actor: Actor, wanted: AdjustmentFilter) -> Document:
    """Return the adjustments by bank account, oldest first; an amount is what the books gained.

    Raises:
        NotFound: No such ledger bank account here.
    """
    if wanted.account_id:
        get_owned(LedgerBankAccount, wanted.account_id)
    found = db.session.execute(_lines(wanted)).all()
    more = len(found) > limits.REPORT_ROWS_MAX
    found = found[: limits.REPORT_ROWS_MAX]
    contra = _contra_accounts([row[1].id for row in found])
    by_account: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for entry, journal, account, *around in found:
        others = [text for gl_id, text in contra[journal.id] if gl_id != entry.gl_account_id]
        row = _row(entry, journal, ", ".join(others), *around)
        by_account[account.name, account.currency].append(row)
    return Document(
        title="Adjustments",
        name="adjustments",
        facts=(("Organization", actor.organization_name), ("Booked", _period(wanted))),
        sections=tuple(
            _section(name, currency, rows, more=more)
            for (name, currency), rows in sorted(by_account.items())
        ),
        made_at=utc_now(),
    )


def _row(
    entry: GlEntry,
    journal: JournalEntry,
    contra: str,
    recorded_by: str | None,
    reversal: str | None,
    reversed_number: str | None,
    ending_date: date | None,
) -> Row:
    state = f"reversed by {reversal}" if reversal else ""
    if reversed_number:
        state = f"reverses {reversed_number}"
    cells = (
        journal.number,
        entry.date,
        entry.description,
        contra,
        ending_date,
        recorded_by or "",
        state,
        entry.amount_minor,
    )
    return Row(cells, journal_id=journal.id)


def _section(name: str, currency: str, rows: Sequence[Row], *, more: bool) -> Section:
    total_minor = sum(int(str(row.cells[-1])) for row in rows)
    total = Row((f"All, {len(rows)}", None, "", "", None, "", "", total_minor), Level.TOTAL)
    note = (
        f"The first {limits.REPORT_ROWS_MAX:,} are listed; choose a shorter period." if more else ""
    )
    return Section(name, _COLUMNS, (*rows, total), currency, note=note if more else "")


def _period(wanted: AdjustmentFilter) -> str:
    first = f"from {day_words(wanted.first_day)}" if wanted.first_day else ""
    last = f"to {day_words(wanted.last_day)}" if wanted.last_day else ""
    return f"{first} {last}".strip() or "at any time"


def _lines(wanted: AdjustmentFilter) -> sa.Select[*tuple[Any, ...]]:
    """Select the bank accounts' lines of adjustments and of what reversed them."""
    reversal, original = aliased(JournalEntry), aliased(JournalEntry)
    recorded = sa.func.coalesce(JournalEntry.reverses_id, JournalEntry.id)
    statement = (
        owned(GlEntry)
        .join(JournalEntry, JournalEntry.id == GlEntry.journal_entry_id)
        .join(LedgerBankAccount, LedgerBankAccount.gl_account_id == GlEntry.gl_account_id)
        .outerjoin(User, User.id == JournalEntry.created_by)
        .outerjoin(reversal, reversal.reverses_id == JournalEntry.id)
        .outerjoin(original, original.id == JournalEntry.reverses_id)
        .outerjoin(Match, Match.adjustment_id == recorded)
        .outerjoin(Reconciliation, Reconciliation.id == Match.reconciliation_id)
        .where(JournalEntry.source == JournalSource.ADJUSTMENT)
        .order_by(GlEntry.date, JournalEntry.sequence, GlEntry.id)
        .limit(limits.REPORT_ROWS_MAX + 1)
        .with_only_columns(
            GlEntry,
            JournalEntry,
            LedgerBankAccount,
            User.name,
            reversal.number,
            original.number,
            Reconciliation.ending_date,
        )
    )
    if wanted.first_day:
        statement = statement.where(GlEntry.date >= wanted.first_day)
    if wanted.last_day:
        statement = statement.where(GlEntry.date <= wanted.last_day)
    if wanted.account_id:
        statement = statement.where(LedgerBankAccount.id == wanted.account_id)
    return statement


def _contra_accounts(journal_ids: Collection[str]) -> dict[str, list[tuple[str, str]]]:
    """Return the accounts of each journal's lines: id, and number with name."""
    rows = db.session.execute(
        owned(GlEntry)
        .join(GlAccount, GlAccount.id == GlEntry.gl_account_id)
        .where(GlEntry.journal_entry_id.in_(set(journal_ids)))
        .order_by(GlEntry.id)
        .with_only_columns(GlEntry.journal_entry_id, GlAccount.id, GlAccount.number, GlAccount.name)
    )
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for journal_id, gl_id, number, name in rows:
        found[str(journal_id)].append((gl_id, f"{number} {name}"))
    return found
