"""A SimpleFIN server: a person makes a token, a program claims it once and reads accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3

    from sandbox.items import Item
    from sandbox.world import News

WIRE: Final = "simplefin"
STATES: Final = frozenset(
    {"gen.", "gen.api", "gen.auth", "con.", "con.auth", "act.failed", "act.missingdata"}
)
"""What an item may lastingly be: the codes that `errlist` has."""


def announce(db: sqlite3.Connection, item: Item, news: News, *, now: float) -> Item:  # noqa: ARG001  an announcer
    """Tell nobody: SimpleFIN has no webhooks."""
    return item
