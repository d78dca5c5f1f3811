"""Keep a handful of programs running under one terminal: restart, merge output, stop them all.

Each program is the leader of its own session, so Ctrl-C reaches the supervisor alone, and a
program's forked children are found and ended with it.  docs/decisions/0030 says why this is ours.
"""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING, Final

from ops import sessions
from ops.execution import Execution, Outcome
from ops.waiting import POLL_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ops.execution import Program, Surroundings

RESTART_SECONDS_MIN: Final = 0.2
RESTART_SECONDS_MAX: Final = 5.0
SETTLED_SECONDS: Final = 10.0
"""A program that ran this long starts again at once; one that keeps falling waits ever longer."""
STOP_SECONDS_MAX: Final = 5.0
"""How long running requests and jobs may take to end after Ctrl-C."""


class Keeper:
    """Runs one program until told to stop, starting it again whenever it exits."""

    def __init__(self, program: Program, surroundings: Surroundings) -> None:
        self.program = program
        self.exits_count = 0
        self._surroundings = surroundings
        self._is_stopping = threading.Event()
        self._execution: Execution | None = None
        self._thread = threading.Thread(target=self._keep, name=program.name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def ask_to_stop(self) -> None:
        self._is_stopping.set()
        if self._execution is not None:
            self._execution.terminate()

    def wait_or_kill(self, *, timeout_seconds: float) -> None:
        self._thread.join(timeout_seconds)
        if self._thread.is_alive() and self._execution is not None:
            self._execution.kill()
            self._thread.join(sessions.KILL_WAIT_SECONDS)

    def _keep(self) -> None:
        delay_seconds = RESTART_SECONDS_MIN
        while not self._is_stopping.is_set():
            started_at = time.monotonic()
            ending = self._run_once()
            self.exits_count += 1
            if self._is_stopping.is_set():
                return
            if time.monotonic() - started_at > SETTLED_SECONDS:
                delay_seconds = RESTART_SECONDS_MIN
            text = f"{ending}; starting again in {delay_seconds:.1f} s"
            self._surroundings.terminal.write_line(self.program.name, text.encode())
            self._is_stopping.wait(delay_seconds)
            delay_seconds = min(delay_seconds * 2, RESTART_SECONDS_MAX)

    def _run_once(self) -> str:
        try:
            execution = Execution(self.program, self._surroundings)
        except OSError as error:
            return f"did not start: {error}"
        self._execution = execution
        if self._is_stopping.is_set():  # asked between the loop's check and the start
            execution.terminate()
        return _ended(execution.wait())


class Supervisor:
    """Starts programs in groups and stops the groups in the opposite order."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._groups: list[list[Keeper]] = []

    def run_to_end(self, program: Program, *, stop_requested: threading.Event) -> Outcome:
        """Run one program once, its standard output kept for the caller; kill it when asked."""
        lines: list[bytes] = []
        execution = Execution(program, self._surroundings, output_to=lines.append)
        while execution.is_running() and not stop_requested.wait(POLL_SECONDS):
            pass
        if execution.is_running():
            execution.kill()
        return Outcome(execution.wait(), b"".join(lines).decode(errors="replace"))

    def start(self, programs: Iterable[Program]) -> None:
        """Start one group of programs and keep them running."""
        group = [Keeper(program, self._surroundings) for program in programs]
        self._groups.append(group)
        for keeper in group:
            keeper.start()

    def exits_count(self, name: str) -> int:
        """Return how often the programs of this name have exited so far."""
        return sum(k.exits_count for group in self._groups for k in group if k.program.name == name)

    def stop(self) -> None:
        """Stop every group, the last started first; kill what takes longer than 5 s."""
        while self._groups:
            group = self._groups.pop()
            deadline = time.monotonic() + STOP_SECONDS_MAX
            for keeper in group:
                keeper.ask_to_stop()
            for keeper in group:
                keeper.wait_or_kill(timeout_seconds=max(0.0, deadline - time.monotonic()))


def _ended(status: int) -> str:
    if status < 0:
        return f"ended by {signal.Signals(-status).name}"
    return f"exited with status {status}"
