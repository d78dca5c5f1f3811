"""A connection's timeline, newest first: moves of its status, what else happened, and syncs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from app.connections.statuses import Cause
from app.models import (
    ConnectionEvent,
    ConnectionStatus,
    FinancialConnection,
    JobKind,
    JobRun,
    JobStatus,
    Upload,
    User,
    db,
)
from app.reports.connection_cards import ConnectionCard, connection_card
from app.reports.connection_words import STATUS_WORDS, StatusWords, cause_words
from app.reports.financial_accounts import UploadRow, uploads
from app.tenancy.actor import Actor
from app.tenancy.scope import get_owned, owned

LINES_READ: Final = 200
"""Of events and of syncs; what tells nothing is folded, so a page shows fewer."""

_COUNTS: Final = ("added", "changed", "removed", "recognized", "unreadable", "files", "refused")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the timeline.

    Args:
        by: Who or what led to it.
        moved: The statuses before and after in words, where it moved.
        reason: The provider's code for it, for whoever has to ask there.
        sync: How the sync stands that the line tells of; None for everything else.
        times: How many syncs in a row are folded into the line.
        since: When the first of them was.
    """

    at: datetime
    sentence: str
    by: str
    moved: tuple[StatusWords, StatusWords] | None = None
    reason: str = ""
    sync: JobStatus | None = None
    times: int = 1
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ConnectionHistory:
    card: ConnectionCard
    created_at: datetime
    lines: tuple[Line, ...]
    next_cursor: str | None
    """The id that the next page is older than."""
    uploads: tuple[UploadRow, ...]
    """The newest files of all its accounts."""


@dataclass(frozen=True, slots=True)
class _Entry:
    id: str
    line: Line
    tells_nothing: bool = False
    """A sync that nobody asked for and that brought nothing."""


def connection_history(
    actor: Actor, connection_id: str, now: datetime, before: str | None = None
) -> ConnectionHistory:
    """Return one page of the timeline with what stands beside it.

    Args:
        before: Only what is older than this id.

    Raises:
        NotFound: There is no such connection here.
    """
    created_at = get_owned(FinancialConnection, connection_id).created_at
    card = connection_card(actor, connection_id, now)
    entries = [*_events(connection_id, before), *_syncs(connection_id, before)]
    entries.sort(key=lambda entry: entry.id, reverse=True)
    shown = entries[:LINES_READ]
    account_ids = [account.account_id for account in card.accounts]
    return ConnectionHistory(
        card=card,
        created_at=created_at,
        lines=tuple(_folded(shown)),
        next_cursor=shown[-1].id if len(entries) > LINES_READ else None,
        uploads=uploads(Upload.financial_account_id.in_(account_ids)),
    )


def _events(connection_id: str, before: str | None) -> list[_Entry]:
    statement = owned(ConnectionEvent).where(ConnectionEvent.connection_id == connection_id)
    if before:
        statement = statement.where(ConnectionEvent.id < before)
    statement = statement.order_by(ConnectionEvent.id.desc()).limit(LINES_READ + 1)
    return [_Entry(event.id, _event_line(event)) for event in db.session.scalars(statement)]


def _event_line(event: ConnectionEvent) -> Line:
    moved = None
    if event.to_status:
        moved = _status_words(event.from_status), _status_words(event.to_status)
    by_person = event.cause == Cause.PERSON
    return Line(
        at=event.created_at,
        sentence=event.sentence,
        by=event.actor_name if by_person else _capital(cause_words(event.cause)),
        moved=moved,
        reason=event.reason,
    )


def _status_words(status: str) -> StatusWords:
    return STATUS_WORDS[ConnectionStatus(status)]


def _syncs(connection_id: str, before: str | None) -> list[_Entry]:
    statement = (
        owned(JobRun)
        .add_columns(User.name)
        .outerjoin(User, User.id == JobRun.actor_user_id)
        .where(JobRun.kind == JobKind.SYNC, JobRun.subject_id == connection_id)
    )
    if before:
        statement = statement.where(JobRun.id < before)
    rows = db.session.execute(statement.order_by(JobRun.id.desc()).limit(LINES_READ + 1))
    return [_Entry(run.id, _sync_line(run, name), _tells_nothing(run)) for run, name in rows]


def _sync_line(run: JobRun, person: Any) -> Line:
    failed = run.status == JobStatus.FAILED
    by_person = run.cause == Cause.PERSON and person
    return Line(
        at=run.finished_at or run.started_at or run.created_at,
        sentence=run.failure if failed else run.progress_text,
        by=person if by_person else _capital(cause_words(run.cause)),
        sync=JobStatus(run.status),
    )


def _tells_nothing(run: JobRun) -> bool:
    quiet = run.status == JobStatus.SUCCEEDED and run.cause != Cause.PERSON
    return quiet and not any(run.result.get(name) for name in _COUNTS)


def _folded(entries: Sequence[_Entry]) -> Iterator[Line]:
    """Yield the lines, one for several syncs in a row that tell nothing."""
    for tells_nothing, group in groupby(entries, key=lambda entry: entry.tells_nothing):
        lines = [entry.line for entry in group]
        if tells_nothing and len(lines) > 1:
            yield replace(lines[0], times=len(lines), since=lines[-1].at)
        else:
            yield from lines


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
