"""What a person handed on: one token for the accounts of one or several banks."""

from __future__ import annotations

import dataclasses
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sandbox import banks, items, operations
from sandbox.banking import Opening
from sandbox.simplefin import WIRE

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from sandbox.banks import Institution
    from sandbox.items import Item
    from sandbox.world import World

HISTORY_DAYS: Final = 180


@dataclass(frozen=True, slots=True)
class Grant:
    """A row of the table `simplefin_grant`.

    `claimed_at` is None until a program has claimed the token; `is_disabled` and `is_unpaid`
    keep it out from then on.
    """

    grant_id: str
    claim_code: str
    username: str
    password: str
    claimed_at: float | None
    is_disabled: int
    is_unpaid: int


COLUMNS: Final = tuple(field.name for field in dataclasses.fields(Grant))


def shareable() -> list[Institution]:
    return [
        bank for bank in banks.INSTITUTIONS.values() if bank.is_supported and bank.has_transactions
    ]


def make(world: World, db: sqlite3.Connection, wanted: Iterable[Institution]) -> Grant:
    """Connect these banks, and share all their accounts."""
    shared = []
    for bank in wanted:
        opening = Opening(
            wire=WIRE,
            bank=bank,
            username=banks.USER_GOOD,
            account_keys=frozenset(plan.key for plan in bank.accounts),
            webhook="",
            history_days=HISTORY_DAYS,
        )
        shared.append(operations.connect(world, db, opening))
    return share(db, shared)


def share(db: sqlite3.Connection, shared: Iterable[Item]) -> Grant:
    """Make a token for banks that are connected; they keep their identifiers."""
    grant = Grant(
        grant_id=secrets.token_hex(8),
        claim_code=secrets.token_hex(16),
        username=secrets.token_hex(16),
        password=secrets.token_hex(32),
        claimed_at=None,
        is_disabled=0,
        is_unpaid=0,
    )
    marks = ", ".join("?" * len(COLUMNS))
    values = dataclasses.astuple(grant)
    db.execute(f"INSERT INTO simplefin_grant VALUES ({marks})", values)  # noqa: S608  marks alone
    db.executemany(
        "INSERT INTO simplefin_bank VALUES (?, ?)",
        [(grant.grant_id, item.item_id) for item in shared],
    )
    return grant


def find(db: sqlite3.Connection, column: str, value: str) -> Grant | None:
    """Return the grant with this value in a column."""
    assert column in COLUMNS
    row = db.execute(
        f"SELECT * FROM simplefin_grant WHERE {column} = ?",  # noqa: S608  name checked above
        (value,),
    ).fetchone()
    return None if row is None else Grant(**row)


def change(db: sqlite3.Connection, grant: Grant, **values: Any) -> Grant:
    """Write these columns of the grant and return it as it is now."""
    assert values.keys() <= set(COLUMNS)
    assignments = ", ".join(f"{name} = ?" for name in values)
    db.execute(
        f"UPDATE simplefin_grant SET {assignments} WHERE grant_id = ?",  # noqa: S608  as above
        (*values.values(), grant.grant_id),
    )
    return dataclasses.replace(grant, **values)


def items_of(db: sqlite3.Connection, grant: Grant) -> list[Item]:
    """Return the banks' items, in the order in which they were chosen."""
    rows = db.execute(
        "SELECT item_id FROM simplefin_bank WHERE grant_id = ? ORDER BY rowid", (grant.grant_id,)
    )
    return [items.find(db, row["item_id"]) for row in rows.fetchall()]
