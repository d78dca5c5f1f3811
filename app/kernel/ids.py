"""Opaque ids that sort by the time they were made (RFC 9562, version 7)."""

from __future__ import annotations

import secrets
import threading
import time
from typing import Final

_RANDOM_BITS: Final = 74
_STEP_BITS: Final = 40

_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """Return 32 hexadecimal digits: 48 bits of milliseconds, then 74 random bits.

    Sorting by id is sorting by age, so keyset pages and indexes stay dense.  Ids of one process
    always rise, also within a millisecond (RFC 9562, 6.2, method 2): lines that one transaction
    writes keep their order.
    """
    value = _next()
    random_bits = value & ((1 << _RANDOM_BITS) - 1)
    value = (value >> _RANDOM_BITS) << 80 | 0x7 << 76 | (random_bits >> 62) << 64
    value |= 0b10 << 62 | random_bits & ((1 << 62) - 1)
    return f"{value:032x}"


def _next() -> int:
    global _last  # noqa: PLW0603 - the last id is the process's, whoever asks
    milliseconds = time.time_ns() // 1_000_000
    with _lock:
        if milliseconds > _last >> _RANDOM_BITS:
            _last = milliseconds << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
        else:
            _last += 1 + secrets.randbits(_STEP_BITS)
        return _last
