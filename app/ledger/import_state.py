"""What the books hold that a ledger file touches; read in chunks, never row by row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from app.kernel import limits
from app.models import (
    GlAccount,
    GlEntry,
    JournalEntry,
    JournalSource,
    LedgerBankAccount,
    MatchItem,
    Reconciliation,
    ReconciliationStatus,
    db,
)
from app.tenancy.scope import owned


@dataclass(frozen=True, slots=True)
class StoredAccount:
    id: str
    number: str
    name: str
    currency: str
    certified_until: date | None
    """Ending date of the last certified reconciliation; None where there is none."""


@dataclass(frozen=True, slots=True)
class StoredEntry:
    id: str
    external_id: str
    gl_account_id: str
    journal_entry_id: str | None
    date: date
    amount_minor: int
    currency: str
    description: str
    counterparty: str
    reference: str


@dataclass(frozen=True, slots=True)
class StoredJournal:
    id: str
    number: str
    source: JournalSource
    date: date
    currency: str
    reversed_by: str | None
    """Number of the journal entry that reversed it."""


def accounts_by_number() -> dict[str, StoredAccount]:
    certified_until = (
        sa.select(LedgerBankAccount.gl_account_id, sa.func.max(Reconciliation.ending_date))
        .join(Reconciliation, Reconciliation.ledger_bank_account_id == LedgerBankAccount.id)
        .where(Reconciliation.status == ReconciliationStatus.CERTIFIED)
        .group_by(LedgerBankAccount.gl_account_id)
    )
    dates: dict[str, date] = dict(db.session.execute(certified_until).all())
    return {
        account.number: StoredAccount(
            account.id, account.number, account.name, account.currency, dates.get(account.id)
        )
        for account in db.session.scalars(owned(GlAccount))
    }


def entries_by_external_id(external_ids: Iterable[str]) -> dict[str, StoredEntry]:
    statement: sa.Select[*tuple[Any, ...]] = owned(GlEntry).with_only_columns(
        GlEntry.id,
        GlEntry.external_id,
        GlEntry.gl_account_id,
        GlEntry.journal_entry_id,
        GlEntry.date,
        GlEntry.amount_minor,
        GlEntry.currency,
        GlEntry.description,
        GlEntry.counterparty,
        GlEntry.reference,
    )
    return {
        row.external_id: StoredEntry(*row)
        for chunk in _chunks(external_ids)
        for row in db.session.execute(statement.where(GlEntry.external_id.in_(chunk)))
    }


def journals(numbers: Iterable[str], ids: Iterable[str], *, lock: bool) -> list[StoredJournal]:
    """Return the journals that have one of these numbers or ids.

    Args:
        lock: Hold their rows until the transaction ends, so that nobody reverses them.
    """
    reversal = aliased(JournalEntry)
    statement: sa.Select[*tuple[Any, ...]] = (
        owned(JournalEntry)
        .outerjoin(reversal, reversal.reverses_id == JournalEntry.id)
        .with_only_columns(
            JournalEntry.id,
            JournalEntry.number,
            JournalEntry.source,
            JournalEntry.date,
            JournalEntry.currency,
            reversal.number,
        )
        .order_by(JournalEntry.id)
    )
    if lock:
        statement = statement.with_for_update(of=JournalEntry)
    found: dict[str, StoredJournal] = {}
    for column, values in ((JournalEntry.number, numbers), (JournalEntry.id, ids)):
        for chunk in _chunks(values):
            rows = db.session.execute(statement.where(column.in_(chunk)))
            for journal_id, number, source, *rest in rows:
                found[journal_id] = StoredJournal(journal_id, number, JournalSource(source), *rest)
    return list(found.values())


def external_ids_by_journal(journal_ids: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    statement: sa.Select[*tuple[Any, ...]] = owned(GlEntry).with_only_columns(
        GlEntry.journal_entry_id, GlEntry.external_id
    )
    for chunk in _chunks(journal_ids):
        for journal_id, external_id in db.session.execute(
            statement.where(GlEntry.journal_entry_id.in_(chunk))
        ):
            found.setdefault(journal_id, []).append(external_id)
    return found


def matched_entry_ids(entry_ids: Iterable[str]) -> set[str]:
    """Return those of the entries that stand in a match that holds, certified or not."""
    statement: sa.Select[*tuple[Any, ...]] = (
        owned(MatchItem).with_only_columns(MatchItem.gl_entry_id).where(MatchItem.active)
    )
    return {
        entry_id
        for chunk in _chunks(entry_ids)
        for entry_id in db.session.scalars(statement.where(MatchItem.gl_entry_id.in_(chunk)))
    }


def _chunks(values: Iterable[str]) -> Iterator[Sequence[str]]:
    listed = sorted(values)
    for start in range(0, len(listed), limits.INGEST_CHUNK_ROWS):
        yield listed[start : start + limits.INGEST_CHUNK_ROWS]
