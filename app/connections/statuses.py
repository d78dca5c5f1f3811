"""A connection's status: one table of moves, one way to decide, every move written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from app.aggregators.contract import Health
from app.audit.trail import Change, record
from app.kernel.bank import ConnectionStatus
from app.kernel.clock import utc_now
from app.models import AccountStatus, ConnectionEvent, FinancialConnection, db
from app.tenancy.actor import Actor

_S = ConnectionStatus
_LIVE: Final = frozenset(
    {
        _S.IN_PROGRESS,
        _S.ACTIVE,
        _S.PARTIALLY_ACTIVE,
        _S.RECONNECT_REQUIRED,
        _S.RECONNECT_AVAILABLE,
        _S.DEGRADED,
        _S.EXPIRED,
        _S.DELETED,
    }
)
MOVES: Final[dict[ConnectionStatus, frozenset[ConnectionStatus]]] = {
    _S.PENDING: frozenset({_S.IN_PROGRESS, _S.EXPIRED, _S.DELETED}),
    _S.IN_PROGRESS: _LIVE - {_S.IN_PROGRESS},
    _S.ACTIVE: _LIVE - {_S.ACTIVE, _S.IN_PROGRESS},
    _S.PARTIALLY_ACTIVE: _LIVE - {_S.PARTIALLY_ACTIVE, _S.IN_PROGRESS},
    _S.RECONNECT_REQUIRED: _LIVE - {_S.RECONNECT_REQUIRED},
    _S.RECONNECT_AVAILABLE: _LIVE - {_S.RECONNECT_AVAILABLE, _S.IN_PROGRESS},
    _S.DEGRADED: _LIVE - {_S.DEGRADED},
    # Ended attempts may be tried again, ended consents given again.
    _S.EXPIRED: (_LIVE | {_S.PENDING}) - {_S.EXPIRED},
    _S.DELETED: frozenset(),
}
"""Where a connection may go from each status; `deleted` is the end."""

SYNCABLE: Final = frozenset(MOVES) - {_S.PENDING, _S.DELETED}
"""Statuses in which the provider can be asked for data, or for how it stands."""

NEW_ACCOUNTS: Final = "NEW_ACCOUNTS_AVAILABLE"
ENDING_SOON: Final = "ACCESS_EXPIRING_SOON"
ENDING_SOON_TIME: Final = timedelta(days=7, hours=1)
"""Aggregators announce the end a week before; the hour is for clocks and queues."""
ENDED: Final = "ACCESS_EXPIRED"
ABANDONED: Final = "ABANDONED"
PARTIAL: Final = "PARTIAL_AGGREGATION"
NOT_READY: Final = "NOT_READY"
REASON_CHARACTERS_MAX: Final = 60
CREDENTIALS_UNREADABLE: Final = "CREDENTIALS_UNREADABLE"
"""The installation has lost the key that opens them; the bank login itself may be well."""


class Cause(StrEnum):
    """What led to a line of a connection's history."""

    PERSON = "person"
    FLOW = "hosted_flow"
    SYNC = "sync"
    WEBHOOK = "webhook"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a live connection at one moment.

    Args:
        health: What the provider said last.
        read_once: It has delivered data at least once, so the first sync is over.
        accounts: Status of each account of the connection.
        new_accounts: There are accounts at the bank that nobody has shared yet.
        access_ends_at: When access ends unless somebody signs in again.
    """

    health: Health
    read_once: bool
    accounts: Sequence[AccountStatus]
    new_accounts: bool
    access_ends_at: datetime | None


def decide(facts: Facts, now: datetime) -> Health:
    """Return the status that the facts amount to, the most urgent first."""
    health = facts.health
    if health.status in {_S.DELETED, _S.EXPIRED, _S.RECONNECT_REQUIRED}:
        return health
    if facts.access_ends_at is not None and facts.access_ends_at <= now:
        return Health(_S.RECONNECT_REQUIRED, ENDED)
    if health.status is _S.DEGRADED:
        return health
    if not facts.read_once:
        return Health(_S.IN_PROGRESS, health.reason or NOT_READY)
    if facts.access_ends_at is not None and facts.access_ends_at - now <= ENDING_SOON_TIME:
        return Health(_S.RECONNECT_AVAILABLE, ENDING_SOON, facts.access_ends_at)
    return _of_accounts(facts)


def move(
    actor: Actor,
    connection: FinancialConnection,
    to: Health,
    *,
    cause: Cause,
    sentence: str = "",
) -> bool:
    """Move the connection inside the caller's transaction and write its history.

    Returns:
        Whether anything changed.  What the table does not allow is refused without a trace
        in the data: a late message must not bring a deleted connection back.
    """
    current = ConnectionStatus(connection.status)
    to = replace(to, reason=to.reason[:REASON_CHARACTERS_MAX])
    if (current, connection.status_reason) == (to.status, to.reason):
        return False
    if current != to.status and to.status not in MOVES[current]:
        return False
    before = {"status": current, "reason": connection.status_reason}
    connection.status, connection.status_reason = to.status, to.reason
    connection.status_changed_at = utc_now()
    after = {"status": to.status, "reason": to.reason}
    tell(
        actor,
        connection,
        cause=cause,
        sentence=sentence or to.sentence,
        moved=(current, to.status),
        reason=to.reason,
    )
    record(
        actor,
        Change("connection.status_changed", "financial_connection", connection.id, before, after),
    )
    return True


def tell(
    actor: Actor,
    connection: FinancialConnection,
    *,
    cause: Cause,
    sentence: str,
    moved: tuple[ConnectionStatus, ConnectionStatus] | None = None,
    reason: str = "",
) -> None:
    """Write one line of the connection's history."""
    from_status, to_status = moved or ("", "")
    db.session.add(
        ConnectionEvent(
            connection_id=connection.id,
            from_status=from_status,
            to_status=to_status,
            reason=reason,
            cause=cause,
            sentence=sentence,
            actor_name=actor.name,
        )
    )
    db.session.flush()


def _of_accounts(facts: Facts) -> Health:
    syncing = [one for one in facts.accounts if one is AccountStatus.ACTIVE]
    failing = [one for one in facts.accounts if one in _FAILING]
    if failing and not syncing:
        return Health(_S.DEGRADED, PARTIAL)
    if failing:
        return Health(_S.PARTIALLY_ACTIVE, PARTIAL)
    if facts.new_accounts:
        return Health(_S.RECONNECT_AVAILABLE, NEW_ACCOUNTS)
    return facts.health


_FAILING: Final = frozenset(
    {AccountStatus.FAILING, AccountStatus.UNSUPPORTED, AccountStatus.DUPLICATE}
)
"""Shared, and yet without new transactions; a closed or unshared account is no failure."""
