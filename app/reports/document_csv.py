"""A report as one CSV table: every section's rows, with the section's title in front."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from app.kernel.money import decimal_text
from app.reports.csv_text import csv_pieces
from app.reports.document import Cell, Column, Document, Kind, Level, Row, Section, labels

_FACTS: Final = "About this report"
_FACT_COLUMNS: Final = (Column("Fact"), Column("Value"))


def document_csv(document: Document) -> Iterator[str]:
    """Yield the CSV in pieces; amounts are plain decimals, dates as 2026-10-31.

    The column `row` says whether a row is an item or adds others up, so that nobody counts
    twice.
    """
    facts = Section(_FACTS, _FACT_COLUMNS, tuple(Row(fact) for fact in document.facts))
    sections = (facts, *document.sections)
    names = labels(sections)
    header = ("section", "row", *(name.lower().replace(" ", "_") for name in names), "currency")
    return csv_pieces(header, _rows(sections, names))


def _rows(sections: tuple[Section, ...], names: tuple[str, ...]) -> Iterator[list[object]]:
    for section in sections:
        for row in section.rows:
            if row.level is Level.GROUP:
                continue
            by_label = {
                column.label: _plain(cell, column.kind, section.currency)
                for column, cell in zip(section.columns, row.cells, strict=True)
            }
            yield [
                section.title,
                row.level.value,
                *(by_label.get(name, "") for name in names),
                section.currency,
            ]


def _plain(cell: Cell, kind: Kind, currency: str) -> object:
    if cell is None:
        return ""
    if kind is Kind.MONEY and isinstance(cell, int):
        return _Figure(decimal_text(cell, currency))
    return cell.isoformat() if isinstance(cell, date) else cell


class _Figure:
    """A number in text: a spreadsheet reads `-12.50` as a number, so it needs no guard."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text
