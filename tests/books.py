"""A small set of books for tests: one bank account, its GL account, a few others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import count

import sqlalchemy as sa

from app.connections.bank_changes import Applied, apply_bank_facts, hold_accounts
from app.connections.bank_facts import Stated, facts_of
from app.ledger.accounts import create_gl_account, create_ledger_bank_account
from app.models import (
    ConnectionPath,
    ConnectionStatus,
    FinancialAccount,
    FinancialConnection,
    FinancialTransaction,
    GlEntry,
    JobRun,
    JobStatus,
    Match,
    MatchItem,
    MatchState,
    db,
)
from app.models.session import unit_of_work
from app.reconciliation.opening import OpenReconciliation, open_reconciliation
from app.tenancy.actor import Actor
from app.tenancy.scope import get_owned, owned
from workers.jobs import perform

OCTOBER = date(2026, 10, 31)


@dataclass
class Books:
    actor: Actor
    ledger_bank_account_id: str
    financial_account_id: str
    cash_id: str
    fees_id: str
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def bank(self, amount_minor: int, text: str = "ACME SUPPLY", day: int = 10, **more) -> str:
        """Add one posted bank transaction, in October unless told, and return its id."""
        facts = {"posted_date": date(2026, 10, day)} | more
        line = FinancialTransaction(
            financial_account_id=self.financial_account_id,
            amount_minor=amount_minor,
            currency="USD",
            description=text,
            source_key=f"test-{next(self.numbers)}",
            **facts,
        )
        return _add(line)

    def gl(self, amount_minor: int, text: str = "Acme Supply", day: int = 9, **more) -> str:
        """Add one GL entry on the bank's account, in October unless told, and return its id."""
        facts = {"date": date(2026, 10, day)} | more
        entry = GlEntry(
            gl_account_id=self.cash_id,
            external_id=f"test-{next(self.numbers)}",
            amount_minor=amount_minor,
            currency="USD",
            description=text,
            **facts,
        )
        return _add(entry)

    def bank_says(self, transaction_id: str, **changed) -> Applied:
        """Let the bank state a transaction again, as it is stored but for what is changed."""
        db.session.rollback()
        stored = facts_of(get_owned(FinancialTransaction, transaction_id))
        assert stored is not None, "say all of it with bank_states"
        return self.bank_states(transaction_id, replace(stored, **changed))

    def bank_states(self, transaction_id: str, stated: Stated) -> Applied:
        """Let the bank say this of a transaction; None: it has it no more."""
        with unit_of_work():
            hold_accounts([self.financial_account_id])
            return apply_bank_facts(self.actor, {transaction_id: stated})

    def open(self, ending_minor: int, opening_minor: int | None = 0, until: date = OCTOBER) -> str:
        """Open a reconciliation, without running the matching it asked for."""
        return open_reconciliation(
            self.actor,
            OpenReconciliation(self.ledger_bank_account_id, until, ending_minor, opening_minor),
        )


def set_up_books(actor: Actor) -> Books:
    cash = create_gl_account(actor, number="1010", name="Cash", type="asset", currency="USD")
    fees = create_gl_account(actor, number="6100", name="Fees", type="expense", currency="USD")
    account_id = create_ledger_bank_account(actor, name="Operating", gl_account_id=cash)
    with unit_of_work():
        connection = FinancialConnection(
            path=ConnectionPath.MANUAL_UPLOAD,
            institution_name="First Bank",
            status=ConnectionStatus.ACTIVE,
        )
        db.session.add(connection)
        db.session.flush()
        account = FinancialAccount(
            connection_id=connection.id,
            name="Checking",
            mask="4821",
            type="checking",
            currency="USD",
            ledger_bank_account_id=account_id,
        )
        db.session.add(account)
        db.session.flush()
        return Books(actor, account_id, account.id, cash, fees)


def _add(row) -> str:
    with unit_of_work():
        db.session.add(row)
        db.session.flush()
        return row.id


def run_waiting_jobs() -> list[JobRun]:
    """Do what the workers would do now, and return the runs."""
    statement = owned(JobRun).where(JobRun.status == JobStatus.QUEUED)
    ids = db.session.scalars(statement.with_only_columns(JobRun.id)).all()
    for run_id in ids:
        perform(run_id)
    db.session.rollback()
    return list(db.session.scalars(owned(JobRun).where(JobRun.id.in_(ids))))


def matches(state: MatchState = MatchState.MATCHED) -> list[Match]:
    db.session.rollback()
    return list(db.session.scalars(owned(Match).where(Match.state == state)))


def lines_of(match: Match) -> set[str]:
    items = db.session.scalars(owned(MatchItem).where(MatchItem.match_id == match.id))
    return {item.financial_transaction_id or item.gl_entry_id for item in items}


@contextmanager
def nothing_changes() -> Iterator[None]:
    """Assert that the block leaves every table as it was."""
    before = everything()
    yield
    assert everything() == before


def everything() -> dict[str, list[tuple]]:
    db.session.rollback()
    tables = db.metadata.sorted_tables
    rows = {
        table.name: sorted(map(repr, db.session.execute(sa.text(f'SELECT * FROM "{table.name}"'))))
        for table in tables
    }
    db.session.rollback()
    return rows
