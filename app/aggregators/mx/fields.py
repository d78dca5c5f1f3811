"""Reads MX's JSON, where any field may be null, absent or new."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

Json = Mapping[str, Any]

TEXT_CHARACTERS_MAX: Final = 4_000
_DAY_CHARACTERS: Final = len("2026-10-31")


class NotAnObject(ValueError):  # noqa: N818 - it says what is wrong
    """The text is not one JSON object."""


def parse(raw: bytes) -> Json:
    """Return the object, with fractions as exact decimals.

    Raises:
        NotAnObject: Cut off, a page, too deep, or a number beyond measure.
    """
    try:
        value = json.loads(raw, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise NotAnObject
    return value


def text(row: Json, key: str) -> str:
    """Return the text without what a database cannot keep; empty when there is none."""
    value = row.get(key)
    if not isinstance(value, str):
        return ""
    kept = value[:TEXT_CHARACTERS_MAX].replace("\0", "")
    return kept.encode(errors="replace").decode().strip()


def number(row: Json, key: str) -> Decimal | None:
    """Return an exact decimal; true and false are no numbers."""
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value)


def count(row: Json, key: str) -> int | None:
    value = number(row, key)
    return int(value) if value is not None and value.is_finite() and value >= 0 else None


def record(row: Json, key: str) -> Json | None:
    value = row.get(key)
    return value if isinstance(value, dict) else None


def records(row: Json, key: str) -> list[Json]:
    value = row.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def instant(row: Json, key: str) -> datetime | None:
    """Return the instant in UTC; one without an offset is UTC."""
    try:
        value = datetime.fromisoformat(text(row, key))
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def day(row: Json, key: str) -> date | None:
    """Return the calendar day as the bank wrote it: the time behind it never moves it."""
    try:
        return date.fromisoformat(text(row, key)[:_DAY_CHARACTERS])
    except ValueError:
        return None
