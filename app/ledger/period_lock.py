"""The period lock: nothing dated on or before it is posted, edited or imported into the books.

The newest row counts; each setting of the date is a row of its own, so that who locked what,
and why, stays readable.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from app.audit.trail import Change, record
from app.kernel import limits
from app.kernel.errors import Invalid
from app.kernel.reasons import checked_reason
from app.ledger.locks import lock_numbering
from app.models import Organization, PeriodLock, db
from app.models.session import unit_of_work
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import owned


@dataclass(frozen=True, slots=True)
class LockNow:
    """The lock that counts.

    Attributes:
        until: Last locked day.
        reason: As given by who locked it.
    """

    until: date
    reason: str
    set_by: str
    set_at: datetime

    @property
    def words(self) -> str:
        """Return who locked the books until when and why, as a part of a sentence."""
        until = f"{self.until.day} {self.until:%B %Y}"
        return f"the books are locked up to {until} by {self.set_by} (“{self.reason}”)"


class PeriodLocked(Invalid):
    """A booking date lies in the locked period."""

    code = "period_locked"
    title = "The period is locked"


def lock_now() -> LockNow | None:
    """Return the lock of the organization in scope, if there is one."""
    newest = db.session.scalar(owned(PeriodLock).order_by(PeriodLock.id.desc()).limit(1))
    if newest is None or newest.locked_until is None:
        return None
    return LockNow(newest.locked_until, newest.reason, newest.set_by_name, newest.created_at)


def refuse_locked(day: date, *, field: str = "date") -> None:
    """Refuse a booking date in the locked period; `lock_numbering` comes before it.

    Args:
        day: The booking date.
        field: What the form calls it.

    Raises:
        PeriodLocked: With who locked it and why.
    """
    lock = lock_now()
    if lock is None or day > lock.until:
        return
    sentence = f"{day.day} {day:%B %Y} cannot be booked: {lock.words}."
    raise PeriodLocked(
        f"{sentence} Nothing was written; choose a later date, or have the lock moved under "
        "Settings, Closing.",
        {field: [sentence]},
    )


def set_period_lock(actor: Actor, until: date | None, reason: str) -> None:
    """Lock the books up to a day, move the lock, or lift it with None.

    Raises:
        Forbidden: Without the permission `settings`.
        Invalid: No reason, an impossible year, or nothing to lift.
    """
    actor.require(Permission.SETTINGS)
    reason = checked_reason(reason, "the lock was not changed")
    if until and not limits.BOOKING_YEAR_MIN <= until.year <= limits.BOOKING_YEAR_MAX:
        sentence = f"The year {until.year} cannot be right; the lock was not changed."
        raise Invalid(sentence, {"locked_until": [sentence]})
    with unit_of_work():
        _hold_writers(actor)
        before = lock_now()
        if until is None and before is None:
            sentence = "The books are not locked; nothing was changed."
            raise Invalid(sentence, {"locked_until": [sentence]})
        db.session.add(
            PeriodLock(
                locked_until=until, reason=reason, set_by=actor.user_id, set_by_name=actor.name
            )
        )
        db.session.flush()
        stood = {"locked_until": before.until if before else None}
        stands = {"locked_until": until, "reason": reason}
        subject = ("organization", actor.organization_id)
        record(actor, Change("settings.period_lock_changed", *subject, stood, stands))


def _hold_writers(actor: Actor) -> None:
    """Keep imports and journal entries waiting: what they write is held to the new lock."""
    organization = sa.select(Organization.id).where(Organization.id == actor.organization_id)
    db.session.execute(organization.with_for_update(key_share=True))
    lock_numbering()
