"""The list of bank transactions: filters, search, keyset pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from app.kernel.errors import Invalid
from app.kernel.limits import PAGE_ROWS, SEARCH_CHARACTERS_MAX
from app.models import (
    ConnectionStatus,
    FinancialAccount,
    FinancialConnection,
    FinancialTransaction,
    Match,
    MatchItem,
    MatchState,
    Reconciliation,
    ReconciliationStatus,
    TransactionStatus,
    db,
)
from app.reports.search import matches_search
from app.tenancy.scope import current_organization_id, get_owned, owned


class Direction(StrEnum):
    IN = "in"
    OUT = "out"


class LineState(StrEnum):
    PENDING = "pending"
    """Announced and not booked yet: shown, never matched."""
    OPEN = "open"
    MATCHED = "matched"
    CERTIFIED = "certified"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class TransactionFilter:
    """What to list; every part is optional."""

    account_id: str | None = None
    date_from: date | None = None
    date_to: date | None = None
    direction: Direction | None = None
    state: LineState | None = None
    search: str = ""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two lines of the list, newest first."""

    posted_date: date
    transaction_id: str

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Read what `str()` gave.

        Raises:
            Invalid: Somebody typed it.
        """
        day, _, transaction_id = text.partition(".")
        try:
            return cls(date.fromisoformat(day), transaction_id)
        except ValueError as error:
            raise Invalid("This page of the list does not exist; start at its top.") from error

    def __str__(self) -> str:
        return f"{self.posted_date.isoformat()}.{self.transaction_id}"


@dataclass(frozen=True, slots=True)
class AccountChoice:
    account_id: str
    institution_name: str
    name: str
    mask: str
    currency: str
    deleted: bool


@dataclass(frozen=True, slots=True)
class TransactionLine:
    transaction_id: str
    account: AccountChoice
    posted_date: date
    value_date: date | None
    amount_minor: int
    currency: str
    description: str
    counterparty: str
    reference: str
    state: LineState
    reconciliation_id: str | None
    """Where it is matched; None while it is open or removed."""


@dataclass(frozen=True, slots=True)
class TransactionPage:
    """One page, newest first; the cursors are None at the ends."""

    lines: tuple[TransactionLine, ...]
    total_count: int
    newer: Cursor | None
    older: Cursor | None


def account_choices() -> list[AccountChoice]:
    """Return every account that has or had transactions, deleted connections last."""
    rows = db.session.execute(
        owned(FinancialAccount)
        .add_columns(FinancialConnection.institution_name, FinancialConnection.status)
        .join(FinancialConnection, FinancialConnection.id == FinancialAccount.connection_id)
        .order_by(
            FinancialConnection.status != ConnectionStatus.ACTIVE,
            FinancialConnection.institution_name,
            FinancialAccount.name,
            FinancialAccount.id,
        )
    )
    return [
        AccountChoice(
            account_id=account.id,
            institution_name=institution_name,
            name=account.name,
            mask=account.mask,
            currency=account.currency,
            deleted=status == ConnectionStatus.DELETED,
        )
        for account, institution_name, status in rows
    ]


def transaction_page(
    wanted: TransactionFilter,
    accounts: Sequence[AccountChoice],
    *,
    older_than: Cursor | None = None,
    newer_than: Cursor | None = None,
) -> TransactionPage:
    """Return one page of the list in three statements, whatever its length.

    Args:
        accounts: What `account_choices` gave.
        older_than, newer_than: At most one of them; none gives the newest page.

    Raises:
        NotFound: The account is not one of the organization's.
    """
    if wanted.account_id is not None:
        get_owned(FinancialAccount, wanted.account_id)
    statement = _filtered(wanted, {account.currency for account in accounts})
    total_count = db.session.scalar(
        statement.with_only_columns(sa.func.count(FinancialTransaction.id))
    )
    found, more = _rows_at(statement, older_than, newer_than)
    has_newer = more if newer_than else older_than is not None
    has_older = newer_than is not None or more
    return TransactionPage(
        lines=_lines(found, accounts),
        total_count=total_count or 0,
        newer=_cursor(found[0]) if found and has_newer else None,
        older=_cursor(found[-1]) if found and has_older else None,
    )


def _filtered(wanted: TransactionFilter, currencies: set[str]) -> sa.Select[Any]:
    line = FinancialTransaction
    statement = owned(line).where(line.replaced_by_id.is_(None))  # its posted one is listed
    if wanted.account_id is not None:
        statement = statement.where(line.financial_account_id == wanted.account_id)
    if wanted.date_from is not None:
        statement = statement.where(line.posted_date >= wanted.date_from)
    if wanted.date_to is not None:
        statement = statement.where(line.posted_date <= wanted.date_to)
    if wanted.direction is not None:
        into = wanted.direction is Direction.IN
        statement = statement.where(line.amount_minor > 0 if into else line.amount_minor < 0)
    if wanted.state is not None:
        statement = statement.where(*_in_state(wanted.state))
    if text := wanted.search.strip()[:SEARCH_CHARACTERS_MAX].rstrip():
        statement = statement.where(_found_by(text, currencies))
    return statement


def _in_state(state: LineState) -> tuple[sa.ColumnElement[bool], ...]:
    status = FinancialTransaction.status
    if state in (LineState.REMOVED, LineState.PENDING):
        return (status == TransactionStatus(state),)
    if state is LineState.OPEN:
        return (status == TransactionStatus.POSTED, ~_matched())
    removed = status == TransactionStatus.REMOVED
    certified = _matched(Reconciliation.status == ReconciliationStatus.CERTIFIED)
    if state is LineState.CERTIFIED:
        return (~removed, certified)
    return (~removed, _matched(Reconciliation.status == ReconciliationStatus.OPEN))


def _matched(*where: sa.ColumnElement[bool]) -> sa.Exists:
    return (
        sa.select(MatchItem.id)
        .join(Match, Match.id == MatchItem.match_id)
        .join(Reconciliation, Reconciliation.id == Match.reconciliation_id)
        .where(
            MatchItem.organization_id == current_organization_id(),
            MatchItem.financial_transaction_id == FinancialTransaction.id,
            MatchItem.active,
            Match.state == MatchState.MATCHED,
            *where,
        )
        .exists()
    )


def _found_by(text: str, currencies: set[str]) -> sa.ColumnElement[bool]:
    """Find text, or an amount, which means something else in each currency."""
    line = FinancialTransaction
    texts = (line.description, line.counterparty, line.reference)
    return sa.or_(
        sa.false(),
        *(
            sa.and_(
                line.currency == currency,
                matches_search(text, currency, line.amount_minor, *texts),
            )
            for currency in sorted(currencies)
        ),
    )


def _rows_at(
    statement: sa.Select[Any], older_than: Cursor | None, newer_than: Cursor | None
) -> tuple[list[FinancialTransaction], bool]:
    """Return the page's rows, newest first, and whether there are more in its direction."""
    place = sa.tuple_(FinancialTransaction.posted_date, FinancialTransaction.id)
    if newer_than is not None:
        statement = statement.where(place > _literal(newer_than)).order_by(
            FinancialTransaction.posted_date, FinancialTransaction.id
        )
    else:
        if older_than is not None:
            statement = statement.where(place < _literal(older_than))
        statement = statement.order_by(
            FinancialTransaction.posted_date.desc(), FinancialTransaction.id.desc()
        )
    rows = list(db.session.scalars(statement.limit(PAGE_ROWS + 1)))
    more = len(rows) > PAGE_ROWS
    rows = rows[:PAGE_ROWS]
    return (rows[::-1] if newer_than is not None else rows), more


def _literal(cursor: Cursor) -> sa.Tuple:
    return sa.tuple_(sa.literal(cursor.posted_date, sa.Date()), sa.literal(cursor.transaction_id))


def _cursor(row: FinancialTransaction) -> Cursor:
    return Cursor(row.posted_date, row.id)


def _lines(
    rows: Sequence[FinancialTransaction], accounts: Sequence[AccountChoice]
) -> tuple[TransactionLine, ...]:
    by_id = {account.account_id: account for account in accounts}
    matched = _matches_of([row.id for row in rows])
    return tuple(
        TransactionLine(
            transaction_id=row.id,
            account=by_id[row.financial_account_id],
            posted_date=row.posted_date,
            value_date=row.value_date,
            amount_minor=row.amount_minor,
            currency=row.currency,
            description=row.description,
            counterparty=row.counterparty,
            reference=row.reference,
            state=_state(row, matched),
            reconciliation_id=matched.get(row.id, (None, None))[0],
        )
        for row in rows
    )


def _matches_of(transaction_ids: list[str]) -> dict[str, tuple[str, str]]:
    if not transaction_ids:
        return {}
    rows = db.session.execute(
        sa.select(MatchItem.financial_transaction_id, Reconciliation.id, Reconciliation.status)
        .join(Match, Match.id == MatchItem.match_id)
        .join(Reconciliation, Reconciliation.id == Match.reconciliation_id)
        .where(
            MatchItem.organization_id == current_organization_id(),
            MatchItem.financial_transaction_id.in_(transaction_ids),
            MatchItem.active,
            Match.state == MatchState.MATCHED,
        )
    )
    return {
        transaction_id: (reconciliation_id, status)
        for transaction_id, reconciliation_id, status in rows
        if transaction_id is not None
    }


def _state(row: FinancialTransaction, matched: dict[str, tuple[str, str]]) -> LineState:
    if row.status != TransactionStatus.POSTED:
        return LineState(row.status)
    if row.id not in matched:
        return LineState.OPEN
    certified = matched[row.id][1] == ReconciliationStatus.CERTIFIED
    return LineState.CERTIFIED if certified else LineState.MATCHED
