"""Cuts the text of a CSV file into rows and cells; finds the delimiter by what it yields."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple

from app.kernel.limits import FILE_ROWS_MAX
from app.statements.amounts import looks_like_amount
from app.statements.dates import looks_like_date
from app.statements.mapping import COLUMNS_MAX, DELIMITERS

HEADER_SEARCH_ROWS: Final = 100
"""Headings and the first transaction stand within so many rows of the top."""

ROWS_MAX: Final = FILE_ROWS_MAX + HEADER_SEARCH_ROWS + 1
"""Enough to see that a file is too long."""

_QUOTED_LINES_MAX: Final = 60
_OPEN_QUOTES_MAX: Final = 20
_SAMPLE_LINES: Final = 150
_LINE_CHARACTERS_MAX: Final = 1_000_000

csv.field_size_limit(_LINE_CHARACTERS_MAX * _QUOTED_LINES_MAX)


class Row(NamedTuple):
    """The cells of one row and the physical line on which it starts, counted from 1."""

    line: int
    cells: list[str]


@dataclass(slots=True)
class Table:
    """Rows that are not blank, in file order.

    Attributes:
        open_quote_lines: Lines with a quote that is never closed.
        sep_line: Whether line 1 was Excel's `sep=;`.
    """

    delimiter: str
    rows: list[Row] = field(default_factory=list)
    open_quote_lines: list[int] = field(default_factory=list)
    lines_count: int = 0


def read_table(lines: list[str], delimiter: str | None) -> Table:
    """Split the lines at the delimiter, or at the one that fits best."""
    hint = _excel_hint(lines)
    chosen = delimiter or hint or find_delimiter(lines)
    table = Table(chosen, lines_count=len(lines))
    first = 1 if hint else 0
    table.rows = list(islice(_rows(lines, chosen, first, table), ROWS_MAX))
    if _are_quoted_whole(table.rows, chosen):
        table.rows = [Row(row.line, _unwrapped(row.cells, chosen)) for row in table.rows]
    return table


def find_delimiter(lines: list[str]) -> str:
    """Return the delimiter under which most rows have a date and an amount of their own."""
    sample = [line for line in lines[: 4 * _SAMPLE_LINES] if line.strip()][:_SAMPLE_LINES]
    sample = [line[:10_000] for line in sample]
    scores = {delimiter: _score(sample, delimiter) for delimiter in DELIMITERS}
    return max(DELIMITERS, key=lambda delimiter: scores[delimiter])


def _score(sample: list[str], delimiter: str) -> tuple[int, int, int]:
    rows = [row.cells for row in _rows(sample, delimiter, 0, Table(delimiter))]
    widths = Counter(len(cells) for cells in rows if len(cells) > 1)
    width, rows_count = widths.most_common(1)[0] if widths else (0, 0)
    telling = sum(
        1 for cells in rows if len(cells) > 1 and has_date_and_amount(cells[:COLUMNS_MAX])
    )
    return telling, rows_count * (width > 1), width


def has_date_and_amount(cells: list[str]) -> bool:
    """Return whether one cell is a date and another an amount."""
    dates = [index for index, cell in enumerate(cells) if looks_like_date(cell)]
    return bool(dates) and any(
        looks_like_amount(cell) for index, cell in enumerate(cells) if index not in dates
    )


def _rows(lines: list[str], delimiter: str, first: int, table: Table) -> Iterator[Row]:
    index = first
    while index < len(lines):
        line = lines[index]
        used = 1
        if '"' not in line:
            cells = line.split(delimiter, COLUMNS_MAX)
        elif len(table.open_quote_lines) >= _OPEN_QUOTES_MAX:
            cells = line.split(delimiter, COLUMNS_MAX)  # quotes mean nothing in this file
        else:
            cells, used = _quoted_row(lines, index, delimiter)
            if not used:
                table.open_quote_lines.append(index + 1)
                cells, used = line.split(delimiter, COLUMNS_MAX), 1
        if any(cell and not cell.isspace() for cell in cells):
            yield Row(index + 1, cells)
        index += used


def _quoted_row(lines: list[str], index: int, delimiter: str) -> tuple[list[str], int]:
    """Return the cells and how many lines they took; 0 where a quote stays open."""
    used = 0

    def feed() -> Iterator[str]:
        nonlocal used
        for line in lines[index : index + _QUOTED_LINES_MAX]:
            used += 1
            yield line + "\n"
        used = 0  # asked for more than there is

    cells = next(csv.reader(feed(), delimiter=delimiter, skipinitialspace=True), [])
    return cells[: COLUMNS_MAX + 1], used


def _excel_hint(lines: list[str]) -> str | None:
    first = lines[0].strip().strip('"').lower() if lines else ""
    hint = first.removeprefix("sep=") if first.startswith("sep=") else ""
    if first == "sep=" and lines[0].rstrip("\n").endswith("\t"):
        hint = "\t"
    return hint if hint in DELIMITERS and hint else None


def _are_quoted_whole(rows: list[Row], delimiter: str) -> bool:
    """Some exports quote each whole line once more."""
    sample = rows[:_SAMPLE_LINES]
    single = sum(1 for row in sample if len(row.cells) == 1 and row.cells[0].count(delimiter) > 1)
    return single > 0 and single * 5 > len(sample) * 4


def _unwrapped(cells: list[str], delimiter: str) -> list[str]:
    if len(cells) > 1:
        return cells
    line = cells[0].replace("\n", " ")
    return next(csv.reader([line], delimiter=delimiter), [])
