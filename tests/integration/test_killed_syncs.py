"""Processes killed with SIGKILL at random moments of a sync: nothing lost, nothing doubled."""

from __future__ import annotations

import os
import random
import signal
import time

from app.connections.refresh import sync
from app.models import JobRun, JobStatus, db
from app.tenancy.scope import get_owned
from tests.bank_logins import connected, connection, let_the_lease_run_out, stored_ids
from tests.books import run_waiting_jobs
from tests.scripted_bank import row
from workers.jobs import perform

ROUNDS = 30
"""On each database."""

_ENDED = (JobStatus.SUCCEEDED, JobStatus.FAILED)


def start_worker(run_id: str) -> int:
    db.session.remove()
    db.engine.dispose()
    child = os.fork()
    if child == 0:
        try:
            perform(run_id)
        finally:
            os._exit(0)
    return child


def finish(run_id: str) -> JobRun:
    """Take the run over, as the next worker does once the lease has ended.

    Again where the database still carried out the last wish of the one that was killed.
    """
    for _ in range(1_000):
        let_the_lease_run_out(run_id)
        perform(run_id)
        db.session.rollback()
        run = get_owned(JobRun, run_id)
        if run.status in _ENDED:
            return run
    raise AssertionError(run_id)


def test_syncs_killed_at_random_moments_leave_every_transaction_here_once(cast, bank):
    held_id = connected(cast.alice, bank, row("t0")).id
    login = bank.logins["item-1"]
    begun = time.monotonic()
    os.waitpid(start_worker(sync(cast.alice, held_id).run_id), 0)
    whole_seconds = time.monotonic() - begun
    chance = random.Random(4711)
    alive = {"t0"}
    for number in range(ROUNDS):
        before = sorted(alive)
        pending, posted = f"p{number}", f"t{number + 1}"
        login.log += [row(posted, number), row(pending, pending=True), row("t0", -number - 1)]
        if number:
            settled = f"s{number}"
            login.log += [
                row(settled, pending_external_id=f"p{number - 1}"),
                ("acc_1", f"p{number - 1}"),
            ]
            alive = alive - {f"p{number - 1}"} | {settled}
        alive |= {pending, posted}
        run_id = sync(cast.alice, held_id).run_id
        child = start_worker(run_id)
        time.sleep(chance.uniform(0, whole_seconds))  # whenever: the outcome is the same
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert stored_ids() in (before, sorted(alive)), number
        assert finish(run_id).status == JobStatus.SUCCEEDED, number
        assert stored_ids() == sorted(alive), number
        run_waiting_jobs()
    assert connection(held_id).status == "active"
