"""What Settings → Closing shows: who reviews, what is locked, and every lock there was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from app.ledger.period_lock import LockNow, lock_now
from app.models import PeriodLock, db
from app.reconciliation.certification import second_review_wanted
from app.tenancy.scope import owned

LOCKS_SHOWN: Final = 50
"""Settings of the lock on the page; the audit trail has all."""


@dataclass(frozen=True, slots=True)
class LockSet:
    """One setting of the lock; `until` is None where it was lifted."""

    until: date | None
    reason: str
    set_by: str
    set_at: datetime


@dataclass(frozen=True, slots=True)
class ClosingPage:
    second_review: bool
    lock: LockNow | None
    history: tuple[LockSet, ...]


def closing_page() -> ClosingPage:
    """Return the settings as they stand, and the locks, newest first."""
    rows = db.session.scalars(owned(PeriodLock).order_by(PeriodLock.id.desc()).limit(LOCKS_SHOWN))
    return ClosingPage(
        second_review=second_review_wanted(),
        lock=lock_now(),
        history=tuple(
            LockSet(row.locked_until, row.reason, row.set_by_name, row.created_at) for row in rows
        ),
    )
