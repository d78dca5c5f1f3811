"""The instance folder of the embedded installation: what lies where, and who has it now."""

from __future__ import annotations

import fcntl
from typing import Final

LOCK_FILE_NAME: Final = "run.lock"
"""Locked by whoever runs the instance, for as long as it runs."""

SECRETS_FILE_NAME: Final = "secrets.env"


def lock(descriptor: int) -> bool:
    """Lock an open file for this process alone; False when another process has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
