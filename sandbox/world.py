"""The one object that all of the sandbox shares: its memory, its time, who tells the outside."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, cast

from flask import current_app

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from sandbox.items import Account, Item
    from sandbox.settings import Settings
    from sandbox.store import Store


class Happening(StrEnum):
    """What happens to an item that its owner's webhook is told, in the words of its wire."""

    INITIAL_READY = "initial ready"
    HISTORICAL_READY = "historical ready"
    UPDATED = "updated"
    FAILED = "failed"
    REPAIRED = "repaired"
    NEW_ACCOUNTS = "new accounts"
    ACCOUNT_REVOKED = "account revoked"
    PERMISSION_REVOKED = "permission revoked"
    DISCONNECT_AHEAD = "disconnect ahead"
    EXPIRATION_AHEAD = "expiration ahead"


@dataclass(frozen=True, slots=True)
class News:
    """A happening with what its webhook says besides."""

    happening: Happening
    account: Account | None = None
    reason: str = ""
    changes_count: int = 0


class Announcer(Protocol):
    def __call__(self, db: sqlite3.Connection, item: Item, news: News, *, now: float) -> Item: ...


@dataclass(frozen=True, slots=True)
class World:
    """`announcers` and `states` have one entry per wire format.

    `states` are the names of what an item may lastingly be, besides healthy; `ticks` is what wire
    formats do in the background; `wake` ends the background's sleep early.
    """

    settings: Settings
    store: Store
    announcers: dict[str, Announcer]
    states: dict[str, frozenset[str]]
    ticks: tuple[Callable[[World], None], ...] = ()
    wake: threading.Event = field(default_factory=threading.Event)

    def now(self) -> float:
        return time.time()

    def today(self) -> date:
        return self.settings.today or datetime.fromtimestamp(self.now(), UTC).date()

    def bank_day(self, item: Item) -> date:
        """Return today at the item's bank, which a test may have sent ahead of the calendar."""
        return self.today() + timedelta(days=item.days_ahead)

    def announce(self, db: sqlite3.Connection, item: Item, news: News) -> Item:
        self.wake.set()
        return self.announcers[item.wire](db, item, news, now=self.now())


def current_world() -> World:
    return cast("World", current_app.extensions["world"])
