"""Bank files: one parser per format, one detector, one parsed form.

No Flask and no database: services hand in bytes and decide what to keep.
"""

from __future__ import annotations

from itertools import islice

from app.kernel.limits import UPLOAD_BYTES_MAX
from app.statements.bai2 import read_bai2
from app.statements.csv_header import find_header, normalized_headings
from app.statements.csv_reader import read_csv
from app.statements.csv_table import read_table
from app.statements.detect import FORMATS, detect_format, format_title
from app.statements.document import to_document
from app.statements.encoding import DecodedText, decode, physical_lines
from app.statements.findings import Finding, FindingLog, Level
from app.statements.mapping import NO_COLUMN, CsvColumns, CsvMapping, MappingInvalid
from app.statements.parsed import ParsedFile, ParsedStatement, ParsedTransaction

__all__ = [
    "NO_COLUMN",
    "PREVIEW_ROWS",
    "CsvColumns",
    "CsvMapping",
    "Finding",
    "Level",
    "MappingInvalid",
    "ParsedFile",
    "ParsedStatement",
    "ParsedTransaction",
    "parse_statement",
    "preview_headings",
    "preview_rows",
    "to_document",
]

PREVIEW_ROWS = 20
_PREVIEW_CELL_CHARACTERS = 80


def parse_statement(
    data: bytes,
    *,
    format: str | None = None,  # noqa: A002 - the word of the command line and of the form
    mapping: CsvMapping | None = None,
    currency: str | None = None,
) -> ParsedFile:
    """Read one bank file; never raises, whatever the bytes: all trouble is findings.

    Args:
        data: The file as uploaded.
        format: `csv` or `bai2`; None to tell it from the content.
        mapping: What a person said or what is remembered of this bank's CSV files; the rest
            is found.
        currency: ISO code of the account the file is for, where it is known.
    """
    findings = FindingLog()
    given = mapping or CsvMapping()
    decoded = _decoded(data, given, findings)
    if decoded is None:
        return _refused(format or "unknown", findings)
    kind = format or detect_format(decoded.text)
    if kind == "bai2":
        return read_bai2(decoded.text, currency=currency, findings=findings)
    if kind == "csv":
        return read_csv(decoded, given, currency=currency, findings=findings)
    findings.error(
        "format_unsupported",
        f"This is {format_title(kind)}, which Tieout does not read; export the statement as"
        f" {' or '.join(name.upper() for name in FORMATS)}.",
    )
    return _refused(kind, findings)


def preview_rows(data: bytes, mapping: CsvMapping | None = None) -> list[list[str]]:
    """Return the first 20 rows of a CSV file as cut into cells, for a person to look at.

    Empty where the file is no text.  Cells are clipped to 80 characters.
    """
    given = mapping or CsvMapping()
    decoded = _decoded(data, given, FindingLog())
    if decoded is None:
        return []
    table = read_table(physical_lines(decoded.text)[: PREVIEW_ROWS * 5], given.delimiter)
    return [
        [cell.strip()[:_PREVIEW_CELL_CHARACTERS] for cell in row.cells]
        for row in islice(table.rows, PREVIEW_ROWS)
    ]


def preview_headings(data: bytes, mapping: CsvMapping | None = None) -> list[str]:
    """Return a name for every column of a CSV file: its heading, or “column 3”."""
    given = mapping or CsvMapping()
    decoded = _decoded(data, given, FindingLog())
    if decoded is None:
        return []
    rows = read_table(physical_lines(decoded.text)[:500], given.delimiter).rows
    position = next((index for index, row in enumerate(rows) if row.line == given.header_row), None)
    if given.header_row is None:
        position = find_header(rows)
    header = normalized_headings(rows[position].cells) if position is not None else ()
    width = max((len(row.cells) for row in rows), default=0)
    names = [header[index] if index < len(header) else "" for index in range(width)]
    return [name or f"column {index + 1}" for index, name in enumerate(names)]


def _decoded(data: bytes, given: CsvMapping, findings: FindingLog) -> DecodedText | None:
    if len(data) > UPLOAD_BYTES_MAX:
        megabytes = UPLOAD_BYTES_MAX // 1024 // 1024
        findings.error(
            "file_too_large",
            f"The file is larger than {megabytes} MB; export a shorter period.",
        )
        return None
    decoded = decode(data, given.encoding, findings)
    if decoded is not None and not decoded.text.strip():
        findings.error("file_empty", "The file is empty; export the statement again.")
        return None
    return decoded


def _refused(kind: str, findings: FindingLog) -> ParsedFile:
    return ParsedFile(kind, None, (), findings.listed(), 0)
