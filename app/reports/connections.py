"""What the Bank Connections page and the pages of one account show."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from app.connections.due import Due, DueState, next_due
from app.models import (
    ConnectionStatus,
    FinancialAccount,
    FinancialConnection,
    GlAccount,
    LedgerBankAccount,
    Upload,
    UploadState,
    User,
    db,
)
from app.tenancy.actor import Actor
from app.tenancy.scope import get_owned, owned

UPLOADS_SHOWN: Final = 100
"""Files of one account in its history; a weekly file makes about two years."""


@dataclass(frozen=True, slots=True)
class LedgerChoice:
    """A ledger bank account that a financial account can be mapped to."""

    ledger_bank_account_id: str
    label: str
    currency: str
    taken_by: str | None
    """The financial account that is mapped to it, if any."""


@dataclass(frozen=True, slots=True)
class AccountCard:
    account_id: str
    connection_id: str
    institution_name: str
    name: str
    mask: str
    type: str
    currency: str
    balance_minor: int | None
    balance_date: date | None
    covered_until: date | None
    ledger_bank_account_id: str | None
    ledger_label: str | None
    waiting_upload_ids: tuple[str, ...]
    """Uploads whose preview waits for a decision."""
    due: Due | None
    """None once the connection is deleted."""

    @property
    def needs_somebody(self) -> bool:
        late = self.due is not None and self.due.state is not DueState.NOT_YET
        return self.due is not None and (
            late or bool(self.waiting_upload_ids) or self.ledger_bank_account_id is None
        )


@dataclass(frozen=True, slots=True)
class ConnectionCard:
    connection_id: str
    institution_name: str
    path: str
    deleted: bool
    accounts: tuple[AccountCard, ...]

    @property
    def due(self) -> Due | None:
        """Return what is due first among the accounts."""
        dues = [account.due for account in self.accounts if account.due is not None]
        return min(dues, key=lambda due: due.due_date, default=None)


@dataclass(frozen=True, slots=True)
class ConnectionsPage:
    connections: tuple[ConnectionCard, ...]
    deleted: tuple[ConnectionCard, ...]
    ledger_choices: tuple[LedgerChoice, ...]

    @property
    def accounts_count(self) -> int:
        return sum(len(connection.accounts) for connection in self.connections)

    @property
    def needing_count(self) -> int:
        return sum(
            any(account.needs_somebody for account in connection.accounts)
            for connection in self.connections
        )

    def choices_for(self, account: AccountCard) -> list[LedgerChoice]:
        """Return the ledger bank accounts of its currency that are free, and its own."""
        return [
            choice
            for choice in self.ledger_choices
            if choice.currency == account.currency and choice.taken_by in {None, account.account_id}
        ]


@dataclass(frozen=True, slots=True)
class UploadRow:
    """One line of an account's history of files."""

    upload_id: str
    filename: str
    format: str
    state: UploadState
    uploaded_at: datetime
    uploaded_by: str
    rows_count: int
    new_count: int
    duplicate_count: int
    left_out_count: int
    rejected_count: int
    first_date: date | None
    last_date: date | None


@dataclass(frozen=True, slots=True)
class AccountPage:
    account: AccountCard
    uploads: tuple[UploadRow, ...]


def connections_page(actor: Actor, now: datetime) -> ConnectionsPage:
    """Return everything on the Bank Connections page in three statements."""
    cards = _account_cards(_today(actor, now))
    connections = [
        _connection_card(connection, cards[connection.id])
        for connection in db.session.scalars(
            owned(FinancialConnection).order_by(
                FinancialConnection.institution_name, FinancialConnection.id
            )
        )
    ]
    return ConnectionsPage(
        connections=tuple(one for one in connections if not one.deleted),
        deleted=tuple(one for one in connections if one.deleted),
        ledger_choices=ledger_choices(),
    )


def connection_card(actor: Actor, connection_id: str, now: datetime) -> ConnectionCard:
    """Return one connection with its accounts.

    Raises:
        NotFound: There is no such connection here.
    """
    connection = get_owned(FinancialConnection, connection_id)
    cards = _account_cards(_today(actor, now), FinancialAccount.connection_id == connection_id)
    return _connection_card(connection, cards[connection_id])


def account_page(actor: Actor, account_id: str, now: datetime) -> AccountPage:
    """Return one account with the files uploaded to it, newest first.

    Raises:
        NotFound: There is no such account here.
    """
    connection_id = get_owned(FinancialAccount, account_id).connection_id
    cards = _account_cards(_today(actor, now), FinancialAccount.id == account_id)
    return AccountPage(cards[connection_id][0], _uploads(account_id))


def ledger_choices() -> tuple[LedgerChoice, ...]:
    """Return every ledger bank account, by its GL account's number."""
    rows = db.session.execute(
        owned(LedgerBankAccount)
        .add_columns(GlAccount.number, FinancialAccount.id)
        .join(GlAccount, GlAccount.id == LedgerBankAccount.gl_account_id)
        .outerjoin(
            FinancialAccount, FinancialAccount.ledger_bank_account_id == LedgerBankAccount.id
        )
        .order_by(GlAccount.number)
    )
    return tuple(
        LedgerChoice(ledger.id, f"GL {number} {ledger.name}", ledger.currency, taken_by)
        for ledger, number, taken_by in rows
    )


def _connection_card(
    connection: FinancialConnection, accounts: list[AccountCard]
) -> ConnectionCard:
    return ConnectionCard(
        connection_id=connection.id,
        institution_name=connection.institution_name,
        path=connection.path,
        deleted=connection.status == ConnectionStatus.DELETED,
        accounts=tuple(accounts),
    )


def _today(actor: Actor, now: datetime) -> date:
    return now.astimezone(ZoneInfo(actor.time_zone)).date()


def _account_cards(
    today: date, *where: sa.ColumnElement[bool]
) -> defaultdict[str, list[AccountCard]]:
    rows = db.session.execute(
        owned(FinancialAccount)
        .add_columns(
            FinancialConnection.institution_name,
            FinancialConnection.status,
            GlAccount.number,
            LedgerBankAccount.name,
        )
        .join(FinancialConnection, FinancialConnection.id == FinancialAccount.connection_id)
        .outerjoin(
            LedgerBankAccount, LedgerBankAccount.id == FinancialAccount.ledger_bank_account_id
        )
        .outerjoin(GlAccount, GlAccount.id == LedgerBankAccount.gl_account_id)
        .where(*where)
        .order_by(FinancialAccount.name, FinancialAccount.id)
    ).all()
    waiting = _waiting_uploads([row[0].id for row in rows])
    cards: defaultdict[str, list[AccountCard]] = defaultdict(list)
    for account, institution_name, status, number, ledger_name in rows:
        added_on = account.created_at.date()
        deleted = status == ConnectionStatus.DELETED
        cards[account.connection_id].append(
            AccountCard(
                account_id=account.id,
                connection_id=account.connection_id,
                institution_name=institution_name,
                name=account.name,
                mask=account.mask,
                type=account.type,
                currency=account.currency,
                balance_minor=account.current_balance_minor,
                balance_date=account.balance_date,
                covered_until=account.covered_until,
                ledger_bank_account_id=account.ledger_bank_account_id,
                ledger_label=f"GL {number} {ledger_name}" if ledger_name else None,
                waiting_upload_ids=tuple(waiting[account.id]),
                due=None if deleted else next_due(account.covered_until, added_on, today),
            )
        )
    return cards


def _waiting_uploads(account_ids: list[str]) -> defaultdict[str, list[str]]:
    waiting: defaultdict[str, list[str]] = defaultdict(list)
    rows = db.session.execute(
        owned(Upload)
        .where(Upload.financial_account_id.in_(account_ids), Upload.state == UploadState.PREVIEWED)
        .with_only_columns(Upload.financial_account_id, Upload.id)
        .order_by(Upload.id)
    )
    for account_id, upload_id in rows:
        waiting[account_id].append(upload_id)
    return waiting


def _uploads(account_id: str) -> tuple[UploadRow, ...]:
    rows = db.session.execute(
        owned(Upload)
        .add_columns(User.name)
        .outerjoin(User, User.id == Upload.created_by)
        .where(Upload.financial_account_id == account_id)
        .order_by(Upload.id.desc())
        .limit(UPLOADS_SHOWN)
    )
    return tuple(upload_row(upload, name) for upload, name in rows)


def upload_row(upload: Upload, uploaded_by: Any) -> UploadRow:
    return UploadRow(
        upload_id=upload.id,
        filename=upload.filename,
        format=upload.format,
        state=UploadState(upload.state),
        uploaded_at=upload.created_at,
        uploaded_by=uploaded_by or "somebody who left",
        rows_count=upload.rows_count,
        new_count=upload.new_count,
        duplicate_count=upload.duplicate_count,
        left_out_count=upload.left_out_count,
        rejected_count=upload.rejected_count,
        first_date=upload.first_date,
        last_date=upload.last_date,
    )
