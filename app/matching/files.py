"""Match two CSV files without a database: what `flask match` calls.

A file is taken whole or not at all; what is wrong is said with file, line, column and reason.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import IO, Final, TypeVar

from app.kernel.errors import Invalid
from app.kernel.limits import FILE_ROWS_MAX
from app.kernel.money import parse_amount, valid_currency
from app.matching.engine import match
from app.matching.records import Decision, Item, MatchOptions, MatchResult, Outcome, ScoredPair

DEFAULT_CURRENCY: Final = "USD"
CELL_CHARACTERS_MAX: Final = 100_000
"""The engine reads the head of a long cell; beyond this the file is not a table of ours."""

BANK_COLUMNS: Final = ("id", "date", "amount", "description")
LEDGER_COLUMNS: Final = BANK_COLUMNS
HISTORY_COLUMNS: Final = (
    "outcome",
    *(f"{side}_{column}" for side in ("bank", "gl") for column in BANK_COLUMNS[1:]),
)
SIGNAL_COLUMNS: Final = ("amount", "date", "description", "history", "reference", "rivals", "base")
PAIR_COLUMNS: Final = (
    "bank_id",
    "gl_id",
    "score",
    "tier",
    "amount",
    "date",
    "description",
    "history",
    "group",
    "reference",
    "rivals",
    "base",
)
_T = TypeVar("_T")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class FileRefused(ValueError):  # noqa: N818 - a refusal, as in app.kernel.errors
    """The file cannot be read; the sentence names file, line, column and reason."""


def match_files(
    bank_path: Path | str,
    ledger_path: Path | str,
    output_path: Path | str,
    *,
    history_path: Path | str | None = None,
    options: MatchOptions | None = None,
    progress: Callable[[float], None] | None = None,
) -> MatchResult:
    """Read both files, match them, and write the pairs.

    Raises:
        FileRefused: A file is missing, malformed or too long; nothing was written.
    """
    bank = read_items(bank_path)
    gl = read_items(ledger_path)
    history = read_history(history_path) if history_path is not None else ()
    result = match(bank, gl, history=history, options=options, progress=progress)
    write_pairs(output_path, result.pairs)
    return result


def read_items(path: Path | str) -> list[Item]:
    """Return the rows of a bank or ledger file.

    Raises:
        FileRefused: As `match_files`.
    """
    items: list[Item] = []
    line_by_id: dict[str, int] = {}
    for line, row in _rows(Path(path), BANK_COLUMNS):
        item = _item(row, "", Path(path).name, line)
        if not item.id:
            raise _refused(path, line, "id", "is empty")
        if item.id in line_by_id:
            raise _refused(
                path, line, "id", f"“{item.id}” stands already in line {line_by_id[item.id]}"
            )
        line_by_id[item.id] = line
        items.append(item)
    return items


def read_history(path: Path | str) -> list[Decision]:
    """Return the decisions of a history file.

    Raises:
        FileRefused: As `match_files`.
    """
    decisions = []
    for line, row in _rows(Path(path), HISTORY_COLUMNS):
        name = Path(path).name
        outcome = row["outcome"].strip().lower()
        if outcome not in set(Outcome):
            raise _refused(
                path, line, "outcome", f"“{outcome[:40]}” is neither confirmed nor rejected"
            )
        decided = row.get("decided_on", "").strip()
        decisions.append(
            Decision(
                Outcome(outcome),
                _item(row, "bank_", name, line),
                _item(row, "gl_", name, line),
                _date(decided, name, line, "decided_on") if decided else None,
            )
        )
    return decisions


def write_pairs(path: Path | str, pairs: Sequence[ScoredPair]) -> None:
    """Write the pairs, one row for each bank line and GL entry, whole or not at all.

    Raises:
        FileRefused: The folder cannot be written to.
    """
    target = Path(path)
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with partial.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, PAIR_COLUMNS, lineterminator="\n")
            writer.writeheader()
            for number, pair in enumerate(pairs, start=1):
                writer.writerows(_pair_rows(pair, number))
        partial.replace(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise FileRefused(f"{target.name} cannot be written: {error.strerror}.") from error


def _pair_rows(pair: ScoredPair, number: int) -> Iterator[dict[str, str]]:
    points = dict.fromkeys(SIGNAL_COLUMNS, 0.0)
    for contribution in pair.contributions:
        points[contribution.signal] = points.get(contribution.signal, 0.0) + contribution.points
    is_group = len(pair.bank_ids) + len(pair.gl_ids) > 2  # noqa: PLR2004 - more than one to one
    for bank_id in pair.bank_ids:
        for gl_id in pair.gl_ids:
            yield {
                "bank_id": bank_id,
                "gl_id": gl_id,
                "score": f"{pair.score:.2f}",
                "tier": pair.tier.value,
                "group": str(number) if is_group else "",
                **{signal: f"{points[signal]:.3f}" for signal in SIGNAL_COLUMNS},
            }


def _rows(path: Path, required: Sequence[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield (line number, cells by column) of each row that is not blank."""
    with _opened(path) as file:
        reader = csv.reader(file, strict=True)
        header = [name.strip().lower() for name in next(reader, [])]
        if not header:
            raise FileRefused(f"{path.name}, line 1: the file is empty; a header row is needed.")
        for column in required:
            if column not in header:
                raise FileRefused(
                    f"{path.name}, line 1, column {column}: is missing in the header."
                )
        repeated = next((name for name in header if name and header.count(name) > 1), "")
        if repeated:
            raise FileRefused(
                f"{path.name}, line 1, column {repeated}: stands twice in the header."
            )
        count = 0
        line = reader.line_num + 1
        for cells in reader:
            if any(cells):
                count += 1
                _check_row(path, line, header, cells, count)
                yield line, dict(zip(header, cells, strict=True))
            line = reader.line_num + 1


def _check_row(path: Path, line: int, header: list[str], cells: list[str], count: int) -> None:
    if count > FILE_ROWS_MAX:
        raise FileRefused(
            f"{path.name}, line {line}: more than {FILE_ROWS_MAX:,} rows; split the file."
        )
    if len(cells) != len(header):
        column = header[min(len(cells), len(header)) - 1]
        raise _refused(
            path, line, column, f"the row has {len(cells)} cells, the header {len(header)}"
        )


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    """Open a CSV file for reading; what fails while reading it becomes a refusal."""
    reader_limit = csv.field_size_limit(CELL_CHARACTERS_MAX)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield file
    except OSError as error:
        raise FileRefused(f"{path.name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        line = _line_of_byte(path, error)
        raise FileRefused(f"{path.name}, line {line}: is not UTF-8 text.") from error
    except csv.Error as error:
        raise FileRefused(f"{path.name} is not a CSV file: {error}.") from error
    finally:
        csv.field_size_limit(reader_limit)


def _line_of_byte(path: Path, error: UnicodeDecodeError) -> int:
    """Return the first line that is not UTF-8; the error's own position counts from a buffer."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    raise error


def _item(row: Mapping[str, str], prefix: str, name: str, line: int) -> Item:
    currency_text = row.get(f"{prefix}currency", "").strip() or DEFAULT_CURRENCY
    currency = _read(valid_currency, currency_text, name, line, f"{prefix}currency")
    amount_text = row[f"{prefix}amount"]
    return Item(
        id=row.get(f"{prefix}id", "").strip(),
        date=_date(row[f"{prefix}date"].strip(), name, line, f"{prefix}date"),
        amount_minor=_read(
            lambda text: parse_amount(text, currency), amount_text, name, line, f"{prefix}amount"
        ),
        currency=currency,
        description=row.get(f"{prefix}description", "").strip(),
        reference=row.get(f"{prefix}reference", "").strip(),
        counterparty=row.get(f"{prefix}counterparty", "").strip(),
        account=row.get(f"{prefix}account", "").strip(),
    )


def _read(read: Callable[[str], _T], text: str, name: str, line: int, column: str) -> _T:
    try:
        return read(text)
    except Invalid as error:
        raise _refused(name, line, column, error.detail.rstrip(".")) from error


def _date(text: str, name: str, line: int, column: str) -> date:
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise _refused(name, line, column, f"“{text}” is no day of the calendar") from error
    raise _refused(name, line, column, f"“{text[:40]}” is not a date such as 2026-03-31")


def _refused(path: Path | str, line: int, column: str, reason: str) -> FileRefused:
    shown = " ".join(reason.split())
    return FileRefused(f"{Path(path).name}, line {line}, column {column}: {shown}.")
