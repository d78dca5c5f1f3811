"""`make run`: everything that Tieout needs, under one terminal, until Ctrl-C.

In order: settings, one start per folder, Redis, migrations and the demo organization, the web
server, its address, the stand-in aggregator, the job workers and the ticker.  Whatever goes wrong
is said in one sentence, and what was started before is stopped.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.config import Settings
from ops import claims, embedded_redis, environment, plaid_sandbox, processes
from ops.execution import Surroundings, Terminal
from ops.failures import StartFailed
from ops.reaper import Reaper
from ops.supervisor import Supervisor
from ops.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HOST_DEFAULT: Final = "127.0.0.1"
HOST_ANY: Final = "0.0.0.0"
PORT_DEFAULT: Final = "5000"
PORT_MAX: Final = 65_535
READY_SECONDS_MAX: Final = 60.0
REDIS_SECONDS_MAX: Final = 10.0
WATCH_SECONDS: Final = 0.5
NAME_WIDTH: Final = 8


@dataclass(frozen=True, slots=True)
class Instance:
    """One start: its settings, and the environment that all its programs get."""

    settings: Settings
    environment: Mapping[str, str]
    host: str
    port: int
    redis: embedded_redis.EmbeddedRedis | None
    sandbox: plaid_sandbox.PlaidSandbox | None = None

    @property
    def address(self) -> str:
        host = HOST_DEFAULT if self.host == HOST_ANY else self.host
        return f"http://{host}:{self.port}"


class Launch:
    """One start, step by step, with everything that it has to undo on the way out."""

    def __init__(
        self, instance: Instance, supervisor: Supervisor, is_over: threading.Event
    ) -> None:
        self._instance = instance
        self._supervisor = supervisor
        self._is_over = is_over
        self.demo_answer = ""

    def run(self) -> None:
        """Go through all the steps; return early when asked to stop.

        Raises:
            StartFailed: A step did not succeed.
        """
        # The web server before the workers: their imports would slow its start.
        for step in (
            self.start_redis,
            self.prepare_database,
            self.start_web,
            self.start_background,
        ):
            if self._is_over.is_set():
                return
            step()

    def start_redis(self) -> None:
        server = self._instance.redis
        if server is None:
            return
        self._supervisor.start([processes.embedded_redis(server)])
        self._wait(
            lambda: embedded_redis.is_ready(server.url),
            timeout_seconds=REDIS_SECONDS_MAX,
            failure="The embedded Redis did not start; "
            f"{server.data_folder / embedded_redis.LOG_FILE_NAME} says why.",
        )

    def prepare_database(self) -> None:
        outcome = self._supervisor.run_to_end(processes.PREPARE, stop_requested=self._is_over)
        if outcome.status != 0 and not self._is_over.is_set():
            raise StartFailed(
                f"{outcome.answer}The database could not be migrated, or the demo not loaded; "
                "the lines above say why."
            )
        self.demo_answer = outcome.answer

    def start_web(self) -> None:
        self._supervisor.start([processes.WEB])
        self._wait(
            self._answers,
            timeout_seconds=READY_SECONDS_MAX,
            failure=f"Tieout did not answer on {self._instance.address}/readyz; the lines above "
            "say why.",
        )

    def start_background(self) -> None:
        sandbox = self._instance.sandbox
        if sandbox is not None:
            self._supervisor.start([processes.plaid_sandbox(sandbox)])
        self._supervisor.start(processes.background())

    def _wait(self, condition: Callable[[], bool], *, timeout_seconds: float, failure: str) -> None:
        succeeded = wait_until(
            lambda: self._is_over.is_set() or condition(), timeout_seconds=timeout_seconds
        )
        if not succeeded:
            raise StartFailed(failure)

    def _answers(self) -> bool:
        if self._supervisor.exits_count(processes.WEB.name):
            raise StartFailed("The web server ended while it started; its own lines say why.")
        try:
            with urllib.request.urlopen(f"{self._instance.address}/readyz", timeout=5) as answer:  # noqa: S310
                return bool(answer.status == HTTPStatus.OK)
        except OSError:
            return False


def main() -> int:
    """Run until asked to stop; return 0 then, and 1 when the start failed."""
    is_over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: is_over.set())
    try:
        given = environment.with_dotenv(os.environ, Path(".env"))
        settings = Settings.from_environment(given)
        settings.instance_path.mkdir(parents=True, exist_ok=True)
        lock_descriptor = claims.claim_folder(settings.instance_path)
        instance = prepare(settings, given)
        claims.refuse_taken_port(instance.host, instance.port)
        launch_and_watch(instance, lock_descriptor, is_over)
    except StartFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


def prepare(settings: Settings, given: Mapping[str, str]) -> Instance:
    """Complete the environment; make what the instance folder lacks, but start nothing yet.

    Raises:
        StartFailed: PORT is no port, or there is no Redis to start.
    """
    host = given.get("BIND") or HOST_DEFAULT
    port = given.get("PORT") or PORT_DEFAULT
    if not port.isdecimal() or not 0 < int(port) <= PORT_MAX:
        raise StartFailed(f"PORT is “{port}”; it must be a number from 1 to {PORT_MAX}.")
    if settings.is_production:
        return Instance(settings, given, host, int(port), redis=None)
    complete = environment.with_development_secrets(given, settings.instance_path)
    server, sandbox = None, None
    if not complete.get("REDIS_URL"):
        server = embedded_redis.prepare(settings.instance_path / "redis")
        complete = {**complete, "REDIS_URL": server.url}
    if plaid_sandbox.is_wanted(complete):
        sandbox = plaid_sandbox.prepare(settings.instance_path / "sandbox")
        complete = {**complete, **sandbox.environment(app_port=int(port))}
        if not complete.get("MX_HOST"):
            complete = {**complete, **sandbox.mx_environment(app_port=int(port))}
    return Instance(settings, complete, host, int(port), server, sandbox)


def launch_and_watch(instance: Instance, lock_descriptor: int, is_over: threading.Event) -> None:
    """Start everything, tell the address, and stop everything once `is_over` is set.

    Raises:
        StartFailed: A step did not succeed, or the reaper is gone; all has been stopped.
    """
    parent_pid = os.getppid()
    terminal = Terminal(sys.stdout.buffer, name_width=NAME_WIDTH)
    with Reaper(hold_file_descriptors=(lock_descriptor,)) as reaper:
        supervisor = Supervisor(Surroundings(instance.environment, terminal, reaper))
        try:
            launch = Launch(instance, supervisor, is_over)
            launch.run()
            if not is_over.is_set():
                terminal.write_text(f"\nTieout answers on {instance.address}")
                terminal.write_text(f"{launch.demo_answer}Ctrl-C stops it.\n")
            # make was killed or the shell is gone: nobody could press Ctrl-C any more.
            while not is_over.wait(WATCH_SECONDS) and os.getppid() == parent_pid:
                if not reaper.is_alive():
                    raise StartFailed("The reaper process was ended, so Tieout stopped as well.")
        finally:
            supervisor.stop()


if __name__ == "__main__":
    sys.exit(main())
