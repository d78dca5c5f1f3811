"""Pages by key: the next page begins after a row, so it stays right while rows come in."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from app.kernel.errors import Invalid
from app.kernel.limits import PAGE_ROWS
from app.kernel.money import AMOUNT_MINOR_MAX
from app.kernel.texts import is_storable
from app.models import db
from app.models.base import UtcDateTime

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    rows: tuple[Row, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Order:
    """One sort key and the id that breaks its ties."""

    key: InstrumentedAttribute[Any]
    id: InstrumentedAttribute[str]
    descending: bool = False


def fetch_page(
    statement: sa.Select[Any],
    order: Order,
    cursor: str | None,
    read: Callable[[Any], Row],
    rows_count: int = PAGE_ROWS,
    *,
    strict: bool = False,
) -> Page[Row]:
    """Return one page of entities, `read` from each.

    Args:
        strict: Refuse a broken cursor or one of another list; otherwise it begins at the start.

    Raises:
        Invalid: The cursor, where `strict`.
    """
    keys = (order.key.desc(), order.id.desc()) if order.descending else (order.key, order.id)
    after = _decode(cursor, order)
    if strict and cursor and after is None:
        sentence = "This is no cursor of this list; leave it out to begin at the start."
        raise Invalid(sentence, {"cursor": [sentence]})
    if after is not None:
        here = sa.tuple_(order.key, order.id)
        there = sa.tuple_(sa.literal(after[0], order.key.type), sa.literal(after[1]))
        statement = statement.where(here < there if order.descending else here > there)
    found: Sequence[Any] = db.session.scalars(statement.order_by(*keys).limit(rows_count + 1)).all()
    shown = found[:rows_count]
    last = shown[-1] if len(found) > rows_count else None
    next_cursor = None if last is None else _encode(order, getattr(last, order.key.key), last.id)
    return Page(tuple(read(row) for row in shown), next_cursor)


def _encode(order: Order, key: object, row_id: str) -> str:
    text = json.dumps(
        [_list_name(order), key.isoformat() if isinstance(key, date) else key, row_id]
    )
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str | None, order: Order) -> tuple[Any, str] | None:
    if not cursor:
        return None
    try:
        name, key, row_id = json.loads(
            base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), parse_constant=str
        )
        if name != _list_name(order) or not isinstance(row_id, str):
            return None
        return (_typed(key, order.key.type), row_id) if is_storable(row_id) else None
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
        return None


def _list_name(order: Order) -> str:
    return f"{order.key.class_.__name__}.{order.key.key}{'-' if order.descending else ''}"


def _typed(key: Any, kind: sa.types.TypeEngine[Any]) -> Any:
    """Return the key as the column holds it.

    Raises:
        ValueError, TypeError: It is none of the column's.
    """
    if isinstance(kind, UtcDateTime):
        at = datetime.fromisoformat(key)
        if at.tzinfo is None:
            raise ValueError(key)
        return at.astimezone(UTC)
    if isinstance(kind, sa.Date):
        return date.fromisoformat(key)
    if isinstance(kind, sa.Integer) and (type(key) is not int or abs(key) > AMOUNT_MINOR_MAX):
        raise ValueError(key)
    if isinstance(kind, sa.String) and not (isinstance(key, str) and is_storable(key)):
        raise ValueError(key)
    return key
