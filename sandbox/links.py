"""Link tokens and the sessions of people in the hosted page."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from sandbox.ids import random_id, token

if TYPE_CHECKING:
    import sqlite3

    from sandbox.world import World

KEPT_SECONDS: Final = 6 * 3_600
"""How long a session can be read after its end."""


class Step(StrEnum):
    """Where a person is; the last two are ends."""

    BANK = "bank"
    CONSENT = "consent"
    SIGN_IN = "sign-in"
    CODE = "code"
    ACCOUNTS = "accounts"
    FINISHED = "finished"
    EXITED = "exited"


@dataclass(frozen=True, slots=True)
class Link:
    """A link token; `request` is the checked body that made it, `item_id` empty for a new item."""

    token: str
    hosted_id: str
    request: str
    item_id: str
    created_at: float
    expires_at: float

    @property
    def asked(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.request)
        return loaded

    @property
    def is_update(self) -> bool:
        return bool(self.item_id)

    @property
    def completion_url(self) -> str:
        return (self.asked.get("hosted_link") or {}).get("completion_redirect_uri") or ""

    @property
    def can_select_accounts(self) -> bool:
        """Return whether the person chooses accounts; always when the item is new."""
        return not self.is_update or bool(
            (self.asked.get("update") or {}).get("account_selection_enabled")
        )


@dataclass(frozen=True, slots=True)
class Session:
    session_id: str
    link_token: str
    started_at: float
    finished_at: float | None
    step: Step
    institution_id: str
    username: str
    error_code: str
    public_token: str
    exit_status: str
    events: str
    active_at: float

    @property
    def is_over(self) -> bool:
        return self.finished_at is not None

    @property
    def event_list(self) -> list[dict[str, Any]]:
        loaded: list[dict[str, Any]] = json.loads(self.events)
        return loaded


def make_link(
    world: World,
    db: sqlite3.Connection,
    asked: dict[str, Any],
    *,
    item_id: str,
    lifetime_seconds: float,
) -> Link:
    now = world.now()
    link = Link(token("link"), random_id(), json.dumps(asked), item_id, now, now + lifetime_seconds)
    db.execute("INSERT INTO link VALUES (?, ?, ?, ?, ?, ?)", tuple(asdict(link).values()))
    return link


def find_link(db: sqlite3.Connection, link_token: str) -> Link | None:
    row = db.execute("SELECT * FROM link WHERE token = ?", (link_token,)).fetchone()
    return None if row is None else Link(**row)


def find_hosted(db: sqlite3.Connection, hosted_id: str) -> Link | None:
    row = db.execute("SELECT * FROM link WHERE hosted_id = ?", (hosted_id,)).fetchone()
    return None if row is None else Link(**row)


def sessions_of(db: sqlite3.Connection, link: Link) -> list[Session]:
    rows = db.execute(
        "SELECT * FROM session WHERE link_token = ? ORDER BY started_at", (link.token,)
    )
    return [_session(row) for row in rows]


def find_session(db: sqlite3.Connection, link: Link, session_id: str) -> Session | None:
    row = db.execute(
        "SELECT * FROM session WHERE session_id = ? AND link_token = ?", (session_id, link.token)
    ).fetchone()
    return None if row is None else _session(row)


def idle_sessions(
    db: sqlite3.Connection, *, now: float, idle_seconds: float
) -> list[tuple[Link, Session]]:
    """Return the open sessions without a sign of life for so long, or of links that ran out."""
    rows = db.execute(
        "SELECT session.* FROM session JOIN link ON link.token = link_token "
        "WHERE finished_at IS NULL AND (active_at < ? OR expires_at < ?)",
        (now - idle_seconds, now),
    ).fetchall()
    found = ((find_link(db, row["link_token"]), _session(row)) for row in rows)
    return [(link, session) for link, session in found if link is not None]


def _session(row: sqlite3.Row) -> Session:
    values = dict(row)
    return Session(**{**values, "step": Step(values["step"])})


def start_session(
    world: World, db: sqlite3.Connection, link: Link, *, step: Step, institution_id: str
) -> Session:
    session_id = random_id()
    db.execute(
        "INSERT INTO session (session_id, link_token, started_at, active_at, step, institution_id)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (session_id, link.token, world.now(), world.now(), step, institution_id),
    )
    session = find_session(db, link, session_id)
    assert session is not None
    return session


def change_session(db: sqlite3.Connection, session: Session, **values: Any) -> Session:
    """Write these columns and return the session as it is now."""
    assert values.keys() <= set(asdict(session))
    assignments = ", ".join(f"{name} = ?" for name in values)
    db.execute(
        f"UPDATE session SET {assignments} WHERE session_id = ?",  # noqa: S608  names checked above
        (*values.values(), session.session_id),
    )
    return Session(**{**asdict(session), **values})
