"""Days and instants as reports write them, outside of any page."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo


def day_words(day: date) -> str:
    """Return `31 October 2026`."""
    return f"{day.day} {day:%B %Y}"


def instant_words(instant: datetime, time_zone: str) -> str:
    """Return `28 Oct 2026, 14:05` in the organization's zone."""
    local = instant.astimezone(ZoneInfo(time_zone))
    return f"{local.day} {local:%b %Y, %H:%M}"
