"""Workers that die anywhere in a sync, and things that happen at the same moment."""

import pytest
import sqlalchemy as sa

from app.aggregators.contract import AggregatorError
from app.connections.completion import complete
from app.connections.deletion import delete_connection
from app.connections.refresh import TooSoon, refresh, sync
from app.connections.schedule import do_what_is_due
from app.jobs import runs
from app.kernel.clock import utc_now
from app.kernel.errors import Conflict
from app.models import JobKind, JobRun, JobStatus, db
from app.models.session import unit_of_work
from app.tenancy.scope import get_owned, owned
from tests.bank_logins import (
    change_connection,
    connected,
    connection,
    history,
    let_the_lease_run_out,
    open_flow,
    stored_ids,
    token_of,
)
from tests.books import run_waiting_jobs
from tests.dying import perform_and_die_at
from tests.races import race
from tests.scripted_bank import checking, row
from workers.jobs import perform
from workers.schedule import tick


def test_a_worker_killed_at_any_statement_of_a_sync_leaves_nothing_or_all(cast, bank):
    held_id = connected(cast.alice, bank, row("t0"), row("gone")).id
    login = bank.logins["item-1"]
    number, killed, new = 1, True, []
    while killed:
        before = stored_ids()
        fresh = [row(f"n{number}-{at}", pending=at == 0) for at in range(4)]
        login.log += [*fresh, ("acc_1", "gone"), row("t0", -99 - number)]
        login.accounts.append(checking(f"acc-{number}", mask=f"{number:04}", name=f"A{number}"))
        new += [one.external_id for one in fresh]
        run_id = sync(cast.alice, held_id).run_id
        killed = perform_and_die_at(run_id, number)
        assert stored_ids() in (before, sorted({"t0", *new})), number
        let_the_lease_run_out(run_id)
        perform(run_id)
        assert stored_ids() == sorted({"t0", *new}), number
        assert get_owned(JobRun, run_id).status == JobStatus.SUCCEEDED
        assert connection(held_id).status == "active"
        run_waiting_jobs()
        number += 3
    assert number > 40  # it did die in many places


def test_rows_before_the_cursor_would_be_caught(cast, bank, monkeypatch):
    """The same harness finds the mistake that it is there for."""
    held_id = connected(cast.alice, bank).id
    cursor = connection(held_id).cursor
    bank.logins["item-1"].log += [row("t1"), row("t2")]
    sync(cast.alice, held_id)
    run_waiting_jobs()
    change_connection(held_id, cursor=cursor)  # as if the cursor had not been written
    with monkeypatch.context() as patch:
        patch.setattr(
            "app.connections.applying._known", lambda _keys: {}
        )  # and rows are not looked up
        sync(cast.alice, held_id)
        assert [run.status for run in run_waiting_jobs()] == [
            "failed"
        ]  # the database refuses twins
    sync(cast.alice, held_id)
    run_waiting_jobs()
    assert stored_ids() == ["t1", "t2"]


def test_of_two_refreshes_in_the_same_moment_one_passes(cast, bank):
    held_id = connected(cast.alice, bank).id
    for round_number in range(4):
        change_connection(held_id, refresh_available_at=None, refresh_wanted=False)
        outcomes = race(cast.acme_id, *[lambda: refresh(cast.alice, held_id).connection_id] * 3)
        assert sorted(outcomes) == sorted([held_id, "TooSoon", "TooSoon"]), round_number


def test_of_two_completions_in_the_same_moment_one_exchanges(cast, bank):
    flow = open_flow(cast.alice)
    bank.add_login("item-1")
    bank.finish(token_of(flow), "item-1")
    outcomes = race(
        cast.acme_id,
        *[lambda: complete(cast.alice, flow.connection_id).connection_id] * 3,
    )
    assert flow.connection_id in outcomes
    assert set(outcomes) <= {flow.connection_id, "Conflict"}
    exchanged = [event for event in history(flow.connection_id) if event.to_status == "in_progress"]
    assert len(exchanged) == 1


def test_a_connection_deleted_while_it_is_read_keeps_nothing_more(cast, bank):
    held_id = connected(cast.alice, bank, row("t1")).id
    bank.logins["item-1"].log.append(row("t2"))
    run_id = sync(cast.alice, held_id).run_id

    def delete_meanwhile(call):
        if call == "sync_page":
            bank.before = lambda _call: None
            delete_connection(cast.alice, held_id)

    bank.before = delete_meanwhile
    perform(run_id)
    assert stored_ids() == ["t1"]
    ended = connection(held_id)
    assert (ended.status, ended.credentials, ended.access_removed) == ("deleted", None, True)
    assert get_owned(JobRun, run_id).status == JobStatus.SUCCEEDED
    with pytest.raises(Conflict):
        sync(cast.alice, held_id)


@pytest.mark.parametrize("statement_number", range(1, 40, 3))
def test_a_deletion_that_is_interrupted_is_finished_by_the_clock(cast, bank, statement_number):
    held_id = connected(cast.alice, bank).id
    _die_in_deletion(cast, held_id, statement_number)
    if connection(held_id).status != "deleted":
        delete_connection(cast.alice, held_id)
    for run in db.session.scalars(owned(JobRun).where(JobRun.kind == JobKind.REMOVE_ACCESS)):
        let_the_lease_run_out(run.id)
    do_what_is_due(utc_now())
    run_waiting_jobs()
    assert connection(held_id).credentials is None


def _die_in_deletion(cast, connection_id, statement_number):
    class DiedError(Exception):
        pass

    seen = 0

    def die(*_args):
        nonlocal seen
        seen += 1
        if seen == statement_number:
            raise DiedError

    sa.event.listen(db.engine, "before_cursor_execute", die)
    try:
        delete_connection(cast.alice, connection_id)
    except DiedError:
        db.session.rollback()
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", die)


def test_an_aggregator_that_does_not_answer_keeps_no_credentials_of_a_deleted_connection(
    cast, bank
):
    held_id = connected(cast.alice, bank).id

    def down(call):
        if call == "remove":
            raise AggregatorError("DOWN", "The aggregator is down.", permanent=False)

    bank.before = down
    assert not delete_connection(cast.alice, held_id).access_removed
    assert not delete_connection(cast.alice, held_id).access_removed
    assert connection(held_id).credentials is None
    assert "did not confirm" in history(held_id)[-1].sentence


def test_the_hour_is_shared_and_comes_back_when_the_aggregator_was_not_asked(cast, bank):
    held_id = connected(cast.alice, bank).id
    refresh(cast.alice, held_id)
    run_waiting_jobs()
    assert bank.refreshed == ["item-1"]
    with pytest.raises(TooSoon) as refused:
        refresh(cast.carol, held_id)
    assert refused.value.available_at == connection(held_id).refresh_available_at
    sync(cast.carol, held_id)  # what the aggregator has may be fetched at any time
    change_connection(held_id, refresh_available_at=utc_now())

    def busy(call):
        if call == "refresh":
            raise AggregatorError("BUSY", "The aggregator is busy.", permanent=False)

    bank.before = busy
    refresh(cast.alice, held_id)
    run_waiting_jobs()
    assert connection(held_id).refresh_available_at is None
    assert "The aggregator is busy." in " ".join(one.sentence for one in history(held_id))


def test_an_emptied_queue_loses_no_sync(app, cast, bank):
    held_id = connected(cast.alice, bank).id
    bank.logins["item-1"].log.append(row("t1"))
    run_id = sync(cast.alice, held_id).run_id
    app.extensions["redis"].flushall()
    with unit_of_work():
        early = sa.update(JobRun).where(JobRun.id == run_id)
        db.session.execute(early.values(available_at=utc_now().replace(year=2020)))
    assert tick() >= 1
    assert app.extensions["redis"].keys("rq:job:*")
    perform(run_id)
    assert stored_ids() == ["t1"]


def test_two_clocks_ask_for_one_sync(cast, bank):
    held_id = connected(cast.alice, bank).id
    change_connection(held_id, next_sync_at=utc_now())
    race(cast.acme_id, *[lambda: do_what_is_due(utc_now())] * 2)
    queued = owned(JobRun).where(JobRun.kind == JobKind.SYNC, JobRun.status == JobStatus.QUEUED)
    assert len(db.session.scalars(queued).all()) == 1
    assert connection(held_id).next_sync_at > utc_now()


def test_a_sync_whose_run_was_taken_over_writes_nothing(cast, bank, monkeypatch):
    held_id = connected(cast.alice, bank).id
    bank.logins["item-1"].log.append(row("t1"))
    run_id = sync(cast.alice, held_id).run_id
    succeed = runs.succeed

    def taken_over(claim, text, result=None):
        db.session.execute(sa.update(JobRun).values(fence=JobRun.fence + 1))
        succeed(claim, text, result)

    monkeypatch.setattr(runs, "succeed", taken_over)
    perform(run_id)
    assert stored_ids() == []
    monkeypatch.setattr(runs, "succeed", succeed)
    let_the_lease_run_out(run_id)
    perform(run_id)
    assert stored_ids() == ["t1"]
