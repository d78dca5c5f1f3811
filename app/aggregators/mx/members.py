"""A member is MX's word for one login of a user at a bank."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.aggregators.contract import Health, Institution
from app.aggregators.mx import statuses
from app.aggregators.mx.fields import Json, instant, text

_OWNER_PREFIX: Final = "tieout-flow:"


@dataclass(frozen=True, slots=True)
class Member:
    """What MX says of a member.

    Args:
        aggregated_at: When MX last began to read the bank, with success or not.
        owner: Reference of the flow that took it; empty while nobody has.
    """

    guid: str
    name: str
    institution_code: str
    connection_status: str
    aggregated_at: datetime | None
    successfully_aggregated_at: datetime | None
    is_being_aggregated: bool
    owner: str

    @classmethod
    def from_row(cls, row: Json) -> Member:
        metadata = text(row, "metadata")
        return cls(
            guid=text(row, "guid"),
            name=text(row, "name"),
            institution_code=text(row, "institution_code"),
            connection_status=text(row, "connection_status"),
            aggregated_at=instant(row, "aggregated_at"),
            successfully_aggregated_at=instant(row, "successfully_aggregated_at"),
            is_being_aggregated=row.get("is_being_aggregated") is True,
            owner=metadata.removeprefix(_OWNER_PREFIX)
            if metadata.startswith(_OWNER_PREFIX)
            else "",
        )

    @property
    def health(self) -> Health:
        return statuses.health(
            self.connection_status, was_ever_read=self.successfully_aggregated_at is not None
        )

    @property
    def institution(self) -> Institution | None:
        if not self.institution_code:
            return None
        return Institution(self.institution_code, self.name)

    @property
    def is_signed_in(self) -> bool:
        return self.connection_status in statuses.SIGNED_IN

    def was_tried_after(self, moment: datetime | None) -> bool:
        if self.aggregated_at is None:
            return False
        return moment is None or self.aggregated_at > moment


def owner_mark(reference: str) -> str:
    """Return the metadata of a member that a flow has taken."""
    return _OWNER_PREFIX + reference
