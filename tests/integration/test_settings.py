from __future__ import annotations

import pytest

from app.kernel.errors import Forbidden, Invalid
from app.models import AuditEvent, db
from app.reconciliation.settings import Thresholds, set_thresholds, thresholds
from app.tenancy.scope import organization_scope, owned


def test_a_new_organization_has_85_and_50(cast):
    assert thresholds(cast.acme_id) == Thresholds(85, 50)


def test_a_change_is_kept_with_before_and_after_and_touches_one_organization(cast):
    set_thresholds(cast.carol, Thresholds(92, 60))
    set_thresholds(cast.carol, Thresholds(92, 60))
    assert thresholds(cast.acme_id) == Thresholds(92, 60)
    assert thresholds(cast.other_id) == Thresholds(85, 50)
    events = db.session.scalars(
        owned(AuditEvent).where(AuditEvent.action == "settings.thresholds_changed")
    ).all()
    assert [(e.before, e.after) for e in events] == [
        (
            {"auto_match_threshold": 85, "review_threshold": 50},
            {"auto_match_threshold": 92, "review_threshold": 60},
        )
    ]
    with organization_scope(cast.other_id):
        assert len(db.session.scalars(owned(AuditEvent)).all()) == 1


@pytest.mark.parametrize("pair", [(1, 1), (100, 100), (100, 1)])
def test_the_bounds_themselves_are_taken(cast, pair):
    set_thresholds(cast.carol, Thresholds(*pair))
    assert thresholds(cast.acme_id) == Thresholds(*pair)


@pytest.mark.parametrize(
    ("auto_match", "review", "fields"),
    [
        (-1, 50, ["auto_match"]),
        (85, -1, ["review"]),
        (85, 0, ["review"]),
        (101, 50, ["auto_match"]),
        (0, 0, ["auto_match", "review"]),
        (50, 51, ["review"]),
    ],
)
def test_what_is_out_of_bounds_or_order_is_refused_at_its_field(auto_match, review, fields):
    with pytest.raises(Invalid, match="Nothing was changed") as refused:
        Thresholds(auto_match, review)
    assert list(refused.value.fields) == fields


@pytest.mark.parametrize("who", ["bob", "viv"])
def test_who_lacks_the_settings_permission_changes_nothing(cast, who):
    with pytest.raises(Forbidden):
        set_thresholds(getattr(cast, who), Thresholds(90, 60))
    assert thresholds(cast.acme_id) == Thresholds(85, 50)
