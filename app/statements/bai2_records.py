"""Cuts a BAI2 file into its records, before anything is understood.

A record ends with “/” or with its line, 88 continues the one before it, and some banks put
several records on one line or wrap long text without a code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

RECORD_CODES: Final = frozenset({"01", "02", "03", "16", "49", "88", "98", "99"})
TEXT_CODES: Final = frozenset({"16", "88"})

_NEXT_RECORD: Final = re.compile(
    r"/[ \t]*(?=(?:01|02|03|88),|16,\d{3},[+-]?\d*[,/]|(?:49|98|99),[+-]?\d*,)"
)
_WRAPPED_CHARACTERS_MAX: Final = 16_000
"""What is kept of one record's wrapped lines; far more than any description holds."""

_CODE: Final = re.compile(r"(\d\d)(?:,|/?$)")
_STRUCTURED_COMMAS: Final = 6
"""Commas of a 16 without availability fields before its text begins."""


@dataclass(slots=True)
class Record:
    """A record with its continuations.

    Attributes:
        line: Physical line on which it starts, counted from 1.
        code: Two digits; "" where a line has no code and continues nothing.
        pieces: Its own content and that of each 88, without code and closing “/”.
        closed: Whether the last line ended with “/”.
    """

    line: int
    code: str
    pieces: list[str] = field(default_factory=list)
    closed: bool = False

    @property
    def records_count(self) -> int:
        """How the control counts count it: every 88 is a record of its own."""
        return len(self.pieces)


def has_packed_lines(text: str) -> bool:
    """Return whether any line seems to hold several records."""
    return _NEXT_RECORD.search(text) is not None


def records(lines: list[str], *, split_texts: bool) -> Iterator[Record]:
    """Yield the records in file order.

    Args:
        lines: Physical lines without line ends.
        split_texts: Whether “/16,…” inside the free text of 16 and 88 starts a record.
    """
    current: Record | None = None
    for line_number, line in enumerate(lines, start=1):
        for part in _parts(line.strip(), split_texts=split_texts):
            match = _CODE.match(part)
            code = match[1] if match else ""
            if current and code == "88":
                current.pieces.append(_body(part))
            elif current and _wraps(current, code):
                if len(current.pieces[-1]) < _WRAPPED_CHARACTERS_MAX:
                    current.pieces[-1] += _glue(current) + part.removesuffix("/").rstrip()
            else:
                if current:
                    yield current
                current = Record(line_number, code, [_body(part) if code else part])
            current.closed = part.endswith("/")
    if current:
        yield current


def _parts(line: str, *, split_texts: bool) -> Iterator[str]:
    start = 0
    if line[:2] not in TEXT_CODES or split_texts:
        for match in _NEXT_RECORD.finditer(line):
            yield line[start : match.start() + 1]
            start = match.end()
            if line[start : start + 2] in TEXT_CODES and not split_texts:
                break
    if start < len(line):
        yield line[start:]


def _wraps(current: Record, code: str) -> bool:
    """A line without a code continues the one before it; so does “12,50 PAID” in open text."""
    if code in RECORD_CODES or current.code not in RECORD_CODES:
        return False
    return not code or (current.code in TEXT_CODES and not current.closed)


def _glue(current: Record) -> str:
    in_text = len(current.pieces) > 1 or current.pieces[0].count(",") >= _STRUCTURED_COMMAS - 1
    return " " if current.code in TEXT_CODES and in_text else ""


def _body(part: str) -> str:
    return part[3:].removesuffix("/").rstrip() if len(part) > 2 and part[2] == "," else ""  # noqa: PLR2004 - after the two digits
