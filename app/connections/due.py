"""When the next bank file of a manual-upload account is due.

Each month is due by the fifth business day of the following one.  Business days are
Monday to Friday; bank holidays are not known, so a date can be earlier than the bank's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

DUE_BUSINESS_DAY: Final = 5

_SATURDAY: Final = 5
_DECEMBER: Final = 12


class DueState(StrEnum):
    NOT_YET = "not_yet"
    """The month still runs."""
    DUE = "due"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Due:
    """The oldest month that no file covers, and by when its file is expected.

    Attributes:
        month: First day of that month.
        due_date: Last day on which the file is in time.
        state: Whether it is time, or past it.
        business_days: Business days after today up to the due date, or past it since;
            0 on the day itself.
    """

    month: date
    due_date: date
    state: DueState
    business_days: int


def next_due(covered_until: date | None, added_on: date, today: date) -> Due:
    """Return what is due next for an account.

    Args:
        covered_until: Last booking date that an accepted file covers, if any.
        added_on: Day on which the account was added: its month is the first one due.
        today: In the organization's time zone.
    """
    month = added_on.replace(day=1)
    if covered_until is not None:
        month = covered_until.replace(day=1)
        if covered_until >= last_business_day(month):
            month = _month_after(month)
    due_date = nth_business_day(_month_after(month), DUE_BUSINESS_DAY)
    if today > due_date:
        return Due(month, due_date, DueState.OVERDUE, business_days_between(due_date, today))
    state = DueState.DUE if today >= _month_after(month) else DueState.NOT_YET
    return Due(month, due_date, state, business_days_between(today, due_date))


def nth_business_day(month: date, number: int) -> date:
    """Return the n-th Monday-to-Friday of the month that begins on `month`."""
    day = month - timedelta(days=1)
    for _ in range(number):
        day = _next_business_day(day)
    return day


def last_business_day(month: date) -> date:
    """Return the last Monday-to-Friday: what a bank books on after it is rare."""
    day = _month_after(month) - timedelta(days=1)
    while day.weekday() >= _SATURDAY:
        day -= timedelta(days=1)
    return day


def business_days_between(earlier: date, later: date) -> int:
    """Return how many business days lie after `earlier` up to and with `later`."""
    days = (later - earlier).days
    weeks, rest = divmod(days, 7)
    tail = (earlier + timedelta(days=offset) for offset in range(1, rest + 1))
    return weeks * 5 + sum(day.weekday() < _SATURDAY for day in tail)


def _next_business_day(day: date) -> date:
    day += timedelta(days=1)
    while day.weekday() >= _SATURDAY:
        day += timedelta(days=1)
    return day


def _month_after(month: date) -> date:
    if month.month == _DECEMBER:
        return date(month.year + 1, 1, 1)
    return date(month.year, month.month + 1, 1)
