"""Reads the fields of BAI2 records: amounts, dates, funds types, details and summaries."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from app.kernel.money import AMOUNT_MINOR_MAX
from app.statements.bai2_records import Record

_AMOUNT: Final = re.compile(r"[+-]?[0-9]{1,18}")
_DATE: Final = re.compile(r"[0-9]{6}")
_TIME: Final = re.compile(r"(?:[0-9]{4}|[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)?")
_TYPE_CODE: Final = re.compile(r"[0-9]{3}")
_FUNDS_TYPES: Final = frozenset({"", "Z", "0", "1", "2", "S", "V", "D"})
_S_AMOUNTS_COUNT: Final = 3
_TWO_DIGIT_YEAR_PIVOT: Final = 70


class FieldError(ValueError):
    """A field that cannot be read; `field` is its name, the text a clause that says why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


@dataclass(frozen=True, slots=True)
class Detail:
    """One 16 record: amounts in minor units, as written, with whatever sign was written."""

    type_code: str
    amount_minor: int
    value_date: date | None
    bank_reference: str
    customer_reference: str
    text: str


@dataclass(frozen=True, slots=True)
class Summary:
    """One amount of a 03 record."""

    type_code: str
    amount_minor: int | None


def parse_minor(text: str, field: str) -> int:
    """Return an amount in minor units; blank is zero.

    Raises:
        FieldError: Not whole digits, or more than Tieout keeps.
    """
    text = text.strip()
    if not text:
        return 0
    if not _AMOUNT.fullmatch(text):
        raise FieldError(field, f"“{text[:30]}” is not an amount in whole minor units")
    amount = int(text)
    if abs(amount) > AMOUNT_MINOR_MAX:
        raise FieldError(field, f"“{text[:30]}” is larger than the largest amount Tieout keeps")
    return amount


def parse_date(text: str, field: str) -> date:
    """Return a date written YYMMDD.

    Raises:
        FieldError: Anything else.
    """
    text = text.strip()
    if not _DATE.fullmatch(text):
        raise FieldError(field, f"“{text[:30]}” is not a date of six digits (YYMMDD)")
    short_year = int(text[:2])
    century = 2000 if short_year < _TWO_DIGIT_YEAR_PIVOT else 1900
    try:
        return date(century + short_year, int(text[2:4]), int(text[4:]))
    except ValueError as error:
        raise FieldError(field, f"“{text}” is not a day of the calendar (YYMMDD)") from error


def parse_detail(record: Record) -> Detail:
    """Read a 16 record with its continuations.

    An 88 continues the fields until the text has begun; from then on it is text.

    Raises:
        FieldError: Names the field.
    """
    fields = record.pieces[0].split(",")
    texts: list[str] = []
    funds_end = _funds_end(fields)
    _split_at_slash(fields, funds_end)
    for piece in record.pieces[1:]:
        if len(fields) > funds_end + 2:  # bank and customer reference, then the text
            texts.append(piece)
        else:
            fields += piece.split(",")
            funds_end = _funds_end(fields)
            _split_at_slash(fields, funds_end)
    type_code = fields[0].strip()
    if not _TYPE_CODE.fullmatch(type_code):
        raise FieldError("type code", f"“{type_code[:30]}” is not a type code of three digits")
    references = [one.strip() for one in fields[funds_end : funds_end + 2]] + ["", ""]
    return Detail(
        type_code=type_code,
        amount_minor=parse_minor(_at(fields, 1), "amount"),
        value_date=_value_date(fields),
        bank_reference=references[0],
        customer_reference=references[1],
        text=_joined_text([",".join(fields[funds_end + 2 :]), *texts]),
    )


def parse_summaries(fields: list[str]) -> list[Summary]:
    """Read the amounts of a 03 record: type, amount, item count, funds type, over and over.

    Raises:
        FieldError: Names the field.
    """
    found = []
    position = 0
    while position < len(fields):
        type_code = fields[position].strip()
        if not type_code:  # a record cut by an 88 leaves empty fields
            position += 1
            continue
        if not _TYPE_CODE.fullmatch(type_code):
            raise FieldError("type code", f"“{type_code[:30]}” is not a type code of three digits")
        amount_text = _at(fields, position + 1)
        amount = parse_minor(amount_text, "amount") if amount_text.strip() else None
        found.append(Summary(type_code, amount))
        position = _after_summary(fields, position)
    return found


def _after_summary(fields: list[str], position: int) -> int:
    funds_type = _at(fields, position + 3).strip().upper()
    if _TYPE_CODE.fullmatch(funds_type):  # a short group: the next type code already
        return position + 3
    return _funds_end(fields, position + 3)


def _funds_end(fields: list[str], position: int = 2) -> int:
    """Return the position after the funds type at `position` and what belongs to it."""
    funds_type = _at(fields, position).strip().upper()
    if funds_type not in _FUNDS_TYPES:
        raise FieldError("funds type", f"“{funds_type[:30]}” is not a funds type of BAI2")
    if funds_type == "S":
        return position + 1 + _S_AMOUNTS_COUNT
    if funds_type == "V":
        has_time = _TIME.fullmatch(_at(fields, position + 2).strip()) is not None
        return position + (3 if has_time else 2)
    if funds_type == "D":
        count = _at(fields, position + 1).strip() or "0"
        if not count.isascii() or not count.isdigit() or len(count) > 3:  # noqa: PLR2004 - days of a year
            raise FieldError("funds type", f"“{count[:30]}” is not a number of availability days")
        return position + 2 + 2 * int(count)
    return position + 1


def _split_at_slash(fields: list[str], funds_end: int) -> None:
    """“1000000/AX13612”: a slash was written for the comma after the funds type."""
    last = funds_end - 1
    if last > 2 and last < len(fields):  # noqa: PLR2004 - the funds type itself
        amount, slash, rest = fields[last].partition("/")
        if slash and amount.strip().isdigit():
            fields[last : last + 1] = [amount, rest]


def _value_date(fields: list[str]) -> date | None:
    if _at(fields, 2).strip().upper() != "V" or not _at(fields, 3).strip():
        return None
    return parse_date(_at(fields, 3), "value date")


def _joined_text(pieces: list[str]) -> str:
    return " ".join(" ".join(pieces).split()).rstrip(",").rstrip()


def _at(fields: list[str], position: int) -> str:
    return fields[position] if position < len(fields) else ""
