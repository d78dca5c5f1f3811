"""Write a complete read: accounts, new, changed, replaced and removed transactions.

All of it happens in the caller's transaction, together with the cursor, so that a process
may die at any point and a repetition finds either nothing or all.  Applying the same pages
twice changes nothing.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from app.aggregators.contract import (
    History,
    SourceAccount,
    SourceTransaction,
    SyncPage,
    UnreadableRow,
)
from app.connections.bank_changes import Applied, apply_bank_facts, hold_accounts
from app.connections.bank_facts import BankFacts, Stated
from app.connections.fetching import Fetched
from app.connections.recognition import Recognition
from app.connections.source_accounts import Accounts, accounts_of, bring_accounts
from app.kernel import limits
from app.kernel.ids import new_id
from app.models import (
    AccountStatus,
    FinancialConnection,
    FinancialTransaction,
    TransactionStatus,
    db,
)
from app.tenancy.actor import Actor
from app.tenancy.scope import current_organization_id, insert_owned, owned

_HISTORY_TIME: Final = timedelta(days=730)
"""How far back aggregators keep what they gave; what is older is not missed."""

_EXTERNAL_ID_CHARACTERS_MAX: Final = 200

Key = tuple[str, str]
"""Account id and the provider's transaction id."""


@dataclass(slots=True)
class Counts:
    """What a sync brought, in transactions."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    recognized: int = 0
    """Known already from a file or from an earlier login, and linked instead of added."""
    unreadable: int = 0
    """Not kept, because what the provider says of them cannot be; the first reason is told."""
    unreadable_reason: str = ""

    def add(self, applied: Applied) -> None:
        self.changed += applied.updated_count
        self.removed += applied.removed_count

    @property
    def anything(self) -> bool:
        return bool(self.added or self.changed or self.removed or self.recognized)

    @property
    def sentence(self) -> str:
        said = [
            f"{count:,} {word}"
            for count, word in (
                (self.added, "new"),
                (self.changed, "changed"),
                (self.removed, "removed"),
                (self.recognized, "known already"),
                (self.unreadable, "not readable"),
            )
            if count
        ]
        reason = f" {self.unreadable_reason}" if self.unreadable else ""
        return (", ".join(said) or "Nothing new") + "." + reason


@dataclass(frozen=True, slots=True)
class Outcome:
    counts: Counts
    accounts: Accounts


def apply_fetched(
    actor: Actor, connection: FinancialConnection, fetched: Fetched, now: datetime
) -> Outcome:
    """Bring the connection's accounts and transactions to what was read."""
    hold_accounts([account.id for account in accounts_of(connection.id)])
    sources: tuple[SourceAccount, ...] = ()
    for page in fetched.pages:
        sources = page.accounts or sources
    accounts = bring_accounts(actor, connection, sources, now)
    writer = _Writer(actor, accounts, now, keeps_seen=_is_snapshot(fetched))
    for page in fetched.pages:
        writer.take(page)
    writer.finish(fetched)
    return Outcome(writer.counts, accounts)


def _is_snapshot(fetched: Fetched) -> bool:
    # Before a provider has gathered all of the past, what it lacks may still come.
    whole = fetched.from_beginning and fetched.history is History.COMPLETE
    return whole or fetched.snapshot_from is not None


class _Writer:
    def __init__(
        self, actor: Actor, accounts: Accounts, now: datetime, *, keeps_seen: bool
    ) -> None:
        self.counts = Counts()
        self._actor, self._now = actor, now
        self._accounts = accounts.taking
        self._continued = accounts.continued
        self._recognitions: dict[str, Recognition] = {}
        self._removed: set[Key] = set()
        self._replaces: dict[Key, str] = {}
        self._seen: set[Key] | None = set() if keeps_seen else None

    def take(self, page: SyncPage) -> None:
        """Write one page's new and changed rows; what it removes waits for the end."""
        rows = self._keepable(page.upserts)
        for unreadable in page.unreadable:
            self._refuse(unreadable.reason)
        known = _known(rows)
        ids = {key: stored.row_id for key, stored in known.items()}
        stated: dict[str, Stated] = {
            stored.row_id: stored.with_its_texts(key[1], _facts(rows[key]))
            for key, stored in known.items()
        }
        self.counts.add(apply_bank_facts(self._actor, stated))
        ids |= self._add({key: row for key, row in rows.items() if key not in ids})
        for key, row in rows.items():
            if row.pending_external_id and not row.pending:
                self._replaces[key[0], _kept_id(row.pending_external_id)] = ids[key]
        for account_external_id, external_id in page.removed:
            if account := self._accounts.get(account_external_id):
                self._removed.add((account.id, _kept_id(external_id)))
        if self._seen is not None:
            self._seen |= self._named(page)

    def _named(self, page: SyncPage) -> set[Key]:
        """Return every row that a page speaks of: one that cannot be kept is not gone."""
        said: list[SourceTransaction | UnreadableRow] = [*page.upserts, *page.unreadable]
        return {
            (account.id, _kept_id(row.external_id))
            for row in said
            if (account := self._accounts.get(row.account_external_id))
        }

    def finish(self, fetched: Fetched) -> None:
        """Remove what is gone: said to be, replaced by a posted one, or missing in a whole."""
        gone = _ids_of(self._removed | set(self._replaces))
        if self._seen is not None:
            gone |= self._missing(fetched.snapshot_from)
        self.counts.add(apply_bank_facts(self._actor, dict.fromkeys(gone.values())))
        replaced = self._replaces.keys() & gone.keys()
        pairs = {gone[key]: self._replaces[key] for key in replaced}
        write_column("replaced_by_id", {old: new for old, new in pairs.items() if old != new})
        self.counts.removed = max(0, self.counts.removed - len(replaced))

    def _keepable(self, upserts: Iterable[SourceTransaction]) -> dict[Key, SourceTransaction]:
        rows: dict[Key, SourceTransaction] = {}
        for row in upserts:
            account = self._accounts.get(row.account_external_id)
            if account is None:
                continue  # shared no more, or brought by another connection: told on the account
            if row.currency != account.currency:
                self._refuse(f"An amount in {row.currency} on an account in {account.currency}.")
            elif not limits.BOOKING_YEAR_MIN <= row.posted_date.year <= limits.BOOKING_YEAR_MAX:
                self._refuse(f"The date {row.posted_date} cannot be right.")
            else:
                rows[account.id, _kept_id(row.external_id)] = row
        return rows

    def _refuse(self, reason: str) -> None:
        self.counts.unreadable += 1
        self.counts.unreadable_reason = self.counts.unreadable_reason or reason

    def _add(self, rows: Mapping[Key, SourceTransaction]) -> dict[Key, str]:
        ids: dict[Key, str] = {}
        inserts: list[Mapping[str, Any]] = []
        linked: dict[str, str] = {}
        for (account_id, external_id), row in rows.items():
            known_id = self._recognize(account_id, row)
            if known_id is not None:
                linked[known_id] = external_id
            else:
                known_id = new_id()
                inserts.append(self._insert(known_id, account_id, external_id, row))
            ids[account_id, external_id] = known_id
        insert_owned(FinancialTransaction, inserts)
        write_column("external_id", linked)
        self.counts.added += len(inserts)
        self.counts.recognized += len(linked)
        return ids

    def _recognize(self, account_id: str, row: SourceTransaction) -> str | None:
        if row.pending or account_id not in self._continued:
            return None
        if account_id not in self._recognitions:
            self._recognitions[account_id] = Recognition(account_id)
        texts = (row.description, row.counterparty)
        return self._recognitions[account_id].take(row.posted_date, row.amount_minor, *texts)

    def _insert(
        self, row_id: str, account_id: str, external_id: str, row: SourceTransaction
    ) -> dict[str, Any]:
        facts = _facts(row)
        return {
            "id": row_id,
            "financial_account_id": account_id,
            "posted_date": facts.posted_date,
            "value_date": facts.value_date,
            "amount_minor": facts.amount_minor,
            "currency": row.currency,
            "description": facts.description,
            "counterparty": facts.counterparty,
            "reference": facts.reference,
            "status": TransactionStatus.PENDING if row.pending else TransactionStatus.POSTED,
            "source_key": _source_key(external_id),
            "external_id": external_id,
            "created_at": self._now,
            "updated_at": self._now,
        }

    def _missing(self, snapshot_from: date | None) -> dict[Key, str]:
        """Return rows that this login brought and that a whole read does not have any more."""
        assert self._seen is not None
        begin = snapshot_from or self._now.date() - _HISTORY_TIME
        heard_of = {account_id for account_id, _ in self._seen}
        missing: dict[Key, str] = {}
        for account in self._accounts.values():
            if account.status != AccountStatus.ACTIVE:
                continue  # what cannot be read now is not gone
            if snapshot_from is not None and account.id not in heard_of:
                continue  # nor is it when a source falls silent
            rows = db.session.execute(
                owned(FinancialTransaction)
                .where(
                    FinancialTransaction.financial_account_id == account.id,
                    FinancialTransaction.external_id.is_not(None),
                    FinancialTransaction.status != TransactionStatus.REMOVED,
                    FinancialTransaction.posted_date >= begin,
                )
                .with_only_columns(FinancialTransaction.external_id, FinancialTransaction.id)
            )
            for external_id, row_id in rows:
                key = (account.id, str(external_id))
                if key not in self._seen:
                    missing[key] = row_id
        return missing


class _Stored(NamedTuple):
    """A row that has a provider's id already."""

    row_id: str
    source_key: str
    description: str
    counterparty: str
    reference: str

    def with_its_texts(self, external_id: str, facts: BankFacts) -> BankFacts:
        """Let a row that came another way first keep its words.

        A file and an aggregator never use the same ones, and that is no change by the bank.
        """
        if self.source_key == _source_key(external_id):
            return facts
        return replace(
            facts,
            description=self.description,
            counterparty=self.counterparty,
            reference=self.reference,
        )


def _ids_of(keys: Iterable[Key]) -> dict[Key, str]:
    """Return the ids of the stored rows among the keys."""
    return {key: stored.row_id for key, stored in _known(keys).items()}


def _known(keys: Iterable[Key]) -> dict[Key, _Stored]:
    by_account: defaultdict[str, list[str]] = defaultdict(list)
    for account_id, external_id in keys:
        by_account[account_id].append(external_id)
    known: dict[Key, _Stored] = {}
    for account_id, external_ids in by_account.items():
        for start in range(0, len(external_ids), limits.INGEST_CHUNK_ROWS):
            rows = db.session.execute(
                owned(FinancialTransaction)
                .where(
                    FinancialTransaction.financial_account_id == account_id,
                    FinancialTransaction.external_id.in_(
                        external_ids[start : start + limits.INGEST_CHUNK_ROWS]
                    ),
                )
                .with_only_columns(
                    FinancialTransaction.external_id,
                    FinancialTransaction.id,
                    FinancialTransaction.source_key,
                    FinancialTransaction.description,
                    FinancialTransaction.counterparty,
                    FinancialTransaction.reference,
                )
            )
            known |= {(account_id, str(row[0])): _Stored(*row[1:]) for row in rows}
    return known


def _source_key(external_id: str) -> str:
    return hashlib.sha256(f"provider\x1f{external_id}".encode()).hexdigest()


def write_column(column: str, values: Mapping[str, str]) -> None:
    """Set one column of stored transactions, by their ids, in one statement for all."""
    if not values:
        return
    table = sa.inspect(FinancialTransaction).local_table
    assert isinstance(table, sa.Table)
    statement = sa.update(table).where(
        table.c.organization_id == current_organization_id(),
        table.c.id == sa.bindparam("row_id"),
    )
    db.session.execute(
        statement.values({column: sa.bindparam("value")}),
        [{"row_id": row_id, "value": value} for row_id, value in values.items()],
    )


def _facts(row: SourceTransaction) -> BankFacts:
    return BankFacts(
        posted_date=row.posted_date,
        amount_minor=row.amount_minor,
        description=_clean(row.description),
        counterparty=_clean(row.counterparty),
        reference=_clean(row.reference),
        value_date=row.value_date,
        pending=row.pending,
    )


def _clean(text: str) -> str:
    """Return the text without what PostgreSQL cannot keep."""
    return text.replace("\x00", "").strip()[: limits.CELL_CHARACTERS_MAX]


def _kept_id(external_id: str) -> str:
    if len(external_id) <= _EXTERNAL_ID_CHARACTERS_MAX:
        return external_id
    return hashlib.sha256(external_id.encode()).hexdigest()
