"""A report as data: the same rows go on screen, into the PDF and into the CSV.

Each builder adds up once; none of the three forms computes anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TypeAlias

from app.kernel.money import display_amount


class Kind(StrEnum):
    TEXT = "text"
    DATE = "date"
    MONEY = "money"
    """Minor units of the section's currency."""
    NUMBER = "number"


class Level(StrEnum):
    ITEM = "item"
    GROUP = "group"
    """A heading inside the table; its first cell alone is shown."""
    SUM = "sum"
    TOTAL = "total"


Cell: TypeAlias = str | int | date | None


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `width` is its share of the page, relative to the others'."""

    label: str
    kind: Kind = Kind.TEXT
    width: float = 1.0


@dataclass(frozen=True, slots=True)
class Row:
    """Cells in the order of the columns; `journal_id` is where its first cell leads on screen."""

    cells: tuple[Cell, ...]
    level: Level = Level.ITEM
    journal_id: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One table.

    Attributes:
        currency: Of every amount in it; empty where there are none.
        empty: What is said when there are no rows.
        note: A sentence under it, such as what was left out.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    currency: str = ""
    empty: str = "None"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report.

    Attributes:
        name: Of its file, without an ending.
        facts: What it is about: organization, account, period, who certified and when.
        made_at: When it was put together.
    """

    title: str
    name: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    made_at: datetime


def shown(cell: Cell, kind: Kind, currency: str) -> str:
    """Return a cell as people read it."""
    if cell is None:
        return ""
    if kind is Kind.MONEY and isinstance(cell, int):
        return display_amount(cell, currency)
    if isinstance(cell, date):
        return f"{cell.day} {cell:%b %Y}"
    return f"{cell:,}" if isinstance(cell, int) else cell


def file_name(*parts: str) -> str:
    """Return a file's name without an ending: letters, digits and hyphens only."""
    joined = "-".join(parts).lower()
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in joined)
    return "-".join(filter(None, plain.split("-")))


def labels(sections: Sequence[Section]) -> tuple[str, ...]:
    """Return the labels of all columns, each once, in their order."""
    return tuple(dict.fromkeys(column.label for each in sections for column in each.columns))
