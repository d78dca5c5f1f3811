"""How values look on every page: money, days, instants, sizes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask

from app.kernel.clock import utc_now
from app.kernel.money import display_amount, minor_digits
from app.web.access import visitor_actor


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


def local_zone() -> ZoneInfo:
    actor = visitor_actor()
    return ZoneInfo(actor.time_zone if actor else "UTC")


def local_today() -> date:
    return utc_now().astimezone(local_zone()).date()


def install_filters(app: Flask) -> None:
    filters: dict[str, Any] = {
        "amount": amount,
        "day": day,
        "long_day": long_day,
        "instant": instant,
        "minor_digits": minor_digits,
    }
    app.jinja_env.filters.update(filters)
