"""Read everything that a provider has, page by page, before anything is written.

Pages belong together: only all of them, up to the last, give a state that the bank really
had.  They wait in a spool, and `app.connections.applying` writes them with the cursor in one
transaction (docs/decisions/0061).
"""

from __future__ import annotations

import copyreg
import pickle
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import date
from operator import attrgetter
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Final, Self

from app.aggregators.contract import (
    Access,
    AggregatorError,
    CursorRefused,
    DataSource,
    History,
    SourceTransaction,
    SyncPage,
)
from app.kernel import limits

_RESTART_PAUSE_SECONDS: Final = 0.2

# A frozen dataclass with slots is pickled field by field in Python; the constructor's
# arguments as one tuple take a tenth of the time.
_arguments = attrgetter(*(one.name for one in fields(SourceTransaction)))
copyreg.pickle(SourceTransaction, lambda row: (SourceTransaction, _arguments(row)))

Watch = Callable[[int], None]
"""Called after each page with the number of transactions read so far."""


class Spool:
    """Pages in the order they came; in memory while they are few, on disk without a name."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=limits.SPOOL_MEMORY_BYTES)  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, page: SyncPage) -> None:
        pickle.dump(page, self._file, protocol=pickle.HIGHEST_PROTOCOL)

    def clear(self) -> None:
        self._file.seek(0)
        self._file.truncate()

    def __iter__(self) -> Iterator[SyncPage]:
        self._file.seek(0)
        while True:
            try:
                yield pickle.load(self._file)  # noqa: S301 - we wrote it ourselves just now
            except EOFError:
                return


@dataclass(frozen=True, slots=True)
class Fetched:
    """A complete read.

    Args:
        pages: Open until the caller has applied them.
        start_cursor: What the connection's cursor was, and must still be when they are applied.
        cursor: What it becomes.
        from_beginning: The read began at no cursor, although there was one: what the pages
            lack within their days is gone.
        snapshot_from: As in `SyncPage`; of the last page that said it.
    """

    pages: Spool
    start_cursor: str
    cursor: str
    history: History
    from_beginning: bool
    snapshot_from: date | None
    rows_count: int


def fetch(
    source: DataSource, access: Access, start_cursor: str, spool: Spool, watch: Watch
) -> Fetched:
    """Read all pages from the cursor on; begin again when the bank's data move meanwhile.

    A cursor that is refused again and again is given up: the read begins at none, which
    costs time and nothing else.

    Raises:
        AggregatorError: Nothing may be applied.
    """
    for attempt in range(limits.SYNC_RESTARTS_MAX):
        try:
            return _read(source, access, start_cursor, start_cursor, spool, watch)
        except CursorRefused:
            spool.clear()
            time.sleep(_RESTART_PAUSE_SECONDS * 2**attempt * (0.5 + random.random()))  # noqa: S311
    return _read(source, access, start_cursor, "", spool, watch)


def _read(
    source: DataSource,
    access: Access,
    start_cursor: str,
    begin: str,
    spool: Spool,
    watch: Watch,
) -> Fetched:
    cursor, rows_count, empty_pages = begin, 0, 0
    snapshot_from = None
    for _ in range(limits.SYNC_PAGES_MAX):
        page = _page(source, access, cursor)
        spool.add(page)
        brought = len(page.upserts) + len(page.removed) + len(page.unreadable)
        rows_count += brought
        empty_pages = 0 if brought else empty_pages + 1
        snapshot_from = page.snapshot_from or snapshot_from
        watch(rows_count)
        stuck = page.has_more and page.cursor == cursor
        cursor = page.cursor
        if not page.has_more:
            return Fetched(
                pages=spool,
                start_cursor=start_cursor,
                cursor=cursor,
                history=page.history,
                from_beginning=bool(start_cursor) and not begin,
                snapshot_from=snapshot_from,
                rows_count=rows_count,
            )
        if stuck or empty_pages >= limits.SYNC_EMPTY_PAGES_MAX:
            break
    raise AggregatorError(
        "ENDLESS_PAGES",
        "The provider announces ever more pages without an end. Nothing was changed; the next "
        "scheduled sync tries again.",
        permanent=False,
    )


def _page(source: DataSource, access: Access, cursor: str) -> SyncPage:
    """Return one page, waiting a bounded time when the provider asks to be left alone."""
    for _ in range(limits.SYNC_RATE_WAITS_MAX):
        try:
            return source.sync_page(access, cursor)
        except AggregatorError as error:
            wait = error.retry_after_seconds
            if error.permanent or wait is None or wait > limits.SYNC_RATE_WAIT_SECONDS_MAX:
                raise
            time.sleep(wait * (1 + random.random() / 4))  # noqa: S311 - jitter, no secret
    return source.sync_page(access, cursor)
