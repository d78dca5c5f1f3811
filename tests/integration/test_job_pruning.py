"""What the ticker forgets of the runs, and what it keeps."""

import sqlalchemy as sa

from app.connections.refresh import sync
from app.connections.schedule import do_what_is_due
from app.jobs.pruning import prune_quiet_runs
from app.kernel import limits
from app.kernel.clock import utc_now
from app.models import JobKind, JobRun, db
from app.tenancy.scope import ALL_ORGANIZATIONS, enter_scope, owned
from tests.bank_logins import change_connection, connected, open_flow
from tests.books import nothing_changes, run_waiting_jobs
from tests.scripted_bank import row


def scheduled_sync(held_id: str) -> str:
    change_connection(held_id, next_sync_at=utc_now())
    do_what_is_due(utc_now())
    (run,) = run_waiting_jobs()
    return run.id


def run_ids() -> set[str]:
    db.session.rollback()
    return set(db.session.scalars(sa.select(JobRun.id), execution_options=ALL_ORGANIZATIONS))


def test_looks_that_found_nothing_are_forgotten_after_a_day_but_for_the_last(
    cast, bank, clock, monkeypatch
):
    monkeypatch.setattr(limits, "RUNS_PRUNED_PER_TRANSACTION", 2)
    held_id = connected(cast.alice, bank, row("t1")).id
    first = run_ids()
    quiet = {scheduled_sync(held_id) for _ in range(3)}
    asked = sync(cast.alice, held_id).run_id
    run_waiting_jobs()
    bank.logins["item-1"].log.append(row("t2"))
    fruitful = scheduled_sync(held_id)
    last = scheduled_sync(held_id)
    with nothing_changes():
        assert prune_quiet_runs(utc_now()) == 0
    clock.pass_by(seconds=limits.QUIET_RUNS_KEPT_SECONDS + 1)
    assert prune_quiet_runs(utc_now()) == len(quiet)
    assert run_ids() == first | {asked, fruitful, last}


def test_the_looks_at_a_visit_go_and_those_of_other_organizations_too(cast, bank, clock):
    looks = 0
    for organization_id, actor in ((cast.acme_id, cast.alice), (cast.other_id, cast.charlie)):
        enter_scope(organization_id)
        open_flow(actor)
        for _ in range(3):
            clock.pass_by(seconds=limits.FLOW_POLL_SECONDS_MAX)
            do_what_is_due(utc_now())
            looks += len(run_waiting_jobs())
    assert looks >= 6
    clock.pass_by(days=2)
    before = len(all_looks())
    assert prune_quiet_runs(utc_now()) == before - 2
    assert len(all_looks()) == 2


def all_looks() -> list[str]:
    db.session.rollback()
    looks = sa.select(JobRun.id).where(JobRun.kind == JobKind.FINISH_FLOW)
    return list(db.session.scalars(looks, execution_options=ALL_ORGANIZATIONS))


def test_runs_that_wait_or_failed_are_never_forgotten(cast, bank, clock):
    held_id = connected(cast.alice, bank).id
    bank.before = lambda _call: 1 / 0
    failed = scheduled_sync(held_id)
    bank.before = lambda _call: None
    change_connection(held_id, next_sync_at=utc_now())
    do_what_is_due(utc_now())
    clock.pass_by(days=2)
    prune_quiet_runs(utc_now())
    kept = db.session.scalars(owned(JobRun).where(JobRun.subject_id == held_id)).all()
    assert {"failed", "queued"} <= {run.status for run in kept}
    assert failed in {run.id for run in kept}
