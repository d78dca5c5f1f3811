"""What a start must have to itself: the instance folder and the port."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Final

import psutil

from app.kernel.instance import LOCK_FILE_NAME, lock
from ops.failures import StartFailed
from ops.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

LOCK_SECONDS_MAX: Final = 10.0
"""How long a killed predecessor's reaper may take before this start gives up."""


def claim_folder(instance_path: Path) -> int:
    """Lock the instance folder for this start; return the descriptor that holds the lock.

    Raises:
        StartFailed: Another start holds it.
    """
    descriptor = os.open(instance_path / LOCK_FILE_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    holder = os.pread(descriptor, 20, 0).decode()
    # A start that was killed holds the lock through its reaper until that has cleared up.
    patience_seconds = 0.0 if _is_alive(holder) else LOCK_SECONDS_MAX
    if not wait_until(lambda: lock(descriptor), timeout_seconds=patience_seconds):
        raise StartFailed(
            f"Tieout already runs in {instance_path} (process {holder or 'unknown'}): stop that "
            "one with Ctrl-C, or start this one with another INSTANCE_PATH and PORT."
        )
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


def refuse_taken_port(host: str, port: int) -> None:
    """Raise StartFailed when another program already listens where the web server should."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise StartFailed(
                f"Port {port} on {host} cannot be used ({error.strerror}): stop the "
                "program that has it, or choose another one, as in: make run PORT=5001"
            ) from None


def _is_alive(pid_text: str) -> bool:
    return pid_text.isdecimal() and psutil.pid_exists(int(pid_text))
