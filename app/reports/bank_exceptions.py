"""Changes by the bank after certification: what waits for a person, and what became of the rest."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from app.connections.bank_facts import (
    Stated,
    change_in_words,
    facts_of,
    fingerprint,
    from_json,
    same_on_statement,
)
from app.models import (
    BankChange,
    Certification,
    ChangeState,
    FinancialAccount,
    FinancialTransaction,
    LedgerBankAccount,
    Reconciliation,
    db,
)
from app.reconciliation.bank_exceptions import difference_of, reason_against_carrying
from app.reconciliation.certificates import in_force
from app.reports.paging import Order, Page, fetch_page
from app.tenancy.scope import current_organization_id, get_owned, owned

WAITING_SHOWN: Final = 25
"""Changes to settle on one page: each is a card with a form."""


@dataclass(frozen=True, slots=True)
class ExceptionRow:
    """One change, what it is about, and what became of it.

    Attributes:
        before: What is accounted for; None where a removal was carried before.
        after: What the bank says now; None when it removed the transaction.
        corrected_before: Whether `before` is a correction's figure instead of the certified one.
        carry_refusal: Why the difference cannot be carried, or nothing.
        carried_day: Date of the correction that it was carried by.
    """

    id: str
    sentence: str
    before: Stated
    after: Stated
    corrected_before: bool
    difference_minor: int
    currency: str
    account_name: str
    financial_account_id: str
    reconciliation_id: str
    ending_date: date
    certified_by: str
    certified_at: datetime | None
    noticed_at: datetime
    fingerprint: str
    carry_refusal: str
    state: str
    note: str
    settled_by: str
    settled_at: datetime | None
    carried_day: date | None


@dataclass(frozen=True, slots=True)
class StatementChanges:
    """How many transactions of one certified statement the bank changed, and how many wait."""

    ending_date: date
    account_name: str
    changed_count: int
    waiting_count: int


@dataclass(frozen=True, slots=True)
class _Around:
    """What a change is about, read for a whole page at once."""

    transaction: FinancialTransaction
    account: FinancialAccount
    reconciliation: Reconciliation
    ledger: LedgerBankAccount
    certification: Certification | None
    carried_day: date | None


def waiting(statement_id: str, after: str) -> Page[ExceptionRow]:
    """Read one page of what has to be settled, oldest first.

    Args:
        statement_id: Only changes of this certified reconciliation; empty for all.
        after: Where the page begins.
    """
    return _page(statement_id, after, [ChangeState.OPEN], descending=False)


def settled(statement_id: str, after: str) -> Page[ExceptionRow]:
    """Read one page of what was settled or taken back by the bank, newest first."""
    states = [ChangeState.ACKNOWLEDGED, ChangeState.CARRIED, ChangeState.WITHDRAWN]
    return _page(statement_id, after, states, descending=True)


def changes_listed(account_id: str, rows_max: int) -> list[ExceptionRow]:
    """Return the changes of every certified statement, or of one account's, oldest first."""
    statement = owned(BankChange)
    if account_id:
        statement = statement.join(
            Reconciliation, Reconciliation.id == BankChange.reconciliation_id
        ).where(Reconciliation.ledger_bank_account_id == account_id)
    changes = db.session.scalars(statement.order_by(BankChange.id).limit(rows_max)).all()
    around = _around([change.id for change in changes])
    return [_row(change, around[change.id]) for change in changes]


def waiting_count(statement_id: str = "") -> int:
    """Count what has to be settled by an index alone."""
    statement = _of(statement_id, [ChangeState.OPEN])
    return db.session.scalar(statement.with_only_columns(sa.func.count(BankChange.id))) or 0


def waiting_count_beside(reconciliation_id: str) -> int:
    """Count what has to be settled of the certified months before this reconciliation."""
    reconciliation = get_owned(Reconciliation, reconciliation_id)
    statement = _of("", [ChangeState.OPEN]).join(
        Reconciliation, Reconciliation.id == BankChange.reconciliation_id
    )
    same = Reconciliation.ledger_bank_account_id == reconciliation.ledger_bank_account_id
    counted = statement.where(same).with_only_columns(sa.func.count(BankChange.id))
    return db.session.scalar(counted) or 0


def changes_of_statement(reconciliation_id: str) -> StatementChanges:
    """Return what the bank has changed since this statement was certified.

    Raises:
        NotFound: No such reconciliation here.
    """
    reconciliation = get_owned(Reconciliation, reconciliation_id)
    waits = sa.case((BankChange.state == ChangeState.OPEN, 1), else_=0)
    counted = (
        owned(BankChange)
        .where(
            BankChange.reconciliation_id == reconciliation.id,
            BankChange.state != ChangeState.WITHDRAWN,
        )
        .with_only_columns(
            sa.func.count(BankChange.financial_transaction_id.distinct()), sa.func.sum(waits)
        )
    )
    changed_count, waiting_now = db.session.execute(counted).one()
    return StatementChanges(
        ending_date=reconciliation.ending_date,
        account_name=get_owned(LedgerBankAccount, reconciliation.ledger_bank_account_id).name,
        changed_count=changed_count,
        waiting_count=int(waiting_now or 0),
    )


def _of(statement_id: str, states: Collection[ChangeState]) -> sa.Select[Any]:
    statement: sa.Select[Any] = owned(BankChange).where(BankChange.state.in_(states))
    if statement_id:
        statement = statement.where(BankChange.reconciliation_id == statement_id)
    return statement


def _page(
    statement_id: str, after: str, states: Collection[ChangeState], *, descending: bool
) -> Page[ExceptionRow]:
    page: Page[BankChange] = fetch_page(
        _of(statement_id, states),
        Order(BankChange.id, BankChange.id, descending=descending),
        after,
        lambda change: change,
        WAITING_SHOWN,
    )
    around = _around([change.id for change in page.rows])
    rows = tuple(_row(change, around[change.id]) for change in page.rows)
    return Page(rows, page.next_cursor)


def _around(change_ids: Sequence[str]) -> dict[str, _Around]:
    organization_id = current_organization_id()
    correction = aliased(FinancialTransaction)
    rows = db.session.execute(
        owned(BankChange)
        .join(FinancialTransaction, FinancialTransaction.id == BankChange.financial_transaction_id)
        .join(FinancialAccount, FinancialAccount.id == FinancialTransaction.financial_account_id)
        .join(Reconciliation, Reconciliation.id == BankChange.reconciliation_id)
        .join(LedgerBankAccount, LedgerBankAccount.id == Reconciliation.ledger_bank_account_id)
        .outerjoin(
            Certification,
            sa.and_(Certification.reconciliation_id == Reconciliation.id, in_force()),
        )
        .outerjoin(
            correction,
            sa.and_(
                correction.organization_id == organization_id,
                correction.id == BankChange.carried_transaction_id,
            ),
        )
        .where(BankChange.id.in_(change_ids))
        .with_only_columns(
            BankChange.id,
            FinancialTransaction,
            FinancialAccount,
            Reconciliation,
            LedgerBankAccount,
            Certification,
            correction.posted_date,
        )
    )
    return {row[0]: _Around(*row[1:]) for row in rows}


def _row(change: BankChange, around: _Around) -> ExceptionRow:
    before, after = from_json(change.before), from_json(change.after)
    certification = around.certification
    stated = facts_of(around.transaction)
    return ExceptionRow(
        id=change.id,
        sentence=change_in_words(before, after, around.transaction.currency),
        before=before,
        after=after,
        corrected_before=not same_on_statement(before, stated),
        difference_minor=difference_of(change),
        currency=around.transaction.currency,
        account_name=around.ledger.name,
        financial_account_id=around.account.id,
        reconciliation_id=around.reconciliation.id,
        ending_date=around.reconciliation.ending_date,
        certified_by=certification.certified_by_name if certification else "",
        certified_at=certification.certified_at if certification else None,
        noticed_at=change.created_at,
        fingerprint=fingerprint(change.before, change.after),
        carry_refusal=reason_against_carrying(change, around.account, around.ledger),
        state=change.state,
        note=change.note,
        settled_by=change.settled_by_name,
        settled_at=change.settled_at,
        carried_day=around.carried_day,
    )
