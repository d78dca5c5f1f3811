"""What programs read: the rows of the lists, page by page or all of them.

Each row is a frozen dataclass of plain values; money is a decimal string.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from app.kernel import limits
from app.kernel.errors import NotFound
from app.kernel.money import decimal_text
from app.models import (
    FinancialAccount,
    FinancialConnection,
    FinancialTransaction,
    GlAccount,
    GlEntry,
    JobKind,
    JobRun,
    LedgerBankAccount,
    TransactionStatus,
    Upload,
    db,
)
from app.reports.paging import Order, Page, fetch_page
from app.tenancy.scope import current_organization_id, get_owned, organization_scope, owned

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which page of a list."""

    limit: int = limits.API_PAGE_ROWS
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Institution:
    id: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Account:
    id: str
    name: str
    mask: str
    type: str
    subtype: str
    currency: str
    current_balance: str | None
    available_balance: str | None
    status: str
    ledger_bank_account_id: str | None


@dataclass(frozen=True, slots=True)
class Connection:
    id: str
    path: str
    aggregator: str | None
    connector: str | None
    institution: Institution
    status: str
    status_reason: str
    created_at: datetime
    last_sync_at: datetime | None
    successfully_aggregated_at: datetime | None
    refresh_available_at: datetime | None
    accounts: tuple[Account, ...]


@dataclass(frozen=True, slots=True)
class Sync:
    id: str
    connection_id: str
    state: str
    progress: int
    counts: dict[str, int]
    errors: tuple[str, ...]
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class UploadState:
    id: str
    account_id: str
    filename: str
    format: str
    state: str
    progress: int
    counts: dict[str, int]
    first_date: date | None
    last_date: date | None
    errors: tuple[str, ...]
    created_at: datetime
    imported_at: datetime | None


@dataclass(frozen=True, slots=True)
class Transaction:
    id: str
    account_id: str
    posted_date: date
    value_date: date | None
    amount: str
    currency: str
    description: str
    counterparty: str
    reference: str
    status: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class TransactionsAsked:
    account_id: str = ""
    posted_from: date | None = None
    posted_to: date | None = None
    updated_since: datetime | None = None
    status: TransactionStatus | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    id: str
    external_id: str
    account_id: str
    date: date
    amount: str
    currency: str
    description: str
    counterparty: str
    reference: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class EntriesAsked:
    account_id: str = ""
    date_from: date | None = None
    date_to: date | None = None
    updated_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChartAccount:
    id: str
    number: str
    name: str
    type: str
    currency: str


@dataclass(frozen=True, slots=True)
class BankAccount:
    id: str
    name: str
    gl_account_id: str
    currency: str


def connections(asked: Asked) -> Page[Connection]:
    """Return connections by age, deleted ones too, with their accounts, in two statements."""
    order = Order(FinancialConnection.id, FinancialConnection.id)
    page = _page(owned(FinancialConnection), order, asked, lambda row: row)
    accounts = _accounts_by_connection([row.id for row in page.rows])
    rows = tuple(_connection(row, accounts.get(row.id, [])) for row in page.rows)
    return Page(rows, page.next_cursor)


def connection(connection_id: str) -> Connection:
    """Return one connection.

    Raises:
        NotFound: No such connection here.
    """
    row = get_owned(FinancialConnection, connection_id)
    return _connection(row, _accounts_by_connection([row.id]).get(row.id, []))


def connection_of_account(account_id: str) -> Connection:
    """Return the connection of an account.

    Raises:
        NotFound: No such account here.
    """
    return connection(get_owned(FinancialAccount, account_id).connection_id)


def account(account_id: str) -> Account:
    """Return one financial account.

    Raises:
        NotFound: No such account here.
    """
    return _account(get_owned(FinancialAccount, account_id))


def sync(run_id: str) -> Sync:
    """Return how a sync stands.

    Raises:
        NotFound: No such sync here.
    """
    return _sync(_run(run_id, JobKind.SYNC))


def newest_sync(connection_id: str) -> Sync | None:
    """Return the newest sync of a connection; None where there was none."""
    row = db.session.scalar(
        owned(JobRun)
        .where(JobRun.kind == JobKind.SYNC, JobRun.subject_id == connection_id)
        .order_by(JobRun.id.desc())
        .limit(1)
    )
    return _sync(row) if row else None


def upload(upload_id: str) -> UploadState:
    """Return how an upload stands.

    Raises:
        NotFound: No such upload here.
    """
    row = get_owned(Upload, upload_id)
    run = db.session.scalar(
        owned(JobRun)
        .where(JobRun.kind == JobKind.IMPORT_BANK_FILE, JobRun.subject_id == upload_id)
        .order_by(JobRun.id.desc())
        .limit(1)
    )
    errors = [one["message"] for one in row.findings if one["level"] == "error"]
    if run is not None and run.failure:
        errors.append(run.failure)
    return UploadState(
        id=row.id,
        account_id=row.financial_account_id,
        filename=row.filename,
        format=row.format,
        state=row.state,
        progress=run.progress_percent if run else 0,
        counts={
            "rows": row.rows_count,
            "new": row.new_count,
            "duplicates": row.duplicate_count,
            "left_out": row.left_out_count,
            "rejected": row.rejected_count,
        },
        first_date=row.first_date,
        last_date=row.last_date,
        errors=tuple(errors),
        created_at=row.created_at,
        imported_at=row.imported_at,
    )


def transactions(wanted: TransactionsAsked, asked: Asked) -> Page[Transaction]:
    """Return bank transactions by date, or by their last change where `updated_since` is given."""
    statement, order = _transactions(wanted)
    return _page(statement, order, asked, _transaction)


def all_transactions(wanted: TransactionsAsked) -> Iterator[Transaction]:
    """Yield every one, in the order of `transactions`, a chunk of rows at a time."""
    return _all(lambda asked: transactions(wanted, asked))


def entries(wanted: EntriesAsked, asked: Asked) -> Page[Entry]:
    """Return GL entries by date, or by their last change where `updated_since` is given."""
    statement = owned(GlEntry)
    if wanted.account_id:
        statement = statement.where(GlEntry.gl_account_id == wanted.account_id)
    if wanted.date_from:
        statement = statement.where(GlEntry.date >= wanted.date_from)
    if wanted.date_to:
        statement = statement.where(GlEntry.date <= wanted.date_to)
    order = Order(GlEntry.date, GlEntry.id)
    if wanted.updated_since:
        statement = statement.where(GlEntry.updated_at >= wanted.updated_since)
        order = Order(GlEntry.updated_at, GlEntry.id)
    return _page(statement, order, asked, _entry)


def all_entries(wanted: EntriesAsked) -> Iterator[Entry]:
    """Yield every one, in the order of `entries`, a chunk of rows at a time."""
    return _all(lambda asked: entries(wanted, asked))


def chart(asked: Asked) -> Page[ChartAccount]:
    """Return the chart of accounts by number."""
    order = Order(GlAccount.number, GlAccount.id)
    return _page(owned(GlAccount), order, asked, _chart_account)


def chart_account(account_id: str) -> ChartAccount:
    """Return one GL account.

    Raises:
        NotFound: No such account here.
    """
    return _chart_account(get_owned(GlAccount, account_id))


def bank_accounts(asked: Asked) -> Page[BankAccount]:
    """Return the ledger bank accounts by name."""
    order = Order(LedgerBankAccount.name, LedgerBankAccount.id)
    return _page(owned(LedgerBankAccount), order, asked, _bank_account)


def bank_account(account_id: str) -> BankAccount:
    """Return one ledger bank account.

    Raises:
        NotFound: No such account here.
    """
    return _bank_account(get_owned(LedgerBankAccount, account_id))


def _page(
    statement: sa.Select[Any], order: Order, asked: Asked, read: Callable[[Any], Row]
) -> Page[Row]:
    return fetch_page(statement, order, asked.cursor, read, asked.limit, strict=True)


def _all(page_of: Callable[[Asked], Page[Row]]) -> Iterator[Row]:
    """Yield all rows of the organization in scope now: a web server reads on after the request."""
    return _chunks(page_of, current_organization_id())


def _chunks(page_of: Callable[[Asked], Page[Row]], organization_id: str) -> Iterator[Row]:
    cursor: str | None = ""
    while cursor is not None:
        with organization_scope(organization_id):
            page = page_of(Asked(limits.API_EXPORT_CHUNK_ROWS, cursor))
        yield from page.rows
        cursor = page.next_cursor


def _transactions(wanted: TransactionsAsked) -> tuple[sa.Select[Any], Order]:
    statement = owned(FinancialTransaction)
    if wanted.account_id:
        statement = statement.where(FinancialTransaction.financial_account_id == wanted.account_id)
    if wanted.posted_from:
        statement = statement.where(FinancialTransaction.posted_date >= wanted.posted_from)
    if wanted.posted_to:
        statement = statement.where(FinancialTransaction.posted_date <= wanted.posted_to)
    if wanted.status:
        statement = statement.where(FinancialTransaction.status == wanted.status)
    if wanted.updated_since:
        changed = FinancialTransaction.updated_at
        return statement.where(changed >= wanted.updated_since), Order(
            changed, FinancialTransaction.id
        )
    return statement, Order(FinancialTransaction.posted_date, FinancialTransaction.id)


def _run(run_id: str, kind: JobKind) -> JobRun:
    run = get_owned(JobRun, run_id)
    if run.kind != kind:
        raise NotFound
    return run


def _sync(run: JobRun) -> Sync:
    counts = {name: value for name, value in run.result.items() if isinstance(value, int)}
    return Sync(
        id=run.id,
        connection_id=run.subject_id,
        state=run.status,
        progress=run.progress_percent,
        counts=counts,
        errors=(run.failure,) if run.failure else (),
        requested_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
    )


def _accounts_by_connection(connection_ids: list[str]) -> dict[str, list[Account]]:
    found: dict[str, list[Account]] = {}
    rows = db.session.scalars(
        owned(FinancialAccount)
        .where(FinancialAccount.connection_id.in_(connection_ids))
        .order_by(FinancialAccount.id)
    )
    for row in rows:
        found.setdefault(row.connection_id, []).append(_account(row))
    return found


def _connection(row: FinancialConnection, accounts: list[Account]) -> Connection:
    return Connection(
        id=row.id,
        path=row.path,
        aggregator=row.provider if row.path == "standard" else None,
        connector=row.provider if row.path == "non_standard" else None,
        institution=Institution(row.institution_external_id or None, row.institution_name),
        status=row.status,
        status_reason=row.status_reason,
        created_at=row.created_at,
        last_sync_at=row.last_sync_at,
        successfully_aggregated_at=row.successfully_aggregated_at,
        refresh_available_at=row.refresh_available_at,
        accounts=tuple(accounts),
    )


def _account(row: FinancialAccount) -> Account:
    return Account(
        id=row.id,
        name=row.name,
        mask=row.mask,
        type=row.type,
        subtype=row.subtype,
        currency=row.currency,
        current_balance=_decimal(row.current_balance_minor, row.currency),
        available_balance=_decimal(row.available_balance_minor, row.currency),
        status=row.status,
        ledger_bank_account_id=row.ledger_bank_account_id,
    )


def _transaction(row: FinancialTransaction) -> Transaction:
    return Transaction(
        id=row.id,
        account_id=row.financial_account_id,
        posted_date=row.posted_date,
        value_date=row.value_date,
        amount=decimal_text(row.amount_minor, row.currency),
        currency=row.currency,
        description=row.description,
        counterparty=row.counterparty,
        reference=row.reference,
        status=row.status,
        updated_at=row.updated_at,
    )


def _entry(row: GlEntry) -> Entry:
    return Entry(
        id=row.id,
        external_id=row.external_id,
        account_id=row.gl_account_id,
        date=row.date,
        amount=decimal_text(row.amount_minor, row.currency),
        currency=row.currency,
        description=row.description,
        counterparty=row.counterparty,
        reference=row.reference,
        updated_at=row.updated_at,
    )


def _chart_account(row: GlAccount) -> ChartAccount:
    return ChartAccount(row.id, row.number, row.name, row.type, row.currency)


def _bank_account(row: LedgerBankAccount) -> BankAccount:
    return BankAccount(row.id, row.name, row.gl_account_id, row.currency)


def _decimal(amount_minor: int | None, currency: str) -> str | None:
    return None if amount_minor is None else decimal_text(amount_minor, currency)
