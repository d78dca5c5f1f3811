"""Wait for what must come.  The bound is reached where something is broken, never on a busy machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ops.waiting import wait_until

WAIT_SECONDS_MAX: Final = 120.0


def comes_true(condition: Callable[[], bool]) -> bool:
    return wait_until(condition, timeout_seconds=WAIT_SECONDS_MAX)
