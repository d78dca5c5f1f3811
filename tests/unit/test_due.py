from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.connections.due import (
    DueState,
    business_days_between,
    last_business_day,
    next_due,
    nth_business_day,
)

DATES = st.dates(date(1990, 1, 1), date(2100, 12, 31))


@pytest.mark.parametrize(
    ("month", "fifth"),
    [
        (date(2026, 1, 1), date(2026, 1, 7)),  # begins on a Thursday; New Year's Day counts
        (date(2026, 2, 1), date(2026, 2, 6)),  # begins on a Sunday
        (date(2026, 6, 1), date(2026, 6, 5)),  # begins on a Monday
        (date(2026, 8, 1), date(2026, 8, 7)),  # begins on a Saturday
        (date(2026, 12, 1), date(2026, 12, 7)),
    ],
)
def test_the_fifth_business_day_skips_weekends(month, fifth):
    assert nth_business_day(month, 5) == fifth


@pytest.mark.parametrize(
    ("month", "last"),
    [
        (date(2026, 10, 1), date(2026, 10, 30)),  # the 31st is a Saturday
        (date(2026, 5, 1), date(2026, 5, 29)),  # the 31st is a Sunday
        (date(2026, 12, 1), date(2026, 12, 31)),
        (date(2028, 2, 1), date(2028, 2, 29)),
    ],
)
def test_the_last_business_day_is_before_a_weekend_at_the_end(month, last):
    assert last_business_day(month) == last


def test_an_account_covered_to_the_end_of_october_is_due_for_november_in_december():
    due = next_due(date(2026, 10, 31), date(2026, 1, 5), date(2026, 12, 2))
    assert (due.month, due.due_date) == (date(2026, 11, 1), date(2026, 12, 7))
    assert (due.state, due.business_days) == (DueState.DUE, 3)


def test_while_the_month_runs_nothing_is_due():
    assert next_due(date(2026, 10, 30), date(2026, 1, 5), date(2026, 11, 30)).state == "not_yet"
    assert next_due(date(2026, 10, 30), date(2026, 1, 5), date(2026, 12, 1)).state == "due"


def test_the_due_day_itself_is_in_time_and_the_day_after_is_overdue():
    on_the_day = next_due(date(2026, 10, 31), date(2026, 1, 5), date(2026, 12, 7))
    assert (on_the_day.state, on_the_day.business_days) == (DueState.DUE, 0)
    after = next_due(date(2026, 10, 31), date(2026, 1, 5), date(2026, 12, 8))
    assert (after.state, after.business_days) == (DueState.OVERDUE, 1)


def test_december_is_due_in_january():
    due = next_due(date(2026, 11, 30), date(2026, 1, 5), date(2027, 1, 1))
    assert (due.month, due.due_date) == (date(2026, 12, 1), date(2027, 1, 7))


def test_a_month_that_is_covered_in_part_is_still_due():
    due = next_due(date(2026, 10, 29), date(2026, 1, 5), date(2026, 11, 3))
    assert due.month == date(2026, 10, 1)


def test_without_any_file_the_month_in_which_the_account_was_added_is_due_first():
    due = next_due(None, date(2026, 3, 31), date(2026, 5, 20))
    assert (due.month, due.state) == (date(2026, 3, 1), DueState.OVERDUE)


@given(DATES, st.integers(0, 400))
def test_business_days_agree_with_counting_them_one_by_one(earlier, days):
    later = earlier + timedelta(days=days)
    counted = sum((earlier + timedelta(days=offset)).weekday() < 5 for offset in range(1, days + 1))
    assert business_days_between(earlier, later) == counted


@given(st.none() | DATES, DATES, DATES)
def test_the_due_date_is_a_business_day_early_in_the_month_after(covered_until, added_on, today):
    due = next_due(covered_until, added_on, today)
    assert due.due_date.weekday() < 5
    assert 5 <= due.due_date.day <= 7
    assert 28 < (due.due_date - due.month).days < 38
    assert (due.state is DueState.OVERDUE) == (today > due.due_date)
    if covered_until is not None:
        assert due.month >= covered_until.replace(day=1)
