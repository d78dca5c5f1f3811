"""Where a read of MX's transactions stands; our own, for MX knows only dates and pages.

A read looks at a window of days.  At rest the cursor keeps the day of the last read that was
whole; the next one begins some time before it, so that what changed late is seen.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Final

from app.aggregators.contract import CursorRefused

FIRST_DAYS: Final = 90
"""Of the past in the first read: what MX gathers at most banks when a login is new."""

OVERLAP_DAYS: Final = 30
"""How long after its day a change to a transaction, or its removal, is still noticed."""

POSTING_LAG_DAYS: Final = 30
"""MX filters by the day a transaction took place; it posts later, so more is asked for."""

BEHIND_DAYS_MAX: Final = 140
AHEAD_DAYS: Final = 31
"""With the days behind, less than the six months that MX answers for at once."""

UNKNOWN_COUNT: Final = -1


@dataclass(frozen=True, slots=True)
class Window:
    """The days of one read; all its pages are asked for alike."""

    first_day: date
    last_day: date

    @property
    def snapshot_from(self) -> date:
        """Return the day from which nothing posted is missing, whenever it took place."""
        return self.first_day + timedelta(days=POSTING_LAG_DAYS)


@dataclass(frozen=True, slots=True)
class Reading:
    """A read that has more pages.

    Args:
        rested: The cursor that it began at.
        stamp: The moment of MX's last visit to the bank; pages of two visits do not fit together.
        entries_count: Of all pages; another count means other pages.  Unknown before the first.
        is_whole: MX was not at the bank when it began, so that all pages together are a snapshot.
    """

    window: Window
    rested: str
    today: date
    next_page: int
    stamp: str
    entries_count: int
    is_whole: bool


def window_after(rested: str, today: date) -> Window:
    """Return the window of the next read.

    Raises:
        CursorRefused: The cursor is none of ours.
    """
    if rested:
        through = min(_rested_day(rested), today)
        snapshot_from = through - timedelta(days=OVERLAP_DAYS)
    else:
        snapshot_from = today - timedelta(days=FIRST_DAYS)
    first_day = snapshot_from - timedelta(days=POSTING_LAG_DAYS)
    return Window(
        max(first_day, today - timedelta(days=BEHIND_DAYS_MAX)),
        today + timedelta(days=AHEAD_DAYS),
    )


def at_rest(through: date) -> str:
    """Return the cursor after a whole read on that day."""
    return json.dumps({"through": through.isoformat()})


def dump(reading: Reading) -> str:
    return json.dumps(asdict(reading), default=date.isoformat)


def load(cursor: str) -> Reading | None:
    """Return the read that a cursor is in the middle of; None for one at rest.

    Raises:
        CursorRefused: The cursor is none of ours.
    """
    if not cursor:
        return None
    try:
        said: dict[str, Any] = dict(json.loads(cursor))
        if "through" in said:
            return None
        window = Window(
            date.fromisoformat(said["window"]["first_day"]),
            date.fromisoformat(said["window"]["last_day"]),
        )
        return Reading(**{**said, "window": window, "today": date.fromisoformat(said["today"])})
    except (ValueError, TypeError, KeyError):
        raise CursorRefused("CURSOR_UNREADABLE") from None


def _rested_day(rested: str) -> date:
    try:
        return date.fromisoformat(json.loads(rested)["through"])
    except (ValueError, TypeError, KeyError):
        raise CursorRefused("CURSOR_UNREADABLE") from None
