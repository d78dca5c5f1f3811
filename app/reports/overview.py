"""The overview: every bank account's bank side, its reconciliation, and what needs somebody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from app.models import (
    BankChange,
    CertificationReview,
    ChangeState,
    FinancialAccount,
    FinancialTransaction,
    GlAccount,
    LedgerBankAccount,
    Reconciliation,
    ReconciliationStatus,
    TransactionStatus,
    db,
)
from app.reconciliation.balances import balances_of_many
from app.reports.connection_cards import ConnectionCard
from app.reports.connections import connections_page
from app.reports.financial_accounts import AccountCard
from app.reports.overview_rows import OpenState, OverviewRow
from app.reports.overview_tasks import Task, tasks_of
from app.reports.reconciliations import month_end_after
from app.tenancy.actor import Actor
from app.tenancy.scope import owned


@dataclass(frozen=True, slots=True)
class Overview:
    rows: tuple[OverviewRow, ...]
    tasks: tuple[Task, ...]
    """What needs somebody, the most urgent first."""


def overview(actor: Actor, now: datetime) -> Overview:
    """Return all of it in a number of statements that does not grow with the accounts."""
    connections = connections_page(actor, now)
    today = now.astimezone(ZoneInfo(actor.time_zone)).date()
    accounts = db.session.execute(
        owned(LedgerBankAccount)
        .join(GlAccount, GlAccount.id == LedgerBankAccount.gl_account_id)
        .order_by(GlAccount.number)
        .with_only_columns(LedgerBankAccount, GlAccount.number)
    ).all()
    fed = {
        card.ledger_bank_account_id: (connection, card)
        for connection in connections.connections
        for card in connection.accounts
        if card.ledger_bank_account_id
    }
    last_posted, opened, certified = _last_posted(), _open_states(), _last_certified()
    exceptions = _exceptions()
    rows = tuple(
        _row(
            account,
            number,
            fed.get(account.id, (None, None)),
            last_posted.get(account.id),
            opened.get(account.id),
            certified.get(account.id),
            exceptions.get(account.id, 0),
            today,
        )
        for account, number in accounts
    )
    return Overview(rows, tasks_of(actor, rows, connections))


def _row(
    account: LedgerBankAccount,
    number: str,
    fed: tuple[ConnectionCard | None, AccountCard | None],
    last_posted: date | None,
    opened: OpenState | None,
    certified: Reconciliation | None,
    exceptions_count: int,
    today: date,
) -> OverviewRow:
    following = month_end_after(certified.ending_date) if certified else None
    begins = opened is None and following is not None and following < today
    return OverviewRow(
        id=account.id,
        name=account.name,
        gl_account_number=number,
        currency=account.currency,
        connection=fed[0],
        bank_account=fed[1],
        last_posted=last_posted,
        open=opened,
        certified_id=certified.id if certified else None,
        certified_until=certified.ending_date if certified else None,
        certified_balance_minor=certified.ending_balance_minor if certified else None,
        exceptions_count=exceptions_count,
        next_ending=following if begins else None,
    )


def _last_posted() -> dict[str, date]:
    rows = db.session.execute(
        owned(FinancialAccount)
        .join(
            FinancialTransaction, FinancialTransaction.financial_account_id == FinancialAccount.id
        )
        .where(
            FinancialAccount.ledger_bank_account_id.is_not(None),
            FinancialTransaction.status == TransactionStatus.POSTED,
        )
        .group_by(FinancialAccount.ledger_bank_account_id)
        .with_only_columns(
            FinancialAccount.ledger_bank_account_id,
            sa.func.max(FinancialTransaction.posted_date),
        )
    )
    return {str(account_id): day for account_id, day in rows}


def _open_states() -> dict[str, OpenState]:
    rows = db.session.execute(
        owned(Reconciliation)
        .outerjoin(CertificationReview, CertificationReview.id == Reconciliation.review_id)
        .where(Reconciliation.status == ReconciliationStatus.OPEN)
        .with_only_columns(Reconciliation, CertificationReview)
    ).all()
    balances = balances_of_many([row[0] for row in rows])
    return {
        reconciliation.ledger_bank_account_id: OpenState(
            id=reconciliation.id,
            ending_date=reconciliation.ending_date,
            balances=balances[reconciliation.id],
            prepared_by=review.prepared_by_name if review else "",
            prepared_by_id=review.prepared_by if review else "",
        )
        for reconciliation, review in rows
    }


def _last_certified() -> Mapping[str, Reconciliation]:
    latest = (
        owned(Reconciliation)
        .where(Reconciliation.status == ReconciliationStatus.CERTIFIED)
        .with_only_columns(
            Reconciliation.ledger_bank_account_id,
            sa.func.max(Reconciliation.ending_date).label("ending_date"),
        )
        .group_by(Reconciliation.ledger_bank_account_id)
        .subquery()
    )
    same = sa.and_(
        latest.c.ledger_bank_account_id == Reconciliation.ledger_bank_account_id,
        latest.c.ending_date == Reconciliation.ending_date,
    )
    rows: Sequence[Reconciliation] = db.session.scalars(
        owned(Reconciliation).join(latest, same)
    ).all()
    return {row.ledger_bank_account_id: row for row in rows}


def _exceptions() -> dict[str, int]:
    rows = db.session.execute(
        owned(BankChange)
        .join(Reconciliation, Reconciliation.id == BankChange.reconciliation_id)
        .where(BankChange.state == ChangeState.OPEN)
        .group_by(Reconciliation.ledger_bank_account_id)
        .with_only_columns(Reconciliation.ledger_bank_account_id, sa.func.count(BankChange.id))
    )
    return {account_id: count for account_id, count in rows}  # noqa: C416 - rows are not pairs to mypy
