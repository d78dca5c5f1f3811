"""Cash management → Bank transactions."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeVar

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from app.kernel.limits import SEARCH_CHARACTERS_MAX
from app.reports import bank
from app.tenancy.permissions import Permission
from app.web.access import needs
from app.web.forms import query_date
from app.web.pages import render

bp = Blueprint("transactions", __name__, url_prefix="/transactions")

_FILTERS = ("account", "from", "to", "direction", "state", "q")

Choice = TypeVar("Choice", bound=StrEnum)


@bp.get("/")
@needs(Permission.VIEW)
def index() -> ResponseReturnValue:
    wanted = bank.TransactionFilter(
        account_id=request.args.get("account") or None,
        date_from=query_date("from"),
        date_to=query_date("to"),
        direction=_choice("direction", bank.Direction),
        state=_choice("state", bank.LineState),
        search=request.args.get("q", "")[:SEARCH_CHARACTERS_MAX],
    )
    accounts = bank.account_choices()
    page = bank.transaction_page(
        wanted, accounts, older_than=_cursor("older"), newer_than=_cursor("newer")
    )
    return render(
        "transactions/index.html",
        "list",
        page=page,
        accounts=accounts,
        wanted=wanted,
        newer_url=_page_url(newer=page.newer),
        older_url=_page_url(older=page.older),
    )


def _choice(name: str, kind: type[Choice]) -> Choice | None:
    try:
        return kind(request.args.get(name, ""))
    except ValueError:
        return None


def _cursor(name: str) -> bank.Cursor | None:
    text = request.args.get(name)
    return bank.Cursor.parse(text) if text else None


def _page_url(**place: bank.Cursor | None) -> str | None:
    """Return this list's address at another place; None at an end."""
    if not any(place.values()):
        return None
    kept: dict[str, Any] = {name: value for name in _FILTERS if (value := request.args.get(name))}
    kept |= {name: str(cursor) for name, cursor in place.items()}
    return url_for(".index", **kept)
