"""What the clock does with connections: look at what is due and ask for the work.

Called by the ticker every second, for all organizations.  Two tickers do no harm: asking
twice for the same work gives one run, and every move is checked in its own transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import OperationalError

from app.aggregators.contract import Health
from app.connections.completion import expire_flow
from app.connections.statuses import SYNCABLE, Cause
from app.connections.syncing import next_regular_sync, stand
from app.jobs.runs import request_run
from app.kernel import limits
from app.kernel.bank import ConnectionStatus
from app.models import (
    ConnectionPath,
    FinancialConnection,
    FlowProgress,
    HostedFlow,
    JobKind,
    JobRun,
    JobStatus,
    db,
)
from app.models.session import unit_of_work
from app.people.sign_in import actor_of
from app.tenancy.actor import SYSTEM_USER_ID, Actor
from app.tenancy.scope import ALL_ORGANIZATIONS, get_owned, organization_scope

_log = structlog.get_logger(__name__)

_OPEN = (FlowProgress.OPEN, FlowProgress.EXCHANGING)


def do_what_is_due(now: datetime) -> int:
    """Ask for everything that is due and return how much that was.

    What fails for one row is written to the log and does not keep the others waiting.
    """
    return (
        _each(_syncs_due(now), lambda actor, row_id: _ask_for_sync(actor, row_id, now))
        + _each(_flows_over(now), expire_flow)
        + _each(_flows_to_look_at(now), lambda actor, row_id: _ask_to_look(actor, row_id, now))
        + _each(_accesses_over(now), lambda actor, row_id: _end_access(actor, row_id, now))
        + _each(_deletions_left(now), _ask_for_removal)
    )


def _each(rows: Sequence[sa.Row[str, str]], do: Callable[[Actor, str], None]) -> int:
    for organization_id, row_id in rows:
        try:
            with _as_system(organization_id) as actor:
                do(actor, row_id)
        except OperationalError:
            raise  # the database is away or busy: so it is for the others
        except Exception as error:  # noqa: BLE001 - a bug spoils one row, never the clock
            _log.error("due_row_failed", row_id=row_id, error=type(error).__name__, exc_info=error)
    return len(rows)


def _ask_for_removal(actor: Actor, connection_id: str) -> None:
    with unit_of_work() as work:
        request_run(work, actor, JobKind.REMOVE_ACCESS, connection_id, Cause.CLOCK)


def _ask_for_sync(actor: Actor, connection_id: str, now: datetime) -> None:
    with unit_of_work() as work:
        connection = get_owned(FinancialConnection, connection_id, lock=True)
        if connection.next_sync_at is None or connection.next_sync_at > now:
            return
        if ConnectionStatus(connection.status) not in SYNCABLE:
            connection.next_sync_at = None
        else:
            connection.next_sync_at = next_regular_sync(connection)
            request_run(work, actor, JobKind.SYNC, connection_id, Cause.CLOCK)
        db.session.flush()


def _ask_to_look(actor: Actor, flow_id: str, now: datetime) -> None:
    with unit_of_work() as work:
        flow = get_owned(HostedFlow, flow_id, lock=True)
        if flow.next_poll_at is None or flow.next_poll_at > now:
            return
        flow.next_poll_at = now + timedelta(seconds=limits.FLOW_POLL_SECONDS_MAX)
        db.session.flush()
        asking = replace(actor, user_id=flow.created_by)
        request_run(work, asking, JobKind.FINISH_FLOW, flow_id, Cause.CLOCK)


def _end_access(actor: Actor, connection_id: str, now: datetime) -> None:
    with unit_of_work():
        connection = get_owned(FinancialConnection, connection_id, lock=True)
        if connection.access_ends_at is None or connection.access_ends_at > now:
            return
        sentence = "The bank login's access ended on its announced day."
        health = Health(ConnectionStatus.ACTIVE)
        stand(actor, connection, health, cause=Cause.CLOCK, sentence=sentence)


def _syncs_due(now: datetime) -> Sequence[sa.Row[str, str]]:
    return _ids(
        sa.select(FinancialConnection.organization_id, FinancialConnection.id)
        .where(FinancialConnection.next_sync_at <= now)
        .order_by(FinancialConnection.next_sync_at)
    )


def _flows_over(now: datetime) -> Sequence[sa.Row[str, str]]:
    return _ids(
        sa.select(HostedFlow.organization_id, HostedFlow.id).where(
            HostedFlow.progress.in_(_OPEN),
            HostedFlow.expires_at <= now - timedelta(seconds=limits.FLOW_GRACE_SECONDS),
        )
    )


def _flows_to_look_at(now: datetime) -> Sequence[sa.Row[str, str]]:
    return _ids(
        sa.select(HostedFlow.organization_id, HostedFlow.id)
        .where(HostedFlow.progress.in_(_OPEN), HostedFlow.next_poll_at <= now)
        .order_by(HostedFlow.next_poll_at)
    )


def _accesses_over(now: datetime) -> Sequence[sa.Row[str, str]]:
    """Return live connections whose announced end has come and that do not say so yet."""
    ended = (
        ConnectionStatus.RECONNECT_REQUIRED,
        ConnectionStatus.EXPIRED,
        ConnectionStatus.DELETED,
        ConnectionStatus.DEGRADED,
    )
    return _ids(
        sa.select(FinancialConnection.organization_id, FinancialConnection.id).where(
            FinancialConnection.access_ends_at <= now,
            FinancialConnection.path == ConnectionPath.STANDARD,
            FinancialConnection.status.not_in(ended),
        )
    )


def _deletions_left(now: datetime) -> Sequence[sa.Row[str, str]]:
    """Return deleted connections whose credentials an interrupted deletion left behind."""
    pause = now - timedelta(seconds=limits.REMOVAL_AGAIN_SECONDS)
    at_work = (
        sa.select(JobRun.id)
        .where(
            JobRun.kind == JobKind.REMOVE_ACCESS,
            JobRun.subject_id == FinancialConnection.id,
            sa.or_(
                JobRun.status.in_([JobStatus.QUEUED, JobStatus.RUNNING]),
                JobRun.finished_at > pause,
            ),
        )
        .exists()
    )
    return _ids(
        sa.select(FinancialConnection.organization_id, FinancialConnection.id).where(
            FinancialConnection.status == ConnectionStatus.DELETED,
            FinancialConnection.credentials.is_not(None),
            ~at_work,
        )
    )


def _ids(statement: sa.Select[str, str]) -> Sequence[sa.Row[str, str]]:
    rows = db.session.execute(
        statement.limit(limits.SCHEDULED_PER_TICK), execution_options=ALL_ORGANIZATIONS
    ).all()
    db.session.rollback()
    return rows


@contextmanager
def _as_system(organization_id: str) -> Iterator[Actor]:
    with organization_scope(organization_id):
        actor = actor_of(SYSTEM_USER_ID, organization_id, via="schedule")
        assert actor is not None, "the row's organization exists"
        yield actor
