"""The journal entry form: lines with a debit or a credit, added and removed, summed while typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import zip_longest
from typing import Final

from werkzeug.datastructures import MultiDict

from app.kernel import limits
from app.kernel.errors import Invalid
from app.kernel.money import parse_amount
from app.ledger.journals import JournalDraft, JournalLine
from app.models import JournalSource

LINES_AT_FIRST: Final = 2
_DEFAULT_CURRENCY: Final = "USD"


@dataclass(frozen=True, slots=True)
class LineInput:
    account_id: str = ""
    memo: str = ""
    debit: str = ""
    credit: str = ""

    @property
    def blank(self) -> bool:
        return not (self.account_id or self.memo or self.debit or self.credit)


@dataclass(frozen=True, slots=True)
class JournalInput:
    """What stands in the form, as typed."""

    date: str
    description: str = ""
    counterparty: str = ""
    reference: str = ""
    lines: tuple[LineInput, ...] = (LineInput(),) * LINES_AT_FIRST


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of what can be read; in the currency of the first account that was chosen."""

    currency: str
    debit_minor: int
    credit_minor: int

    @property
    def difference_minor(self) -> int:
        return self.debit_minor - self.credit_minor


def read_input(form: MultiDict[str, str]) -> JournalInput:
    columns = ([text.strip() for text in form.getlist(name)] for name in _LINE_NAMES)
    lines = tuple(LineInput(*cells) for cells in zip_longest(*columns, fillvalue=""))
    return JournalInput(
        date=form.get("date", "").strip(),
        description=form.get("description", "").strip(),
        counterparty=form.get("counterparty", "").strip(),
        reference=form.get("reference", "").strip(),
        lines=lines[: limits.JOURNAL_LINES_MAX],
    )


def take_step(typed: JournalInput, step: str) -> JournalInput:
    """Return the form after a button inside it was pressed.

    Args:
        step: `add` a line, or `remove-N`, N counted from 1; anything else changes nothing.
    """
    lines = typed.lines
    if step == "add" and len(lines) < limits.JOURNAL_LINES_MAX:
        return replace(typed, lines=(*lines, LineInput()))
    kind, _, number = step.partition("-")
    if kind == "remove" and number.isdecimal() and 1 <= int(number) <= len(lines):
        lines = (*lines[: int(number) - 1], *lines[int(number) :])
    missing = LINES_AT_FIRST - len(lines)
    return replace(typed, lines=lines + (LineInput(),) * missing)


def focused_line(typed: JournalInput, step: str) -> int | None:
    """Return the number of the line where the person goes on after `take_step`."""
    if step == "add":
        return len(typed.lines)
    kind, _, number = step.partition("-")
    if kind == "remove" and number.isdecimal():
        return min(max(int(number), 1), len(typed.lines))
    return None


def totals_of(typed: JournalInput, currencies: Mapping[str, str]) -> Totals:
    """Return the sums of the debits and credits that can be read already."""
    currency = _currency(typed.lines, currencies)
    return Totals(
        currency,
        sum(_readable(line.debit, currency) for line in typed.lines),
        sum(_readable(line.credit, currency) for line in typed.lines),
    )


def to_draft(typed: JournalInput, currencies: Mapping[str, str]) -> JournalDraft:
    """Return what the form means; lines that are left blank are left out.

    Args:
        currencies: Of every account, by id.

    Raises:
        Invalid: With messages by field; those of line N end in `-N`.
    """
    currency = _currency(typed.lines, currencies)
    errors: dict[str, list[str]] = {}
    lines = []
    for number, line in enumerate(typed.lines, start=1):
        if line.blank:
            continue
        try:
            lines.append(_line(typed, line, currency, number))
        except Invalid as refusal:
            errors.update(refusal.fields)
    day = _day(typed.date)
    if day is None:
        errors["date"] = ["Give the booking date."]
    if not typed.description:
        errors["description"] = ["Say what the entry is for."]
    if errors or day is None:
        raise Invalid("Please correct the marked fields; nothing was saved.", errors)
    return JournalDraft(day, typed.description, currency, JournalSource.MANUAL, tuple(lines))


_LINE_NAMES: Final = ("account", "memo", "debit", "credit")


def _line(typed: JournalInput, line: LineInput, currency: str, number: int) -> JournalLine:
    if not line.account_id:
        raise _wrong("account", number, "choose an account.")
    if bool(line.debit) is bool(line.credit):
        raise _wrong("debit", number, "give either a debit or a credit.")
    column, text = ("debit", line.debit) if line.debit else ("credit", line.credit)
    try:
        amount_minor = parse_amount(text, currency)
    except Invalid as refusal:
        raise _wrong(column, number, refusal.detail) from refusal
    if amount_minor <= 0:
        raise _wrong(column, number, "give an amount above zero; the column says its side.")
    signed_minor = amount_minor if column == "debit" else -amount_minor
    return JournalLine(
        line.account_id, signed_minor, line.memo, typed.counterparty, typed.reference
    )


def _wrong(column: str, number: int, sentence: str) -> Invalid:
    message = f"Line {number}: {sentence}"
    return Invalid(message, {f"{column}-{number}": [message]})


def _currency(lines: Sequence[LineInput], currencies: Mapping[str, str]) -> str:
    chosen: Iterable[str] = (
        currencies[line.account_id] for line in lines if line.account_id in currencies
    )
    return next(iter(chosen), _DEFAULT_CURRENCY)


def _readable(text: str, currency: str) -> int:
    try:
        return parse_amount(text, currency)
    except Invalid:
        return 0


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
