"""Read /item/get: what Plaid says of a bank login, apart from its data."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from app.aggregators.contract import Health
from app.aggregators.plaid.errors import health_of_error, incomplete
from app.aggregators.plaid.meanings import INSTITUTION_UNAVAILABLE
from app.aggregators.plaid.reading import Json, id_of, instant_of, record_of, text_of
from app.kernel.bank import ConnectionStatus

ACCESS_EXPIRING_SOON: Final = "ACCESS_EXPIRING_SOON"
NEW_ACCOUNTS_AVAILABLE: Final = "NEW_ACCOUNTS_AVAILABLE"
_EXPIRING_SOON: Final = timedelta(days=7)
"""Plaid itself warns so long before."""


def item_of(answer: Json) -> Json:
    """Return the login's record.

    Raises:
        AggregatorError: There is none.
    """
    item = record_of(answer, "item")
    if not id_of(item, "item_id"):
        raise incomplete("item")
    return item


def aggregated_at(answer: Json) -> datetime | None:
    """Return when Plaid last read the bank with success, with or without news."""
    return instant_of(_transactions_status(answer), "last_successful_update")


def health(answer: Json, now: datetime) -> Health:
    """Return the worst that the answer says; each finding outweighs those after it."""
    item = item_of(answer)
    error = record_of(item, "error")
    stated = health_of_error(error) if error else None
    if stated is not None:
        return stated
    deadline = instant_of(item, "consent_expiration_time")
    if deadline is not None and deadline <= now:
        return Health(ConnectionStatus.EXPIRED, "CONSENT_EXPIRED", deadline)
    return (
        _of_updates(_transactions_status(answer), deadline)
        or _of_deadline(deadline, now)
        or _of_update_type(item, deadline)
    )


def _transactions_status(answer: Json) -> Json:
    # Plaid's prose puts the status inside the item; on the wire it stands beside it.
    return record_of(record_of(answer, "status"), "transactions")


def _of_updates(status: Json, deadline: datetime | None) -> Health | None:
    if not status:
        return None
    succeeded = instant_of(status, "last_successful_update")
    failed = instant_of(status, "last_failed_update")
    if failed and (succeeded is None or failed > succeeded):
        return Health(ConnectionStatus.DEGRADED, INSTITUTION_UNAVAILABLE, deadline)
    if succeeded is None:
        return Health(ConnectionStatus.IN_PROGRESS, "NOT_READY", deadline)
    return None


def _of_deadline(deadline: datetime | None, now: datetime) -> Health | None:
    if deadline is not None and deadline - now <= _EXPIRING_SOON:
        return Health(ConnectionStatus.RECONNECT_AVAILABLE, ACCESS_EXPIRING_SOON, deadline)
    return None


def _of_update_type(item: Json, deadline: datetime | None) -> Health:
    if text_of(item, "update_type") == "user_present_required":
        return Health(ConnectionStatus.DEGRADED, "INTERACTIVE_REFRESH", deadline)
    return Health(ConnectionStatus.ACTIVE, deadline=deadline)
