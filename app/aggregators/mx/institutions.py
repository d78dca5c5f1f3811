"""Which banks MX reaches."""

from __future__ import annotations

from typing import Final

from app.aggregators.contract import Coverage, Institution
from app.aggregators.mx.client import MxClient
from app.aggregators.mx.fields import Json, text
from app.kernel.bank import AccountType

INSTITUTIONS_MAX: Final = 20
CANDIDATES_MAX: Final = 200
"""Asked for: MX finds the words anywhere in a name, in an order of its own."""

QUERY_CHARACTERS_MAX: Final = 100
_NOTE: Final = "MX does not say which kinds of account it reaches at a bank; these are the usual."
_USUAL_TYPES: Final = (
    AccountType.CHECKING,
    AccountType.SAVINGS,
    AccountType.CARD,
    AccountType.LINE_OF_CREDIT,
)


def search(client: MxClient, query: str) -> tuple[Coverage, ...]:
    """Return at most 20 banks whose name holds the words, those that begin with them first."""
    words = query.strip()[:QUERY_CHARACTERS_MAX]
    if not words:
        return ()
    asked: dict[str, str | int] = {"name": words, "records_per_page": CANDIDATES_MAX}
    answer = client.get("institutions", query=asked)
    found = [row for row in answer.records("institutions") if _is_usable(row)]
    found.sort(key=lambda row: not text(row, "name").casefold().startswith(words.casefold()))
    return tuple(
        Coverage(Institution(text(row, "code"), text(row, "name")), _USUAL_TYPES, _NOTE)
        for row in found[:INSTITUTIONS_MAX]
    )


def _is_usable(row: Json) -> bool:
    is_named = bool(text(row, "code") and text(row, "name"))
    return is_named and row.get("is_disabled_by_client") is not True
