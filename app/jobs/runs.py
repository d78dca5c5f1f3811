"""Background work as rows: ask, claim, renew, finish; the queue only carries an id.

A run is claimed by one conditional UPDATE that raises its fence.  Whoever writes for the
run repeats the fence in the same transaction, so a worker that was thought dead and
wakes up again can change nothing (docs/decisions/0003).
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.jobs import doorbell
from app.kernel import limits
from app.kernel.clock import utc_now
from app.models import (
    JobKind,
    JobRun,
    JobStatus,
    LedgerBankAccount,
    Reconciliation,
    ReconciliationStatus,
    db,
)
from app.models.session import UnitOfWork, rows_changed, unit_of_work
from app.tenancy.actor import Actor
from app.tenancy.scope import ALL_ORGANIZATIONS, organization_scope, owned

_ACTIVE = (JobStatus.QUEUED, JobStatus.RUNNING)


class LeaseLost(RuntimeError):  # noqa: N818 - it says what happened
    """Another worker has taken the run over; this one must not write any more."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a run until the lease ends."""

    run_id: str
    organization_id: str
    kind: JobKind
    subject_id: str
    fence: int
    attempt: int
    actor_user_id: str
    request_id: str | None

    def hold(self) -> None:
        """Assert the fence inside the caller's transaction, as its last lock.

        Raises:
            LeaseLost: The caller's transaction must roll back.
        """
        held = sa.update(JobRun).where(
            JobRun.id == self.run_id,
            JobRun.fence == self.fence,
            JobRun.status == JobStatus.RUNNING,
        )
        if rows_changed(held.values(lease_until=_lease_end())) != 1:
            raise LeaseLost(self.run_id)

    def report(self, percent: int, text: str) -> None:
        """Write the progress that people watch, 0 to 100, in a transaction of its own."""
        with unit_of_work():
            self.hold()
            rows_changed(
                sa.update(JobRun)
                .where(JobRun.id == self.run_id)
                .values(progress_percent=percent, progress_text=text)
            )


def request_run(
    work: UnitOfWork, actor: Actor, kind: JobKind, subject_id: str, cause: str = ""
) -> str:
    """Ask for work inside the caller's transaction and return the run's id.

    While a run of the same kind and subject is queued, that one is returned; one that is
    running may have read its input already, so another will follow it.  The queue is told
    after the commit, and the ticker tells it again should that fail.
    """
    return _request(work, kind, subject_id, _Asked(actor.user_id, actor.request_id, cause))


def request_matching_where(work: UnitOfWork, account: sa.ColumnElement[bool]) -> None:
    """Ask for matching where new lines came for an open reconciliation.

    Args:
        work: The transaction that brings the lines.
        account: Criterion on `LedgerBankAccount`: the accounts that they are for.
    """
    opened = db.session.scalars(
        owned(Reconciliation)
        .join(LedgerBankAccount, LedgerBankAccount.id == Reconciliation.ledger_bank_account_id)
        .where(
            Reconciliation.status == ReconciliationStatus.OPEN,
            Reconciliation.review_id.is_(None),  # matched when its review ends
            account,
        )
        .order_by(Reconciliation.id)
    ).all()
    for reconciliation in opened:
        # In the name of who opened it: whoever brings the lines need not be allowed to match.
        asked = _Asked(reconciliation.opened_by, None, "new_lines")
        _request(work, JobKind.MATCH, reconciliation.id, asked)


def claim(run_id: str) -> Claim | None:
    """Take a run that is queued and due, or whose worker let its lease run out.

    Returns:
        The claim; None when there is nothing to take, which is no error.
    """
    now = utc_now()
    takeable = sa.or_(
        sa.and_(JobRun.status == JobStatus.QUEUED, JobRun.available_at <= now),
        sa.and_(JobRun.status == JobStatus.RUNNING, JobRun.lease_until < now),
    )
    with unit_of_work():
        taken = rows_changed(
            sa.update(JobRun)
            .where(JobRun.id == run_id, takeable)
            .values(
                status=JobStatus.RUNNING,
                fence=JobRun.fence + 1,
                attempt=JobRun.attempt + 1,
                lease_until=_lease_end(),
                started_at=now,
            )
            .execution_options(**ALL_ORGANIZATIONS)
        )
        if not taken:
            return None
        run = db.session.scalar(
            sa.select(JobRun).where(JobRun.id == run_id), execution_options=ALL_ORGANIZATIONS
        )
        assert run is not None
        if run.attempt > limits.JOB_ATTEMPTS_MAX:  # it takes its worker down every time
            run.status, run.lease_until, run.finished_at = JobStatus.FAILED, None, now
            run.failure = (
                f"The work was interrupted {limits.JOB_ATTEMPTS_MAX} times and was given up; "
                f"nothing was changed. Tell your operator the run {run.id}."
            )
            return None
        return Claim(
            run_id=run.id,
            organization_id=run.organization_id,
            kind=JobKind(run.kind),
            subject_id=run.subject_id,
            fence=run.fence,
            attempt=run.attempt,
            actor_user_id=run.actor_user_id,
            request_id=run.request_id,
        )


def renew(held: Claim) -> bool:
    """Lengthen the lease; False when it was lost, but not when the run has just ended."""
    with organization_scope(held.organization_id):
        try:
            with unit_of_work():
                held.hold()
        except LeaseLost:
            # The writing transaction may have ended the run while this one waited for it.
            own = owned(JobRun).where(JobRun.id == held.run_id, JobRun.fence == held.fence)
            return db.session.scalar(own) is not None
        return True


def succeed(held: Claim, text: str, result: Mapping[str, object] | None = None) -> None:
    """End the run inside the caller's transaction, together with what it wrote."""
    held.hold()
    _end(
        held,
        JobStatus.SUCCEEDED,
        progress_percent=100,
        progress_text=text,
        result=dict(result or {}),
    )


def fail_within(held: Claim, sentence: str, result: Mapping[str, object] | None = None) -> None:
    """End the run for good inside the caller's transaction."""
    held.hold()
    _end(
        held,
        JobStatus.FAILED,
        progress_text="Failed",
        failure=sentence,
        result=dict(result or {}),
    )


def fail(held: Claim, sentence: str) -> None:
    """End the run for good; the sentence says what happened, what was kept, what to do."""
    with unit_of_work():
        fail_within(held, sentence)


def try_again(held: Claim) -> bool:
    """Queue the run again after a pause that grows; False when its attempts are used up."""
    if held.attempt >= limits.JOB_ATTEMPTS_MAX:
        return False
    pause_seconds = 2**held.attempt * (0.5 + random.random())  # noqa: S311 - jitter, no secret
    with unit_of_work():
        held.hold()
        rows_changed(
            sa.update(JobRun)
            .where(JobRun.id == held.run_id)
            .values(
                status=JobStatus.QUEUED,
                lease_until=None,
                available_at=utc_now() + timedelta(seconds=pause_seconds),
                progress_text="Trying again shortly",
            )
        )
    return True


def waiting_run_ids(now: datetime) -> list[str]:
    """Return the runs, of all organizations, that no worker has in hand and should."""
    stale = now - timedelta(seconds=limits.JOB_RING_AGAIN_SECONDS)
    statement = (
        sa.select(JobRun.id)
        .where(
            sa.or_(
                sa.and_(JobRun.status == JobStatus.QUEUED, JobRun.available_at <= stale),
                sa.and_(JobRun.status == JobStatus.RUNNING, JobRun.lease_until < now),
            )
        )
        .order_by(JobRun.available_at)
        .limit(limits.JOBS_RUNG_PER_TICK)
    )
    return list(db.session.scalars(statement, execution_options=ALL_ORGANIZATIONS))


def latest_run(kind: JobKind, subject_id: str) -> JobRun | None:
    """Return the newest run of a subject, for the page that watches it."""
    return db.session.scalar(
        owned(JobRun)
        .where(JobRun.kind == kind, JobRun.subject_id == subject_id)
        .order_by(JobRun.id.desc())
        .limit(1)
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who asked for a run, in which request, and what for."""

    user_id: str
    request_id: str | None
    cause: str


def _request(work: UnitOfWork, kind: JobKind, subject_id: str, asked: _Asked) -> str:
    active = (
        owned(JobRun)
        .where(JobRun.kind == kind, JobRun.subject_id == subject_id, JobRun.status.in_(_ACTIVE))
        .with_for_update()
    )
    run = db.session.scalar(active)
    if run is None:
        try:
            with db.session.begin_nested():
                run = _queued(kind, subject_id, asked)
                db.session.flush()
        except IntegrityError:  # somebody asked at the same moment: theirs will do
            run = db.session.scalars(active).one()
    if run.status == JobStatus.RUNNING:
        run.again = True
        db.session.flush()
    run_id = run.id
    work.after_commit(lambda: doorbell.ring(run_id))
    return run_id


def _end(held: Claim, status: JobStatus, **values: object) -> None:
    rows_changed(
        sa.update(JobRun)
        .where(JobRun.id == held.run_id)
        .values(status=status, lease_until=None, finished_at=utc_now(), **values)
    )
    asked_again = owned(JobRun).where(JobRun.id == held.run_id, JobRun.again)
    if db.session.scalar(asked_again.with_only_columns(JobRun.id)) is not None:
        asked = _Asked(held.actor_user_id, held.request_id, "asked_again")
        _queued(held.kind, held.subject_id, asked)
        db.session.flush()


def _queued(kind: JobKind, subject_id: str, asked: _Asked) -> JobRun:
    run = JobRun(
        kind=kind,
        subject_id=subject_id,
        actor_user_id=asked.user_id,
        request_id=asked.request_id,
        cause=asked.cause,
        progress_text="Waiting for a worker",
    )
    db.session.add(run)
    return run


def _lease_end() -> datetime:
    return utc_now() + timedelta(seconds=limits.JOB_LEASE_SECONDS)
