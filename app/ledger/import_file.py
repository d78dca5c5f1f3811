"""Read a ledger file: bytes in, rows and findings out.  Pure: no database, no Flask.

The format is CSV in UTF-8 with a header in its first line: external_id, account_number,
date (YYYY-MM-DD), amount, currency, description and, if wanted, counterparty, reference and
journal, in any order and case, separated by comma, semicolon or tab.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from app.kernel import limits
from app.kernel.errors import Invalid
from app.kernel.money import display_amount, parse_amount, valid_currency

REQUIRED_COLUMNS: Final = (
    "external_id",
    "account_number",
    "date",
    "amount",
    "currency",
    "description",
)
OPTIONAL_COLUMNS: Final = ("counterparty", "reference", "journal")
COLUMNS: Final = REQUIRED_COLUMNS + OPTIONAL_COLUMNS

EXTERNAL_ID_CHARACTERS_MAX: Final = 200
JOURNAL_CHARACTERS_MAX: Final = 60

_DELIMITERS: Final = (",", ";", "\t")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_GROUPED_ONLY: Final = re.compile(r"[^.,]*,\d{3}")
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_NOT_UTF_8_STARTS: Final = (b"\xff\xfe", b"\xfe\xff")

NOTHING_STORED: Final = "Nothing was stored."


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with one line of the file."""

    line: int
    column: str
    """Name of the column; empty when the whole line is meant."""
    message: str

    @property
    def sentence(self) -> str:
        column = f", column {self.column}" if self.column else ""
        return f"Line {self.line}{column}: {self.message}"


class LedgerFileRefused(Invalid):
    """The file cannot be read at all, so that no line of it can be judged."""

    code = "ledger_file_refused"
    title = "The file was not taken"


@dataclass(frozen=True, slots=True)
class LedgerRow:
    line: int
    external_id: str
    account_number: str
    date: date
    amount_minor: int
    currency: str
    description: str
    counterparty: str
    reference: str
    journal: str


@dataclass(slots=True)
class LedgerFile:
    """What the file says; `errors` not empty means that it must not be taken."""

    rows: list[LedgerRow] = field(default_factory=list)
    rows_count: int = 0
    """Rows found, unreadable ones included."""
    errors: list[Finding] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class _CellError(Exception):
    """A cell that cannot be read."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column
        self.message = message


def read_ledger_file(data: bytes) -> LedgerFile:
    """Return the rows and what is wrong with them.

    Raises:
        LedgerFileRefused: Not text in UTF-8, empty, no usable header, or more than
            `limits.FILE_ROWS_MAX` rows.
    """
    records = _records(_decoded(data))
    header_line, header = next(records, (1, []))
    if not header:
        raise LedgerFileRefused(f"The file is empty. {NOTHING_STORED}")
    positions, ignored = _columns(header_line, header)
    file = LedgerFile()
    if ignored:
        names = ", ".join(f"“{name}”" for name in ignored)
        file.warnings.append(f"Not used by Tieout and left aside: column {names}.")
    _read_rows(records, positions, len(header), file)
    if not file.rows_count:
        raise LedgerFileRefused(
            f"Line {header_line} names the columns, but no line follows. {NOTHING_STORED}"
        )
    if not file.errors:  # a line that cannot be read may be the one that balances its journal
        file.errors += journal_findings(file.rows)
    _refuse_repeated_ids(file)
    file.errors.sort(key=lambda finding: finding.line)
    return file


def read_ledger_records(records: Sequence[Mapping[str, str]]) -> LedgerFile:
    """Return the rows of entries that a program sends; `line` counts them from 1.

    Args:
        records: Texts by the names of `COLUMNS`; what is optional may be left out.
    """
    file = LedgerFile()
    for number, record in enumerate(records, 1):
        file.rows_count += 1
        try:
            row, _ = _row(number, {name: text.strip() for name, text in record.items()})
        except _CellError as error:
            file.errors.append(Finding(number, error.column, error.message))
        else:
            file.rows.append(row)
    _refuse_repeated_ids(file)
    return file


def _decoded(data: bytes) -> str:
    if len(data) > limits.UPLOAD_BYTES_MAX:
        size_mb = limits.UPLOAD_BYTES_MAX // (1024 * 1024)
        raise LedgerFileRefused(f"The file is larger than {size_mb} MB. {NOTHING_STORED}")
    if not data.strip():
        raise LedgerFileRefused(f"The file is empty. {NOTHING_STORED}")
    if data.startswith(_NOT_UTF_8_STARTS):
        raise LedgerFileRefused(
            "Line 1, column 1: the file is in UTF-16; save it as “CSV UTF-8” and upload it again. "
            + NOTHING_STORED
        )
    control = _CONTROL.search(data)
    if control is not None:
        line, column = _place(data, control.start())
        raise LedgerFileRefused(
            f"Line {line}, character {column}: this is not a text file; upload the CSV file that "
            f"your accounting program exports. {NOTHING_STORED}"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _place(data, error.start)
        raise LedgerFileRefused(
            f"Line {line}, character {column}: the file is not in UTF-8; save it as “CSV UTF-8” "
            f"and upload it again. {NOTHING_STORED}"
        ) from error


def _place(data: bytes, offset: int) -> tuple[int, int]:
    """Return line and character, both from 1, of a byte."""
    before = data[:offset]
    return before.count(b"\n") + 1, offset - (before.rfind(b"\n") + 1) + 1


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record that is not blank with the line on which it begins."""
    lines = io.StringIO(text, newline="")  # keeps line ends inside quoted cells as they are
    reader = csv.reader(lines, delimiter=_delimiter(text), strict=True)
    begins = 1
    while True:
        try:
            record = next(reader, None)
        except csv.Error as error:
            raise LedgerFileRefused(
                f"Line {begins}: a quotation mark is out of place or never closed. {NOTHING_STORED}"
            ) from error
        if record is None:
            return
        if any(cell.strip() for cell in record):
            yield begins, record
        begins = reader.line_num + 1


def _delimiter(text: str) -> str:
    """Return the delimiter that makes most known columns of the header."""
    header = text.lstrip().partition("\n")[0].partition("\r")[0]
    return max(_DELIMITERS, key=lambda mark: len(set(map(_name, header.split(mark))) & {*COLUMNS}))


def _name(text: str) -> str:
    return text.strip().strip('"').strip().lower().replace(" ", "_")


def _columns(line: int, header: list[str]) -> tuple[dict[str, int], list[str]]:
    names = [_name(cell) for cell in header]
    missing = [name for name in REQUIRED_COLUMNS if name not in names]
    if missing:
        listed = ", ".join(f"“{name}”" for name in missing)
        raise LedgerFileRefused(
            f"Line {line} must name the columns, and lacks {listed}. {NOTHING_STORED}"
        )
    twice = next((name for name in COLUMNS if names.count(name) > 1), None)
    if twice is not None:
        raise LedgerFileRefused(f"Line {line} names the column “{twice}” twice. {NOTHING_STORED}")
    ignored = [
        cell.strip()
        for cell, name in zip(header, names, strict=True)
        if name and name not in COLUMNS
    ]
    return {name: names.index(name) for name in COLUMNS if name in names}, ignored


def _read_rows(
    records: Iterator[tuple[int, list[str]]],
    positions: Mapping[str, int],
    width: int,
    file: LedgerFile,
) -> None:
    shortened = 0
    for line, cells in records:
        file.rows_count += 1
        if file.rows_count > limits.FILE_ROWS_MAX:
            raise LedgerFileRefused(
                f"Line {line}: the file has more than {limits.FILE_ROWS_MAX:,} rows; export a "
                f"shorter period and import it in parts. {NOTHING_STORED}"
            )
        try:
            row, cut = _row(line, _by_name(cells, positions, width))
        except _CellError as error:
            file.errors.append(Finding(line, error.column, error.message))
            continue
        shortened += cut
        file.rows.append(row)
    if shortened:
        file.warnings.append(
            f"Texts of more than {limits.CELL_CHARACTERS_MAX:,} characters, kept shortened: "
            f"{shortened:,}."
        )


def _by_name(cells: list[str], positions: Mapping[str, int], width: int) -> dict[str, str]:
    if len(cells) < width:
        missing = next((n for n, at in positions.items() if at >= len(cells)), "")
        raise _CellError(missing, f"the line ends after {len(cells)} of {width} columns.")
    if any(cell.strip() for cell in cells[width:]):
        raise _CellError("", f"the line has {len(cells)} columns, the first line names {width}.")
    return {name: cells[at].strip() for name, at in positions.items()}


def _row(line: int, cells: Mapping[str, str]) -> tuple[LedgerRow, int]:
    """Return the row and how many of its texts had to be cut."""
    for name in ("external_id", "account_number", "date", "amount", "currency"):
        if not cells[name]:
            raise _CellError(name, "the cell is empty.")
    currency = _currency(cells["currency"])
    texts = {name: cells.get(name, "") for name in ("description", "counterparty", "reference")}
    cut = sum(len(text) > limits.CELL_CHARACTERS_MAX for text in texts.values())
    row = LedgerRow(
        line=line,
        external_id=_bounded("external_id", cells["external_id"], EXTERNAL_ID_CHARACTERS_MAX),
        account_number=cells["account_number"],
        date=_date(cells["date"]),
        amount_minor=_amount(cells["amount"], currency),
        currency=currency,
        description=texts["description"][: limits.CELL_CHARACTERS_MAX],
        counterparty=texts["counterparty"][: limits.CELL_CHARACTERS_MAX],
        reference=texts["reference"][: limits.CELL_CHARACTERS_MAX],
        journal=_bounded("journal", cells.get("journal", ""), JOURNAL_CHARACTERS_MAX),
    )
    return row, cut


def _bounded(name: str, text: str, characters_max: int) -> str:
    if len(text) > characters_max:
        raise _CellError(name, f"{len(text)} characters, but at most {characters_max} are kept.")
    return text


def _currency(text: str) -> str:
    try:
        return valid_currency(text)
    except Invalid as refusal:
        raise _CellError("currency", refusal.detail) from refusal


def _date(text: str) -> date:
    if not _DATE.fullmatch(text):
        raise _CellError(
            "date",
            f"“{text[:40]}” is not a date written YYYY-MM-DD, such as 2026-03-31; in any other "
            "form day and month could be confused.",
        )
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise _CellError("date", f"“{text}” is not a day of the calendar.") from None
    if not limits.BOOKING_YEAR_MIN <= day.year <= limits.BOOKING_YEAR_MAX:
        raise _CellError("date", f"the year {day.year} cannot be right.")
    return day


def _amount(text: str, currency: str) -> int:
    if _GROUPED_ONLY.fullmatch(text):
        raise _CellError(
            "amount",
            f"“{text[:40]}” could be thousands or decimals; write it without commas and with a "
            "decimal point.",
        )
    try:
        return parse_amount(text, currency)
    except Invalid as refusal:
        raise _CellError("amount", refusal.detail) from refusal


def _refuse_repeated_ids(file: LedgerFile) -> None:
    first_lines: dict[str, int] = {}
    for row in file.rows:
        first = first_lines.setdefault(row.external_id, row.line)
        if first != row.line:
            message = f"“{row.external_id[:60]}” stands on line {first} already."
            file.errors.append(Finding(row.line, "external_id", message))


def journal_findings(rows: Sequence[LedgerRow]) -> list[Finding]:
    """Return what is wrong with the journals that the rows name, one thing each."""
    by_journal: dict[str, list[LedgerRow]] = defaultdict(list)
    for row in rows:
        if row.journal:
            by_journal[row.journal].append(row)
    found = (journal_finding(name, rows) for name, rows in by_journal.items())
    return [finding for finding in found if finding is not None]


def journal_finding(name: str, rows: Sequence[LedgerRow]) -> Finding | None:
    """Return what is wrong with the lines of one journal, the first thing only."""
    first = rows[0]
    for row in rows:
        if row.currency != first.currency:
            message = f"journal “{name}” is in {first.currency} on line {first.line}."
            return Finding(row.line, "currency", message)
        if row.date != first.date:
            message = (
                f"journal “{name}” is dated {first.date} on line {first.line}; all its lines share "
                "one date."
            )
            return Finding(row.line, "date", message)
    total_minor = sum(row.amount_minor for row in rows)
    if total_minor:
        total = display_amount(total_minor, first.currency)
        message = (
            f"the {len(rows)} lines of journal “{name}” sum to {total} {first.currency}, not to "
            "zero."
        )
        return Finding(rows[-1].line, "amount", message)
    return None
