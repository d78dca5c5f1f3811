"""How values look on every page: money, days, instants, sizes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Flask

from app.kernel.clock import utc_now
from app.kernel.money import display_amount, minor_digits
from app.web.access import visitor_actor

_NUMBER_WORDS: Final = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight")


def amount(amount_minor: int, currency: str, *, plus: bool = False) -> str:
    return display_amount(amount_minor, currency, plus=plus)


def day(value: date | None, *, year: bool | None = None) -> str:
    """Return `28 Oct`, with the year when it is not this one's or when asked for."""
    if value is None:
        return ""
    with_year = value.year != local_today().year if year is None else year
    return f"{value.day} {value:%b %Y}" if with_year else f"{value.day} {value:%b}"


def long_day(value: date | None) -> str:
    return f"{value.day} {value:%B %Y}" if value else ""


def instant(value: datetime | None) -> str:
    """Return date and time in the organization's zone: `28 Oct 2026, 14:05`."""
    if value is None:
        return ""
    local = value.astimezone(local_zone())
    return f"{local.day} {local:%b %Y, %H:%M}"


def moment(value: datetime | None) -> str:
    """Return an instant as briefly as it is clear: `today 14:05`, `28 Oct 14:05`."""
    if value is None:
        return ""
    local = value.astimezone(local_zone())
    today = local_today()
    words = {-1: "yesterday", 0: "today", 1: "tomorrow"}
    said = words.get((local.date() - today).days) or day(local.date())
    return f"{said} {local:%H:%M}"


def number_word(count: int) -> str:
    """Return a count as prose has it: words up to eight, then figures."""
    return _NUMBER_WORDS[count] if count < len(_NUMBER_WORDS) else f"{count:,}"


def local_zone() -> ZoneInfo:
    actor = visitor_actor()
    return ZoneInfo(actor.time_zone if actor else "UTC")


def share_words(share: float | None) -> str:
    """Return a share of 1 in percent, with a decimal where it could round up to all."""
    if share is None:
        return "–"
    return f"{share:.0%}" if share in {0.0, 1.0} else f"{share:.1%}"


def local_today() -> date:
    return utc_now().astimezone(local_zone()).date()


def install_filters(app: Flask) -> None:
    filters: dict[str, Any] = {
        "amount": amount,
        "day": day,
        "long_day": long_day,
        "instant": instant,
        "moment": moment,
        "number_word": number_word,
        "minor_digits": minor_digits,
    }
    app.jinja_env.filters.update(filters)
