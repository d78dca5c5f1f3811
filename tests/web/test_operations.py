from __future__ import annotations

import json
import logging
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest
import structlog
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from app.config import Environment
from app.factory import create_app
from app.jobs.doorbell import QUEUE_NAME, connect
from app.kernel.ids import new_id
from app.models import JobKind, JobRun, db
from app.models.session import unit_of_work
from app.web.logs import configure_logs
from tests.bank_logins import change_connection, connected
from tests.conftest import PASSWORD, LonelyClient, sign_in
from tests.html import checked
from tests.scripted_bank import row

ORIGIN = {"Origin": "http://localhost"}


@pytest.fixture
def operator(app, cast):
    return sign_in(app, cast.alice)


@pytest.fixture
def queue(app):
    return Queue(
        QUEUE_NAME, connection=app.extensions["redis"], serializer=JSONSerializer, is_async=True
    )


def work(queue):
    """Do what waits in the queue, in this process."""
    worker = SimpleWorker([queue], connection=queue.connection, serializer=JSONSerializer)
    worker.log_job_description = False
    worker.work(burst=True, logging_level="CRITICAL")


@pytest.fixture
def other_app(app):
    """Makes applications beside the one of the tests, with other settings."""
    made = []

    def make(**settings):
        other = create_app(replace(app.extensions["settings"], **settings))
        other.test_client_class = LonelyClient
        other.config["WTF_CSRF_ENABLED"] = False
        made.append(other)
        return other

    yield make
    for other in made:
        with other.app_context():
            db.engine.dispose()


def test_the_process_says_that_it_is_up(app):
    answer = app.test_client().get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_everything_there_is_ready_and_each_part_is_named(app):
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 200
    assert answer.json == {
        "ready": True,
        "checks": {"database": "ok", "redis": "ok", "migrations": "ok"},
    }


def test_redis_away_is_not_ready_and_named(other_app):
    other = other_app(redis_url="unix:///nowhere/redis.sock")
    answer = other.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json["checks"]["redis"] == "does not answer (ConnectionError)"
    assert answer.json["checks"]["database"] == "ok"
    assert other.test_client().get("/healthz").status_code == 200


def test_a_database_without_migrations_is_not_ready_and_named(other_app, tmp_path):
    other = other_app(database_url=f"sqlite:///{tmp_path}/empty.sqlite3")
    answer = other.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json["checks"]["database"] == "ok"
    assert answer.json["checks"]["migrations"].startswith("none applied; run: flask")


@pytest.fixture
def without_database(other_app):
    """An application whose database server is not there."""
    url = "postgresql+psycopg://nobody@127.0.0.1:9/none?connect_timeout=1"
    return other_app(database_url=url)


def test_a_database_that_is_away_is_not_ready_and_named(without_database):
    answer = without_database.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json["checks"]["database"] == "does not answer (OperationalError)"
    assert answer.json["checks"]["redis"] == "ok"


def test_a_page_without_its_database_is_a_sound_failure_with_the_request_id(
    app, cast, without_database
):
    with sign_in(app, cast.alice).session_transaction() as session:
        signed_in = dict(session)
    client = without_database.test_client()
    with client.session_transaction() as session:
        session.update(signed_in)
    answer = client.get("/rules/")
    assert answer.status_code == 503
    checked(answer.text)
    assert answer.headers["X-Request-Id"] in answer.text
    assert "Nothing of this step was saved" in answer.text
    assert "OperationalError" not in answer.text


def test_metrics_count_the_runs_and_how_long_they_wait(app, cast):
    with unit_of_work():
        db.session.add(JobRun(kind=JobKind.MATCH, subject_id="s", actor_user_id="u"))
    text = app.test_client().get("/metrics").text
    assert 'tieout_job_runs{kind="match",status="queued"} 1.0' in text
    wait = next(line for line in text.splitlines() if line.startswith("tieout_job_wait_seconds "))
    assert 0 <= float(wait.split()[1]) < 60


def test_metrics_tell_the_queue_and_how_old_the_bank_data_is(app, cast, bank, clock, queue):
    held_id = connected(cast.alice, bank, row("t1")).id
    clock.pass_by(hours=3)
    change_connection(held_id, status="active")
    app.extensions["redis"].delete(f"rq:queue:{QUEUE_NAME}")
    queue.enqueue("workers.jobs.perform", "run-1", description="run-1")
    text = app.test_client().get("/metrics").text
    assert "tieout_queue_depth 1.0" in text
    assert f'tieout_connections{{provider="{bank.name}",status="active"}} 1.0' in text
    assert f'tieout_sync_age_seconds{{provider="{bank.name}"}} 10800' in text


def test_requests_are_counted_by_endpoint_without_any_id(app, cast):
    client = sign_in(app, cast.alice)
    held = new_id()
    for _ in range(3):
        client.get(f"/rules/{held}")
    client.open("/rules/", method="BREW")
    client.get(f"/nowhere/{held}")
    text = client.get("/metrics").text
    assert 'tieout_http_requests_total{endpoint="rules.edit",method="GET",status="404"}' in text
    assert 'tieout_http_request_seconds_bucket{endpoint="rules.edit",le="0.5"}' in text
    assert 'endpoint="other",method="GET",status="404"' in text
    assert "BREW" not in text
    assert held not in text


@pytest.mark.parametrize(
    ("settings", "headers", "status"),
    [
        ({}, {}, 200),
        ({"metrics_networks": ()}, {}, 403),
        ({"metrics_networks": (ip_network("10.0.0.0/8"),)}, {}, 403),
        ({"metrics_networks": (), "metrics_token": "t" * 40}, {}, 403),
        ({"metrics_networks": (), "metrics_token": "t" * 40}, {"Authorization": "Bearer é"}, 403),
        ({"metrics_networks": ()}, {"Authorization": "Bearer "}, 403),
        (
            {"metrics_networks": (), "metrics_token": "t" * 40},
            {"Authorization": "Bearer " + "t" * 40},
            200,
        ),
    ],
)
def test_metrics_are_for_the_operators_networks_and_token(other_app, settings, headers, status):
    answer = other_app(**settings).test_client().get("/metrics", headers=headers)
    assert answer.status_code == status
    assert ("tieout_job_runs" in answer.text) is (status == 200)


def test_the_dashboard_shows_our_queue_and_its_jobs_to_operators(operator, queue):
    done = queue.enqueue("os.getcwd", description="a run id", result_ttl=60)
    work(queue)
    waiting = queue.enqueue("workers.jobs.perform", "run-2", description="run-2")
    page = operator.get("/ops/rq/")
    assert page.status_code == 200
    assert "Queues" in page.text
    (shown,) = operator.get("/ops/rq/0/data/queues.json").json["queues"]
    assert (shown["name"], shown["count"]) == (QUEUE_NAME, 1)
    assert shown["finished_job_registry_count"] == 1
    (job,) = operator.get(f"/ops/rq/0/data/jobs/{QUEUE_NAME}/queued/8/asc/1.json").json["jobs"]
    assert job["id"] == waiting.id
    info = operator.get(f"/ops/rq/0/data/job/{done.id}.json").json
    assert (info["status"], info["result"]) == ("finished", str(Path.cwd()))


def test_the_dashboard_shows_a_worker_with_the_job_it_has_in_hand(operator, queue):
    worker = SimpleWorker([queue], connection=queue.connection, serializer=JSONSerializer)
    worker.register_birth()
    job = queue.enqueue("workers.jobs.perform", "run-1", description="run-1")
    worker.set_current_job_id(job.id)
    (shown,) = operator.get("/ops/rq/0/data/workers.json").json["workers"]
    assert shown["current_job"]["call_string"] == "workers.jobs.perform('run-1')"
    worker.register_death()


def test_the_dashboard_never_shows_where_redis_is(operator, redis_url):
    for path in ("/ops/rq/", "/ops/rq/0/view/workers", "/ops/rq/0/view/jobs"):
        page = operator.get(path).text
        assert redis_url.removeprefix("unix://") not in page
        assert "Tieout" in page


def test_a_job_that_is_gone_is_not_found(operator):
    assert operator.get("/ops/rq/0/data/job/gone.json").status_code == 404
    assert operator.get("/ops/rq/0/view/job/gone").status_code == 404


@pytest.mark.parametrize("who", ["viv", "bob", "carol"])
def test_the_dashboard_is_closed_to_everybody_else(app, cast, who):
    client = sign_in(app, getattr(cast, who))
    assert client.get("/ops/rq/").status_code == 403
    assert "the operator of this installation" in client.get("/ops/rq/").text
    assert client.post("/ops/rq/job/x/delete", headers=ORIGIN).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost:1"}],
)
def test_a_post_from_elsewhere_is_refused_and_the_queue_stays(operator, queue, headers):
    job = queue.enqueue("workers.jobs.perform", "run-1")
    for path in (f"/ops/rq/job/{job.id}/delete", f"/ops/rq/queue/{QUEUE_NAME}/queued/empty"):
        assert operator.post(path, headers=headers).status_code == 403
    assert queue.count == 1


def test_operators_delete_and_empty_from_our_own_origin(operator, queue):
    first, _ = (queue.enqueue("workers.jobs.perform", name) for name in ("run-1", "run-2"))
    answer = operator.post(f"/ops/rq/job/{first.id}/delete", headers=ORIGIN)
    assert answer.json == {"status": "OK"}
    assert queue.count == 1
    operator.post(f"/ops/rq/queue/{QUEUE_NAME}/queued/empty", headers=ORIGIN)
    assert queue.count == 0


def test_a_failed_job_is_requeued_by_post_and_still_reads(operator, queue):
    job = queue.enqueue("os.nothing_of_that_name", description="x")
    work(queue)
    assert queue.failed_job_registry.get_job_ids() == [job.id]
    for method in ("GET", "HEAD"):
        answer = operator.open(f"/ops/rq/requeue/{QUEUE_NAME}", method=method)
        assert answer.status_code == 405
    assert queue.count == 0
    answer = operator.post(f"/ops/rq/requeue/{QUEUE_NAME}", headers=ORIGIN)
    assert answer.json == {"status": "OK", "count": 1}
    assert queue.count == 1
    assert queue.fetch_job(job.id).func_name == "os.nothing_of_that_name"


def test_the_operations_permission_follows_the_setting(cast, operator, other_app):
    assert "Job queue" in operator.get("/account").text
    other = other_app(operator_emails=("viv@acme.example",))
    assert sign_in(other, cast.alice).get("/ops/rq/").status_code == 403
    assert sign_in(other, cast.viv).get("/ops/rq/").status_code == 200


@pytest.fixture
def log_lines(app, capsys):
    """Log as outside of tests, and return what was written, line by line."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configured = structlog.get_config()
    yield lambda: [
        json.loads(line)
        for line in "".join(capsys.readouterr()).splitlines()
        if line.startswith("{")
    ]
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**configured)


def test_a_request_is_one_json_line_without_ids_names_or_secrets(app, cast, log_lines):
    client = sign_in(app, cast.bob)
    configure_logs("INFO")
    log_lines()  # what signing in has written so far
    client.get("/rules/0123456789abcdef0123456789abcdef?name=Canary&token=canary")
    client.post("/sign-in", data={"email": "canary@acme.example", "password": PASSWORD})
    client.get("/account", headers={"X-Request-Id": "from-the-proxy-1"})
    lines = [line for line in log_lines() if line.get("event") == "request"]
    assert [(line["method"], line["route"], line["status"]) for line in lines] == [
        ("GET", "/rules/<rule_id>", 403),
        ("POST", "/sign-in", 422),
        ("GET", "/account", 200),
    ]
    first, second, third = lines
    assert first["organization_id"] == cast.acme_id
    assert first["user_id"] == cast.bob.user_id
    assert len(first["request_id"]) == 32
    assert "user_id" not in second
    assert third["request_id"] == "from-the-proxy-1"
    for line in lines:
        text = json.dumps(line).lower()
        assert "canary" not in text
        assert "0123456789abcdef" not in text
        assert "bob" not in text
        assert PASSWORD not in text
        assert line.keys() <= {
            "event",
            "level",
            "logger",
            "method",
            "milliseconds",
            "organization_id",
            "request_id",
            "route",
            "status",
            "timestamp",
            "user_id",
        }


def test_a_request_id_that_is_no_id_is_replaced(app):
    for sent in ("short", "x" * 65, "line\tend in it", "<script>alert(1)</script>"):
        answer = app.test_client().get("/healthz", headers={"X-Request-Id": sent})
        assert answer.headers["X-Request-Id"] != sent


def test_production_says_that_it_is_always_https(other_app, monkeypatch):
    monkeypatch.setattr("app.factory.configure_logs", lambda _level: None)
    other = other_app(environment=Environment.PRODUCTION)
    answer = other.test_client().get("/healthz")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
    cookie = other.test_client().get("/sign-in").headers["Set-Cookie"]
    assert "Secure" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_the_client_of_the_queue_gives_up_in_bounded_time(redis_url):
    options = connect(redis_url).connection_pool.connection_kwargs
    assert 0 < options["socket_timeout"] <= 5
