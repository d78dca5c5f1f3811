"""Completes a mapping for one file: headings, columns, date format, decimal sign."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.kernel.money import minor_digits
from app.statements.amounts import decimal_votes, parse_amount
from app.statements.csv_balance import prove
from app.statements.csv_columns import find_columns, resolve_names
from app.statements.csv_header import find_header, first_data_row, normalized_headings
from app.statements.csv_rows import column_name
from app.statements.csv_table import HEADER_SEARCH_ROWS, Row, Table
from app.statements.csv_vocabulary import heading_currency
from app.statements.dates import DateFormat, clean_date_cell, fitting_formats, looks_like_date
from app.statements.findings import FindingLog
from app.statements.mapping import NO_COLUMN, ROLES, ColumnRef, CsvColumns, CsvMapping

_MONEY_ROLES: Final = ("amount", "debit", "credit", "balance")
_PROOF_ROWS: Final = 500


@dataclass(frozen=True, slots=True)
class Settled:
    """A file's mapping as far as it could be told, and the rows it applies to.

    Attributes:
        date_format: For this file; the mapping leaves it open where every date reads the same
            day or month first, so that the next file is asked again.
    """

    mapping: CsvMapping
    date_format: str | None
    header: tuple[str, ...]
    rows: list[Row]
    width: int
    currency: str | None


def settle(
    table: Table, given: CsvMapping, *, encoding: str, currency: str | None, findings: FindingLog
) -> Settled:
    """Return the completed mapping; what cannot be told for sure is an error in `findings`."""
    position = _header_position(table.rows, given, findings)
    header = normalized_headings(table.rows[position].cells) if position is not None else ()
    header_line = table.rows[position].line if position is not None else 0
    rows = _body(table.rows, position, given)
    columns = _given_columns(given, header, findings, line=header_line)
    found = find_columns(header, rows, columns)
    columns = found.columns
    _require_columns(columns, header_line, findings)
    if found.money_assumed:
        _warn_assumed(columns, header, rows, findings)
    file_currency = currency or _headings_currency(header, columns)
    date_format = given.date_format
    remembered_format = date_format
    if date_format is None:
        formats = _date_formats(rows, columns, header, findings)
        date_format = formats[0].text if formats else None
        remembered_format = date_format if _same_order(formats) else None
    mapping = replace(
        given,
        delimiter=table.delimiter,
        encoding=encoding,
        header_row=header_line,
        skip_rows=header_line - 1 if header_line else (rows[0].line - 1 if rows else 0),
        header=header,
        columns=columns,
        date_format=remembered_format,
        decimal_sign=given.decimal_sign
        or _decimal_sign(rows, columns, header, table.delimiter, file_currency, findings),
    )
    return Settled(mapping, date_format, header, rows, _width(header, rows), file_currency)


def _header_position(rows: Sequence[Row], given: CsvMapping, findings: FindingLog) -> int | None:
    remembered = _remembered_position(rows, given.header)
    if remembered is not None:
        return remembered
    if given.header_row is None or given.header:
        skip = (given.skip_rows or 0) if not given.header else 0
        visible = [index for index, row in enumerate(rows) if row.line > skip]
        start = visible[0] if visible else 0
        if given.header_row == 0:
            return None
        found = find_header(rows[start:])
        return None if found is None else start + found
    if given.header_row == 0:
        return None
    for position, row in enumerate(rows[:HEADER_SEARCH_ROWS]):
        if row.line == given.header_row:
            return position
    findings.error(
        "header_row_missing",
        f"Line {given.header_row}: the mapping says that the headings stand there, but the line is"
        " empty or missing; correct the mapping.",
        line=given.header_row,
    )
    return None


def _remembered_position(rows: Sequence[Row], header: tuple[str, ...]) -> int | None:
    if not header:
        return None
    return next(
        (
            position
            for position, row in enumerate(rows[:HEADER_SEARCH_ROWS])
            if normalized_headings(row.cells) == header
        ),
        None,
    )


def _body(rows: list[Row], header_position: int | None, given: CsvMapping) -> list[Row]:
    if header_position is not None:
        return rows[header_position + 1 :]
    if given.skip_rows:
        return [row for row in rows if row.line > (given.skip_rows or 0)]
    first = first_data_row(rows)
    return rows[first:] if first is not None else rows


def _given_columns(
    given: CsvMapping, header: tuple[str, ...], findings: FindingLog, *, line: int
) -> CsvColumns:
    """Return the given columns as positions in this file.

    Positions remembered with headings follow their heading where a bank moved its columns.
    """
    columns = given.columns
    if given.header and header and given.header != header:
        columns = _by_remembered_name(columns, given.header)
    return resolve_names(columns, header, findings, line=line)


def _by_remembered_name(columns: CsvColumns, header: tuple[str, ...]) -> CsvColumns:
    def name(reference: ColumnRef | None) -> ColumnRef | None:
        known = isinstance(reference, int) and 0 <= reference < len(header)
        return (header[reference] or reference) if known else reference  # type: ignore[index]  # an int, checked in `known`

    named = {
        role: tuple(one for each in value if (one := name(each)) is not None)
        if isinstance(value, tuple)
        else name(value)
        for role in ROLES
        if (value := getattr(columns, role)) is not None
    }
    return replace(columns, **named)  # type: ignore[arg-type]  # same fields, headings for positions


def _require_columns(columns: CsvColumns, header_line: int, findings: FindingLog) -> None:
    line = header_line or None
    where = f"Line {header_line}" if header_line else "No headings were found"
    if columns.date in (None, NO_COLUMN):
        findings.error(
            "no_date_column",
            f"{where}: no column holds a date in every row; choose the date column.",
            line=line,
            column="date",
        )
    if all(one in (None, NO_COLUMN) for one in (columns.amount, columns.debit, columns.credit)):
        findings.error(
            "no_amount_column",
            f"{where}: it cannot be told which column holds the amounts; choose the amount column,"
            " or the debit and credit columns.",
            line=line,
            column="amount",
        )


def _warn_assumed(
    columns: CsvColumns, header: tuple[str, ...], rows: Sequence[Row], findings: FindingLog
) -> None:
    debit, credit = (_position(one) for one in (columns.debit, columns.credit))
    line = rows[0].line if rows else None
    findings.warning(
        "debit_credit_assumed",
        f"Line {line}: {column_name(header, debit, 'debit')} is taken as money out and"
        f" {column_name(header, credit, 'credit')} as money in, because the first is filled more"
        " often; swap them in the mapping if that is wrong.",
        line=line,
        column=column_name(header, debit, "debit"),
    )


def _headings_currency(header: tuple[str, ...], columns: CsvColumns) -> str | None:
    for role in _MONEY_ROLES:
        position = _position(getattr(columns, role))
        if 0 <= position < len(header) and (code := heading_currency(header[position])):
            return code
    return None


def _width(header: Sequence[str], rows: Sequence[Row]) -> int:
    widths = Counter(len(row.cells) for row in rows)
    usual = widths.most_common(1)[0][0] if widths else 0
    return max(len(header), usual)


# Dates


def _date_formats(
    rows: Sequence[Row], columns: CsvColumns, header: tuple[str, ...], findings: FindingLog
) -> list[DateFormat]:
    """Return the formats under which every date is the same; none with an error."""
    position = _position(columns.date)
    cells = _column(rows, position)
    if not cells:
        return []
    formats = fitting_formats(cell for _, cell in cells)
    if not formats:
        line, cell = cells[0]
        findings.error(
            "date_format_unknown",
            f"Line {line}, column “{column_name(header, position, 'date')}”: “{cell[:40]}” is not a"
            " date that Tieout can read; choose another date column or its format.",
            line=line,
            column=column_name(header, position, "date"),
        )
        return []
    formats = _told_by_other_columns(formats, rows, position)
    differing = _first_difference(formats, cells)
    if differing is None:
        return formats
    line, cell, one, other = differing
    findings.error(
        "date_order_ambiguous",
        f"Line {line}, column “{column_name(header, position, 'date')}”: “{cell[:40]}” could be"
        f" {_long_date(one, cell)} ({one.text}) or {_long_date(other, cell)} ({other.text}), and no"
        " other date in the file decides; choose one of the two formats.",
        line=line,
        column=column_name(header, position, "date"),
    )
    return []


def _same_order(formats: Sequence[DateFormat]) -> bool:
    """Return whether the formats differ in punctuation only, not in day and month."""
    return len({re.sub(r"[^dmYyb]", "", one.text) for one in formats}) <= 1


def _told_by_other_columns(
    formats: list[DateFormat], rows: Sequence[Row], position: int
) -> list[DateFormat]:
    """Value dates are written like booking dates and may have a day over 12."""
    if len(formats) == 1:
        return formats
    width = max(len(row.cells) for row in rows[:HEADER_SEARCH_ROWS])
    others = {
        clean_date_cell(cell)
        for column in range(width)
        if column != position
        and any(looks_like_date(cell) for _, cell in _column(rows[:HEADER_SEARCH_ROWS], column)[:3])
        for _, cell in _column(rows, column)
    }
    counts = [sum(1 for cell in others if one.parse(cell)) for one in formats]
    return [one for one, count in zip(formats, counts, strict=True) if count == max(counts)]


def _first_difference(
    formats: Sequence[DateFormat], cells: Iterable[tuple[int, str]]
) -> tuple[int, str, DateFormat, DateFormat] | None:
    first = formats[0]
    for line, cell in cells:
        day = first.parse(clean_date_cell(cell))
        for other in formats[1:]:
            if other.parse(clean_date_cell(cell)) != day:
                return line, clean_date_cell(cell), first, other
    return None


def _long_date(date_format: DateFormat, cell: str) -> str:
    day = date_format.parse(cell)
    return f"{day.day} {day:%B %Y}" if day else "no date"


# Decimal sign


def _decimal_sign(
    rows: Sequence[Row],
    columns: CsvColumns,
    header: tuple[str, ...],
    delimiter: str,
    currency: str | None,
    findings: FindingLog,
) -> str:
    cells = [
        pair
        for role in ("amount", "debit", "credit")
        for pair in _column(rows, _position(getattr(columns, role)))
    ]
    votes = decimal_votes(cell for _, cell in cells)
    if votes.point == votes.comma == 0:  # whole amounts: the balance may tell
        cells += _column(rows, _position(columns.balance))
        votes = decimal_votes(cell for _, cell in cells)
    if votes.point != votes.comma:
        return "." if votes.point > votes.comma else ","
    usual = "," if delimiter == ";" else "."
    if not votes.either:
        return usual
    if currency and minor_digits(currency) == 0:
        return "," if any("." in cell for _, cell in cells) else "."
    proven = [sign for sign in (".", ",") if _is_proven(rows, columns, sign)]
    if len(proven) == 1:
        return proven[0]
    line, cell = next(pair for pair in cells if decimal_votes([pair[1]]).either)
    column = column_name(header, _position(columns.amount), "amount")
    findings.error(
        "decimal_sign_ambiguous",
        f"Line {line}, column “{column}”: “{cell[:40]}” has three digits after its only sign, which"
        " may stand for decimals or for thousands; choose the decimal sign, point or comma.",
        line=line,
        column=column,
    )
    return usual


def _is_proven(rows: Sequence[Row], columns: CsvColumns, sign: str) -> bool:
    amount, balance = _position(columns.amount), _position(columns.balance)
    if amount < 0 or balance < 0:
        return False
    pairs = [
        (parse_amount(row.cells[amount], sign), parse_amount(row.cells[balance], sign))
        for row in rows[:_PROOF_ROWS]
        if max(amount, balance) < len(row.cells)
    ]
    known = [(one.value, two.value) for one, two in pairs if one and two]
    return prove([one for one, _ in known], [two for _, two in known]).is_proven


def _column(rows: Sequence[Row], position: int) -> list[tuple[int, str]]:
    """Return line and cell of every row where the column is filled."""
    return [
        (row.line, cell)
        for row in rows
        if 0 <= position < len(row.cells) and (cell := row.cells[position].strip())
    ]


def _position(reference: ColumnRef | None) -> int:
    return reference if isinstance(reference, int) else NO_COLUMN
