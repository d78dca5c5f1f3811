"""Bank Match AI's thresholds: set per organization, for reconciliations opened afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from app.audit.trail import Change, record
from app.kernel.errors import Invalid
from app.models import Organization, db
from app.models.session import unit_of_work
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission

THRESHOLD_MIN: Final = 1
THRESHOLD_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Scores in percent: matched from `auto_match` on, suggested from `review` on.

    Raises:
        Invalid: Outside 1 to 100, or review above auto-match; with the messages by field.
    """

    auto_match: int
    review: int

    def __post_init__(self) -> None:
        problems = {
            name: [f"A threshold is a whole number from {THRESHOLD_MIN} to {THRESHOLD_MAX}."]
            for name, value in (("auto_match", self.auto_match), ("review", self.review))
            if not THRESHOLD_MIN <= value <= THRESHOLD_MAX
        }
        if not problems and self.review > self.auto_match:
            problems["review"] = ["The review threshold is at most the auto-match threshold."]
        if problems:
            raise Invalid(f"{next(iter(problems.values()))[0]} Nothing was changed.", problems)


def thresholds(organization_id: str) -> Thresholds:
    return _as_set(_organization(organization_id))


def set_thresholds(actor: Actor, wanted: Thresholds) -> None:
    """Set both; reconciliations that are open or certified keep what they started with."""
    actor.require(Permission.SETTINGS)
    with unit_of_work():
        organization = _organization(actor.organization_id, lock=True)
        before = _as_set(organization)
        if before == wanted:
            return
        organization.auto_match_threshold = wanted.auto_match
        organization.review_threshold = wanted.review
        record(
            actor,
            Change(
                "settings.thresholds_changed",
                "organization",
                organization.id,
                _facts(before),
                _facts(wanted),
            ),
        )


def _organization(organization_id: str, *, lock: bool = False) -> Organization:
    statement = sa.select(Organization).where(Organization.id == organization_id)
    organization = db.session.scalar(statement.with_for_update() if lock else statement)
    assert organization is not None, "an actor's organization exists"
    return organization


def _as_set(organization: Organization) -> Thresholds:
    return Thresholds(organization.auto_match_threshold, organization.review_threshold)


def _facts(values: Thresholds) -> dict[str, int]:
    return {"auto_match_threshold": values.auto_match, "review_threshold": values.review}
