"""How often an organization's connections are synced by themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from app.audit.trail import Change, record
from app.connections.syncing import next_regular_sync
from app.kernel.clock import utc_now
from app.kernel.errors import Invalid
from app.models import FinancialConnection, Organization, db
from app.models.session import unit_of_work
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import owned

HOURS_MIN: Final = 1
HOURS_MAX: Final = 168
"""A week: what is older than that is found out too late."""


def sync_interval_hours(organization_id: str) -> int:
    return _organization(organization_id).sync_interval_hours


def set_sync_interval(actor: Actor, hours: int) -> None:
    """Sync every so many hours from now on, spread so that not all connections come at once.

    Raises:
        Forbidden: The actor lacks `settings`.
        Invalid: Not from 1 to 168.
    """
    actor.require(Permission.SETTINGS)
    if not HOURS_MIN <= hours <= HOURS_MAX:
        sentence = f"Give a whole number of hours from {HOURS_MIN} to {HOURS_MAX}."
        raise Invalid(f"{sentence} Nothing was changed.", {"sync_interval_hours": [sentence]})
    with unit_of_work():
        organization = _organization(actor.organization_id, lock=True)
        before = {"sync_interval_hours": organization.sync_interval_hours}
        after = {"sync_interval_hours": hours}
        if before == after:
            return
        organization.sync_interval_hours = hours
        db.session.flush()
        _bring_forward(hours)
        change = Change(
            "settings.sync_interval_changed", "organization", organization.id, before, after
        )
        record(actor, change)


def _bring_forward(hours: int) -> None:
    """Let nothing wait for longer than the new interval."""
    latest = utc_now() + timedelta(hours=hours)
    late = owned(FinancialConnection).where(FinancialConnection.next_sync_at > latest)
    for connection in db.session.scalars(late.with_for_update()):
        connection.next_sync_at = next_regular_sync(connection)
    db.session.flush()


def _organization(organization_id: str, *, lock: bool = False) -> Organization:
    statement = sa.select(Organization).where(Organization.id == organization_id)
    organization = db.session.scalar(statement.with_for_update() if lock else statement)
    assert organization is not None, "an actor's organization exists"
    return organization
