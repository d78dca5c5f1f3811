"""One class for everything that stops a start, with the sentence that the person reads."""

from __future__ import annotations


class StartFailed(Exception):  # noqa: N818 - it says what happened
    """Nothing was started, or what was started has been stopped again; the text says what to do."""
