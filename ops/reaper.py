"""Leave no process behind, even when the process that started them is killed with SIGKILL.

`python -m ops.reaper` runs in a session of its own and holds the reading end of a pipe.  The
owner tells it the sessions that it started.  When the pipe closes, for whatever reason, the
owner is gone, and the reaper ends what is still there.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from ops import sessions

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import TracebackType

GRACE_SECONDS: Final = 3.0
PROJECT_ROOT: Final = Path(__file__).resolve().parent.parent


class Reaper:
    """The owner's end of the pipe: use as a context manager around everything that is started."""

    def __init__(self, *, hold_file_descriptors: Collection[int] = ()) -> None:
        """Start the reaper; it keeps the given descriptors (a lock, say) open until it is done."""
        self._process = subprocess.Popen(
            (sys.executable, "-m", "ops.reaper"),
            stdin=subprocess.PIPE,
            start_new_session=True,
            pass_fds=tuple(hold_file_descriptors),
            cwd=PROJECT_ROOT,
        )
        assert self._process.stdin is not None
        self._pipe = self._process.stdin
        self._lock = threading.Lock()

    def watch(self, session_id: int, stop_signal: int = signal.SIGTERM) -> None:
        """End this session when the owner is gone, asking with `stop_signal` first."""
        self._tell(f"+{session_id} {int(stop_signal)}\n")

    def forget(self, session_id: int) -> None:
        """The session is over, and its number may come to belong to a stranger."""
        self._tell(f"-{session_id} 0\n")

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        """Let the reaper end whatever is still watched, and wait until it has."""
        with self._lock, suppress(BrokenPipeError):
            self._pipe.close()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _tell(self, line: str) -> None:
        # A reaper that was killed is noticed through `is_alive`, not in whoever tells it something.
        with self._lock, suppress(BrokenPipeError):
            if not self._pipe.closed:
                self._pipe.write(line.encode())
                self._pipe.flush()


def main() -> int:
    """Read `+session signal` and `-session 0` lines; end what is left when the pipe closes."""
    # The terminal's and the system's requests go to the owner; the closed pipe is our only signal.
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watched: dict[int, int] = {}
    for line in sys.stdin:
        session_text, signal_text = line.split()
        session_id = abs(int(session_text))
        if line.startswith("+"):
            watched[session_id] = int(signal_text)
        else:
            watched.pop(session_id, None)
    return end_all(watched)


def end_all(stop_signals: dict[int, int]) -> int:
    """End every session (key), asked with its own signal (value); return the exit status."""
    for session_id, stop_signal in stop_signals.items():
        sessions.send(sessions.members({session_id}), stop_signal)
    if sessions.wait_until_empty(stop_signals, timeout_seconds=GRACE_SECONDS):
        return 0
    return 0 if sessions.kill(stop_signals) else 1


if __name__ == "__main__":
    sys.exit(main())
