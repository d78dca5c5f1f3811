"""End whole process sessions: a program and everything that it forked.

Each program is started as the leader of its own session, so whatever it forks (gunicorn workers,
RQ's work-horses, which leave the process group) is found by the session id, also when the leader
is gone.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Final

import psutil

from ops.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Collection

KILL_WAIT_SECONDS: Final = 30.0
"""How long the kernel may take to remove processes after SIGKILL."""


def members(session_ids: Collection[int]) -> list[int]:
    """Return the pids of living processes in any of these sessions; zombies do not count."""
    return [pid for pid in psutil.pids() if _session_of(pid) in session_ids and _is_alive(pid)]


def kill(session_ids: Collection[int]) -> bool:
    """SIGKILL every member, again and again while one forks; return whether all are gone."""

    def none_left() -> bool:
        left = members(session_ids)
        send(left, signal.SIGKILL)
        return not left

    return wait_until(none_left, timeout_seconds=KILL_WAIT_SECONDS)


def send(pids: Collection[int], signal_number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal_number)
        except ProcessLookupError:
            continue  # it ended by itself meanwhile, which is what was wanted


def wait_until_empty(session_ids: Collection[int], *, timeout_seconds: float) -> bool:
    """Return whether the sessions had no member left before the time was up."""
    return wait_until(lambda: not members(session_ids), timeout_seconds=timeout_seconds)


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return None


def _is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
