"""Who runs which tests when several processes share them (`make test` has one for each core)."""

from __future__ import annotations

from typing import Final

from xdist.scheduler import LoadFileScheduling

ONE_AFTER_THE_OTHER: Final = "tests/browser/"
"""All of these look at one running demo, which some of them change: in one process, in their order."""


class ByFile(LoadFileScheduling):
    """Hands out whole files in their order, so that what a module shares is made once."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(ONE_AFTER_THE_OTHER):
            return ONE_AFTER_THE_OTHER
        return super()._split_scope(nodeid)
