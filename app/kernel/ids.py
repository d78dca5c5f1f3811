"""Opaque ids that sort by the time they were made (RFC 9562, version 7)."""

from __future__ import annotations

import secrets
import time


def new_id() -> str:
    """Return 32 hexadecimal digits: 48 bits of milliseconds, then 74 random bits.

    Sorting by id is sorting by age, so keyset pages and indexes stay dense.
    """
    milliseconds = time.time_ns() // 1_000_000
    random_bits = secrets.randbits(74)
    value = milliseconds << 80 | 0x7 << 76 | (random_bits >> 62) << 64
    value |= 0b10 << 62 | random_bits & ((1 << 62) - 1)
    return f"{value:032x}"
