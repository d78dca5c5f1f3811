"""Connections to the scripted bank, made the way people make them."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from app.connections.completion import complete
from app.connections.hosted_flows import OpenedFlow, connect
from app.kernel.clock import utc_now
from app.models import (
    ConnectionEvent,
    FinancialConnection,
    FinancialTransaction,
    JobRun,
    TransactionStatus,
    db,
)
from app.models.session import unit_of_work
from app.tenancy.actor import Actor
from app.tenancy.scope import get_owned, owned
from tests.books import run_waiting_jobs
from tests.scripted_bank import Login, ScriptedBank

RETURN_URL = "https://tieout.example/connections/flows/ended"


def open_flow(actor: Actor) -> OpenedFlow:
    return connect(actor, "plaid", RETURN_URL)


def token_of(flow: OpenedFlow) -> str:
    return f"link-{flow.flow_id}"


def connected(
    actor: Actor, bank: ScriptedBank, *rows: object, login_id: str = "item-1"
) -> FinancialConnection:
    """Return a connection that has been synced once."""
    flow = open_flow(actor)
    bank.add_login(login_id, Login(log=list(rows)))
    bank.finish(token_of(flow), login_id)
    complete(actor, flow.connection_id)
    run_waiting_jobs()
    return connection(flow.connection_id)


def connection(connection_id: str) -> FinancialConnection:
    """Return the connection as the database has it now."""
    db.session.rollback()
    return get_owned(FinancialConnection, connection_id)


def change_connection(connection_id: str, **values: object) -> None:
    with unit_of_work():
        statement = sa.update(FinancialConnection).where(FinancialConnection.id == connection_id)
        db.session.execute(statement.values(**values))


def stored_ids() -> list[str]:
    """Return the bank's ids of all transactions that are not removed."""
    db.session.rollback()
    rows = owned(FinancialTransaction).where(
        FinancialTransaction.status != TransactionStatus.REMOVED
    )
    return sorted(str(one.external_id) for one in db.session.scalars(rows))


def history(connection_id: str) -> list[ConnectionEvent]:
    db.session.rollback()
    events = owned(ConnectionEvent).where(ConnectionEvent.connection_id == connection_id)
    return list(db.session.scalars(events.order_by(ConnectionEvent.id)))


def let_the_lease_run_out(run_id: str) -> None:
    with unit_of_work():
        db.session.execute(
            sa.update(JobRun)
            .where(JobRun.id == run_id, JobRun.lease_until.is_not(None))
            .values(lease_until=utc_now() - timedelta(seconds=1))
        )
