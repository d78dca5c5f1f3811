"""Reading page by page: what moves meanwhile, never ends, or wants to be left alone."""

from __future__ import annotations

from datetime import date

import pytest

from app.aggregators.contract import (
    Access,
    AggregatorError,
    CursorRefused,
    History,
    SyncPage,
    UnreadableRow,
)
from app.connections import fetching
from app.connections.fetching import Spool, fetch
from app.kernel import limits
from tests.scripted_bank import checking, row

ACCESS = Access("item-1", {})


class Stream:
    """`pages` pages of one row each after the cursor that the read began at."""

    def __init__(self, pages: int = 3) -> None:
        self.pages, self.asked = pages, []
        self.trouble: dict[int, list[Exception]] = {}
        """By page: what happens there, one thing each time it is asked for."""
        self.refuses_cursors = False

    def sync_page(self, _access: Access, cursor: str) -> SyncPage:
        self.asked.append(cursor)
        at = int(cursor.removeprefix("c") or 0)
        if self.trouble.get(at):
            raise self.trouble[at].pop(0)
        if self.refuses_cursors and cursor:
            raise CursorRefused("MUTATION")
        return SyncPage(
            f"c{at + 1}" if not self.refuses_cursors or at + 1 == self.pages else "",
            has_more=at + 1 < self.pages,
            history=History.COMPLETE,
            upserts=(row(f"t{at}"),),
        )


@pytest.fixture
def pauses(monkeypatch) -> list[float]:
    taken: list[float] = []
    monkeypatch.setattr(fetching.time, "sleep", taken.append)
    return taken


def read(source, start_cursor: str = ""):
    """Return what was read, with the ids of its rows."""
    counts: list[int] = []
    with Spool() as spool:
        fetched = fetch(source, ACCESS, start_cursor, spool, counts.append)
        ids = [one.external_id for page in fetched.pages for one in page.upserts]
        again = [one.external_id for page in fetched.pages for one in page.upserts]
    assert ids == again  # pages are applied in two passes
    assert counts[-1:] == [fetched.rows_count]
    return fetched, ids


def test_pages_come_in_order_with_the_last_cursor(pauses):
    fetched, ids = read(Stream())
    assert (ids, fetched.cursor, fetched.from_beginning) == (["t0", "t1", "t2"], "c3", False)
    assert pauses == []


@pytest.mark.parametrize("page", [0, 1, 2])
@pytest.mark.parametrize("times", range(1, limits.SYNC_RESTARTS_MAX))
def test_data_that_move_while_they_are_read_are_read_anew_from_the_kept_cursor(pauses, page, times):
    stream = Stream(pages=4)
    stream.trouble[page + 1] = [CursorRefused("MUTATION") for _ in range(times)]
    fetched, ids = read(stream, "c1")
    assert ids == ["t1", "t2", "t3"]
    assert (fetched.start_cursor, fetched.cursor, fetched.from_beginning) == ("c1", "c4", False)
    assert stream.asked.count("c1") == times + 1
    # Each may be half as long or half as long again, so that not all come back at once.
    shares = [pause / fetching._RESTART_PAUSE_SECONDS / 2**at for at, pause in enumerate(pauses)]
    assert all(0.5 <= share <= 1.5 for share in shares), pauses
    assert len(pauses) == times


def test_a_cursor_that_is_refused_for_ever_is_given_up_for_none(pauses):
    stream = Stream(pages=1)
    stream.refuses_cursors = True
    fetched, ids = read(stream, "c7")
    assert ids == ["t0"]
    assert fetched.from_beginning
    assert stream.asked == ["c7"] * limits.SYNC_RESTARTS_MAX + [""]
    assert sum(pauses) < 60


def test_data_that_never_hold_still_end_the_sync(pauses):
    stream = Stream()
    stream.trouble[0] = [CursorRefused("MUTATION") for _ in range(100)]
    with pytest.raises(CursorRefused):
        read(stream)
    assert len(stream.asked) == limits.SYNC_RESTARTS_MAX + 1


class Endless:
    """Announces another page after every page."""

    def __init__(self, *, moves: bool, brings: bool) -> None:
        self.moves, self.brings, self.asked = moves, brings, 0

    def sync_page(self, _access: Access, _cursor: str) -> SyncPage:
        self.asked += 1
        cursor = f"c{self.asked}" if self.moves else "c"
        rows = (row(f"t{self.asked}"),) if self.brings else ()
        return SyncPage(cursor, has_more=True, history=History.COMPLETE, upserts=rows)


@pytest.mark.parametrize(
    ("moves", "brings", "pages_max"),
    [
        (False, True, 2),
        (False, False, 2),
        (True, False, limits.SYNC_EMPTY_PAGES_MAX),
        (True, True, 30),
    ],
)
def test_pages_without_an_end_are_left(pauses, monkeypatch, moves, brings, pages_max):
    monkeypatch.setattr(limits, "SYNC_PAGES_MAX", 30)
    source = Endless(moves=moves, brings=brings)
    with pytest.raises(AggregatorError, match="without an end") as left:
        read(source)
    assert not left.value.permanent
    assert source.asked == pages_max


def test_unreadable_rows_are_something_new_and_so_is_a_snapshot_day():
    class Unreadable:
        def sync_page(self, _access, cursor):
            at = int(cursor or 0)
            return SyncPage(
                str(at + 1),
                has_more=at < limits.SYNC_EMPTY_PAGES_MAX + 5,
                history=History.COMPLETE,
                accounts=(checking(),),
                unreadable=(UnreadableRow("acc_1", f"t{at}", "No date."),),
                snapshot_from=date(2026, 1, 1) if at == 0 else None,
            )

    fetched, ids = read(Unreadable())
    assert (ids, fetched.rows_count) == ([], limits.SYNC_EMPTY_PAGES_MAX + 6)
    assert fetched.snapshot_from == date(2026, 1, 1)


def busy(seconds: int | None, *, permanent: bool = False) -> AggregatorError:
    return AggregatorError("BUSY", "Busy.", permanent=permanent, retry_after_seconds=seconds)


def test_a_provider_that_asks_to_be_left_alone_is_waited_for(pauses):
    stream = Stream()
    stream.trouble[1] = [busy(5) for _ in range(limits.SYNC_RATE_WAITS_MAX)]
    _, ids = read(stream)
    assert ids == ["t0", "t1", "t2"]
    assert len(pauses) == limits.SYNC_RATE_WAITS_MAX
    assert all(5 <= pause <= 6.25 for pause in pauses)


@pytest.mark.parametrize(
    "error",
    [
        busy(limits.SYNC_RATE_WAIT_SECONDS_MAX + 1),
        busy(None),
        busy(5, permanent=True),
    ],
)
def test_what_waiting_does_not_help_ends_the_sync_at_once(pauses, error):
    stream = Stream()
    stream.trouble[1] = [error]
    with pytest.raises(AggregatorError) as ended:
        read(stream)
    assert ended.value is error
    assert pauses == []


def test_waiting_has_an_end(pauses):
    stream = Stream()
    stream.trouble[0] = [busy(1) for _ in range(100)]
    with pytest.raises(AggregatorError):
        read(stream)
    assert len(pauses) == limits.SYNC_RATE_WAITS_MAX


def test_more_than_memory_holds_waits_on_disk(pauses, monkeypatch):
    monkeypatch.setattr(limits, "SPOOL_MEMORY_BYTES", 100)
    _, ids = read(Stream(pages=50))
    assert ids == [f"t{number}" for number in range(50)]
