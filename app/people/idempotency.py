"""Calls that are answered once: what was done under a key, and what was answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.kernel import limits
from app.kernel.clock import utc_now
from app.kernel.ids import new_id
from app.models import ApiKey, IdempotentCall, db
from app.models.session import rows_changed, unit_of_work
from app.tenancy import vault
from app.tenancy.scope import ALL_ORGANIZATIONS, owned


@dataclass(frozen=True, slots=True)
class Call:
    """One call under a key of its sender's choice."""

    user_id: str
    """Whose API key sends it."""
    key: str
    request_digest: str


@dataclass(frozen=True, slots=True)
class KeptCall:
    """What is known of a call that came before; `status` is None while its answer is not kept."""

    request_digest: str
    status: int | None
    body: str
    headers: dict[str, Any]


def kept_call(call: Call) -> KeptCall | None:
    """Return what came before under the same key; None when nothing did, or too long ago."""
    row = db.session.scalar(_row(call).where(IdempotentCall.created_at > _kept_since(utc_now())))
    if row is None:
        return None
    body = _opened(row)
    status = None if body is None else row.status
    return KeptCall(row.request_digest, status, body or "", row.headers)


def note_call(call: Call) -> None:
    """Write the call inside the caller's transaction, so that it can never be done twice.

    Raises:
        sqlalchemy.exc.IntegrityError: The same key is at work elsewhere; roll back.
    """
    stale = _row(call).with_only_columns(IdempotentCall.id)
    rows_changed(
        sa.delete(IdempotentCall).where(
            IdempotentCall.id.in_(stale), IdempotentCall.created_at <= _kept_since(utc_now())
        )
    )
    api_key_id = db.session.scalar(
        owned(ApiKey).where(ApiKey.user_id == call.user_id).with_only_columns(ApiKey.id)
    )
    assert api_key_id is not None, "only keys make calls"
    db.session.add(
        IdempotentCall(
            id=new_id(), api_key_id=api_key_id, key=call.key, request_digest=call.request_digest
        )
    )
    db.session.flush()


def keep_answer(call: Call, status: int, body: str, headers: dict[str, Any]) -> None:
    """Keep what was answered, for whoever asks again; a call that wrote nothing is noted now."""
    with unit_of_work():
        row = db.session.scalar(_row(call))
        if row is None:
            note_call(call)
            row = db.session.scalars(_row(call)).one()
        row.status, row.headers = status, headers
        row.body = vault.seal(
            {"body": body},
            purpose=vault.KEPT_ANSWER,
            organization_id=row.organization_id,
            row_id=row.id,
        )


def prune_calls(now: datetime) -> int:
    """Forget, of all organizations, the calls that are not answered from memory any more."""
    total = 0
    old = (
        sa.select(IdempotentCall.id)
        .where(IdempotentCall.created_at <= _kept_since(now))
        .limit(limits.IDEMPOTENT_CALLS_PRUNED_PER_TRANSACTION)
    )
    while True:
        with unit_of_work():
            deleted = rows_changed(
                sa.delete(IdempotentCall)
                .where(IdempotentCall.id.in_(old))
                .execution_options(**ALL_ORGANIZATIONS)
            )
        if not deleted:
            return total
        total += deleted


def _opened(row: IdempotentCall) -> str | None:
    """Return the answer's body; None before it is kept, and once no key opens it any more."""
    if row.body is None:
        return None
    try:
        return vault.unseal(
            row.body,
            purpose=vault.KEPT_ANSWER,
            organization_id=row.organization_id,
            row_id=row.id,
        )["body"]
    except vault.VaultClosed:
        return None


def _row(call: Call) -> sa.Select[IdempotentCall]:
    return (
        owned(IdempotentCall)
        .join(ApiKey, ApiKey.id == IdempotentCall.api_key_id)
        .where(ApiKey.user_id == call.user_id, IdempotentCall.key == call.key)
    )


def _kept_since(now: datetime) -> datetime:
    return now - timedelta(seconds=limits.IDEMPOTENCY_KEPT_SECONDS)
