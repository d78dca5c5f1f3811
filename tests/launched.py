"""Tieout as `make run` starts it, in an instance folder of its own."""

import json
import os
import socket
import subprocess
import sys
import urllib.request
from contextlib import suppress
from itertools import count
from pathlib import Path

import psutil
from redis import Redis

from tests.waiting import WAIT_SECONDS_MAX, comes_true

ROOT = Path(__file__).resolve().parents[1]
_ports = count(os.getpid() * 101)  # so that two runs of the tests begin far from each other
COMMAND = (sys.executable, "-m", "ops.launch")


class Launched:
    """One start in a folder of its own, with its output in a file."""

    def __init__(self, instance: Path, command=COMMAND):
        self.instance = instance
        self.port = free_port()
        self.output_file = instance / "output.log"
        with self.output_file.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment(instance, self.port),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def output(self):
        return self.output_file.read_text()

    def wait_until_ready(self):
        assert comes_true(
            lambda: "ticker_ready" in self.output or self.process.poll() is not None
        ), self.output
        assert self.process.poll() is None, self.output
        return self

    def family(self):
        """All processes that this start has brought up so far, the launcher last."""
        launcher = psutil.Process(self.process.pid)
        return [*launcher.children(recursive=True), launcher]

    def programs(self, word):
        return [p for p in self.family() if any(word in part for part in words_of(p))]

    def readiness(self):
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.port}/readyz", timeout=WAIT_SECONDS_MAX
        ) as answer:
            return json.load(answer)

    def is_ready(self):
        try:
            return self.readiness()["ready"]
        except OSError:
            return False

    def redis(self):
        return Redis.from_url(f"unix://{self.instance}/redis/redis.sock")

    def stop(self, signal_number):
        """Send the signal and return those of the family that are still there afterwards."""
        family = self.family()
        self.process.send_signal(signal_number)
        self.process.wait(WAIT_SECONDS_MAX)
        comes_true(lambda: not living(family))
        return living(family)


def words_of(process):
    """Return its command line; nothing once it has ended, as a worker's fork does any moment."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def environment(instance, port, **settings):
    # Empty counts as not set, so that a developer's own .env does not reach into the tests.
    unset = (
        "DATABASE_URL",
        "REDIS_URL",
        "SECRET_KEY",
        "CREDENTIAL_KEYS",
        "PUBLIC_URL",
        "BIND",
        "PLAID_HOST",
        "MX_HOST",
    )
    return {
        **os.environ,
        **dict.fromkeys(unset, ""),
        "TIEOUT_ENV": "development",
        "INSTANCE_PATH": str(instance),
        "PORT": str(port),
        **settings,
    }


def free_port():
    """Return a port that nobody else is given: below those that systems hand out by themselves."""
    while True:
        port = 20_000 + next(_ports) % 10_000
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def living(processes):
    return [p for p in processes if is_living(p)]


def is_living(process):
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
