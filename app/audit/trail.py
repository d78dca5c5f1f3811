"""The audit trail: append-only, hash-chained per organization, in the caller's transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from app.kernel.clock import utc_now
from app.kernel.ids import new_id
from app.models import AuditEvent, AuditHead, db
from app.tenancy.actor import Actor
from app.tenancy.scope import insert_owned, owned

GENESIS_HASH: Final = "0" * 64
_VERIFY_BATCH_ROWS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was changed.

    Args:
        action: Area and verb, such as `match.approved`.
        subject_type: Table in words, such as `match`.
        subject_id: Its id.
        before: What stood there; empty for something new.
        after: What stands there now; empty for something removed.
    """

    action: str
    subject_type: str
    subject_id: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verification:
    events_count: int
    first_broken_sequence: int | None

    @property
    def intact(self) -> bool:
        return self.first_broken_sequence is None


def record(actor: Actor, *changes: Change) -> None:
    """Append the changes to the organization's chain: one lock of its head, one insert."""
    if not changes:
        return
    head = db.session.scalar(owned(AuditHead).with_for_update())
    assert head is not None, "every organization is created with its chain"
    at = utc_now()
    rows: list[Mapping[str, Any]] = []
    for change in changes:
        head.sequence += 1
        row = {
            "sequence": head.sequence,
            "at": at,
            "actor_user_id": actor.user_id,
            "actor_name": actor.name,
            "via": actor.via,
            "ip_address": actor.ip_address,
            "request_id": actor.request_id,
            "action": change.action,
            "subject_type": change.subject_type,
            "subject_id": change.subject_id,
            "before": _as_stored(change.before),
            "after": _as_stored(change.after),
            "previous_hash": head.hash,
        }
        head.hash = _hash(row)
        rows.append({**row, "hash": head.hash, "id": new_id(), "created_at": at})
    insert_owned(AuditEvent, rows)
    db.session.flush()


def verify() -> Verification:
    """Recompute the chain of the organization in scope.

    Finds altered, removed, inserted and reordered events, and a cut tail: the head keeps
    the last sequence and hash.
    """
    sequence, expected = 0, GENESIS_HASH
    columns = [getattr(AuditEvent, name) for name in (*_HASHED, "hash")]
    statement = owned(AuditEvent).with_only_columns(*columns).order_by(AuditEvent.sequence)
    with db.session.execute(statement.execution_options(yield_per=_VERIFY_BATCH_ROWS)) as events:
        for event in events.mappings():
            sequence += 1
            found = (event["sequence"], event["previous_hash"], event["hash"])
            if found != (sequence, expected, _hash({**event})):
                return Verification(sequence - 1, sequence)
            expected = event["hash"]
    head = db.session.scalar(owned(AuditHead))
    if head is None or (head.sequence, head.hash) != (sequence, expected):
        return Verification(sequence, sequence + 1)
    return Verification(sequence, None)


_HASHED: Final = tuple(
    column.key
    for column in sa.inspect(AuditEvent).columns
    if column.key not in {"id", "created_at", "hash", "organization_id"}
)


def _hash(row: Mapping[str, Any]) -> str:
    fields = {name: row[name] for name in _HASHED}
    text = json.dumps(
        fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _as_stored(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the database's JSON column will give back, so that hashes can be redone."""
    stored: dict[str, Any] = json.loads(json.dumps(dict(values), default=_plain))
    return stored


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value)
