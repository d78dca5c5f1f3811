"""Reconciliations, matches and their items, matching rules."""

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


class ReconciliationStatus(StrEnum):
    OPEN = "open"
    CERTIFIED = "certified"


class MatchOrigin(StrEnum):
    RULE = "rule"
    AI = "ai"
    MANUAL = "manual"


class MatchState(StrEnum):
    SUGGESTED = "suggested"
    MATCHED = "matched"
    REJECTED = "rejected"
    UNMATCHED = "unmatched"


_OPEN = sa.text("status = 'open'")
_ACTIVE = sa.text("active")


class Reconciliation(Identified, OrganizationOwned, Base):
    __tablename__ = "reconciliation"
    __table_args__ = (
        sa.UniqueConstraint("organization_id", "ledger_bank_account_id", "ending_date"),
        sa.Index(
            "uq_reconciliation_open",
            "organization_id",
            "ledger_bank_account_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        one_of("status", ReconciliationStatus),
    )

    ledger_bank_account_id: Mapped[str] = references("ledger_bank_account.id", index=False)
    ending_date: Mapped[date]
    currency: Mapped[Currency]
    opening_balance_minor: Mapped[AmountMinor]
    ending_balance_minor: Mapped[AmountMinor]
    status: Mapped[str] = mapped_column(sa.String(20), default=ReconciliationStatus.OPEN)
    auto_match_threshold: Mapped[int]
    review_threshold: Mapped[int]
    model_version: Mapped[str] = mapped_column(sa.String(60), default="")
    version: Mapped[int] = mapped_column(default=0)
    """Rises with every change; its row lock puts the writers of one reconciliation in line."""
    opened_by: Mapped[str] = mapped_column(sa.String(32))
    review_id: Mapped[str | None] = mapped_column(sa.String(32))
    """The submission that a second person is to review; while it waits, nothing is changed."""


class Match(Identified, OrganizationOwned, Base):
    """A link between bank transactions and GL entries whose totals are equal."""

    __tablename__ = "match"
    __table_args__ = (
        one_of("origin", MatchOrigin),
        one_of("state", MatchState),
        sa.Index("ix_match_reconciliation_state", "organization_id", "reconciliation_id", "state"),
    )

    reconciliation_id: Mapped[str] = references("reconciliation.id", index=False)
    origin: Mapped[str] = mapped_column(sa.String(20))
    state: Mapped[str] = mapped_column(sa.String(20))
    score: Mapped[float | None]
    contributions: Mapped[list[Any]] = mapped_column(default=list)
    """What each signal added: [{"signal", "points", "words"}]."""
    rivals_count: Mapped[int] = mapped_column(default=0)
    rule_id: Mapped[str | None] = references("matching_rule.id")
    adjustment_id: Mapped[str | None] = references("journal_entry.id")
    """Journal entry that recorded the rest, reversed when the match is undone."""
    flag: Mapped[Text]
    """Why somebody must look at it again, such as a bank that changed its line; else empty."""
    bank_total_minor: Mapped[AmountMinor]
    gl_total_minor: Mapped[AmountMinor]
    decided_by: Mapped[str | None] = mapped_column(sa.String(32))
    decided_at: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class MatchItem(Identified, OrganizationOwned, Base):
    """One side's line in a match; `active` while the match holds, and then unique per line."""

    __tablename__ = "match_item"
    __table_args__ = (
        sa.CheckConstraint(
            "(financial_transaction_id IS NULL) <> (gl_entry_id IS NULL)", name="one_side"
        ),
        sa.Index(
            "uq_match_item_active_bank",
            "organization_id",
            "financial_transaction_id",
            unique=True,
            sqlite_where=_ACTIVE,
            postgresql_where=_ACTIVE,
        ),
        sa.Index(
            "uq_match_item_active_gl",
            "organization_id",
            "gl_entry_id",
            unique=True,
            sqlite_where=_ACTIVE,
            postgresql_where=_ACTIVE,
        ),
    )

    match_id: Mapped[str] = references("match.id")
    reconciliation_id: Mapped[str] = references("reconciliation.id")
    financial_transaction_id: Mapped[str | None] = references("financial_transaction.id")
    gl_entry_id: Mapped[str | None] = references("gl_entry.id")
    amount_minor: Mapped[AmountMinor]
    active: Mapped[bool]
    as_matched: Mapped[dict[str, Any] | None]
    """Of a bank line that the bank changed afterwards: how it read when it was matched."""


class MatchingRule(Identified, OrganizationOwned, Base):
    __tablename__ = "matching_rule"
    __table_args__ = (sa.Index("ix_matching_rule_order", "organization_id", "position"),)

    name: Mapped[str]
    position: Mapped[int]
    enabled: Mapped[bool] = mapped_column(default=True)
    conditions: Mapped[dict[str, Any]]
    """See `app.reconciliation.rules.Conditions`."""
    deleted_at: Mapped[datetime | None]
