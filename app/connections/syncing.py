"""One sync of one connection: the handler of `JobKind.SYNC`.

Ask the provider how the login stands, read all that it has, and write everything with the
cursor and the status in one transaction that also ends the run (docs/decisions/0061).

Every transaction here, and everywhere in this package, takes its row locks in one order: the
connection, its hosted flow, its accounts and what hangs on them, the head of the audit trail,
and background runs last.  So no two of them wait for each other.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from app.aggregators.contract import (
    Access,
    Aggregator,
    AggregatorError,
    DataSource,
    Health,
    History,
    LoginStatus,
)
from app.connections.applying import Counts, apply_fetched
from app.connections.collecting import collect_files
from app.connections.deletion import end_connection
from app.connections.fetching import Fetched, Spool, fetch
from app.connections.source_accounts import accounts_of
from app.connections.sources import access_of, brings_files, source_of
from app.connections.statuses import (
    CREDENTIALS_UNREADABLE,
    SYNCABLE,
    Cause,
    Facts,
    decide,
    move,
    tell,
)
from app.jobs import runs
from app.jobs.runs import Claim, request_matching_where
from app.kernel import limits
from app.kernel.bank import ConnectionStatus
from app.kernel.clock import utc_now
from app.kernel.errors import Conflict
from app.models import (
    AccountStatus,
    ConnectionPath,
    FinancialAccount,
    FinancialConnection,
    LedgerBankAccount,
    Organization,
    db,
)
from app.models.session import UnitOfWork, unit_of_work
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import get_owned
from app.tenancy.vault import VaultClosed

_log = structlog.get_logger(__name__)

_NEEDS_SOMEBODY = (ConnectionStatus.RECONNECT_REQUIRED, ConnectionStatus.EXPIRED)
_REPORT_SECONDS = 0.5


def sync_connection(actor: Actor, held: Claim) -> None:
    """Bring one connection up to date.

    Raises:
        Forbidden: The person who asked may not do so any more.
        NotFound: It does not exist here.
        LeaseLost: Another worker has the run.
    """
    actor.require(Permission.BANK_CONNECTIONS)
    connection = get_owned(FinancialConnection, held.subject_id)
    if ConnectionStatus(connection.status) not in SYNCABLE:
        _end_without(held, "There is nothing to sync in this connection.")
        return
    _begin(held)
    connection = get_owned(FinancialConnection, held.subject_id)
    if brings_files(connection):
        collect_files(actor, held)
        return
    try:
        access = access_of(connection)
        if access is None:
            _end_without(held, "The connection has no access to the bank.")
            return
        _read_and_apply(actor, held, connection, access)
    except VaultClosed as closed:
        _log.error("credentials_unreadable", connection_id=held.subject_id)
        unreadable = Health(ConnectionStatus.DEGRADED, CREDENTIALS_UNREADABLE)
        error = AggregatorError(
            CREDENTIALS_UNREADABLE, closed.detail, permanent=True, health=unreadable
        )
        _write_failure(actor, held, error)
    except AggregatorError as error:
        _log.info("sync_failed", code=error.code, permanent=error.permanent)
        _write_failure(actor, held, error)


def _begin(held: Claim) -> None:
    """Move `last_sync_at`, which tells of every attempt, and the clock of the next one."""
    with unit_of_work():
        connection = get_owned(FinancialConnection, held.subject_id, lock=True)
        connection.last_sync_at = utc_now()
        connection.next_sync_at = next_regular_sync(connection)
        db.session.flush()
        held.hold()


def _read_and_apply(
    actor: Actor, held: Claim, connection: FinancialConnection, access: Access
) -> None:
    source = source_of(connection)
    refreshed = _refresh_if_wanted(actor, held, connection, source, access)
    held.report(5, "Asking how the bank login stands")
    status = source.login_status(access)
    if status.health.status in (*_NEEDS_SOMEBODY, ConnectionStatus.DELETED):
        _write_standstill(actor, held, status)
        return
    start_cursor = get_owned(FinancialConnection, held.subject_id).cursor
    with Spool() as spool:
        fetched = fetch(source, access, start_cursor, spool, _watch(held))
        held.report(60, f"{fetched.rows_count:,} transactions read, writing them")
        _write_read(actor, held, status, fetched, refreshed=refreshed)


def _watch(held: Claim) -> Callable[[int], None]:
    last = time.monotonic()

    def report(rows_count: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _REPORT_SECONDS:
            last = time.monotonic()
            held.report(10 + min(45, rows_count // 500), f"{rows_count:,} transactions read")

    return report


def _refresh_if_wanted(
    actor: Actor,
    held: Claim,
    connection: FinancialConnection,
    source: DataSource,
    access: Access,
) -> bool:
    """Ask the provider to read the bank now, if somebody wanted that.

    A provider that did not take the request gives the hour back; what it has already is
    synced all the same.
    """
    if not connection.refresh_wanted:
        return False
    hour = connection.refresh_available_at
    refused: AggregatorError | None = None
    if connection.path == ConnectionPath.STANDARD:
        held.report(2, "Asking for fresh data from the bank")
        aggregator: Aggregator = source  # type: ignore[assignment]
        try:
            aggregator.refresh(access)
        except AggregatorError as error:
            refused = error
    with unit_of_work():
        connection = get_owned(FinancialConnection, held.subject_id, lock=True)
        connection.refresh_wanted = False
        if refused is not None:
            if connection.refresh_available_at == hour:
                connection.refresh_available_at = None
            sentence = f"The bank was not asked for fresh data: {refused.sentence}"
            tell(actor, connection, cause=Cause.SYNC, sentence=sentence, reason=refused.code[:60])
        db.session.flush()
        held.hold()
    return refused is None


def _write_read(
    actor: Actor, held: Claim, status: LoginStatus, fetched: Fetched, *, refreshed: bool
) -> None:
    with unit_of_work() as work:
        connection = get_owned(FinancialConnection, held.subject_id, lock=True)
        if _was_deleted(held, connection):
            return
        if connection.cursor != fetched.start_cursor:
            raise Conflict("The connection moved on while it was read; nothing was changed.")
        now = utc_now()
        outcome = apply_fetched(actor, connection, fetched, now)
        connection.cursor = "" if outcome.accounts.read_again else fetched.cursor
        connection.failures_count = 0
        if fetched.history is not History.NOT_READY:
            connection.last_read_at = now
        _take_status(actor, connection, status, fetched.history)
        _plan_next(connection, fetched.history, again=outcome.accounts.read_again, soon=refreshed)
        db.session.flush()
        if outcome.counts.anything:
            _ask_for_matching(work, connection)
        runs.succeed(held, outcome.counts.sentence, _result(outcome.counts))


def _was_deleted(held: Claim, connection: FinancialConnection) -> bool:
    """End the run when somebody deleted the connection while its provider was asked."""
    if connection.status != ConnectionStatus.DELETED:
        return False
    runs.succeed(held, "The connection was deleted meanwhile; nothing was kept.")
    return True


def _take_status(
    actor: Actor, connection: FinancialConnection, status: LoginStatus, history: History
) -> None:
    if status.aggregated_at is not None:
        connection.successfully_aggregated_at = status.aggregated_at
    if status.institution is not None:
        connection.institution_external_id = status.institution.external_id
        connection.institution_name = status.institution.name
    if status.health.deadline is not None:
        connection.access_ends_at = status.health.deadline
    elif connection.access_ends_at is not None and connection.access_ends_at <= utc_now():
        connection.access_ends_at = None  # announced, and yet it has just been read
    health = status.health
    if history is History.NOT_READY and health.status is ConnectionStatus.ACTIVE:
        health = Health(ConnectionStatus.IN_PROGRESS)
    stand(actor, connection, health, cause=Cause.SYNC)


def stand(
    actor: Actor,
    connection: FinancialConnection,
    health: Health,
    *,
    cause: Cause,
    sentence: str = "",
) -> None:
    """Move the connection to what its provider's word and everything else known amount to."""
    accounts = [AccountStatus(account.status) for account in accounts_of(connection.id)]
    if health.status is ConnectionStatus.IN_PROGRESS and connection.last_read_at is not None:
        health = Health(ConnectionStatus.ACTIVE)
    facts = Facts(
        health=health,
        read_once=connection.last_read_at is not None,
        accounts=accounts,
        new_accounts=connection.new_accounts_available,
        access_ends_at=connection.access_ends_at,
    )
    move(actor, connection, decide(facts, utc_now()), cause=cause, sentence=sentence)


def _write_standstill(actor: Actor, held: Claim, status: LoginStatus) -> None:
    """Take note that the provider gives nothing until somebody acts."""
    with unit_of_work() as work:
        connection = get_owned(FinancialConnection, held.subject_id, lock=True)
        if _was_deleted(held, connection):
            return
        if status.aggregated_at is not None:
            connection.successfully_aggregated_at = status.aggregated_at
        connection.failures_count += 1
        if status.health.status is ConnectionStatus.DELETED:
            end_connection(work, actor, connection, status.health, Cause.SYNC)
        else:
            move(actor, connection, status.health, cause=Cause.SYNC)
        db.session.flush()
        runs.fail_within(held, standstill_sentence(connection), {"code": status.health.reason})


def standstill_sentence(connection: FinancialConnection) -> str:
    """Say what a connection that waits for a person needs."""
    if connection.status == ConnectionStatus.DELETED:
        return (
            "The bank login does not exist any more at the aggregator; what was imported stays "
            "readable."
        )
    return (
        f"{connection.institution_name} wants somebody to sign in again before it gives new "
        "transactions. What was imported is unchanged."
    )


def _write_failure(actor: Actor, held: Claim, error: AggregatorError) -> None:
    with unit_of_work() as work:
        connection = get_owned(FinancialConnection, held.subject_id, lock=True)
        if _was_deleted(held, connection):
            return
        connection.failures_count += 1
        lasting = error.permanent or connection.failures_count >= limits.FAILURES_UNTIL_DEGRADED
        if error.health is not None and error.health.status is ConnectionStatus.DELETED:
            end_connection(work, actor, connection, error.health, Cause.SYNC)
        elif error.health is not None:
            stand(actor, connection, error.health, cause=Cause.SYNC, sentence=error.sentence)
        elif lasting and connection.status not in _NEEDS_SOMEBODY:
            degraded = Health(ConnectionStatus.DEGRADED, "PROVIDER_UNAVAILABLE")
            stand(actor, connection, degraded, cause=Cause.SYNC, sentence=error.sentence)
        if connection.status not in (*_NEEDS_SOMEBODY, ConnectionStatus.DELETED):
            connection.next_sync_at = _after_failure(connection, error)
        db.session.flush()
        sentence = f"{error.sentence} Nothing was changed."
        runs.fail_within(held, sentence, {"code": error.code})


def _after_failure(connection: FinancialConnection, error: AggregatorError) -> datetime:
    pause = limits.FAILED_SYNC_WAIT_SECONDS_MIN * 2 ** min(connection.failures_count - 1, 10)
    asked = min(error.retry_after_seconds or 0, limits.RETRY_AFTER_SECONDS_MAX)
    pause = max(pause, asked)
    soon = utc_now() + timedelta(seconds=pause * (1 + random.random() / 4))  # noqa: S311 - jitter
    regular = next_regular_sync(connection)
    return min(soon, regular) if not error.retry_after_seconds else soon


def _plan_next(
    connection: FinancialConnection, history: History, *, again: bool, soon: bool
) -> None:
    wait = None
    if again or history is not History.COMPLETE:
        wait = limits.NOT_READY_LOOK_AGAIN_SECONDS
    elif soon:
        wait = limits.REFRESH_LOOK_AGAIN_SECONDS
    if wait is not None:
        connection.next_sync_at = utc_now() + timedelta(seconds=wait)


def next_regular_sync(connection: FinancialConnection) -> datetime:
    """Return when the organization's interval has passed, spread so that not all come at once."""
    organization = db.session.get(Organization, connection.organization_id)
    assert organization is not None
    seconds = organization.sync_interval_hours * 3_600
    return utc_now() + timedelta(seconds=seconds * (0.95 + random.random() / 10))  # noqa: S311


def _ask_for_matching(work: UnitOfWork, connection: FinancialConnection) -> None:
    mapped = (
        sa.select(FinancialAccount.ledger_bank_account_id)
        .where(
            FinancialAccount.organization_id == connection.organization_id,
            FinancialAccount.connection_id == connection.id,
            FinancialAccount.ledger_bank_account_id.is_not(None),
        )
        .scalar_subquery()
    )
    request_matching_where(work, LedgerBankAccount.id.in_(mapped))


def _end_without(held: Claim, sentence: str) -> None:
    with unit_of_work():
        runs.succeed(held, sentence)


def _result(counts: Counts) -> dict[str, object]:
    return asdict(counts) if counts.anything or counts.unreadable else {}
