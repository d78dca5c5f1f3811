"""Forget runs that came to nothing: looks at a bank that found nothing new.

A visit to a bank is looked at every few seconds and a watched folder once a minute.  What
changed something, failed or was asked for by a person is kept for good: it is history.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from app.kernel import limits
from app.models import JobKind, JobRun, JobStatus
from app.models.session import rows_changed, unit_of_work
from app.tenancy.scope import ALL_ORGANIZATIONS

_LOOKS: Final = (JobKind.FINISH_FLOW, JobKind.SYNC)
_BY_ITSELF: Final = ("clock", "webhook", "hosted_flow", "asked_again")


def prune_quiet_runs(now: datetime) -> int:
    """Delete what came to nothing, of all organizations, and return how many runs that was.

    The newest run of each subject stays: it tells when there was a look last.  Goes on in
    short transactions until nothing is left, and may be repeated at any time.
    """
    total = 0
    while deleted := _prune_some(now - timedelta(seconds=limits.QUIET_RUNS_KEPT_SECONDS)):
        total += deleted
    return total


def _prune_some(before: datetime) -> int:
    newest = (
        sa.select(sa.func.max(JobRun.id))
        .where(JobRun.kind.in_(_LOOKS))
        .group_by(JobRun.organization_id, JobRun.kind, JobRun.subject_id)
    )
    quiet = (
        sa.select(JobRun.id)
        .where(
            JobRun.status == JobStatus.SUCCEEDED,
            JobRun.available_at < before,
            JobRun.kind.in_(_LOOKS),
            JobRun.cause.in_(_BY_ITSELF),
            sa.cast(JobRun.result, sa.Text) == "{}",
            JobRun.id.not_in(newest),
        )
        .order_by(JobRun.available_at)
        .limit(limits.RUNS_PRUNED_PER_TRANSACTION)
    )
    with unit_of_work():
        return rows_changed(
            sa.delete(JobRun).where(JobRun.id.in_(quiet)).execution_options(**ALL_ORGANIZATIONS)
        )
