"""MX's users: whoever the application calls by an id of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.mx.guids import new_guid

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True)
class User:
    guid: str
    own_id: str
    email: str
    metadata: str
    is_disabled: int


def insert(
    db: sqlite3.Connection, *, own_id: str, email: str, metadata: str, is_disabled: bool
) -> User:
    user = User(new_guid("USR"), own_id, email, metadata, int(is_disabled))
    db.execute(
        "INSERT INTO mx_user VALUES (?, ?, ?, ?, ?)",
        (user.guid, user.own_id, user.email, user.metadata, user.is_disabled),
    )
    return user


def find(db: sqlite3.Connection, guid: str) -> User | None:
    row = db.execute("SELECT * FROM mx_user WHERE guid = ?", (guid,)).fetchone()
    return None if row is None else User(**row)


def matching(db: sqlite3.Connection, own_id: str | None) -> list[User]:
    """Return the user with this id of the application's, or all."""
    rows = db.execute("SELECT * FROM mx_user WHERE own_id = COALESCE(?, own_id)", (own_id,))
    return [User(**row) for row in rows]
