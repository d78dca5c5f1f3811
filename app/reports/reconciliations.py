"""Lists around the workspace: accounts with where they stand, their history, their reports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from app.models import (
    Certification,
    FinancialAccount,
    GlAccount,
    LedgerBankAccount,
    Reconciliation,
    ReconciliationStatus,
    db,
)
from app.reconciliation.balances import Balances, balances_of
from app.reconciliation.statement import ReconciliationStatement, from_document, statement_of
from app.tenancy.scope import get_owned, owned


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One ledger bank account: what is open and what was certified last."""

    id: str
    name: str
    gl_account_number: str
    currency: str
    bank_account: str | None
    open_id: str | None
    open_ending_date: date | None
    open_balances: Balances | None
    certified_id: str | None
    certified_until: date | None
    certified_balance_minor: int | None


@dataclass(frozen=True, slots=True)
class HistoryRow:
    id: str
    ending_date: date
    ending_balance_minor: int
    currency: str
    is_open: bool
    certified_at: datetime | None
    certified_by: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """A reconciliation statement: as it stands, or exactly as it was certified."""

    reconciliation_id: str
    ledger_bank_account_id: str
    statement: ReconciliationStatement
    certified_at: datetime | None
    certified_by: str | None
    remarks: str
    sha256: str


@dataclass(frozen=True, slots=True)
class OpeningForm:
    """What the form for a new reconciliation asks and suggests."""

    account_id: str
    account_name: str
    currency: str
    last_ending_date: date | None
    opening_balance_minor: int | None
    suggested_ending_date: date | None


def accounts() -> list[AccountRow]:
    """Return every ledger bank account, by GL number."""
    rows = db.session.execute(
        owned(LedgerBankAccount)
        .join(GlAccount, GlAccount.id == LedgerBankAccount.gl_account_id)
        .order_by(GlAccount.number)
        .with_only_columns(LedgerBankAccount, GlAccount.number)
    ).all()
    mapped = _bank_accounts()
    newest = _newest_by_status()
    return [_account_row(account, number, mapped, newest) for account, number in rows]


def history(ledger_bank_account_id: str) -> list[HistoryRow]:
    """Return an account's reconciliations, newest first."""
    rows = db.session.execute(
        owned(Reconciliation)
        .outerjoin(Certification, Certification.reconciliation_id == Reconciliation.id)
        .where(Reconciliation.ledger_bank_account_id == ledger_bank_account_id)
        .order_by(Reconciliation.ending_date.desc())
        .with_only_columns(
            Reconciliation, Certification.certified_at, Certification.certified_by_name
        )
    )
    return [
        HistoryRow(
            id=reconciliation.id,
            ending_date=reconciliation.ending_date,
            ending_balance_minor=reconciliation.ending_balance_minor,
            currency=reconciliation.currency,
            is_open=reconciliation.status == ReconciliationStatus.OPEN,
            certified_at=certified_at,
            certified_by=certified_by,
        )
        for reconciliation, certified_at, certified_by in rows
    ]


def report(reconciliation_id: str) -> Report:
    """Return the statement; a certified one is read from its certificate, never recomputed."""
    reconciliation = get_owned(Reconciliation, reconciliation_id)
    certified = db.session.scalar(
        owned(Certification).where(Certification.reconciliation_id == reconciliation.id)
    )
    if certified is None:
        statement = statement_of(reconciliation)
    else:
        statement = from_document(certified.document)
    return Report(
        reconciliation_id=reconciliation.id,
        ledger_bank_account_id=reconciliation.ledger_bank_account_id,
        statement=statement,
        certified_at=certified.certified_at if certified else None,
        certified_by=certified.certified_by_name if certified else None,
        remarks=certified.remarks if certified else "",
        sha256=certified.sha256 if certified else "",
    )


def opening_form(ledger_bank_account_id: str) -> OpeningForm:
    """Return what is known before a reconciliation of this account is opened."""
    account = get_owned(LedgerBankAccount, ledger_bank_account_id)
    last = db.session.scalar(
        owned(Reconciliation)
        .where(Reconciliation.ledger_bank_account_id == account.id)
        .order_by(Reconciliation.ending_date.desc())
        .limit(1)
    )
    covered = db.session.scalar(
        owned(FinancialAccount)
        .where(FinancialAccount.ledger_bank_account_id == account.id)
        .with_only_columns(FinancialAccount.covered_until)
    )
    return OpeningForm(
        account_id=account.id,
        account_name=account.name,
        currency=account.currency,
        last_ending_date=last.ending_date if last else None,
        opening_balance_minor=last.ending_balance_minor if last else None,
        suggested_ending_date=_month_end_after(last.ending_date) if last else covered,
    )


def _month_end_after(day: date) -> date:
    """Return the end of the month in which the day after `day` lies."""
    following = day + timedelta(days=1)
    first_of_next = (following.replace(day=1) + timedelta(days=32)).replace(day=1)
    return first_of_next - timedelta(days=1)


def _bank_accounts() -> dict[str, str]:
    rows = db.session.scalars(
        owned(FinancialAccount).where(FinancialAccount.ledger_bank_account_id.is_not(None))
    )
    return {
        row.ledger_bank_account_id or "": f"{row.name} ··{row.mask}" if row.mask else row.name
        for row in rows
    }


def _newest_by_status() -> dict[tuple[str, str], Reconciliation]:
    latest = (
        owned(Reconciliation)
        .with_only_columns(
            Reconciliation.ledger_bank_account_id,
            Reconciliation.status,
            sa.func.max(Reconciliation.ending_date).label("ending_date"),
        )
        .group_by(Reconciliation.ledger_bank_account_id, Reconciliation.status)
        .subquery()
    )
    rows = db.session.scalars(
        owned(Reconciliation).join(
            latest,
            sa.and_(
                latest.c.ledger_bank_account_id == Reconciliation.ledger_bank_account_id,
                latest.c.status == Reconciliation.status,
                latest.c.ending_date == Reconciliation.ending_date,
            ),
        )
    )
    return {(row.ledger_bank_account_id, row.status): row for row in rows}


def _account_row(
    account: LedgerBankAccount,
    gl_account_number: str,
    mapped: dict[str, str],
    newest: dict[tuple[str, str], Reconciliation],
) -> AccountRow:
    opened = newest.get((account.id, ReconciliationStatus.OPEN))
    certified = newest.get((account.id, ReconciliationStatus.CERTIFIED))
    return AccountRow(
        id=account.id,
        name=account.name,
        gl_account_number=gl_account_number,
        currency=account.currency,
        bank_account=mapped.get(account.id),
        open_id=opened.id if opened else None,
        open_ending_date=opened.ending_date if opened else None,
        open_balances=balances_of(opened) if opened else None,
        certified_id=certified.id if certified else None,
        certified_until=certified.ending_date if certified else None,
        certified_balance_minor=certified.ending_balance_minor if certified else None,
    )
