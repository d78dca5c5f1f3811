"""Which days are asked for: all of them, none twice in one read, and the last weeks again."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.connectors.simplefin.windows import (
    FIRST_DAYS,
    OVERLAP_DAYS,
    WINDOW_DAYS,
    window_at,
)

TODAY = date(2026, 11, 21)
days = st.dates(date(2020, 1, 1), date(2030, 1, 1))


def a_read(cursor, today):
    """Follow a read to its end; return its windows and the cursor that is kept."""
    windows = [window_at(cursor, today)]
    while windows[-1].end is not None:
        assert len(windows) < 50
        windows.append(window_at(windows[-1].next_cursor(is_whole=True), today))
    return windows, windows[-1].next_cursor(is_whole=True)


def test_the_first_read_asks_for_ninety_days_at_once():
    (window,), cursor = a_read("", TODAY)
    assert window.begin == TODAY - timedelta(days=89)
    assert cursor == "2026-11-21"


def test_a_later_read_begins_weeks_before_the_last_one():
    (window,), cursor = a_read("2026-11-20", TODAY)
    assert window.begin == date(2026, 11, 20) - timedelta(days=OVERLAP_DAYS)
    assert cursor == "2026-11-21"


@given(last=days, gap=st.integers(-3, 900))
def test_no_day_is_left_out_or_asked_for_twice(last, gap):
    today = last + timedelta(days=gap)
    windows, cursor = a_read(last.isoformat(), today)
    assert windows[0].first == windows[0].begin <= last - timedelta(days=OVERLAP_DAYS)
    assert {window.first for window in windows} == {windows[0].first}
    for before, after in pairwise(windows):
        assert before.end == after.begin
        assert (before.end - before.begin).days == WINDOW_DAYS
    assert windows[-1].end is None
    assert windows[-1].begin <= today
    assert (today - windows[-1].begin).days < WINDOW_DAYS
    assert cursor == today.isoformat()


def test_midnight_in_the_middle_of_a_read_moves_nothing():
    first = window_at("2026-01-01", TODAY)
    second = window_at(first.next_cursor(is_whole=True), TODAY + timedelta(days=1))
    assert second.today == TODAY


@given(wholes=st.lists(st.booleans(), min_size=5, max_size=5))
def test_a_read_that_lacked_something_anywhere_says_so_at_its_end(wholes):
    window = window_at("2025-12-01", TODAY)
    said = []
    while window.end is not None:
        said.append(wholes[len(said)])
        window = window_at(window.next_cursor(is_whole=said[-1]), TODAY)
    assert len(said) == 4
    assert window.is_whole == all(said)


@pytest.mark.parametrize(
    "cursor", ["x", "2026-13-01", "2026-01-01/2026-02-01", "a/b/c/whole", "1/2"]
)
def test_a_cursor_that_was_never_given_out_is_refused(cursor):
    with pytest.raises(ValueError, match=r"isoformat|month|no such cursor"):
        window_at(cursor, TODAY)


def test_named_days_fit_together():
    assert OVERLAP_DAYS < WINDOW_DAYS
    assert FIRST_DAYS <= WINDOW_DAYS  # or the first read would take two requests
