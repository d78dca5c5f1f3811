"""Finds the row of headings, below whatever a bank prints above it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from app.statements.amounts import looks_like_amount
from app.statements.csv_table import HEADER_SEARCH_ROWS, Row
from app.statements.csv_vocabulary import EXACT, heading_roles
from app.statements.dates import looks_like_date

_DATES: Final = frozenset({"date", "value_date"})
_MONEY: Final = frozenset({"amount", "debit", "credit"})
_WIDTH_TOLERANCE: Final = 2


def find_header(rows: Sequence[Row]) -> int | None:
    """Return the position of the headings among the rows, or None where there are none."""
    known = _best_known(rows[:HEADER_SEARCH_ROWS])
    if known is not None:
        return known
    first = first_data_row(rows)
    if not first:
        return None
    above = rows[first - 1].cells
    wide_enough = abs(len(above) - len(rows[first].cells)) <= _WIDTH_TOLERANCE
    names = [cell for cell in above if cell.strip()]
    enough = len(names) * 2 > len(rows[first].cells)
    return first - 1 if wide_enough and enough and not _has_values(names) else None


def first_data_row(rows: Sequence[Row]) -> int | None:
    """Return the position of the first row with an amount and a date where most rows have it."""
    seen = rows[:HEADER_SEARCH_ROWS]
    dates = [
        {index for index, cell in enumerate(row.cells) if looks_like_date(cell)} for row in seen
    ]
    telling = [
        bool(found)
        and any(
            looks_like_amount(cell) for index, cell in enumerate(row.cells) if index not in found
        )
        for row, found in zip(seen, dates, strict=True)
    ]
    votes = Counter(
        column for found, tells in zip(dates, telling, strict=True) if tells for column in found
    )
    if not votes:
        return None
    most = max(votes.values())
    column = min(column for column, count in votes.items() if count == most)
    return next(
        position
        for position, (found, tells) in enumerate(zip(dates, telling, strict=True))
        if tells and column in found
    )


def normalized_headings(cells: Sequence[str]) -> tuple[str, ...]:
    """Return the headings as remembered: trimmed, at most 200 characters each."""
    return tuple(" ".join(cell.split()).lstrip("#").strip()[:200] for cell in cells)


def _best_known(rows: Sequence[Row]) -> int | None:
    best, best_score = None, 0.0
    for position, row in enumerate(rows):
        score = _heading_score(row.cells)
        if score > best_score:
            best, best_score = position, score
    return best


def _heading_score(cells: Sequence[str]) -> float:
    """Return 0 unless the row names a date and a sum of money."""
    names = [cell for cell in normalized_headings(cells) if cell]
    if len(names) < 2 or _has_values(names):  # noqa: PLR2004 - a table has two columns
        return 0.0
    weights: dict[str, float] = {}
    for name in names:
        for role, weight in heading_roles(name).items():
            weights[role] = max(weights.get(role, 0.0), weight / EXACT)
    if not (weights.keys() & _DATES and weights.keys() & _MONEY):
        return 0.0
    return sum(weights.values())


def _has_values(cells: Sequence[str]) -> bool:
    return any(looks_like_date(cell) or looks_like_amount(cell) for cell in cells)
