"""One bank account as the pages show it: its balance, its side in the books, its files."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from app.connections.due import Due, DueState, next_due
from app.models import (
    AccountStatus,
    ConnectionPath,
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
from app.reports.connection_words import ACCOUNT_WORDS, account_reason
from app.tenancy.actor import SYSTEM_USER_ID, Actor
from app.tenancy.scope import get_owned, owned

UPLOADS_SHOWN: Final = 100
"""Files of one account in its history; a weekly file makes about two years."""

_BRINGS_NOTHING: Final = frozenset(
    {AccountStatus.NOT_SHARED, AccountStatus.CLOSED, AccountStatus.DUPLICATE}
)


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
    path: ConnectionPath
    connection_deleted: bool
    name: str
    mask: str
    type: str
    currency: str
    status: AccountStatus
    status_reason: str
    balance_minor: int | None
    available_minor: int | None
    as_of: date | None
    """The day of the balance; None when it is of today."""
    covered_until: date | None
    ledger_bank_account_id: str | None
    ledger_label: str | None
    waiting_upload_ids: tuple[str, ...]
    """Uploads whose preview waits for a decision."""
    due: Due | None
    """Only where people upload the files."""

    @property
    def label(self) -> str:
        return f"{self.name} ··{self.mask}" if self.mask else self.name

    @property
    def badge(self) -> tuple[str, str]:
        """Return the word for how its data come, and its tone."""
        if self.path is ConnectionPath.MANUAL_UPLOAD:
            return "By file", "neutral"
        return ACCOUNT_WORDS[self.status]

    @property
    def trouble(self) -> str:
        """Return why it brings nothing; empty while it does."""
        return account_reason(self.status, self.status_reason)

    @property
    def needs_somebody(self) -> bool:
        if self.connection_deleted:
            return False
        late = self.due is not None and self.due.state is not DueState.NOT_YET
        return late or self.is_unmapped or bool(self.waiting_upload_ids)

    @property
    def is_unmapped(self) -> bool:
        """Tell whether it brings data that stand in no books."""
        return self.ledger_bank_account_id is None and self.status not in _BRINGS_NOTHING


@dataclass(frozen=True, slots=True)
class UploadRow:
    """One line of an account's history of files."""

    upload_id: str
    account_id: str
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


def account_page(actor: Actor, account_id: str, now: datetime) -> AccountPage:
    """Return one account with the files uploaded to it, newest first.

    Raises:
        NotFound: There is no such account here.
    """
    connection_id = get_owned(FinancialAccount, account_id).connection_id
    cards = account_cards(actor, now, FinancialAccount.id == account_id)
    files = uploads(Upload.financial_account_id == account_id)
    return AccountPage(cards[connection_id][0], files)


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


def account_cards(
    actor: Actor, now: datetime, *where: sa.ColumnElement[bool]
) -> defaultdict[str, list[AccountCard]]:
    """Return the accounts by their connection's id, in two statements."""
    today = now.astimezone(ZoneInfo(actor.time_zone)).date()
    rows = db.session.execute(
        owned(FinancialAccount)
        .add_columns(FinancialConnection, GlAccount.number, LedgerBankAccount.name)
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
    for account, connection, number, ledger_name in rows:
        label = f"GL {number} {ledger_name}" if ledger_name else None
        card = _card(account, connection, label, tuple(waiting[account.id]), today)
        cards[connection.id].append(card)
    return cards


def _card(
    account: FinancialAccount,
    connection: FinancialConnection,
    ledger_label: str | None,
    waiting_upload_ids: tuple[str, ...],
    today: date,
) -> AccountCard:
    path = ConnectionPath(connection.path)
    deleted = connection.status == ConnectionStatus.DELETED
    by_hand = path is ConnectionPath.MANUAL_UPLOAD and not deleted
    added_on, balance_date = account.created_at.date(), account.balance_date
    return AccountCard(
        account_id=account.id,
        connection_id=connection.id,
        institution_name=connection.institution_name,
        path=path,
        connection_deleted=deleted,
        name=account.name,
        mask=account.mask,
        type=account.type,
        currency=account.currency,
        status=AccountStatus(account.status),
        status_reason=account.status_reason,
        balance_minor=account.current_balance_minor,
        available_minor=account.available_balance_minor,
        as_of=balance_date if balance_date and balance_date < today else None,
        covered_until=account.covered_until,
        ledger_bank_account_id=account.ledger_bank_account_id,
        ledger_label=ledger_label,
        waiting_upload_ids=waiting_upload_ids,
        due=next_due(account.covered_until, added_on, today) if by_hand else None,
    )


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


def uploads(*where: sa.ColumnElement[bool]) -> tuple[UploadRow, ...]:
    """Return files, newest first, at most `UPLOADS_SHOWN`."""
    rows = db.session.execute(
        owned(Upload)
        .add_columns(User.name)
        .outerjoin(User, User.id == Upload.created_by)
        .where(*where)
        .order_by(Upload.id.desc())
        .limit(UPLOADS_SHOWN)
    )
    return tuple(upload_row(upload, name) for upload, name in rows)


def upload_row(upload: Upload, uploaded_by: Any) -> UploadRow:
    by_connector = upload.created_by == SYSTEM_USER_ID
    return UploadRow(
        upload_id=upload.id,
        account_id=upload.financial_account_id,
        filename=upload.filename,
        format=upload.format,
        state=UploadState(upload.state),
        uploaded_at=upload.created_at,
        uploaded_by="the connector" if by_connector else uploaded_by or "somebody who left",
        rows_count=upload.rows_count,
        new_count=upload.new_count,
        duplicate_count=upload.duplicate_count,
        left_out_count=upload.left_out_count,
        rejected_count=upload.rejected_count,
        first_date=upload.first_date,
        last_date=upload.last_date,
    )
