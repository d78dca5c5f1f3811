"""How one bank writes its CSV files: found, shown to a person, corrected, remembered."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Final

from app.kernel.errors import Invalid
from app.statements.dates import DateFormatError, compile_date_format
from app.statements.encoding import UnknownEncodingError, encoding_name

NO_COLUMN: Final = -1
"""A column that a person says the file does not have; None leaves it to be found."""

ColumnRef = int | str
"""Position counted from 0, or the heading as written in the file."""

COLUMNS_MAX: Final = 500
HEADING_CHARACTERS_MAX: Final = 200
LINES_MAX: Final = 100_000
DELIMITERS: Final = (",", ";", "\t", "|", "~", "^")
_VALUES_MAX: Final = 50


class MappingInvalid(Invalid):
    """A mapping that cannot be used; `fields` names each fault."""

    code = "mapping_invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvColumns:
    """Which column holds what.

    Each is a position from 0 or a heading, `NO_COLUMN` where the file has none, None where
    it is to be found.  Money is in `amount`, with `indicator` where amounts carry no sign,
    or in `debit` and `credit`.
    """

    date: ColumnRef | None = None
    value_date: ColumnRef | None = None
    description: tuple[ColumnRef, ...] | None = None
    amount: ColumnRef | None = None
    debit: ColumnRef | None = None
    credit: ColumnRef | None = None
    indicator: ColumnRef | None = None
    balance: ColumnRef | None = None
    reference: ColumnRef | None = None
    bank_id: ColumnRef | None = None
    counterparty: ColumnRef | None = None
    currency: ColumnRef | None = None
    account: ColumnRef | None = None
    status: ColumnRef | None = None


ROLES: Final = tuple(field.name for field in fields(CsvColumns))


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvMapping:
    """How to read a CSV file; None means: to be found.

    Attributes:
        delimiter: One character of `DELIMITERS`.
        encoding: Used where the bytes are neither UTF-8 nor UTF-16.
        header_row: Physical line of the headings, counted from 1; 0 where there are none.
        skip_rows: Physical lines before the headings, or before the first row without them.
        date_format: In the notation of strptime, `%d/%m/%Y`.
        decimal_sign: `.` or `,`.
        sign: 1 where money in is positive, -1 where it is negative (many card files).
        indicator_debit: Values of the indicator column that mean money out.
        indicator_credit: Values that mean money in; empty: all others do.
        header: Headings of the file that the positions were found in, so that columns
            which moved since are found again by name.
    """

    delimiter: str | None = None
    encoding: str | None = None
    header_row: int | None = None
    skip_rows: int | None = None
    date_format: str | None = None
    decimal_sign: str | None = None
    sign: int | None = None
    indicator_debit: tuple[str, ...] | None = None
    indicator_credit: tuple[str, ...] | None = None
    header: tuple[str, ...] = ()
    columns: CsvColumns = CsvColumns()

    def to_json(self) -> dict[str, object]:
        """Return a JSON-ready dictionary that `from_json` reads back to an equal mapping.

        A column that the file does not have is null; what is to be found is left out.
        """
        document: dict[str, object] = {
            field.name: _json_value(getattr(self, field.name))
            for field in fields(self)
            if field.name != "columns" and getattr(self, field.name) is not None
        }
        document["columns"] = {
            role: None if position == NO_COLUMN else _json_value(position)
            for role in ROLES
            if (position := getattr(self.columns, role)) is not None
        }
        return document

    @classmethod
    def from_json(cls, document: object) -> CsvMapping:
        """Read a mapping sent by a program, typed by a person or remembered.

        Args:
            document: A decoded JSON object, or its text.

        Raises:
            MappingInvalid: `fields` has a sentence for each fault.
        """
        values = _as_object(document)
        refused: dict[str, list[str]] = {}
        known = {field.name for field in fields(cls)}
        for name in values.keys() - known:
            refused[str(name)[:40]] = [
                f"is not part of a mapping; known are {', '.join(sorted(known))}."
            ]
        read: dict[str, object] = {}
        for name, reader in _READERS.items():
            if values.get(name) is not None:
                _collect(read, refused, name, reader, values[name])
        if refused:
            raise MappingInvalid(_sentence(refused), refused)
        mapping = replace(cls(), **read)  # type: ignore[arg-type]  # each reader returns its field's type
        _refuse_contradictions(mapping)
        return mapping

    def corrected(self, document: object) -> CsvMapping:
        """Return this found mapping as a person corrected it, all fields in `document`.

        Where delimiter or heading row were changed, whatever was left as it had been found
        belongs to another table and is found again.

        Raises:
            MappingInvalid: As `from_json`.
        """
        new = CsvMapping.from_json(document)
        if (new.delimiter, new.header_row) == (self.delimiter, self.header_row):
            return new
        kept = {"delimiter", "encoding", "header_row", "columns"}
        stale: dict[str, object] = {
            field.name: field.default
            for field in fields(self)
            if field.name not in kept and getattr(new, field.name) == getattr(self, field.name)
        }
        columns = {
            role: None
            for role in ROLES
            if getattr(new.columns, role) == getattr(self.columns, role)
        }
        return replace(
            new,
            **stale,  # type: ignore[arg-type]  # each field's own default
            columns=replace(new.columns, **columns),
        )


def _as_object(document: object) -> Mapping[str, object]:
    if isinstance(document, str | bytes):
        try:
            document = json.loads(document)
        except ValueError as error:  # includes text that is not UTF-8
            raise MappingInvalid("The mapping is not JSON; send one JSON object.") from error
    if not isinstance(document, Mapping):
        raise MappingInvalid("The mapping is not a JSON object such as {“delimiter”: “;”}.")
    return document


def _collect(
    read: dict[str, object],
    refused: dict[str, list[str]],
    name: str,
    reader: Callable[[object], object],
    value: object,
) -> None:
    try:
        read[name] = reader(value)
    except (ValueError, DateFormatError, UnknownEncodingError) as error:
        refused[name] = [str(error)]


def _sentence(refused: Mapping[str, list[str]]) -> str:
    return "The mapping cannot be used: " + " ".join(
        f"“{name}”: {messages[0]}" for name, messages in sorted(refused.items())
    )


def _refuse_contradictions(mapping: CsvMapping) -> None:
    columns = mapping.columns
    refused: dict[str, list[str]] = {}
    given = [columns.amount, columns.debit, columns.credit]
    if isinstance(columns.date, int) and columns.date != NO_COLUMN and columns.date in given:
        refused["columns"] = ["date and money cannot be the same column."]
    if _named(columns.amount) and (_named(columns.debit) or _named(columns.credit)):
        refused["columns"] = ["give either amount, or debit and credit, not both."]
    if columns.debit is not None and columns.debit == columns.credit != NO_COLUMN:
        refused["columns"] = ["debit and credit cannot be the same column."]
    if refused:
        raise MappingInvalid(_sentence(refused), refused)


def _named(column: ColumnRef | None) -> bool:
    return column is not None and column != NO_COLUMN


def _json_value(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _delimiter(value: object) -> str:
    named = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
    text = named.get(value.lower(), value) if isinstance(value, str) else ""
    if text not in DELIMITERS:
        raise ValueError("must be one of , ; tab | ~ ^.")
    return text


def _encoding(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be the name of a character encoding such as utf-8.")  # noqa: TRY004
    return encoding_name(value)


def _date_format(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a date format such as %d/%m/%Y.")  # noqa: TRY004 - collected
    return compile_date_format(value).text


def _decimal_sign(value: object) -> str:
    if value not in (".", ","):
        raise ValueError("must be a point or a comma.")
    return str(value)


def _line_count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LINES_MAX:
        raise ValueError(f"must be a whole number from 0 to {LINES_MAX}.")
    return value


def _sign(value: object) -> int:
    if isinstance(value, bool) or value not in (1, -1):
        raise ValueError("must be 1 (money in is positive) or -1 (money in is negative).")
    return 1 if value == 1 else -1


def _texts(value: object) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    if (
        not isinstance(texts, list | tuple)
        or len(texts) > COLUMNS_MAX
        or not all(isinstance(one, str) and len(one) <= HEADING_CHARACTERS_MAX for one in texts)
    ):
        raise ValueError("must be a list of short texts.")
    return tuple(texts)


def _columns(value: object) -> CsvColumns:
    if not isinstance(value, Mapping):
        raise ValueError("must be an object such as {“date”: 0, “amount”: 3}.")  # noqa: TRY004 - collected
    unknown = sorted(str(role)[:40] for role in value.keys() - set(ROLES))
    if unknown:
        raise ValueError(f"“{unknown[0]}” is not one of {', '.join(ROLES)}.")
    read: dict[str, ColumnRef | tuple[ColumnRef, ...]] = {}
    for role, given in value.items():
        if role != "description":
            read[role] = _column(role, given)
        elif given is not None:
            several = given if isinstance(given, list | tuple) else [given]
            read[role] = tuple(_column(role, one) for one in several[:_VALUES_MAX])
        else:
            read[role] = ()
    return replace(CsvColumns(), **read)  # type: ignore[arg-type]  # positions by role, checked above


def _column(role: str, value: object) -> ColumnRef:
    if value is None:
        return NO_COLUMN
    if isinstance(value, str) and value.strip():
        return value.strip()[:HEADING_CHARACTERS_MAX]
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(  # noqa: TRY004 - collected as a refusal
            f"“{role}” must be a position counted from 0, a heading or null."
        )
    if not NO_COLUMN <= value < COLUMNS_MAX:
        raise ValueError(f"“{role}” must be a position from 0 to {COLUMNS_MAX - 1}.")
    return value


_READERS: Final[dict[str, Callable[[object], object]]] = {
    "delimiter": _delimiter,
    "encoding": _encoding,
    "header_row": _line_count,
    "skip_rows": _line_count,
    "date_format": _date_format,
    "decimal_sign": _decimal_sign,
    "sign": _sign,
    "indicator_debit": _texts,
    "indicator_credit": _texts,
    "header": _texts,
    "columns": _columns,
}
