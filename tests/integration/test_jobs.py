"""The row is the truth, the queue only rings: claims, leases, fences, retries, rings."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from redis import Redis
from sqlalchemy.exc import OperationalError

from app.jobs import runs
from app.jobs.runs import LeaseLost
from app.kernel import limits
from app.kernel.clock import utc_now
from app.models import JobKind, JobRun, JobStatus, Membership, db
from app.models.session import unit_of_work
from app.people.members import members, remove_member
from app.tenancy.scope import get_owned, organization_scope, owned
from tests.books import Books, nothing_changes, run_waiting_jobs, set_up_books
from tests.races import race
from workers import jobs
from workers.schedule import tick

# Leases and rings are seconds, and a machine may stand still for longer than that.
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def books(cast) -> Books:
    return set_up_books(cast.carol)


@pytest.fixture
def run_id(books) -> str:
    return runs.latest_run(JobKind.MATCH, books.open(0)).id


def change(run_id: str, **values) -> None:
    with unit_of_work():
        db.session.execute(sa.update(JobRun).where(JobRun.id == run_id).values(**values))


def state(run_id: str) -> JobRun:
    db.session.rollback()
    return get_owned(JobRun, run_id)


def test_of_many_workers_exactly_one_gets_the_run(cast, run_id):
    for round_number in range(5):
        outcomes = race(cast.acme_id, *[lambda: runs.claim(run_id) is not None] * 4)
        assert sorted(outcomes) == [False, False, False, True], round_number
        change(run_id, status=JobStatus.QUEUED, lease_until=None)


def test_a_held_run_is_not_claimed_until_its_lease_has_run_out(run_id, clock):
    first = runs.claim(run_id)
    assert first is not None
    clock.pass_by(seconds=limits.JOB_LEASE_SECONDS)
    assert runs.claim(run_id) is None
    clock.pass_by(seconds=1)
    second = runs.claim(run_id)
    assert second is not None
    assert (second.fence, second.attempt) == (first.fence + 1, first.attempt + 1)


def test_a_worker_that_lost_its_lease_can_write_nothing(run_id):
    first = runs.claim(run_id)
    change(run_id, lease_until=utc_now() - timedelta(seconds=1))
    runs.claim(run_id)
    for write in (
        lambda: first.report(50, "still here"),
        lambda: runs.fail(first, "no"),
        lambda: runs.try_again(first),
    ):
        with pytest.raises(LeaseLost), nothing_changes():
            write()
    assert runs.renew(first) is False


def test_renewing_keeps_the_lease(run_id, clock):
    held = runs.claim(run_id)
    clock.pass_by(seconds=limits.JOB_LEASE_SECONDS - 0.5)
    assert runs.renew(held)
    assert state(run_id).lease_until == clock.at + timedelta(seconds=limits.JOB_LEASE_SECONDS)


def test_asking_at_the_same_moment_makes_one_run_and_fails_nobody(cast):
    for number in range(5):
        subject_id = f"{number:032x}"

        def ask(subject_id=subject_id) -> str:
            with unit_of_work() as work:
                return runs.request_run(work, cast.carol, JobKind.MATCH, subject_id)

        (run_id,) = set(race(cast.acme_id, ask, ask, ask, ask))
        runs_made = db.session.scalars(owned(JobRun).where(JobRun.subject_id == subject_id)).all()
        assert [run.id for run in runs_made] == [run_id]


def test_the_ticker_rings_for_what_the_queue_lost(app, run_id, clock):
    redis: Redis = app.extensions["redis"]
    redis.flushall()
    assert tick() == 0  # just asked for: the first ring may still be on its way
    clock.pass_by(seconds=limits.JOB_RING_AGAIN_SECONDS)
    assert tick() == 1
    assert redis.llen("rq:queue:tieout") == 1
    runs.claim(run_id)
    assert tick() == 0
    clock.pass_by(seconds=limits.JOB_LEASE_SECONDS + 1)
    assert tick() == 1


def test_without_redis_the_work_is_kept_and_asked_for_later(app, books, monkeypatch):
    gone = Redis.from_url("unix:///nonexistent/redis.sock")
    monkeypatch.setitem(app.extensions, "redis", gone)
    run = runs.latest_run(JobKind.MATCH, books.open(0))
    assert run.status == JobStatus.QUEUED


def test_nothing_but_an_id_goes_through_redis(app, run_id):
    redis: Redis = app.extensions["redis"]
    (job_id,) = redis.lrange("rq:queue:tieout", 0, -1)
    job = redis.hgetall(b"rq:job:" + job_id)
    assert job[b"description"] == run_id.encode()
    assert b"Acme" not in repr(job).encode()


def test_a_right_taken_away_stops_a_queued_job(cast, run_id):
    carol = next(member for member in members() if member.name == "Carol")
    remove_member(cast.alice, carol.membership_id)
    jobs.perform(run_id)
    run = state(run_id)
    assert run.status == JobStatus.FAILED
    assert "no longer belongs to the organization" in run.failure


def test_a_role_lowered_stops_a_queued_job(cast, run_id):
    with unit_of_work():
        carols = owned(Membership).where(Membership.user_id == cast.carol.user_id)
        db.session.scalars(carols).one().role = "viewer"
    jobs.perform(run_id)
    assert "permission “reconcile”" in state(run_id).failure


def test_a_bug_ends_the_run_with_a_sentence_and_its_number(run_id, monkeypatch):
    def crash(_actor, _held):
        raise ZeroDivisionError

    monkeypatch.setitem(jobs._HANDLERS, JobKind.MATCH, crash)
    jobs.perform(run_id)
    run = state(run_id)
    assert run.status == JobStatus.FAILED
    assert run_id in run.failure
    assert "ZeroDivision" not in run.failure


def test_what_passes_is_tried_again_later_and_later_and_then_given_up(run_id, monkeypatch):
    def interrupted(_actor, _held):
        raise OperationalError("SELECT 1", {}, Exception("database is gone"))

    monkeypatch.setitem(jobs._HANDLERS, JobKind.MATCH, interrupted)
    pauses = []
    for _ in range(limits.JOB_ATTEMPTS_MAX - 1):
        jobs.perform(run_id)
        run = state(run_id)
        assert run.status == JobStatus.QUEUED
        pauses.append((run.available_at - utc_now()).total_seconds())
        change(run_id, available_at=utc_now())
    jobs.perform(run_id)
    assert state(run_id).status == JobStatus.FAILED
    assert pauses[-1] > pauses[0]


def test_a_ring_for_a_finished_or_unknown_run_does_nothing(books):
    books.open(0)
    (run,) = run_waiting_jobs()
    with nothing_changes():
        jobs.perform(run.id)
        jobs.perform("0" * 32)


def test_another_organization_does_not_see_the_run(cast, run_id):
    with organization_scope(cast.other_id):
        assert db.session.scalars(owned(JobRun)).all() == []


def test_a_run_that_takes_its_worker_down_every_time_is_given_up(run_id):
    for _ in range(limits.JOB_ATTEMPTS_MAX):
        assert runs.claim(run_id) is not None
        change(run_id, lease_until=utc_now() - timedelta(seconds=1))
    assert runs.claim(run_id) is None
    run = state(run_id)
    assert run.status == JobStatus.FAILED
    assert run_id in run.failure
