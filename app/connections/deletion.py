"""Delete a connection: end the provider's access, erase what opens it, keep what it brought."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
import structlog

from app.aggregators.contract import AggregatorError, Health
from app.audit.trail import Change, record
from app.connections.accounts import unmap_all
from app.connections.sources import access_of, source_of
from app.connections.statuses import Cause, move, tell
from app.jobs import runs
from app.jobs.runs import Claim, request_run
from app.kernel.bank import ConnectionStatus
from app.kernel.clock import utc_now
from app.kernel.errors import Conflict
from app.models import (
    ConnectionPath,
    FinancialConnection,
    FlowProgress,
    HostedFlow,
    JobKind,
    db,
)
from app.models.session import UnitOfWork, rows_changed, unit_of_work
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import current_organization_id, get_owned
from app.tenancy.vault import VaultClosed

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Deleted:
    """What deleting came to.

    Args:
        access_removed: The provider confirmed that it can no longer read the bank; also true
            where there was no access to end.
    """

    connection_id: str
    access_removed: bool


def delete_connection(actor: Actor, connection_id: str) -> Deleted:
    """Delete for good.  Repeating it gives the same answer.

    First the connection stops, so that a running sync keeps nothing more; then the provider
    is asked to forget the login, and whatever it answers the credentials are erased.  A
    process that dies in between leaves a run that does the rest.

    Raises:
        Forbidden: The actor lacks `bank_connections`.
        NotFound: It does not exist here.
    """
    actor.require(Permission.BANK_CONNECTIONS)
    if _stop(actor, connection_id):
        _remove_access(actor, connection_id)
    connection = get_owned(FinancialConnection, connection_id)
    return Deleted(connection_id, connection.access_removed is not False)


def remove_access(actor: Actor, held: Claim) -> None:
    """Finish a deletion that was interrupted: the handler of `JobKind.REMOVE_ACCESS`."""
    _remove_access(actor, held.subject_id)
    with unit_of_work():
        runs.succeed(held, "Access to the bank was ended")


def _stop(actor: Actor, connection_id: str) -> bool:
    """Mark the connection deleted; False when it was so already."""
    with unit_of_work() as work:
        connection = get_owned(FinancialConnection, connection_id, lock=True)
        if connection.status == ConnectionStatus.DELETED:
            return False
        end_connection(work, actor, connection, Health(ConnectionStatus.DELETED), Cause.PERSON)
        return True


def end_connection(
    work: UnitOfWork,
    actor: Actor,
    connection: FinancialConnection,
    deleted: Health,
    cause: Cause,
) -> None:
    """Mark a connection deleted, because a person or its provider says so.

    Inside the caller's transaction, which holds the connection's lock and has recorded nothing
    in the audit trail yet.  What opens the login is erased by the run that is asked for here.
    """
    rows_changed(
        sa.update(HostedFlow)
        .where(
            HostedFlow.organization_id == current_organization_id(),
            HostedFlow.connection_id == connection.id,
            HostedFlow.progress == FlowProgress.OPEN,
        )
        .values(progress=FlowProgress.REPLACED, secrets=None, next_poll_at=None)
    )
    unmap_all(actor, connection.id)
    move(actor, connection, deleted, cause=cause)
    connection.deleted_at = utc_now()
    connection.next_sync_at, connection.refresh_wanted = None, False
    db.session.flush()
    record(actor, Change("connection.deleted", "financial_connection", connection.id, {}, {}))
    if connection.credentials is not None:
        later = request_run(work, actor, JobKind.REMOVE_ACCESS, connection.id, cause)
        _log.info("access_removal_begun", connection_id=connection.id, run_id=later)


def _remove_access(actor: Actor, connection_id: str) -> None:
    connection = get_owned(FinancialConnection, connection_id)
    if connection.credentials is None:
        return
    failure = ""
    try:
        access = access_of(connection)
        assert access is not None
        source_of(connection).remove(access)
    except AggregatorError as error:
        failure = error.sentence
    except (Conflict, VaultClosed):
        failure = "This installation cannot reach the aggregator with the stored credentials."
    with unit_of_work():
        connection = get_owned(FinancialConnection, connection_id, lock=True)
        if connection.credentials is None:
            return
        connection.credentials = None
        connection.access_removed = not failure
        db.session.flush()
        title = "connector" if connection.path == ConnectionPath.NON_STANDARD else "aggregator"
        sentence = (
            f"The {title} did not confirm that its access has ended: {failure} End it at the bank."
            if failure
            else f"The {title}'s access to the bank has ended and the credentials were erased."
        )
        tell(actor, connection, cause=Cause.PERSON, sentence=sentence)
        after = {"access_removed": connection.access_removed}
        change = Change("connection.access_ended", "financial_connection", connection_id, {}, after)
        record(actor, change)
