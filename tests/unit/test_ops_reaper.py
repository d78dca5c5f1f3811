from __future__ import annotations

import subprocess
import sys

import psutil

from ops import sessions
from ops.reaper import Reaper
from tests.waiting import comes_true

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")
OWNER = """
import subprocess, sys, time
from ops.reaper import Reaper
reaper = Reaper()
kept = subprocess.Popen(sys.argv[1:], start_new_session=True)
reaper.watch(kept.pid)
print(kept.pid, flush=True)
time.sleep(60)
"""


def test_what_is_watched_ends_when_its_owner_is_killed():
    owner = subprocess.Popen(
        (sys.executable, "-c", OWNER, *SLEEP), stdout=subprocess.PIPE, text=True
    )
    with owner:
        kept_pid = int(owner.stdout.readline())
        assert psutil.pid_exists(kept_pid)
        owner.kill()
    assert comes_true(lambda: not sessions.members({kept_pid}))


def test_what_is_forgotten_is_left_alone():
    with subprocess.Popen(SLEEP, start_new_session=True) as stranger:
        with Reaper() as reaper:
            reaper.watch(stranger.pid)
            reaper.forget(stranger.pid)
        assert stranger.poll() is None
        stranger.kill()


def test_a_killed_reaper_is_noticed_and_harms_nobody_who_tells_it_something():
    with Reaper() as reaper:
        reaper._process.kill()
        assert comes_true(lambda: not reaper.is_alive())
        reaper.watch(1)
