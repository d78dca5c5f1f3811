"""`python -m ops.launch` as a person starts it: real servers, real signals, real kills."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.request

import pytest
from dotenv import dotenv_values

from tests.launched import COMMAND, ROOT, Launched, environment, free_port
from tests.plaid_sandbox import PlaidSandbox
from tests.waiting import comes_true


def refused(env):
    """Start where it must be refused; return the one sentence."""
    answer = subprocess.run(COMMAND, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert answer.returncode == 1, answer
    assert answer.stdout == ""
    (sentence,) = answer.stderr.splitlines()
    return sentence


@pytest.fixture
def instance(tmp_path_factory):
    # A short path, so that Redis keeps its socket beside its data and the test finds it there.
    return tmp_path_factory.mktemp("i")


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    launched = Launched(tmp_path_factory.mktemp("i")).wait_until_ready()
    yield launched
    assert launched.stop(signal.SIGINT) == []


def test_it_answers_and_tells_the_address_and_how_to_sign_in(running):
    assert running.readiness()["ready"] is True
    assert f"Tieout answers on http://127.0.0.1:{running.port}" in running.output
    assert "@" in running.output  # the demo's sign-in address


def test_the_stand_in_aggregator_answers_on_the_port_that_it_keeps(running):
    kept = dotenv_values(running.instance / "sandbox" / "sandbox.env")
    sandbox = PlaidSandbox(f"http://127.0.0.1:{kept['PORT']}", kept["CLIENT_ID"], kept["SECRET"])
    assert comes_true(sandbox.answers)
    found = sandbox.call("/institutions/search", query="puget", country_codes=["US"])
    assert [bank["name"] for bank in found["institutions"]] == ["Puget Harbor Bank"]


def test_every_line_of_a_program_carries_its_name(running):
    names = {"redis", "prepare", "web", "sandbox", "worker-1", "worker-2", "ticker"}
    lines = [line for line in running.output.splitlines() if " | " in line]
    assert {line.split(" | ")[0].strip() for line in lines} <= names


def test_whichever_web_process_is_asked_counts_the_requests_of_all(running):
    before = healthy_count(running)
    for _ in range(20):
        fetch(running, "healthz")
    assert {healthy_count(running) for _ in range(6)} == {before + 20}


def healthy_count(running) -> float:
    wanted = 'tieout_http_requests_total{endpoint="ops.healthz",method="GET",status="200"} '
    lines = fetch(running, "metrics").splitlines()
    return sum(float(line.removeprefix(wanted)) for line in lines if line.startswith(wanted))


def fetch(running, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{running.port}/{path}", timeout=20) as answer:
        return answer.read().decode()


def test_a_killed_worker_is_back(running):
    def workers():
        return running.programs("workers.run")

    # While a worker is busy its fork is there too.
    assert comes_true(lambda: len(workers()) == 2)
    killed = workers()[0]
    killed.kill()
    assert comes_true(lambda: killed not in workers() and len(workers()) == 2)


def test_a_killed_web_server_answers_again(running):
    master = min(running.programs("wsgi:app"), key=lambda p: p.create_time())
    master.kill()
    assert comes_true(lambda: master not in running.programs("wsgi:app"))
    assert comes_true(running.is_ready)


def test_workers_survive_the_loss_of_redis(running):
    (server,) = running.programs("redis-server")
    server.kill()
    assert comes_true(running.is_ready)
    assert comes_true(lambda: len(running.programs("workers.run")) == 2)


def test_a_second_start_in_the_same_folder_is_refused(running):
    sentence = refused(environment(running.instance, free_port()))
    assert f"already runs in {running.instance} (process {running.process.pid})" in sentence
    assert running.is_ready()


def test_a_taken_port_is_refused_before_anything_starts(instance):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        sentence = refused(environment(instance, port))
    assert f"Port {port} on 127.0.0.1 cannot be used" in sentence
    assert not list(instance.glob("*.sqlite3*"))


def test_a_port_that_is_no_port_is_refused(instance):
    assert "PORT is “70000”" in refused(environment(instance, "70000"))


def test_production_without_its_settings_is_refused_and_makes_no_secret(instance):
    sentence = refused(environment(instance, free_port(), TIEOUT_ENV="production"))
    assert "is not set; production has no default for it" in sentence
    assert not (instance / "secrets.env").exists()


def test_data_and_secrets_survive_ctrl_c_and_a_second_start(instance):
    first = Launched(instance).wait_until_ready()
    first.redis().set("kept", "yes")
    secrets_file = instance / "secrets.env"
    secrets = secrets_file.read_text()
    assert secrets_file.stat().st_mode & 0o777 == 0o600
    assert first.stop(signal.SIGINT) == []
    assert first.process.returncode == 0

    first.output_file.unlink()
    second = Launched(instance).wait_until_ready()
    assert second.redis().get("kept") == b"yes"
    assert secrets_file.read_text() == secrets
    assert second.stop(signal.SIGTERM) == []


def test_a_killed_launcher_leaves_no_process_and_no_lock(instance):
    killed = Launched(instance).wait_until_ready()
    assert killed.stop(signal.SIGKILL) == []

    killed.output_file.unlink()
    assert Launched(instance).wait_until_ready().stop(signal.SIGINT) == []


def test_everything_stops_when_whoever_started_it_is_killed(instance):
    shell = ("sh", "-c", f"{sys.executable} -m ops.launch; true")
    launched = Launched(instance, shell).wait_until_ready()
    assert launched.stop(signal.SIGKILL) == []


def test_ctrl_c_during_the_start_leaves_no_process(instance):
    launched = Launched(instance)
    assert comes_true(lambda: launched.programs("ops.prepare"))
    assert launched.stop(signal.SIGINT) == []
    assert launched.process.returncode == 0
