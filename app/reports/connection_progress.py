"""What is under way at a connection: visits to the bank, and syncs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from app.kernel import limits
from app.models import (
    FinancialConnection,
    FlowMode,
    FlowProgress,
    HostedFlow,
    JobKind,
    JobRun,
    JobStatus,
    db,
)
from app.reports.connection_words import exit_sentence
from app.tenancy.scope import current_organization_id, owned

_GRACE: Final = timedelta(seconds=limits.FLOW_GRACE_SECONDS)
_ENDED: Final = (JobStatus.SUCCEEDED, JobStatus.FAILED)


@dataclass(frozen=True, slots=True)
class OpenFlow:
    """A visit to the bank that somebody has begun; its address is not shown to anybody."""

    flow_id: str
    expires_at: datetime
    is_over: bool
    """Its time is up, and its end is being settled."""
    creates: bool
    adds_accounts: bool
    opened: bool
    last_exit: str
    """How the last visit ended, in a sentence; empty when there was none."""


@dataclass(frozen=True, slots=True)
class SyncState:
    """The newest sync, and what came of the last one that has ended."""

    running: bool
    percent: int
    progress: str
    outcome: str
    """Such as “14 new”; empty while there was none."""
    failure: str
    """Why the last one brought nothing; empty when it did."""


NO_SYNC: Final = SyncState(running=False, percent=0, progress="", outcome="", failure="")


def open_flows(now: datetime) -> dict[str, OpenFlow]:
    """Return the newest open flow of each connection."""
    flows = db.session.scalars(
        owned(HostedFlow)
        .where(
            HostedFlow.progress.in_([FlowProgress.OPEN, FlowProgress.EXCHANGING]),
            HostedFlow.expires_at > now - _GRACE,
        )
        .order_by(HostedFlow.id)
    )
    return {
        flow.connection_id: OpenFlow(
            flow_id=flow.id,
            expires_at=flow.expires_at,
            is_over=flow.progress != FlowProgress.OPEN or flow.expires_at <= now,
            creates=flow.mode == FlowMode.CREATE,
            adds_accounts=flow.add_accounts,
            opened=flow.opened,
            last_exit=exit_sentence(flow.exit_code),
        )
        for flow in flows
    }


def sync_states() -> dict[str, SyncState]:
    """Return how the syncs of each connection stand, along the index of runs by subject."""
    newest, newest_ended = _newest_sync(*JobStatus), _newest_sync(*_ENDED)
    runs = db.session.scalars(
        owned(JobRun)
        .where(sa.or_(JobRun.id.in_(newest), JobRun.id.in_(newest_ended)))
        .order_by(JobRun.id)
    )
    by_connection: dict[str, list[JobRun]] = {}
    for run in runs:
        by_connection.setdefault(run.subject_id, []).append(run)
    return {connection_id: _state(found) for connection_id, found in by_connection.items()}


def _newest_sync(*statuses: JobStatus) -> sa.Select[str]:
    run = aliased(JobRun)
    newest = sa.select(sa.func.max(run.id)).where(
        run.organization_id == current_organization_id(),
        run.kind == JobKind.SYNC,
        run.subject_id == FinancialConnection.id,
        run.status.in_(statuses),
    )
    return owned(FinancialConnection).with_only_columns(newest.scalar_subquery())


def _state(runs: Sequence[JobRun]) -> SyncState:
    """Return the state told by the newest run and the newest that has ended, oldest first."""
    newest = runs[-1]
    running = newest.status not in _ENDED
    ended = next((run for run in reversed(runs) if run.status in _ENDED), None)
    failed = ended is not None and ended.status == JobStatus.FAILED
    outcome = ""
    if ended is not None:
        outcome = "failed" if failed else ended.progress_text.partition(".")[0]
    return SyncState(
        running=running,
        percent=newest.progress_percent if running else 100,
        progress=newest.progress_text if running else "",
        outcome=outcome[:1].lower() + outcome[1:],
        failure=ended.failure if ended is not None and failed else "",
    )
