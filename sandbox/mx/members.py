"""Members: a user's logins at banks.

A member is an item of the banks' core with what MX keeps besides.  While a login does not let
MX in, the item's error code is the member's connection status.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sandbox import banking, items
from sandbox.banking import Opening
from sandbox.mx import WIRE
from sandbox.mx.guids import new_guid

if TYPE_CHECKING:
    import sqlite3

    from sandbox.banks import Institution
    from sandbox.world import World

HISTORY_DAYS: Final = 90


@dataclass(frozen=True, slots=True)
class Member:
    """A row of the table `mx_member`, by the identifier of its item; times are in seconds.

    `status` is what MX says while the item has no error; `job_ends_at` is None while no job
    reads the bank.
    """

    guid: str
    user_guid: str
    own_id: str
    metadata: str
    status: str
    denials_count: int
    aggregated_at: float | None
    successfully_aggregated_at: float | None
    job_ends_at: float | None
    callback: str
    is_deleted: int

    @property
    def is_being_aggregated(self) -> bool:
        return self.job_ends_at is not None


COLUMNS: Final = tuple(field.name for field in dataclasses.fields(Member))


def create(
    world: World, db: sqlite3.Connection, user_guid: str, bank: Institution, name: str
) -> Member:
    """Make a member that has not been tried at its bank."""
    opening = Opening(
        wire=WIRE,
        bank=bank,
        username=name,
        account_keys=frozenset(plan.key for plan in bank.accounts),
        webhook=world.settings.mx_webhook_url,
        history_days=HISTORY_DAYS,
        item_id=new_guid("MBR"),
    )
    item = banking.open_item(db, opening, now=world.now(), today=world.today(), bulk_rows=0)
    items.change(db, item, stage_due_at=None, last_success_at=None)
    member = Member(
        guid=item.item_id,
        user_guid=user_guid,
        own_id="",
        metadata="",
        status="CREATED",
        denials_count=0,
        aggregated_at=None,
        successfully_aggregated_at=None,
        job_ends_at=None,
        callback="",
        is_deleted=0,
    )
    marks = ", ".join("?" * len(COLUMNS))
    db.execute(f"INSERT INTO mx_member VALUES ({marks})", dataclasses.astuple(member))  # noqa: S608
    return member


def of_user(db: sqlite3.Connection, user_guid: str) -> list[Member]:
    rows = db.execute(
        "SELECT * FROM mx_member WHERE user_guid = ? AND NOT is_deleted ORDER BY rowid",
        (user_guid,),
    )
    return [Member(**row) for row in rows]


def find(db: sqlite3.Connection, guid: str) -> Member | None:
    row = db.execute("SELECT * FROM mx_member WHERE guid = ?", (guid,)).fetchone()
    return None if row is None else Member(**row)


def same_login(
    db: sqlite3.Connection, user_guid: str, bank: Institution, name: str
) -> Member | None:
    """Return the member that a second one would duplicate, which MX does not allow."""
    for member in of_user(db, user_guid):
        item = items.find(db, member.guid)
        if (item.institution_id, item.username) == (bank.institution_id, name):
            return member
    return None


def change(db: sqlite3.Connection, member: Member, **values: Any) -> Member:
    """Write these columns of the member and return it as it is now."""
    assert values.keys() <= set(COLUMNS)
    assignments = ", ".join(f"{name} = ?" for name in values)
    db.execute(
        f"UPDATE mx_member SET {assignments} WHERE guid = ?",  # noqa: S608  names checked above
        (*values.values(), member.guid),
    )
    return dataclasses.replace(member, **values)


def status_of(db: sqlite3.Connection, member: Member) -> str:
    return items.find(db, member.guid).error_code or member.status
