"""Items: one login at one bank that somebody connected, with its accounts and its state."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from sandbox.banks import INSTITUTIONS, AccountPlan, Institution

if TYPE_CHECKING:
    import sqlite3


class Stage(StrEnum):
    """How much of the first transactions is there."""

    NOT_READY = "NOT_READY"
    INITIAL = "INITIAL"
    HISTORICAL = "HISTORICAL"


class ItemUnknown(LookupError):  # noqa: N818  it says what is wrong
    """No item has this identifier or token."""


@dataclass(frozen=True, slots=True)
class Item:
    """A row of the table of the same name; times are seconds since the epoch."""

    item_id: str
    wire: str
    access_token: str
    institution_id: str
    username: str
    webhook: str
    created_at: float
    created_day: str
    first_day: str
    bank_day: str
    days_ahead: int
    stage: Stage
    stage_due_at: float | None
    head: int
    bulk_rows: int
    cursor_epoch: int
    is_synced: int
    error_code: str
    error_reason: str
    error_since: float | None
    consent_expires_at: float | None
    disconnect_at: float | None
    last_success_at: float | None
    last_failure_at: float | None
    last_webhook_at: float | None
    last_webhook_code: str
    is_removed: int

    @property
    def bank(self) -> Institution:
        return INSTITUTIONS[self.institution_id]

    @property
    def is_ready(self) -> bool:
        return self.stage is not Stage.NOT_READY

    @property
    def today(self) -> date:
        """Return the last day that the bank has told."""
        return date.fromisoformat(self.bank_day)


@dataclass(frozen=True, slots=True)
class Account:
    """An account as an item sees it; balances have money owned positive and owed negative."""

    account_id: str
    item_id: str
    key: str
    is_shared: int
    current_minor: int
    pending_minor: int
    plan: AccountPlan


COLUMNS: Final = tuple(field.name for field in dataclasses.fields(Item))


def _item(row: sqlite3.Row) -> Item:
    values = dict(row)
    values["stage"] = Stage(values["stage"])
    return Item(**values)


def find(db: sqlite3.Connection, name: str) -> Item:
    """Return the item of this identifier, access token or public token.

    Raises:
        ItemUnknown: There is none.
    """
    row = db.execute(
        "SELECT * FROM item WHERE item_id = :name OR access_token = :name OR item_id = "
        "(SELECT item_id FROM public_token WHERE token = :name)",
        {"name": name},
    ).fetchone()
    if row is None:
        raise ItemUnknown(name)
    return _item(row)


def with_access_token(db: sqlite3.Connection, access_token: str) -> Item | None:
    row = db.execute("SELECT * FROM item WHERE access_token = ?", (access_token,)).fetchone()
    return None if row is None else _item(row)


def everything(db: sqlite3.Connection) -> list[Item]:
    return [_item(row) for row in db.execute("SELECT * FROM item ORDER BY created_at")]


def insert(db: sqlite3.Connection, item: Item) -> None:
    values = [getattr(item, name) for name in COLUMNS]
    marks = ", ".join("?" * len(COLUMNS))
    db.execute(f"INSERT INTO item ({', '.join(COLUMNS)}) VALUES ({marks})", values)  # noqa: S608


def change(db: sqlite3.Connection, item: Item, **values: Any) -> Item:
    """Write these columns of the item and return it as it is now."""
    assert values.keys() <= set(COLUMNS)
    assignments = ", ".join(f"{name} = ?" for name in values)
    db.execute(
        f"UPDATE item SET {assignments} WHERE item_id = ?",  # noqa: S608  names checked above
        (*values.values(), item.item_id),
    )
    return dataclasses.replace(item, **values)


def accounts_of(db: sqlite3.Connection, item: Item) -> list[Account]:
    """Return the item's accounts, also those not shared, in the bank's order."""
    rows = {
        row["key"]: row
        for row in db.execute("SELECT * FROM account WHERE item_id = ?", (item.item_id,))
    }
    return [
        Account(plan=plan, **dict(rows[plan.key]))
        for plan in item.bank.accounts
        if plan.key in rows
    ]


def shared_accounts(db: sqlite3.Connection, item: Item) -> list[Account]:
    return [account for account in accounts_of(db, item) if account.is_shared]
