"""Ask for a sync, and for fresher data at most once an hour, whoever asks from wherever.

The hour is one conditional UPDATE on the connection's row: of two clicks in the same
millisecond one passes, and an emptied queue forgets nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from app.audit.trail import Change, record
from app.connections.statuses import SYNCABLE, Cause
from app.jobs.runs import request_run
from app.kernel import limits
from app.kernel.bank import ConnectionStatus
from app.kernel.clock import utc_now
from app.kernel.errors import Conflict, Refusal
from app.models import ConnectionPath, FinancialConnection, JobKind
from app.models.session import UnitOfWork, rows_changed, unit_of_work
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import current_organization_id, get_owned


class TooSoon(Refusal):
    """The last refresh is less than an hour ago."""

    code = "refresh_too_soon"
    status = 429
    title = "Refreshed less than an hour ago"

    def __init__(self, available_at: datetime, now: datetime) -> None:
        minutes = max(1, -(-int((available_at - now).total_seconds()) // 60))
        self.available_at = available_at
        self.retry_after_seconds = max(1, int((available_at - now).total_seconds()) + 1)
        super().__init__(
            "A connection can be refreshed once an hour. The next refresh is possible in "
            f"{minutes} minute{'s' if minutes > 1 else ''}; nothing was changed.",
            extra={"refresh_available_at": available_at.isoformat()},
        )


@dataclass(frozen=True, slots=True)
class SyncAsked:
    connection_id: str
    run_id: str


def refresh(actor: Actor, connection_id: str) -> SyncAsked:
    """Ask the provider to read the bank now, and sync what it finds.

    Raises:
        Forbidden: The actor lacks `bank_connections`.
        NotFound: It does not exist here.
        TooSoon: Less than an hour since the last refresh; says when.
        Conflict: It has no provider to ask, or waits for a person at the bank.
    """
    actor.require(Permission.BANK_CONNECTIONS)
    with unit_of_work() as work:
        connection = get_owned(FinancialConnection, connection_id, lock=True)
        _refuse_unaskable(connection)
        _take_the_hour(connection_id)
        change = Change("connection.refreshed", "financial_connection", connection_id, {}, {})
        record(actor, change)
        return SyncAsked(connection_id, _ask(work, actor, connection_id))


def sync(actor: Actor, connection_id: str) -> SyncAsked:
    """Fetch what the provider has already; no cooldown.

    Raises:
        Forbidden, NotFound, Conflict: As in `refresh`.
    """
    actor.require(Permission.BANK_CONNECTIONS)
    with unit_of_work() as work:
        connection = get_owned(FinancialConnection, connection_id, lock=True)
        _refuse_unaskable(connection)
        return SyncAsked(connection_id, _ask(work, actor, connection_id))


def _take_the_hour(connection_id: str) -> None:
    now = utc_now()
    free = sa.or_(
        FinancialConnection.refresh_available_at.is_(None),
        FinancialConnection.refresh_available_at <= now,
    )
    taken = (
        sa.update(FinancialConnection)
        .where(
            FinancialConnection.organization_id == current_organization_id(),
            FinancialConnection.id == connection_id,
            free,
        )
        .values(
            refresh_available_at=now + timedelta(seconds=limits.REFRESH_COOLDOWN_SECONDS),
            refresh_wanted=True,
        )
    )
    if rows_changed(taken) != 1:
        available_at = get_owned(FinancialConnection, connection_id).refresh_available_at
        raise TooSoon(available_at or now, now)


def _ask(work: UnitOfWork, actor: Actor, connection_id: str) -> str:
    return request_run(work, actor, JobKind.SYNC, connection_id, Cause.PERSON)


def _refuse_unaskable(connection: FinancialConnection) -> None:
    name = connection.institution_name
    if connection.status == ConnectionStatus.DELETED:
        raise Conflict(
            f"The connection to {name} was deleted; nothing was changed. What it had imported "
            "stays readable."
        )
    if connection.path == ConnectionPath.MANUAL_UPLOAD:
        raise Conflict(
            f"{name} is kept up to date by files; upload the newest one. Nothing was changed."
        )
    if ConnectionStatus(connection.status) not in SYNCABLE:
        raise Conflict(
            f"Signing in at {name} is not finished, so there is nothing to sync yet; finish it at "
            "the bank first. Nothing was changed."
        )
    if connection.status in (ConnectionStatus.RECONNECT_REQUIRED, ConnectionStatus.EXPIRED):
        raise Conflict(
            f"{name} gives no data until somebody signs in there again; nothing was changed. "
            "Use “Sign in at the bank”."
        )
