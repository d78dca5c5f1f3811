"""What no file of the demo brings: a bank that changes and removes what was matched and certified."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

import sqlalchemy as sa

from app.config import Environment, Settings
from app.connections.bank_changes import apply_bank_facts, hold_accounts
from app.connections.bank_facts import Stated, facts_of
from app.factory import create_app
from app.models import (
    FinancialTransaction,
    Membership,
    Reconciliation,
    ReconciliationStatus,
    Role,
    TransactionStatus,
    db,
)
from app.models.session import unit_of_work
from app.people.sign_in import actor_of
from app.reconciliation.bank_exceptions import Settle, acknowledge
from app.reconciliation.lines import lines_of_matches
from app.reports import bank_exceptions, workspace
from app.tenancy.actor import Actor
from app.tenancy.scope import ALL_ORGANIZATIONS, organization_scope, owned
from tests.launched import Launched, environment


@contextmanager
def bank_news(launched: Launched) -> Iterator[None]:
    """Let the demo's bank change four transactions, and take all of it back in the end."""
    doorbell = f"unix://{launched.instance}/redis/redis.sock"
    settings = environment(launched.instance, launched.port, REDIS_URL=doorbell)
    read = Settings.from_environment(settings)
    # As a test's: another one would turn this process's logging into that of a server.
    app = create_app(replace(read, environment=Environment.TEST))
    with app.app_context():
        actor = _controller()
        with organization_scope(actor.organization_id):
            original = _bring(actor)
        db.session.remove()
    yield
    with app.app_context(), organization_scope(actor.organization_id):
        _say(actor, original)
        db.session.remove()
        db.engine.dispose()


def _controller() -> Actor:
    controllers = sa.select(Membership).where(Membership.role == Role.CONTROLLER)
    found = db.session.scalar(controllers.execution_options(**ALL_ORGANIZATIONS))
    actor = actor_of(found.user_id, found.organization_id, via="command")
    assert actor is not None
    return actor


def _bring(actor: Actor) -> dict[str, Stated]:
    """Return how the changed transactions read before."""
    settled, removed, *_ = _matched_lines(ReconciliationStatus.CERTIFIED)
    renamed, dearer, *_ = _matched_lines(ReconciliationStatus.OPEN)
    original = {row.id: facts_of(row) for row in (settled, removed, renamed, dearer)}
    _say(actor, {settled.id: replace(original[settled.id], posted_date=date(2026, 9, 2))})
    (row,) = bank_exceptions.waiting("", "").rows
    acknowledge(actor, Settle(row.id, "The bank moved the day; the month stands.", row.fingerprint))
    longer = f"{original[renamed.id].description} CORRECTED BY THE BANK ON THE DAY AFTER"
    more = original[dearer.id].amount_minor - 1_250
    _say(
        actor,
        {
            removed.id: None,
            renamed.id: replace(original[renamed.id], description=longer),
            dearer.id: replace(original[dearer.id], amount_minor=more),
        },
    )
    _announce(renamed)
    return original


def _matched_lines(status: ReconciliationStatus) -> list[FinancialTransaction]:
    reconciliation = db.session.scalar(
        owned(Reconciliation)
        .where(Reconciliation.status == status)
        .order_by(Reconciliation.ending_date.desc(), Reconciliation.id)
    )
    pairs = workspace.matched(reconciliation.id, "", "").page.rows
    lines = lines_of_matches([pair.id for pair in pairs])
    return [bank[0] for bank, gl in lines.values() if len(bank) == len(gl) == 1]


def _say(actor: Actor, stated: dict[str, Stated]) -> None:
    with unit_of_work():
        rows = owned(FinancialTransaction).where(FinancialTransaction.id.in_(stated))
        hold_accounts({row.financial_account_id for row in db.session.scalars(rows)})
        apply_bank_facts(actor, stated)


def _announce(beside: FinancialTransaction) -> None:
    """Add a transaction that the bank has not booked yet."""
    with unit_of_work():
        db.session.add(
            FinancialTransaction(
                financial_account_id=beside.financial_account_id,
                posted_date=date(2026, 10, 30),
                amount_minor=-4_180,
                currency=beside.currency,
                description="CAFE, CARD AUTHORIZED",
                source_key="announced",
                status=TransactionStatus.PENDING,
            )
        )
