"""The ledger as its pages show it: entries, chart of accounts, bank accounts, journals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from app.kernel.errors import Invalid
from app.kernel.limits import PAGE_ROWS
from app.models import (
    FinancialAccount,
    FinancialConnection,
    GlAccount,
    GlAccountType,
    GlEntry,
    JournalEntry,
    JournalSource,
    LedgerBankAccount,
    MatchItem,
    Reconciliation,
    ReconciliationStatus,
    User,
    db,
)
from app.reports.search import matches_search
from app.tenancy.scope import current_organization_id, get_owned, owned

BANK_TYPES = (GlAccountType.ASSET, GlAccountType.LIABILITY)


@dataclass(frozen=True, slots=True)
class AccountChoice:
    id: str
    number: str
    name: str
    type: str
    currency: str
    bank_account: str | None
    """Name of the ledger bank account that stands on it."""

    @property
    def label(self) -> str:
        return f"{self.number} {self.name}"


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """What to list; every part is optional."""

    account_id: str = ""
    date_from: date | None = None
    date_to: date | None = None
    search: str = ""
    newest_first: bool = True


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two entries of the list."""

    date: date
    entry_id: str

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Read what `str()` gave.

        Raises:
            Invalid: Somebody typed it.
        """
        day, _, entry_id = text.partition(".")
        try:
            return cls(date.fromisoformat(day), entry_id)
        except ValueError as error:
            raise Invalid("This page of the list does not exist; start at its top.") from error

    def __str__(self) -> str:
        return f"{self.date.isoformat()}.{self.entry_id}"


@dataclass(frozen=True, slots=True)
class EntryLine:
    id: str
    external_id: str
    booking_date: date
    account: AccountChoice
    amount_minor: int
    currency: str
    description: str
    counterparty: str
    reference: str
    journal_id: str | None
    journal_number: str | None
    reconciliation_id: str | None
    """Where it is matched; None while it is open."""
    reconciliation_date: date | None
    certified: bool


@dataclass(frozen=True, slots=True)
class EntryPage:
    """One page in the order asked for; the cursors are None at the ends."""

    lines: tuple[EntryLine, ...]
    previous: Cursor | None
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class AccountRow:
    choice: AccountChoice
    entries_count: int
    balance_minor: int


@dataclass(frozen=True, slots=True)
class BankAccountRow:
    id: str
    name: str
    gl_account_id: str
    gl_account: str
    currency: str
    balance_minor: int
    financial_account: str | None
    """Institution and name of the bank's account that is mapped to it."""
    certified_until: date | None


@dataclass(frozen=True, slots=True)
class JournalView:
    id: str
    number: str
    date: date
    description: str
    currency: str
    source: JournalSource
    created_by: str
    created_at: datetime
    reverses: tuple[str, str] | None
    """Id and number of the journal entry that this one reverses."""
    reversed_by: tuple[str, str] | None
    lines: tuple[EntryLine, ...]

    @property
    def total_minor(self) -> int:
        return sum(line.amount_minor for line in self.lines if line.amount_minor > 0)


def account_choices() -> list[AccountChoice]:
    """Return the whole chart by number."""
    rows = db.session.execute(
        owned(GlAccount)
        .add_columns(LedgerBankAccount.name)
        .outerjoin(LedgerBankAccount, LedgerBankAccount.gl_account_id == GlAccount.id)
        .order_by(GlAccount.number, GlAccount.id)
    )
    return [
        AccountChoice(
            account.id, account.number, account.name, account.type, account.currency, bank_name
        )
        for account, bank_name in rows
    ]


def entry_page(
    wanted: EntryFilter,
    accounts: Sequence[AccountChoice],
    *,
    after: Cursor | None = None,
    before: Cursor | None = None,
) -> EntryPage:
    """Return one page of entries in one statement, whatever the length of the list.

    Args:
        accounts: What `account_choices` gave.
        after, before: At most one of them; none gives the first page.

    Raises:
        NotFound: The account is not one of the organization's.
    """
    if wanted.account_id and wanted.account_id not in {account.id for account in accounts}:
        get_owned(GlAccount, wanted.account_id)
    backwards = before is not None
    descending = wanted.newest_first is not backwards
    statement = _filtered(wanted, {account.currency for account in accounts})
    place = sa.tuple_(GlEntry.date, GlEntry.id)
    edge = before or after
    if edge is not None:
        there = sa.tuple_(sa.literal(edge.date, sa.Date()), sa.literal(edge.entry_id))
        statement = statement.where(place < there if descending else place > there)
    keys = (GlEntry.date.desc(), GlEntry.id.desc()) if descending else (GlEntry.date, GlEntry.id)
    lines = _lines(statement.order_by(*keys).limit(PAGE_ROWS + 1), accounts)
    more, lines = len(lines) > PAGE_ROWS, lines[:PAGE_ROWS]
    if backwards:
        lines.reverse()
    has_previous = more if backwards else after is not None
    has_next = backwards or more
    return EntryPage(
        lines=tuple(lines),
        previous=Cursor(lines[0].booking_date, lines[0].id) if lines and has_previous else None,
        next=Cursor(lines[-1].booking_date, lines[-1].id) if lines and has_next else None,
    )


def account_rows() -> list[AccountRow]:
    """Return the chart with the number of entries and the balance of each account."""
    sums = owned(GlEntry).with_only_columns(
        GlEntry.gl_account_id, sa.func.count(GlEntry.id), sa.func.sum(GlEntry.amount_minor)
    )
    found: dict[str, tuple[int, int]] = {
        account_id: (count, int(total))
        for account_id, count, total in db.session.execute(sums.group_by(GlEntry.gl_account_id))
    }
    return [AccountRow(account, *found.get(account.id, (0, 0))) for account in account_choices()]


def account(account_id: str) -> AccountChoice:
    """Return one account.

    Raises:
        NotFound: There is no such account here.
    """
    row = get_owned(GlAccount, account_id)
    return AccountChoice(row.id, row.number, row.name, row.type, row.currency, None)


def bank_account_rows() -> list[BankAccountRow]:
    """Return the ledger bank accounts with their balance per books and what they are tied to."""
    balance = (
        sa.select(sa.func.coalesce(sa.func.sum(GlEntry.amount_minor), 0))
        .where(
            GlEntry.gl_account_id == LedgerBankAccount.gl_account_id,
            GlEntry.organization_id == current_organization_id(),
        )
        .scalar_subquery()
    )
    certified = (
        sa.select(sa.func.max(Reconciliation.ending_date))
        .where(
            Reconciliation.ledger_bank_account_id == LedgerBankAccount.id,
            Reconciliation.status == ReconciliationStatus.CERTIFIED,
            Reconciliation.organization_id == current_organization_id(),
        )
        .scalar_subquery()
    )
    rows = db.session.execute(
        owned(LedgerBankAccount)
        .add_columns(
            GlAccount, FinancialAccount, FinancialConnection.institution_name, balance, certified
        )
        .join(GlAccount, GlAccount.id == LedgerBankAccount.gl_account_id)
        .outerjoin(
            FinancialAccount, FinancialAccount.ledger_bank_account_id == LedgerBankAccount.id
        )
        .outerjoin(FinancialConnection, FinancialConnection.id == FinancialAccount.connection_id)
        .order_by(GlAccount.number)
    )
    return [
        BankAccountRow(
            id=bank.id,
            name=bank.name,
            gl_account_id=gl_account.id,
            gl_account=f"{gl_account.number} {gl_account.name}",
            currency=bank.currency,
            balance_minor=int(total),
            financial_account=f"{institution} {financial.name}" if financial else None,
            certified_until=until,
        )
        for bank, gl_account, financial, institution, total, until in rows
    ]


def journal(journal_id: str) -> JournalView:
    """Return one journal entry with its lines.

    Raises:
        NotFound: There is no such journal entry here.
    """
    entry = get_owned(JournalEntry, journal_id)
    related = aliased(JournalEntry)
    others = db.session.scalars(
        sa.select(related).where(
            sa.or_(related.id == entry.reverses_id, related.reverses_id == entry.id)
        )
    ).all()
    author = db.session.get(User, entry.created_by)
    lines = owned(GlEntry).where(GlEntry.journal_entry_id == journal_id).order_by(GlEntry.id)
    return JournalView(
        id=entry.id,
        number=entry.number,
        date=entry.date,
        description=entry.description,
        currency=entry.currency,
        source=JournalSource(entry.source),
        created_by=author.name if author else "somebody who has left",
        created_at=entry.created_at,
        reverses=next(((o.id, o.number) for o in others if o.id == entry.reverses_id), None),
        reversed_by=next(((o.id, o.number) for o in others if o.reverses_id == entry.id), None),
        lines=tuple(_lines(lines, account_choices())),
    )


def _filtered(wanted: EntryFilter, currencies: set[str]) -> sa.Select[Any]:
    statement: sa.Select[Any] = owned(GlEntry)
    if wanted.account_id:
        statement = statement.where(GlEntry.gl_account_id == wanted.account_id)
    if wanted.date_from is not None:
        statement = statement.where(GlEntry.date >= wanted.date_from)
    if wanted.date_to is not None:
        statement = statement.where(GlEntry.date <= wanted.date_to)
    if wanted.search.strip():
        texts = (
            GlEntry.description,
            GlEntry.counterparty,
            GlEntry.reference,
            GlEntry.external_id,
        )
        found = (
            sa.and_(
                GlEntry.currency == currency,
                matches_search(wanted.search, currency, GlEntry.amount_minor, *texts),
            )
            for currency in sorted(currencies)
        )
        statement = statement.where(sa.or_(sa.false(), *found))
    return statement


def _lines(statement: sa.Select[Any], accounts: Sequence[AccountChoice]) -> list[EntryLine]:
    """Run a SELECT of entries and join to each its journal and its match."""
    by_id = {account.id: account for account in accounts}
    rows = db.session.execute(
        statement.add_columns(
            JournalEntry.number,
            Reconciliation.id,
            Reconciliation.ending_date,
            Reconciliation.status,
        )
        .outerjoin(JournalEntry, JournalEntry.id == GlEntry.journal_entry_id)
        .outerjoin(MatchItem, sa.and_(MatchItem.gl_entry_id == GlEntry.id, MatchItem.active))
        .outerjoin(Reconciliation, Reconciliation.id == MatchItem.reconciliation_id)
    )
    return [
        EntryLine(
            id=entry.id,
            external_id=entry.external_id,
            booking_date=entry.date,
            account=by_id[entry.gl_account_id],
            amount_minor=entry.amount_minor,
            currency=entry.currency,
            description=entry.description,
            counterparty=entry.counterparty,
            reference=entry.reference,
            journal_id=entry.journal_entry_id,
            journal_number=number,
            reconciliation_id=reconciliation_id,
            reconciliation_date=ending,
            certified=status == ReconciliationStatus.CERTIFIED,
        )
        for entry, number, reconciliation_id, ending, status in rows
    ]
