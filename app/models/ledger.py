"""The books: GL accounts, ledger bank accounts, journal entries and their lines."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.clock import utc_now
from app.models.base import (
    AmountMinor,
    Base,
    Currency,
    Identified,
    OrganizationOwned,
    Text,
    one_of,
    references,
)


class GlAccountType(StrEnum):
    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"


class JournalSource(StrEnum):
    MANUAL = "manual"
    ADJUSTMENT = "adjustment"
    IMPORT = "import"


class LedgerImportState(StrEnum):
    PREVIEWED = "previewed"
    IMPORTING = "importing"
    IMPORTED = "imported"
    DISCARDED = "discarded"


class GlAccount(Identified, OrganizationOwned, Base):
    __tablename__ = "gl_account"
    __table_args__ = (
        sa.UniqueConstraint("organization_id", "number"),
        one_of("type", GlAccountType),
    )

    number: Mapped[str] = mapped_column(sa.String(40))
    name: Mapped[str]
    type: Mapped[str] = mapped_column(sa.String(20))
    currency: Mapped[Currency]


class LedgerBankAccount(Identified, OrganizationOwned, Base):
    """The organization's own record of a bank account, tied to one GL account."""

    __tablename__ = "ledger_bank_account"
    __table_args__ = (
        sa.UniqueConstraint("organization_id", "gl_account_id"),
        sa.UniqueConstraint("organization_id", "name"),
    )

    name: Mapped[str]
    gl_account_id: Mapped[str] = references("gl_account.id")
    currency: Mapped[Currency]
    opening_balance_minor: Mapped[int | None] = mapped_column(sa.BigInteger)
    """Balance on which the first reconciliation began, per bank and per books; None before."""


class JournalEntry(Identified, OrganizationOwned, Base):
    """Lines that sum to zero; never edited, only reversed."""

    __tablename__ = "journal_entry"
    __table_args__ = (
        sa.UniqueConstraint("organization_id", "number"),
        sa.UniqueConstraint("organization_id", "reverses_id"),
        sa.Index("ix_journal_entry_sequence", "organization_id", "sequence"),
        one_of("source", JournalSource),
    )

    number: Mapped[str] = mapped_column(sa.String(60))
    sequence: Mapped[int] = mapped_column(default=0)
    """The digits of a number of the form JE-0001, after which ours go on; 0 for any other."""
    date: Mapped[date]
    description: Mapped[Text]
    currency: Mapped[Currency]
    source: Mapped[str] = mapped_column(sa.String(20))
    reverses_id: Mapped[str | None] = references("journal_entry.id", index=False)
    created_by: Mapped[str] = mapped_column(sa.String(32))


class GlEntry(Identified, OrganizationOwned, Base):
    """One posted ledger line; debit positive, so money into a bank account is positive."""

    __tablename__ = "gl_entry"
    __table_args__ = (
        sa.UniqueConstraint("organization_id", "external_id"),
        sa.Index("ix_gl_entry_account_date", "organization_id", "gl_account_id", "date"),
        sa.Index("ix_gl_entry_date", "organization_id", "date", "id"),
        sa.Index("ix_gl_entry_updated", "organization_id", "updated_at", "id"),
    )

    gl_account_id: Mapped[str] = references("gl_account.id", index=False)
    journal_entry_id: Mapped[str | None] = references("journal_entry.id")
    external_id: Mapped[str]
    date: Mapped[date]
    amount_minor: Mapped[AmountMinor]
    currency: Mapped[Currency]
    description: Mapped[Text]
    counterparty: Mapped[Text]
    reference: Mapped[Text]
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class PeriodLock(Identified, OrganizationOwned, Base):
    """One setting of the period lock date, written once; the newest counts."""

    __tablename__ = "period_lock"

    locked_until: Mapped[date | None]
    """Nothing is posted, edited or imported on or before it; None: the lock was lifted."""
    reason: Mapped[Text]
    set_by: Mapped[str] = mapped_column(sa.String(32))
    set_by_name: Mapped[str]


class LedgerImport(Identified, OrganizationOwned, Base):
    """One ledger file: what was sent, what became of it."""

    __tablename__ = "ledger_import"
    __table_args__ = (one_of("state", LedgerImportState),)

    filename: Mapped[str]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    content: Mapped[bytes] = mapped_column(deferred=True)
    state: Mapped[str] = mapped_column(sa.String(20), default=LedgerImportState.PREVIEWED)
    """`importing` while its job runs; what became of a job that failed stands in the job's run."""
    rows_count: Mapped[int] = mapped_column(default=0)
    created_count: Mapped[int] = mapped_column(default=0)
    updated_count: Mapped[int] = mapped_column(default=0)
    unchanged_count: Mapped[int] = mapped_column(default=0)
    first_date: Mapped[date | None]
    last_date: Mapped[date | None]
    totals: Mapped[list[Any]] = mapped_column(default=list)
    """Per account: [{"number", "name", "currency", "rows_count", "total_minor"}]."""
    warnings: Mapped[list[Any]] = mapped_column(default=list)
    """Sentences for the person who confirms."""
    created_by: Mapped[str] = mapped_column(sa.String(32))
    imported_at: Mapped[datetime | None]
