"""The fault menu: what a test or a person can let go wrong, and for how long.

A fault is set for one item, or for all calls under `EVERYWHERE`.  Aggregators' error codes are
faults by their own names; the other names are below.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3

EVERYWHERE: Final = "*"


class Group(StrEnum):
    WIRE = "What the wire does"
    READING = "Reading transactions"
    WEBHOOKS = "Webhooks"


class Fault(StrEnum):
    """What stays wrong until it is cleared or used up."""

    SLOW = "slow"
    TOO_MANY_REQUESTS = "too_many_requests"
    RATE_LIMITS = "rate_limits"
    HTML_ERROR = "html_error"
    TRUNCATED_JSON = "truncated_json"
    SLOW_AGGREGATION = "slow_aggregation"
    MUTATION = "mutation"
    ENDLESS_PAGES = "endless_pages"
    SMALL_PAGES = "small_pages"
    WEBHOOK_LOST = "webhook_lost"
    WEBHOOK_DOUBLED = "webhook_doubled"
    WEBHOOK_LATE = "webhook_late"
    WEBHOOK_UNSIGNED = "webhook_unsigned"
    WEBHOOK_BAD_SIGNATURE = "webhook_bad_signature"
    WEBHOOK_WRONG_ALGORITHM = "webhook_wrong_algorithm"
    WEBHOOK_WRONG_HASH = "webhook_wrong_hash"
    WEBHOOK_OLD = "webhook_old"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the menu; `value` says what the fault's value means, and its default."""

    fault: Fault
    group: Group
    text: str
    value: str = ""
    default: str = ""


MENU: Final = (
    Entry(Fault.SLOW, Group.WIRE, "Answers come late", "seconds", "5"),
    Entry(Fault.TOO_MANY_REQUESTS, Group.WIRE, "Calls are refused with 429"),
    Entry(Fault.RATE_LIMITS, Group.WIRE, "The real sandbox's limits per minute hold"),
    Entry(Fault.HTML_ERROR, Group.WIRE, "Calls answer 500 with a page of HTML"),
    Entry(Fault.TRUNCATED_JSON, Group.WIRE, "Answers break off in the middle"),
    Entry(Fault.SLOW_AGGREGATION, Group.READING, "MX stays long at the bank", "seconds", "5"),
    Entry(
        Fault.MUTATION,
        Group.READING,
        "The data change while they are read",
        "page number, or “stored” for every reading that starts at a stored cursor",
        "2",
    ),
    Entry(Fault.ENDLESS_PAGES, Group.READING, "There is always one more page"),
    Entry(Fault.SMALL_PAGES, Group.READING, "Pages are short", "rows at most", "3"),
    Entry(Fault.WEBHOOK_LOST, Group.WEBHOOKS, "Webhooks are never sent"),
    Entry(Fault.WEBHOOK_DOUBLED, Group.WEBHOOKS, "Webhooks are sent twice"),
    Entry(Fault.WEBHOOK_LATE, Group.WEBHOOKS, "Webhooks are sent late", "seconds", "10"),
    Entry(Fault.WEBHOOK_UNSIGNED, Group.WEBHOOKS, "Webhooks carry no signature"),
    Entry(Fault.WEBHOOK_BAD_SIGNATURE, Group.WEBHOOKS, "Webhooks are signed by a stranger"),
    Entry(Fault.WEBHOOK_WRONG_ALGORITHM, Group.WEBHOOKS, "Webhooks name another algorithm"),
    Entry(Fault.WEBHOOK_WRONG_HASH, Group.WEBHOOKS, "Webhooks are signed for another body"),
    Entry(Fault.WEBHOOK_OLD, Group.WEBHOOKS, "Webhooks were signed ten minutes ago"),
)
DEFAULTS: Final[dict[str, str]] = {entry.fault: entry.default for entry in MENU}


@dataclass(frozen=True, slots=True)
class ActiveFault:
    """A fault that is set; `times_left` is None when it stays until cleared.

    With a `path` it concerns that call alone.
    """

    item_id: str
    name: str
    path: str
    value: str
    times_left: int | None


def set_fault(db: sqlite3.Connection, fault: ActiveFault) -> None:
    db.execute(
        "INSERT OR REPLACE INTO fault VALUES (?, ?, ?, ?, ?)",
        (fault.item_id, fault.name, fault.path, fault.value, fault.times_left),
    )


def clear(db: sqlite3.Connection, item_id: str, name: str | None = None) -> None:
    """Clear one fault of an item, or all of them."""
    db.execute("DELETE FROM fault WHERE item_id = ? AND name = COALESCE(?, name)", (item_id, name))


def active(db: sqlite3.Connection, item_id: str) -> dict[str, ActiveFault]:
    """Return the faults that concern an item, by name; its own before those everywhere."""
    rows = db.execute(
        "SELECT * FROM fault WHERE item_id IN (?, ?) ORDER BY item_id", (EVERYWHERE, item_id)
    )
    return {row["name"]: ActiveFault(**row) for row in rows}


def use_up(db: sqlite3.Connection, fault: ActiveFault) -> None:
    """Count one time that the fault happened; the last one clears it."""
    key = (fault.item_id, fault.name)
    db.execute("UPDATE fault SET times_left = times_left - 1 WHERE item_id = ? AND name = ?", key)
    db.execute("DELETE FROM fault WHERE item_id = ? AND name = ? AND times_left <= 0", key)
