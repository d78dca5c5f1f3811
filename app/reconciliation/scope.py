"""Which lines belong to a reconciliation: everything unreconciled up to its ending date."""

from __future__ import annotations

import sqlalchemy as sa

from app.kernel.errors import Conflict
from app.models import (
    CertificationReview,
    FinancialAccount,
    FinancialTransaction,
    GlEntry,
    LedgerBankAccount,
    Match,
    MatchItem,
    Reconciliation,
    ReconciliationStatus,
    TransactionStatus,
    db,
)
from app.models.session import rows_changed
from app.tenancy.scope import current_organization_id, get_owned, owned


def hold_open(reconciliation_id: str) -> Reconciliation:
    """Take the row lock that puts all writers of one reconciliation in line.

    Call it first in the writing transaction.

    Raises:
        NotFound: No such reconciliation here.
        Conflict: It is certified, or waits for a second person's review: it is locked.
    """
    held = (
        sa.update(Reconciliation)
        .where(
            Reconciliation.organization_id == current_organization_id(),
            Reconciliation.id == reconciliation_id,
            Reconciliation.status == ReconciliationStatus.OPEN,
            Reconciliation.review_id.is_(None),
        )
        .values(version=Reconciliation.version + 1)
    )
    if rows_changed(held) == 1:
        return get_owned(Reconciliation, reconciliation_id)
    raise Conflict(reason_locked(get_owned(Reconciliation, reconciliation_id)))


def reason_locked(reconciliation: Reconciliation) -> str:
    """Return why nothing of this reconciliation can be changed now, or nothing."""
    named = f"The reconciliation of {reconciliation.ending_date:%d %B %Y}"
    if reconciliation.status == ReconciliationStatus.CERTIFIED:
        return f"{named} is certified; its matches are locked and nothing was changed."
    if reconciliation.review_id is not None:
        review = get_owned(CertificationReview, reconciliation.review_id)
        return (
            f"{named} waits for the review of a second person: {review.prepared_by_name} has "
            "submitted it. Nothing was changed; withdraw it, or have it returned, first."
        )
    return ""


def hold_match(match_id: str) -> tuple[Match, Reconciliation]:
    """Return a match as it is now and its open reconciliation, whose row lock is taken.

    Raises:
        NotFound: No such match here.
        Conflict: Its reconciliation is certified.
    """
    match = get_owned(Match, match_id)
    reconciliation = hold_open(match.reconciliation_id)
    db.session.refresh(match)
    return match, reconciliation


def bank_in_scope(reconciliation: Reconciliation) -> sa.Select[FinancialTransaction]:
    """Return the account's posted bank transactions up to the ending date."""
    return (
        owned(FinancialTransaction)
        .join(FinancialAccount, FinancialAccount.id == FinancialTransaction.financial_account_id)
        .where(
            FinancialAccount.ledger_bank_account_id == reconciliation.ledger_bank_account_id,
            FinancialTransaction.status == TransactionStatus.POSTED,
            FinancialTransaction.posted_date <= reconciliation.ending_date,
        )
    )


def gl_in_scope(reconciliation: Reconciliation) -> sa.Select[GlEntry]:
    """Return the account's GL entries up to the ending date."""
    return (
        owned(GlEntry)
        .join(LedgerBankAccount, LedgerBankAccount.gl_account_id == GlEntry.gl_account_id)
        .where(
            LedgerBankAccount.id == reconciliation.ledger_bank_account_id,
            GlEntry.date <= reconciliation.ending_date,
        )
    )


def open_bank(reconciliation: Reconciliation) -> sa.Select[FinancialTransaction]:
    """Return the bank transactions in scope that stand in no match."""
    return bank_in_scope(reconciliation).where(
        ~stands_in_match(MatchItem.financial_transaction_id == FinancialTransaction.id)
    )


def open_gl(reconciliation: Reconciliation) -> sa.Select[GlEntry]:
    """Return the GL entries in scope that stand in no match."""
    return gl_in_scope(reconciliation).where(~stands_in_match(MatchItem.gl_entry_id == GlEntry.id))


def stands_in_match(on: sa.ColumnElement[bool]) -> sa.Exists:
    """Return the criterion that an active match holds the line joined by `on`."""
    return (
        sa.select(MatchItem.id)
        .where(MatchItem.organization_id == current_organization_id(), MatchItem.active, on)
        .exists()
    )
