"""One run of one program: its session, its output, its end."""

from __future__ import annotations

import subprocess
import threading
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

from ops import sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ops.reaper import Reaper

READ_REST_SECONDS: Final = 10.0
"""For the last lines: reached only when somebody outside the session holds the pipe open."""
LINE_BYTES_MAX: Final = 65_536


@dataclass(frozen=True, slots=True)
class Program:
    """One thing to keep running; `name` stands before each of its lines."""

    name: str
    command: tuple[str, ...]


class Terminal:
    """Standard output shared by all programs: whole lines only, each with its program's name."""

    def __init__(self, output: IO[bytes], *, name_width: int) -> None:
        self._output = output
        self._name_width = name_width
        self._lock = threading.Lock()
        self._is_gone = False

    def write_line(self, name: str, line: bytes) -> None:
        prefix = f"{name:<{self._name_width}} | ".encode()
        self._write(prefix + line.rstrip(b"\r\n") + b"\n")

    def write_text(self, text: str) -> None:
        """Write text of the supervisor's own, which belongs to no program."""
        self._write(text.encode() + b"\n")

    def _write(self, text: bytes) -> None:
        with self._lock:
            if self._is_gone:
                return
            try:
                self._output.write(text)
                self._output.flush()
            except OSError:
                # The window was closed.  Programs must not stall on it while they are stopped.
                self._is_gone = True


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every program is started with."""

    environment: Mapping[str, str]
    terminal: Terminal
    reaper: Reaper


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program that was run once ended, and what it wrote to standard output."""

    status: int
    answer: str


class Execution:
    """One run of one program, from its start to the end of everything that it forked.

    Raises:
        OSError: The program cannot be started.
    """

    def __init__(
        self,
        program: Program,
        surroundings: Surroundings,
        *,
        output_to: Callable[[bytes], None] | None = None,
    ) -> None:
        """Start it; standard output goes line by line to `output_to`, or else to the terminal."""

        def to_terminal(line: bytes) -> None:
            surroundings.terminal.write_line(program.name, line)

        self._reaper = surroundings.reaper
        self._process = subprocess.Popen(
            program.command,
            env=surroundings.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._reaper.watch(self._process.pid)
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._readers = [
            _read_lines(self._process.stdout, output_to or to_terminal),
            _read_lines(self._process.stderr, to_terminal),
        ]

    def is_running(self) -> bool:
        return self._process.poll() is None

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        sessions.kill({self._process.pid})

    def wait(self) -> int:
        """Wait for the end, kill what was forked and is still there, return the exit status."""
        status = self._process.wait()
        # Left alone, a killed gunicorn's workers would keep the port and a killed RQ worker's
        # work-horse would go on writing beside the job's second run.
        self.kill()
        for reader in self._readers:
            reader.join(READ_REST_SECONDS)
        self._reaper.forget(self._process.pid)
        return status


def _read_lines(stream: IO[bytes], sink: Callable[[bytes], None]) -> threading.Thread:
    def read() -> None:
        with stream:
            while line := stream.readline(LINE_BYTES_MAX):
                sink(line)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread
