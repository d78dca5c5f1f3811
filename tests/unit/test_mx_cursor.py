"""The cursor of MX's reads: windows that overlap, and nothing of others accepted."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.aggregators.contract import CursorRefused
from app.aggregators.mx import cursor as cursors
from app.aggregators.mx.cursor import Reading, Window, at_rest, dump, load, window_after

TODAY = date(2026, 11, 21)
DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))


def test_the_first_read_has_ninety_days_without_a_gap():
    assert window_after("", TODAY).snapshot_from == TODAY - timedelta(days=90)


@given(DAYS, st.integers(0, 60))
def test_what_posts_after_the_last_read_is_always_within_the_next_snapshot(through, days):
    window = window_after(at_rest(through), through + timedelta(days=days))
    assert window.snapshot_from <= through - timedelta(days=cursors.OVERLAP_DAYS)
    assert window.last_day > through + timedelta(days=days)


@given(DAYS, DAYS)
def test_a_window_never_exceeds_what_mx_answers_for(through, today):
    window = window_after(at_rest(through), today)
    assert timedelta(0) < window.last_day - window.first_day < timedelta(days=180)


@given(DAYS)
def test_a_transaction_that_posts_late_is_asked_for_by_the_day_it_took_place(today):
    window = window_after(at_rest(today), today)
    latest_taken = window.snapshot_from - timedelta(days=cursors.POSTING_LAG_DAYS)
    assert window.first_day <= latest_taken


@given(DAYS, st.integers(1, 99), st.text(max_size=60), st.integers(-1, 10**6), st.booleans())
def test_a_read_under_way_comes_back_from_its_cursor_as_it_was(today, page, stamp, rows, whole):
    reading = Reading(
        window=Window(today, today + timedelta(days=9)),
        rested=at_rest(today),
        today=today,
        next_page=page,
        stamp=stamp,
        entries_count=rows,
        is_whole=whole,
    )
    assert load(dump(reading)) == reading
    assert len(dump(reading)) < 4000


def test_a_cursor_at_rest_begins_a_read():
    assert load("") is None
    assert load(at_rest(TODAY)) is None


@pytest.mark.parametrize("text", ["CAESJ", "7", "[]", "{}", '{"window": 3}', '"through"'])
def test_a_cursor_of_somebody_else_is_refused(text):
    with pytest.raises(CursorRefused):
        load(text)


@pytest.mark.parametrize("text", ['{"through": "soon"}', '{"through": 3}'])
def test_a_broken_cursor_at_rest_is_refused(text):
    with pytest.raises(CursorRefused):
        window_after(text, TODAY)
