from __future__ import annotations

import io
import os
import signal
import sys
import threading

import pytest

from ops import sessions
from ops.execution import Execution, Program, Surroundings, Terminal
from ops.reaper import Reaper
from ops.supervisor import Supervisor
from tests.waiting import WAIT_SECONDS_MAX, comes_true

PYTHON = (sys.executable, "-c")
SLEEP = "import time; time.sleep(60)"


@pytest.fixture
def output():
    return io.BytesIO()


@pytest.fixture
def surroundings(output):
    with Reaper() as reaper:
        yield Surroundings(dict(os.environ), Terminal(output, name_width=4), reaper)


@pytest.fixture
def supervisor(surroundings):
    supervisor = Supervisor(surroundings)
    yield supervisor
    supervisor.stop()


def text_of(output):
    return output.getvalue().decode()


def test_a_program_that_exits_is_started_again(supervisor, output):
    supervisor.start([Program("once", (*PYTHON, "print('hello')"))])
    assert comes_true(lambda: text_of(output).count("once | hello\n") >= 2)
    assert "once | exited with status 0; starting again in 0.2 s\n" in text_of(output)
    assert supervisor.exits_count("once") >= 1


def test_a_program_that_cannot_be_started_is_said_and_tried_again(supervisor, output):
    supervisor.start([Program("gone", ("/no/such/program",))])
    assert comes_true(lambda: supervisor.exits_count("gone") >= 2)
    assert "gone | did not start: " in text_of(output)


def test_stopping_takes_the_last_group_first(supervisor, output, monkeypatch):
    monkeypatch.setattr("ops.supervisor.STOP_SECONDS_MAX", WAIT_SECONDS_MAX)
    say_goodbye = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('bye', flush=True), sys.exit()))\n"
        "print('up', flush=True)\n"
        "time.sleep(60)"
    )
    for count, name in enumerate(("base", "top"), start=1):
        supervisor.start([Program(name, (*PYTHON, say_goodbye))])
        assert comes_true(lambda n=count: text_of(output).count("up") == n)
    supervisor.stop()
    assert text_of(output).splitlines()[-2:] == ["top  | bye", "base | bye"]


def test_a_program_that_ignores_the_request_is_killed(supervisor, output, monkeypatch):
    monkeypatch.setattr("ops.supervisor.STOP_SECONDS_MAX", 0.2)
    deaf = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); {SLEEP}"
    supervisor.start([Program("deaf", (*PYTHON, deaf))])
    assert comes_true(lambda: "deaf | up" in text_of(output))
    supervisor.stop()
    assert supervisor.exits_count("deaf") == 0  # stopped and forgotten, not waiting to restart
    assert "starting again" not in text_of(output)


def test_what_a_program_forked_into_another_group_ends_with_it(surroundings, output):
    forks = f"import os; os.fork() or os.setpgrp(); os.write(1, b'%d\\n' % os.getpid()); {SLEEP}"
    execution = Execution(Program("fork", (*PYTHON, forks)), surroundings)
    assert comes_true(lambda: text_of(output).count("\n") == 2)
    pids = [int(line.split(" | ")[1]) for line in text_of(output).splitlines()]
    leader = os.getsid(pids[0])
    assert sorted(sessions.members({leader})) == sorted(pids)
    os.kill(leader, signal.SIGKILL)
    assert execution.wait() == -signal.SIGKILL
    assert sessions.members({leader}) == []


def test_a_step_returns_its_status_and_its_standard_output(supervisor, output):
    code = "import sys; print('answer'); print('log', file=sys.stderr); sys.exit(3)"
    outcome = supervisor.run_to_end(
        Program("step", (*PYTHON, code)), stop_requested=threading.Event()
    )
    assert (outcome.status, outcome.answer) == (3, "answer\n")
    assert text_of(output) == "step | log\n"


def test_a_step_ends_early_when_asked_to_stop(supervisor):
    stop_requested = threading.Event()
    stop_requested.set()
    outcome = supervisor.run_to_end(
        Program("step", (*PYTHON, SLEEP)), stop_requested=stop_requested
    )
    assert outcome.status == -signal.SIGKILL


def test_a_closed_terminal_does_not_stall_the_programs(surroundings):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb", buffering=0) as closed:
        terminal = Terminal(closed, name_width=4)
        terminal.write_line("web", b"nobody reads this\n")
        terminal.write_line("web", b"nor this\n")
