"""The bank's side: financial accounts, transactions and uploaded files."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.bank import AccountType
from app.kernel.clock import utc_now
from app.models.base import (
    AmountMinor,
    Base,
    Currency,
    Identified,
    Json,
    OrganizationOwned,
    Text,
    one_of,
    references,
)


class AccountStatus(StrEnum):
    ACTIVE = "active"
    FAILING = "failing"
    NOT_SHARED = "not_shared"
    CLOSED = "closed"
    UNSUPPORTED = "unsupported"
    DUPLICATE = "duplicate"
    """Another connection brings the same account's transactions."""


class TransactionStatus(StrEnum):
    PENDING = "pending"
    POSTED = "posted"
    REMOVED = "removed"


class ChangeKind(StrEnum):
    MODIFIED = "modified"
    REMOVED = "removed"


class ChangeState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    """Left as it was certified, with a person's reason."""
    CARRIED = "carried"
    """The difference was booked as a bank line of the open period."""
    WITHDRAWN = "withdrawn"
    """It does not wait any more: the bank took it back, or its month was reopened and the
    line there reads as the bank says."""


class UploadState(StrEnum):
    PREVIEWED = "previewed"
    IMPORTING = "importing"
    IMPORTED = "imported"
    REFUSED = "refused"
    DISCARDED = "discarded"


_FROM_PROVIDER = sa.text("external_id <> ''")
_HAS_EXTERNAL_ID = sa.text("external_id IS NOT NULL")
_UNSETTLED = sa.text("state = 'open'")


class FinancialAccount(Identified, OrganizationOwned, Base):
    __tablename__ = "financial_account"
    __table_args__ = (
        sa.UniqueConstraint("organization_id", "ledger_bank_account_id"),
        sa.Index(
            "uq_financial_account_external",
            "organization_id",
            "connection_id",
            "external_id",
            unique=True,
            sqlite_where=_FROM_PROVIDER,
            postgresql_where=_FROM_PROVIDER,
        ),
        one_of("type", AccountType),
        one_of("status", AccountStatus),
    )

    connection_id: Mapped[str] = references("financial_connection.id")
    name: Mapped[str]
    mask: Mapped[str] = mapped_column(sa.String(8), default="")
    type: Mapped[str] = mapped_column(sa.String(20))
    currency: Mapped[Currency]
    subtype: Mapped[str] = mapped_column(sa.String(60), default="")
    external_id: Mapped[str] = mapped_column(sa.String(200), default="")
    """The provider's id within the connection; empty where people upload files."""
    persistent_id: Mapped[str] = mapped_column(sa.String(200), default="")
    """The provider's id that outlives a login, where there is one."""
    status: Mapped[str] = mapped_column(sa.String(16), default=AccountStatus.ACTIVE)
    status_reason: Mapped[str] = mapped_column(sa.String(60), default="")
    current_balance_minor: Mapped[int | None] = mapped_column(sa.BigInteger)
    available_balance_minor: Mapped[int | None] = mapped_column(sa.BigInteger)
    balance_date: Mapped[date | None]
    covered_until: Mapped[date | None]
    """Last booking date that an accepted file covers."""
    ledger_bank_account_id: Mapped[str | None] = references("ledger_bank_account.id", index=False)
    csv_mapping: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """How this account's CSV files are read: found once, corrected by a person, remembered."""
    file_account: Mapped[Text]
    """How the bank's files name this account, where a person had to say so."""


class FinancialTransaction(Identified, OrganizationOwned, Base):
    """One bank transaction: an input to reconciliation, never a posting by itself."""

    __tablename__ = "financial_transaction"
    __table_args__ = (
        sa.UniqueConstraint("organization_id", "financial_account_id", "source_key"),
        sa.Index(
            "uq_financial_transaction_external",
            "organization_id",
            "financial_account_id",
            "external_id",
            unique=True,
            sqlite_where=_HAS_EXTERNAL_ID,
            postgresql_where=_HAS_EXTERNAL_ID,
        ),
        sa.Index(
            "ix_financial_transaction_account_date",
            "organization_id",
            "financial_account_id",
            "posted_date",
        ),
        sa.Index("ix_financial_transaction_date", "organization_id", "posted_date", "id"),
        sa.Index("ix_financial_transaction_updated", "organization_id", "updated_at", "id"),
        one_of("status", TransactionStatus),
    )

    financial_account_id: Mapped[str] = references("financial_account.id", index=False)
    posted_date: Mapped[date]
    value_date: Mapped[date | None]
    amount_minor: Mapped[AmountMinor]
    currency: Mapped[Currency]
    description: Mapped[Text]
    counterparty: Mapped[Text]
    reference: Mapped[Text]
    status: Mapped[str] = mapped_column(sa.String(20), default=TransactionStatus.POSTED)
    source_key: Mapped[str] = mapped_column(sa.String(64))
    """The bank's own id, else a fingerprint that counts equal rows; makes re-imports harmless."""
    external_id: Mapped[str | None] = mapped_column(sa.String(200))
    """The provider's id as of now; a new bank login gives the same transaction another."""
    former_external_id: Mapped[str | None] = mapped_column(sa.String(200))
    """The id that a bank login which is gone had given it."""
    replaced_by_id: Mapped[str | None] = mapped_column(sa.String(32))
    """Of a removed pending transaction: the posted one that took its place."""
    upload_id: Mapped[str | None] = references("upload.id")
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class BankChange(Identified, OrganizationOwned, Base):
    """A change by the bank of a transaction that a certified reconciliation holds.

    The row stays as it was certified; a person settles the change.
    """

    __tablename__ = "bank_change"
    __table_args__ = (
        one_of("kind", ChangeKind),
        one_of("state", ChangeState),
        sa.Index("ix_bank_change_state", "organization_id", "state"),
        sa.Index(
            "uq_bank_change_open",
            "organization_id",
            "financial_transaction_id",
            unique=True,
            sqlite_where=_UNSETTLED,
            postgresql_where=_UNSETTLED,
        ),
    )

    financial_transaction_id: Mapped[str] = references("financial_transaction.id")
    reconciliation_id: Mapped[str] = references("reconciliation.id")
    kind: Mapped[str] = mapped_column(sa.String(12))
    before: Mapped[dict[str, Any]]
    """What is accounted for: as certified, or as the last correction left it."""
    after: Mapped[dict[str, Any]]
    """What the bank says now; empty when it removed the transaction.  See
    `app.connections.bank_facts`."""
    state: Mapped[str] = mapped_column(sa.String(16), default=ChangeState.OPEN)
    note: Mapped[Text]
    carried_transaction_id: Mapped[str | None] = mapped_column(sa.String(32))
    settled_by_name: Mapped[str] = mapped_column(default="")
    settled_at: Mapped[datetime | None]


class Upload(Identified, OrganizationOwned, Base):
    """One bank file of one account: preview, decision, result.

    Every row that was read is new, present already, left out by a person's decision, or
    rejected; the four always add up.
    """

    __tablename__ = "upload"
    __table_args__ = (
        one_of("state", UploadState),
        sa.CheckConstraint(
            "rows_count = new_count + duplicate_count + left_out_count + rejected_count",
            name="rows_add_up",
        ),
    )

    financial_account_id: Mapped[str] = references("financial_account.id")
    filename: Mapped[str]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    size_bytes: Mapped[int]
    content: Mapped[bytes] = mapped_column(deferred=True)
    """The file as it came, compressed by zlib."""
    format: Mapped[str] = mapped_column(sa.String(20), default="")
    mapping: Mapped[dict[str, Any] | None] = mapped_column(Json)
    file_account: Mapped[Text]
    """Which of the file's accounts a person chose; empty when it was clear."""
    state: Mapped[str] = mapped_column(sa.String(20), default=UploadState.PREVIEWED)
    rows_count: Mapped[int] = mapped_column(default=0)
    new_count: Mapped[int] = mapped_column(default=0)
    duplicate_count: Mapped[int] = mapped_column(default=0)
    left_out_count: Mapped[int] = mapped_column(default=0)
    rejected_count: Mapped[int] = mapped_column(default=0)
    first_date: Mapped[date | None]
    last_date: Mapped[date | None]
    covers_until: Mapped[date | None]
    """Last day that the person says the file covers; the last row's when they said nothing."""
    preview: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What the person saw before confirming: see `app.connections.preview`."""
    import_probable: Mapped[bool] = mapped_column(default=False)
    """The decision on rows that look like transactions already present under another text."""
    findings: Mapped[list[Any]] = mapped_column(default=list)
    created_by: Mapped[str] = mapped_column(sa.String(32))
    imported_at: Mapped[datetime | None]
