"""Which days a read asks for, and the cursor that remembers it.

A server gives at most 90 days at a time.  Rows can turn up weeks after their day, so each
read begins well before the end of the last one.  All days are UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

WINDOW_DAYS: Final = 90
FIRST_DAYS: Final = 90
"""Of the past, at the first read; today is the last of them."""
OVERLAP_DAYS: Final = 45
"""Before the day of the last read, at every later one."""
_PARTS: Final = 4


@dataclass(frozen=True, slots=True)
class Window:
    """One request of a read.

    Args:
        first: First day of the whole read.
        begin: First day of this request.
        today: The day on which the read began, to be remembered at its end.
        is_whole: No earlier request of this read lacked anything.
    """

    first: date
    begin: date
    today: date
    is_whole: bool = True

    @property
    def end(self) -> date | None:
        """The day after the last one; None for the last request, which has no end."""
        end = self.begin + timedelta(days=WINDOW_DAYS)
        return end if end <= self.today else None

    def next_cursor(self, *, is_whole: bool) -> str:
        """Return where the next request or the next read begins.

        Args:
            is_whole: This request lacked nothing.
        """
        if self.end is None:
            return self.today.isoformat()
        state = "whole" if self.is_whole and is_whole else "partial"
        return "/".join((*map(date.isoformat, (self.first, self.end, self.today)), state))


def window_at(cursor: str, today: date) -> Window:
    """Return what to ask for at a cursor.

    Raises:
        ValueError: No such cursor was ever given out.
    """
    if not cursor:
        first = today - timedelta(days=FIRST_DAYS - 1)
        return Window(first, first, today)
    parts = cursor.split("/")
    if len(parts) == 1:
        first = min(date.fromisoformat(cursor), today) - timedelta(days=OVERLAP_DAYS)
        return Window(first, first, today)
    if len(parts) != _PARTS:
        raise ValueError("no such cursor")
    first, begin, day = (date.fromisoformat(part) for part in parts[:3])
    return Window(first, begin, day, is_whole=parts[3] == "whole")
