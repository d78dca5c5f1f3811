"""Numbers and days drawn from texts, so that every story comes out the same again."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Final

SATURDAY: Final = 5
SUNDAY: Final = 6
MONDAY: Final = 0
THURSDAY: Final = 3
DAYS_PER_WEEK: Final = 7


def draw(key: str, low: int, high: int) -> int:
    """Return the number from low to high, both included, that belongs to this key."""
    digest = blake2b(key.encode(), digest_size=8).digest()
    return low + int.from_bytes(digest) % (high - low + 1)


def digits(key: str, length: int) -> str:
    """Return the reference number of that many digits that belongs to this key."""
    return str(draw(f"digits {key}", 10 ** (length - 1), 10**length - 1))


def near(key: str, usual_minor: int, spread_percent: int) -> int:
    """Return an amount within some percent of the usual one, sign kept, in odd cents."""
    spread_minor = abs(usual_minor) * spread_percent // 100
    return usual_minor + draw(f"near {key}", -spread_minor, spread_minor)


def month_of(day: date) -> date:
    return day.replace(day=1)


def next_month(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def months_between(first: date, last: date) -> list[date]:
    """Return the first days of all months that the two days lie in or between."""
    months = [month_of(first)]
    while months[-1] < month_of(last):
        months.append(next_month(months[-1]))
    return months


def day_in(month: date, number: int) -> date:
    """Return that day of the month, or its last one."""
    last = next_month(month) - timedelta(days=1)
    return last if number > last.day else month.replace(day=number)


def is_business_day(day: date) -> bool:
    return day.weekday() < SATURDAY and day not in bank_holidays(day.year)


def business_day(day: date) -> date:
    """Return the day itself when banks post on it, else the next one on which they do."""
    while not is_business_day(day):
        day += timedelta(days=1)
    return day


def last_business_day(month: date) -> date:
    day = next_month(month) - timedelta(days=1)
    while not is_business_day(day):
        day -= timedelta(days=1)
    return day


@lru_cache(maxsize=64)
def bank_holidays(year: int) -> frozenset[date]:
    """Return the days of a year on which banks of the United States post nothing."""
    fixed = [date(year, *day) for day in ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25))]
    observed = [day + timedelta(days=1) if day.weekday() == SUNDAY else day for day in fixed]
    return frozenset(
        [
            *observed,
            _nth_weekday(year, 1, MONDAY, 3),
            _nth_weekday(year, 2, MONDAY, 3),
            _nth_weekday(year, 6, MONDAY, 1) - timedelta(weeks=1),  # the last Monday of May
            _nth_weekday(year, 9, MONDAY, 1),
            _nth_weekday(year, 10, MONDAY, 2),
            _nth_weekday(year, 11, THURSDAY, 4),
        ]
    )


def _nth_weekday(year: int, month: int, weekday: int, n: int) -> date:
    first = date(year, month, 1)
    to_first = (weekday - first.weekday()) % DAYS_PER_WEEK
    return first + timedelta(days=to_first, weeks=n - 1)
