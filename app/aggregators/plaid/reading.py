"""Read Plaid's JSON tolerantly: what is missing or of another type reads as absent.

Plaid adds fields and values without notice, and its SDK refuses answers for fields that
nobody here looks at.  Each reader asks for what it needs and says what it cannot do without.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, NoReturn

Json = Mapping[str, Any]

TEXT_CHARACTERS_MAX: Final = 4_000
ID_CHARACTERS_MAX: Final = 200
_DATE_CHARACTERS: Final = len("2026-10-31")


class NotJson(ValueError):  # noqa: N818 - it says what is wrong
    """The body is not one JSON object."""


def parse(body: bytes) -> Json:
    """Return the object; fractions are exact decimals.

    Raises:
        NotJson: Truncated, a page, not an object, too deep, or with figures beyond measure.
    """
    try:
        value = json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, ArithmeticError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise NotJson
    return value


def text_of(record: Json, key: str) -> str:
    """Return the text, without what a database cannot keep; empty when there is none."""
    value = record.get(key)
    if not isinstance(value, str):
        return ""
    kept = value[:TEXT_CHARACTERS_MAX].replace("\0", "")
    return kept.encode(errors="replace").decode().strip()


def id_of(record: Json, key: str) -> str:
    """Return the identifier; empty when there is none, or one too long to be kept whole."""
    text = text_of(record, key)
    return text if len(text) <= ID_CHARACTERS_MAX else ""


def record_of(record: Json, key: str) -> Json:
    """Return the object; an empty one when there is none."""
    value = record.get(key)
    return value if isinstance(value, dict) else {}


def records_of(record: Json, key: str) -> list[Json]:
    """Return the objects of a list; none when there is no list."""
    value = record.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def amount_of(record: Json, key: str) -> Decimal | None:
    """Return the exact number; None when there is none."""
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value)


def date_of(record: Json, key: str) -> date | None:
    """Return a calendar date as it stands, never moved by a time zone."""
    try:
        return date.fromisoformat(text_of(record, key)[:_DATE_CHARACTERS])
    except ValueError:
        return None


def instant_of(record: Json, key: str) -> datetime | None:
    """Return the instant in UTC; without an offset it is taken as UTC."""
    try:
        instant = datetime.fromisoformat(text_of(record, key))
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _refuse_constant(_name: str) -> NoReturn:
    raise NotJson
