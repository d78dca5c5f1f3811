"""An item's transactions as a stream of changes, read from any position in pages.

Every change takes the item's next number, its head.  A transaction is kept once, with the numbers
at which it was added, last changed and perhaps removed, so what happened since any position is one
range of one index, and a transaction that came and went meanwhile is never told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox.ids import derived_id
from sandbox.story.events import Kind

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from sandbox.items import Item

BULK_PARTIES: Final = (
    ("ALDERGROVE SUPPLY", Kind.ACH),
    ("BAYLINE FREIGHT", Kind.ACH),
    ("CINDERBLOCK CAFE", Kind.CARD),
    ("DELTA PLATE GLASS", Kind.ACH),
    ("EASTLAKE STATIONERY", Kind.CARD),
    ("FARROW & SONS", Kind.WIRE),
    ("GULLWING COURIER", Kind.CARD),
)
KNUTH: Final = 2_654_435_761
"""Spreads consecutive numbers over 32 bits without asking a hash for each."""


class Entry(NamedTuple):
    """One transaction as the bank shows it now; money in is positive, days are ISO text."""

    transaction_id: str
    account_id: str
    added_at: int
    changed_at: int
    removed_at: int | None
    day: str
    authorized_day: str
    is_pending: int
    pending_transaction_id: str
    amount_minor: int
    currency: str
    description: str
    merchant: str
    kind: str
    check_number: str


COLUMNS: Final = ", ".join(Entry._fields)
INSERT: Final = (
    f"INSERT OR REPLACE INTO entry (item_id, {COLUMNS}) "  # noqa: S608  names from the class above
    f"VALUES (?{', ?' * len(Entry._fields)})"
)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a reader is: `start` when its loop began, `at` now, `head` as the loop saw it.

    `account_id` is empty for the stream of all accounts.
    """

    start: int
    at: int
    head: int
    account_id: str = ""

    @property
    def is_inside_loop(self) -> bool:
        return self.at != self.head


@dataclass(frozen=True, slots=True)
class Page:
    added: tuple[Entry, ...]
    modified: tuple[Entry, ...]
    removed: tuple[Entry, ...]
    next_position: Position

    @property
    def has_more(self) -> bool:
        return self.next_position.is_inside_loop


def read_page(
    db: sqlite3.Connection,
    item: Item,
    position: Position,
    count: int,
    *,
    account_ids: Sequence[str],
) -> Page:
    """Return up to `count` changes after a position, in the order in which they happened.

    Args:
        db: A connection inside a transaction.
        item: Whose transactions; its head says where the stream ends now.
        position: A new loop has `start` equal to `at`.
        count: At least one.
        account_ids: The accounts that the item shares, or the one that was asked for.
    """
    found = _bulk(item, position.at, count + 1, account_ids)
    if len(found) <= count:
        marks = ", ".join("?" * len(account_ids))
        found += map(
            Entry._make,
            db.execute(
                f"SELECT {COLUMNS} FROM entry WHERE item_id = ? AND changed_at > ? "  # noqa: S608
                f"AND (removed_at IS NULL OR added_at <= ?) AND account_id IN ({marks}) "
                "ORDER BY changed_at LIMIT ?",
                (item.item_id, position.at, position.start, *account_ids, count + 1 - len(found)),
            ),
        )
    shown = found[:count]
    at = shown[-1].changed_at if len(found) > count else item.head
    start = position.start if len(found) > count else item.head
    removed = tuple(entry for entry in shown if entry.removed_at is not None)
    living = [entry for entry in shown if entry.removed_at is None]
    return Page(
        added=tuple(entry for entry in living if entry.added_at > position.start),
        modified=tuple(entry for entry in living if entry.added_at <= position.start),
        removed=removed,
        next_position=Position(start, at, item.head, position.account_id),
    )


def living(db: sqlite3.Connection, item: Item, account_ids: Sequence[str]) -> list[Entry]:
    """Return all transactions that the bank shows now, oldest change first."""
    marks = ", ".join("?" * len(account_ids))
    kept = db.execute(
        f"SELECT {COLUMNS} FROM entry WHERE item_id = ? AND removed_at IS NULL "  # noqa: S608
        f"AND account_id IN ({marks}) ORDER BY changed_at",
        (item.item_id, *account_ids),
    )
    return [*_bulk(item, 0, item.bulk_rows, account_ids), *map(Entry._make, kept)]


def insert(db: sqlite3.Connection, item_id: str, entries: Sequence[Entry]) -> None:
    db.executemany(INSERT, [(item_id, *entry) for entry in entries])


def bulk_total_minor(rows_count: int) -> int:
    """Return the sum of the first so many transactions of the bank for load tests."""
    return sum(_bulk_minor(number) for number in range(1, rows_count + 1))


def _bulk(item: Item, after: int, count: int, account_ids: Sequence[str]) -> list[Entry]:
    """Return transactions of the bank for load tests, which are made when they are read.

    They take the first `bulk_rows` numbers of the stream, and never change.
    """
    if not item.is_ready or after >= item.bulk_rows or not account_ids:
        return []
    (account_id,) = account_ids
    first_day = date.fromisoformat(item.first_day)
    days = (date.fromisoformat(item.created_day) - first_day).days
    last = min(after + count, item.bulk_rows)
    day_numbers = [(number - 1) * days // item.bulk_rows for number in range(after + 1, last + 1)]
    texts = {n: str(first_day + timedelta(days=n)) for n in set(day_numbers)}
    return [
        _bulk_entry(item.item_id, account_id, number, texts[day_number])
        for number, day_number in zip(range(after + 1, last + 1), day_numbers, strict=True)
    ]


def _bulk_entry(item_id: str, account_id: str, number: int, day: str) -> Entry:
    party, kind = BULK_PARTIES[number % len(BULK_PARTIES)]
    return Entry(
        derived_id(item_id, str(number)),
        account_id,
        number,
        number,
        None,
        day,
        "",
        0,
        "",
        _bulk_minor(number),
        "USD",
        f"{party} REF {number * KNUTH % 2**32:010}",
        "",
        kind,
        "",
    )


def _bulk_minor(number: int) -> int:
    """Return an amount from 1.00 to 5,000.00; what comes in goes out with the next one."""
    pair, is_second = divmod(number, 2)
    amount_minor = 1_00 + pair * KNUTH % 2**32 % 4_999_00
    return -amount_minor if is_second else amount_minor
