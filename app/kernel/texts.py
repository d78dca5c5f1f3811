"""Which texts the databases can hold."""

from __future__ import annotations


def is_storable(text: str) -> bool:
    """Tell whether a text has neither U+0000, which PostgreSQL refuses, nor half a character."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:  # a surrogate on its own
        return False
