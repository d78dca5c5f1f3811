"""Render the templates without the application: what the tests of macros, styles and modules share."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from jinja2 import DictLoader, Environment, FileSystemLoader, StrictUndefined
from jinja2.loaders import ChoiceLoader

from app.kernel.money import display_amount

ROOT: Final = Path(__file__).parent.parent
TEMPLATES: Final = ROOT / "app" / "templates"
STATIC: Final = ROOT / "app" / "static"


def _day(day: dt.date) -> str:
    return f"{day.day} {day:%b}"


def environment(pages: dict[str, str] | None = None, *, trim: bool = True) -> Environment:
    """Return the templates with stand-ins for what Flask provides, and any `pages` beside them.

    The templates must come out right whether or not the application trims blocks.
    """
    loaders = [FileSystemLoader(TEMPLATES), DictLoader(pages or {})]
    env = Environment(
        loader=ChoiceLoader(loaders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=trim,
        lstrip_blocks=trim,
    )
    env.filters.update(amount=display_amount, day=_day)
    env.globals.update(
        csrf_token=lambda: "token-of-the-session",
        url_for=lambda _endpoint, filename: f"/static/{filename}",
        get_flashed_messages=lambda **_: [],
    )
    return env


def shell() -> dict[str, Any]:
    """Return the variables that layout.html asks for."""
    entries = [
        {
            "label": "Bank reconciliation",
            "url": "/r",
            "current": True,
            "count": "58",
            "count_class": "open-count",
            "key": "g r",
        },
        {
            "label": "Bank connections",
            "url": "/c",
            "current": False,
            "count": None,
            "count_class": "",
            "key": "g b",
        },
    ]
    return {
        "navigation": [{"title": "Cash management", "entries": entries}],
        "actor": SimpleNamespace(name="Alice Marlow", email="alice@example.com"),
        "organization": SimpleNamespace(name="Harbor & Pine"),
        "organizations": [SimpleNamespace(id="2", name="Quartz Media")],
        "switch_organization_url": "/switch",
        "account_url": "/account",
        "sign_out_url": "/sign-out",
    }


def pair_side(text: str, amount_minor: int, detail: str = "") -> SimpleNamespace:
    """Return one side of a suggested pair, as macro `pair_cells` takes it."""
    date = dt.date(2026, 10, 28)
    return SimpleNamespace(date=date, text=text, detail=detail, amount_minor=amount_minor)
