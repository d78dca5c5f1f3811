"""A report as PDF: A4, pages numbered “page 1 of 3”, headings repeated, totals ruled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from app.reports.document import Cell, Column, Document, Kind, Level, Row, Section, shown

_FONTS: Final = Path(__file__).parent / "fonts"
_FAMILY: Final = "DejaVu"
_MARGIN_MM: Final = 15.0
_LINE_MM: Final = 4.4
_PADDING_MM: Final = 0.7
_LINES_MAX: Final = 4
"""Lines of one cell; what is longer is cut with an ellipsis."""

_INK: Final = (29, 33, 41)
_SOFT: Final = (95, 103, 115)
_RULE: Final = (203, 208, 216)


def document_pdf(document: Document, time_zone: str) -> bytes:
    """Return the report as a PDF file.

    Args:
        document: What to print.
        time_zone: The organization's, in which the page says when it was printed.
    """
    printed = document.made_at.astimezone(ZoneInfo(time_zone))
    pdf = _Pages(document.title, printed)
    pdf.open(document)
    for section in document.sections:
        _Table(pdf, section).print()
    return bytes(pdf.output())


class _Pages(FPDF):
    """The sheet: fonts, margins, and the line at the foot of every page."""

    def __init__(self, title: str, printed: datetime) -> None:
        super().__init__(orientation="portrait", unit="mm", format="A4")
        self._printed = printed
        self._running_title = title
        self.set_margin(_MARGIN_MM)
        self.set_auto_page_break(auto=True, margin=_MARGIN_MM + 5)
        self.add_font(_FAMILY, "", _FONTS / "DejaVuSansCondensed.ttf")
        self.add_font(_FAMILY, "B", _FONTS / "DejaVuSansCondensed-Bold.ttf")
        self.alias_nb_pages("{pages}")
        self.set_title(title)
        self.set_creator("Tieout")
        self.set_creation_date(printed)
        self.set_lang("en")

    def open(self, document: Document) -> None:
        """Begin with the title and what the report is about."""
        self.add_page()
        self.ink(16, bold=True)
        self.multi_cell(0, 8, document.title, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(1)
        for name, value in document.facts:
            self.ink(8.5, soft=True)
            self.cell(38, _LINE_MM, name)
            self.ink(8.5)
            self.multi_cell(0, _LINE_MM, value, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(3)

    def footer(self) -> None:
        """Print the running title, when it was printed, and the page's number."""
        self.set_y(-_MARGIN_MM)
        self.ink(7.5, soft=True)
        self.cell(0, 5, f"{self._running_title} · printed {self._printed:%d %b %Y, %H:%M %Z}")
        self.set_x(_MARGIN_MM)
        self.cell(0, 5, f"page {self.page_no()} of {{pages}}", align="R")

    def ink(self, points: float, *, bold: bool = False, soft: bool = False) -> None:
        """Set the font's size, weight and colour."""
        self.set_font(_FAMILY, "B" if bold else "", points)
        self.set_text_color(*(_SOFT if soft else _INK))

    def rule(self, weight_mm: float = 0.15, *, dark: bool = False) -> None:
        """Draw a line across the page where the next row begins."""
        self.set_draw_color(*(_INK if dark else _RULE))
        self.set_line_width(weight_mm)
        self.line(self.l_margin, self.y, self.w - self.r_margin, self.y)


class _Table:
    def __init__(self, pdf: _Pages, section: Section) -> None:
        self._pdf = pdf
        self._section = section
        whole = sum(column.width for column in section.columns)
        self._widths_mm = [pdf.epw * column.width / whole for column in section.columns]

    def print(self) -> None:
        section, pdf = self._section, self._pdf
        self._need(18)
        pdf.ink(11, bold=True)
        heading = f"{section.title}, {section.currency}" if section.currency else section.title
        pdf.multi_cell(0, 6, heading, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self._head()
        for row in section.rows:
            self._row(row)
        if not section.rows:
            pdf.ink(8.5, soft=True)
            pdf.cell(0, _LINE_MM + 1, section.empty, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        if section.note:
            pdf.ink(8, soft=True)
            pdf.multi_cell(0, _LINE_MM, section.note, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        pdf.ln(4)

    def _head(self) -> None:
        self._pdf.rule(0.3)
        self._pdf.ink(7.5, bold=True, soft=True)
        texts = [[column.label] for column in self._section.columns]
        self._cells(texts, [column.kind for column in self._section.columns])
        self._pdf.rule(0.15)

    def _row(self, row: Row) -> None:
        columns, pdf = self._section.columns, self._pdf
        bold = row.level is not Level.ITEM
        pdf.ink(8, bold=bold)
        if row.level is Level.GROUP:
            self._need(2 * _LINE_MM + 2)
            pdf.ln(1)
            pdf.cell(0, _LINE_MM + 1, str(row.cells[0]), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
            pdf.rule()
            return
        texts = [
            self._lines(cell, column, width)
            for cell, column, width in zip(row.cells, columns, self._widths_mm, strict=True)
        ]
        height = max(map(len, texts)) * _LINE_MM + 2 * _PADDING_MM
        if self._need(height):
            self._head()
            pdf.ink(8, bold=bold)
        if row.level in (Level.SUM, Level.TOTAL):
            pdf.rule(0.35 if row.level is Level.TOTAL else 0.15, dark=True)
        self._cells(texts, [column.kind for column in columns])
        pdf.rule(0.35 if row.level is Level.TOTAL else 0.1, dark=row.level is Level.TOTAL)

    def _need(self, height_mm: float) -> bool:
        """Go on to a new page where less than this is left; tell whether it was needed."""
        if self._pdf.y + height_mm <= self._pdf.page_break_trigger:
            return False
        self._pdf.add_page()
        return True

    def _lines(self, cell: Cell, column: Column, width_mm: float) -> list[str]:
        text = shown(cell, column.kind, self._section.currency)
        room_mm = width_mm - 2 * self._pdf.c_margin
        if self._pdf.get_string_width(text) <= room_mm:
            return [text]
        lines = self._pdf.multi_cell(width_mm, _LINE_MM, text, dry_run=True, output="LINES")
        assert isinstance(lines, list)
        if len(lines) > _LINES_MAX:
            lines = [*lines[: _LINES_MAX - 1], f"{lines[_LINES_MAX - 1][:-1]}…"]
        return [str(line) for line in lines]

    def _cells(self, texts: Sequence[list[str]], kinds: Sequence[Kind]) -> None:
        """Print one row of cells beside each other and go to the line under the tallest."""
        pdf = self._pdf
        top, left = pdf.y + _PADDING_MM, pdf.l_margin
        for lines, kind, width in zip(texts, kinds, self._widths_mm, strict=True):
            align = "R" if kind in (Kind.MONEY, Kind.NUMBER) else "L"
            for number, line in enumerate(lines):
                pdf.set_xy(left, top + number * _LINE_MM)
                pdf.cell(width, _LINE_MM, line, align=align)
            left += width
        tallest = max(map(len, texts))
        pdf.set_xy(pdf.l_margin, top + tallest * _LINE_MM + _PADDING_MM)
