"""Wait for something outside this process to become true, for a bounded time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

POLL_SECONDS: Final = 0.05


def wait_until(
    condition: Callable[[], bool], *, timeout_seconds: float, poll_seconds: float = POLL_SECONDS
) -> bool:
    """Return whether the condition held before the time was up; it is asked at least once."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(poll_seconds)
    return True
