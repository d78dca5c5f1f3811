"""What a person types into a search field: an amount, a payee or a reference."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from app.kernel.errors import Invalid
from app.kernel.limits import SEARCH_CHARACTERS_MAX
from app.kernel.money import parse_amount


def matches_search(
    text: str,
    currency: str,
    amount: InstrumentedAttribute[int],
    *texts: InstrumentedAttribute[str],
) -> sa.ColumnElement[bool]:
    """Return the criterion: a text that contains it, or the amount in either direction.

    `137` finds 137.00 and −137.00; letters are compared without regard to case.
    """
    wanted = text.strip()[:SEARCH_CHARACTERS_MAX]
    contains = [sa.func.lower(column).contains(wanted.lower(), autoescape=True) for column in texts]
    try:
        minor = abs(parse_amount(wanted, currency))
    except Invalid:
        return sa.or_(*contains)
    return sa.or_(amount.in_((minor, -minor)), *contains)
