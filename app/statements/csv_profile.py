"""What the cells of each column look like, whatever the heading says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.statements.amounts import decimal_votes, looks_like_amount
from app.statements.csv_table import Row
from app.statements.csv_vocabulary import CURRENCY_CODES
from app.statements.dates import looks_like_date

_SAMPLE_ROWS: Final = 400
_ZERO: Final = re.compile(r"[^1-9A-Za-z]*0[^1-9A-Za-z]*")
_SIGNED: Final = re.compile(r"^\s*[-+(\u2212]|[-+]\s*$")


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """Shares are of the cells that are not blank, over a sample of the rows.

    Attributes:
        filled: Positions in the sample of the rows where the cell is not blank.
        nonzero: Those of them that are not an amount of zero.
        money_share: Amounts that show a decimal sign, a sign or a currency.
        counts: How often each cell occurs, in the order of the sample.
    """

    filled: frozenset[int]
    nonzero: frozenset[int]
    date_share: float
    amount_share: float
    money_share: float
    currency_share: float
    text_length: float
    counts: Counter[str]

    @property
    def is_blank(self) -> bool:
        return not self.filled


def sample_rows(rows: Sequence[Row]) -> list[Row]:
    """Return up to 400 rows, spread over the file."""
    step = max(1, len(rows) // _SAMPLE_ROWS)
    return list(rows[::step][:_SAMPLE_ROWS])


def profile_columns(sample: list[Row], width: int) -> list[ColumnProfile]:
    """Describe each of the first `width` columns of the sample."""
    return [
        _profile([row.cells[column] if column < len(row.cells) else "" for row in sample])
        for column in range(width)
    ]


def _profile(cells: list[str]) -> ColumnProfile:
    filled = {index: cell.strip() for index, cell in enumerate(cells) if cell.strip()}
    texts = list(filled.values())
    count = max(1, len(texts))
    dates = [looks_like_date(text) for text in texts]
    amounts = [
        not is_date and looks_like_amount(text) for text, is_date in zip(texts, dates, strict=True)
    ]
    numbers = [text for text, is_amount in zip(texts, amounts, strict=True) if is_amount]
    return ColumnProfile(
        filled=frozenset(filled),
        nonzero=frozenset(index for index, text in filled.items() if not _ZERO.fullmatch(text)),
        date_share=sum(dates) / count,
        amount_share=sum(amounts) / count,
        money_share=sum(_is_money(text) for text in numbers) / count,
        currency_share=sum(text.upper() in CURRENCY_CODES for text in texts) / count,
        text_length=sum(len(text) for text in texts) / count,
        counts=Counter(texts),
    )


def _is_money(text: str) -> bool:
    votes = decimal_votes([text])
    return bool(votes.point or votes.comma or votes.either or _SIGNED.search(text))
