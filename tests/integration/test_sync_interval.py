"""How often bank data is fetched: kept per organization, counted from the change on."""

from datetime import timedelta

import pytest

from app.connections.interval import set_sync_interval, sync_interval_hours
from app.kernel.clock import utc_now
from app.kernel.errors import Forbidden, Invalid
from app.models import AuditEvent, FinancialConnection, db
from app.tenancy.scope import get_owned, owned
from tests.connection_world import a_connection


def next_sync(connection_id):
    db.session.rollback()
    return get_owned(FinancialConnection, connection_id).next_sync_at


def test_a_change_is_kept_with_before_and_after_and_touches_one_organization(cast):
    set_sync_interval(cast.carol, 12)
    set_sync_interval(cast.carol, 12)
    assert sync_interval_hours(cast.acme_id) == 12
    assert sync_interval_hours(cast.other_id) == 6
    events = db.session.scalars(
        owned(AuditEvent).where(AuditEvent.action == "settings.sync_interval_changed")
    ).all()
    assert [(one.before, one.after) for one in events] == [
        ({"sync_interval_hours": 6}, {"sync_interval_hours": 12})
    ]


def test_a_shorter_interval_counts_for_what_waits_already(cast):
    now = utc_now()
    late = a_connection("Late", next_sync_at=now + timedelta(hours=6))
    soon = a_connection("Soon", next_sync_at=now + timedelta(minutes=5))
    never = a_connection("Never", next_sync_at=None)
    before = next_sync(soon)
    set_sync_interval(cast.carol, 1)
    assert next_sync(late) <= utc_now() + timedelta(hours=1.06)
    assert next_sync(soon) == before
    assert next_sync(never) is None


@pytest.mark.parametrize("hours", [1, 168])
def test_the_bounds_themselves_are_taken(cast, hours):
    set_sync_interval(cast.carol, hours)
    assert sync_interval_hours(cast.acme_id) == hours


@pytest.mark.parametrize("hours", [0, -1, 169])
def test_one_past_the_bounds_is_refused(cast, hours):
    with pytest.raises(Invalid, match="Nothing was changed"):
        set_sync_interval(cast.carol, hours)
    assert sync_interval_hours(cast.acme_id) == 6


@pytest.mark.parametrize("who", ["bob", "viv"])
def test_who_lacks_the_settings_permission_changes_nothing(cast, who):
    with pytest.raises(Forbidden):
        set_sync_interval(getattr(cast, who), 12)
    assert sync_interval_hours(cast.acme_id) == 6
