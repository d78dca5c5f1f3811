"""Pages by key: the next page begins after a row, so it stays right while rows come in."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from app.kernel.limits import PAGE_ROWS
from app.models import db

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
) -> Page[Row]:
    """Return one page of entities, `read` from each; a broken cursor begins at the start."""
    keys = (order.key.desc(), order.id.desc()) if order.descending else (order.key, order.id)
    after = _decode(cursor, order)
    if after is not None:
        here = sa.tuple_(order.key, order.id)
        there = sa.tuple_(sa.literal(after[0], order.key.type), sa.literal(after[1]))
        statement = statement.where(here < there if order.descending else here > there)
    found: Sequence[Any] = db.session.scalars(statement.order_by(*keys).limit(rows_count + 1)).all()
    shown = found[:rows_count]
    last = shown[-1] if len(found) > rows_count else None
    next_cursor = None if last is None else _encode(getattr(last, order.key.key), last.id)
    return Page(tuple(read(row) for row in shown), next_cursor)


def _encode(key: object, row_id: str) -> str:
    text = json.dumps([key.isoformat() if isinstance(key, date) else key, row_id])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str | None, order: Order) -> tuple[Any, str] | None:
    if not cursor:
        return None
    try:
        key, row_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if isinstance(order.key.type, sa.Date):
            key = date.fromisoformat(key)
    except (ValueError, TypeError, binascii.Error):
        return None
    return (key, row_id) if isinstance(row_id, str) else None
