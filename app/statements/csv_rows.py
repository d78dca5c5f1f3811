"""Reads the rows below the headings: transactions, and what banks print between them."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from app.kernel.limits import CELL_CHARACTERS_MAX
from app.statements.amounts import Amount, parse_amount
from app.statements.csv_header import normalized_headings
from app.statements.csv_money import indicator_side
from app.statements.csv_table import Row
from app.statements.csv_vocabulary import plain_words
from app.statements.dates import clean_date_cell, compile_date_format
from app.statements.findings import FindingLog
from app.statements.mapping import ROLES, CsvMapping

_BALANCE: Final = (
    r"(?:ledger |account |book |available )?(?:balance|saldo|solde|zustatek|zostatok|egyenleg|bal)"
)
_OPENING: Final = re.compile(
    rf"(?:opening|beginning|starting|previous|initial|prior|start|last) {_BALANCE}\b"
    r"|balance (?:brought )?(?:forward|b f|bf)\b|brought forward\b"
    r"|(?:anfangs|start|begin|primo|alku|ingaende )saldo\b|alter (?:kontostand|saldo)\b"
    r"|saldovortrag\b"
    r"|(?:solde|saldo|sold) (?:initial|precedent|d ouverture|inicial|anterior|iniziale|precedente"
    r"|poczatkowe)\b|ancien solde\b|vorig saldo\b|poc(?:atecni|iatocny) z[uo]stat[eo]k\b"
    r"|nyito egyenleg\b|ingaende saldo\b"
)
_CLOSING: Final = re.compile(
    rf"(?:closing|ending|final|current|new|end) {_BALANCE}\b"
    r"|balance (?:carried )?(?:forward|c f|cf)\b"
    r"|(?:end|schluss|eind|slut|loppu|utgaende )saldo\b|neuer (?:kontostand|saldo)\b|kontostand\b"
    r"|(?:solde|saldo|sold) (?:final|finale|de cloture|actual|attuale|koncowe)\b|nouveau solde\b"
    r"|konecny z[uo]stat[eo]k\b|zaro egyenleg\b|utgaende saldo\b|saldo\b|solde\b"
)
_TOTAL: Final = re.compile(
    r"(?:sub|grand |running )?totals?\b|sum\b|summe\b|gesamt|totale\b|totaal\b|celkem\b|spolu\b"
    r"|osszesen\b|razem\b|summa\b|net change\b|suma\b|yhteensa\b|i alt\b"
)
# fmt: off
_NOT_BOOKED: Final = frozenset([
    "pending", "reverted", "declined", "failed", "denied", "cancelled", "canceled", "voided",
    "void", "rejected", "expired", "vorgemerkt", "authorised", "authorized", "authorization",
    "hold", "scheduled", "en attente", "pendiente",
])
# fmt: on
_DATE_START: Final = re.compile(r"\W?[0-9]")


@dataclass(slots=True)
class RawRow:
    """One transaction before its sign is settled; amounts as written."""

    line: int
    date: dt.date
    value_date: dt.date | None
    amount: Amount | None
    debit: Decimal | None
    credit: Decimal | None
    side: str | None
    balance: Decimal | None
    description: str
    reference: str
    bank_id: str
    counterparty: str
    currency: str
    account: str


@dataclass(slots=True)
class RowsRead:
    """What the rows held, in file order.

    Attributes:
        unknown_sides: Line and cell where the indicator column says nothing we know.
    """

    rows: list[RawRow] = field(default_factory=list)
    rows_read: int = 0
    rows_skipped: int = 0
    opening_balance: Decimal | None = None
    unknown_sides: list[tuple[int, str]] = field(default_factory=list)


class RowReader:
    """Reads rows under one complete mapping; trouble goes to `findings`."""

    def __init__(
        self, mapping: CsvMapping, header: Sequence[str], width: int, findings: FindingLog
    ) -> None:
        self.columns = {
            role: position
            for role in ROLES
            if isinstance(position := getattr(mapping.columns, role), int) and position >= 0
        }
        self.description = [
            one for one in mapping.columns.description or () if isinstance(one, int) and one >= 0
        ]
        self.mapping = mapping
        self.header = tuple(header)
        self.width = width
        self.findings = findings
        self.result = RowsRead()
        self._date_format = compile_date_format(mapping.date_format or "%Y-%m-%d")
        self._decimal_sign = mapping.decimal_sign or "."
        self._dates: dict[str, dt.date | None] = {}
        self._skipped: dict[str, list[int]] = {}
        self._in_pending_section = False
        self._debit_values = _plain_set(mapping.indicator_debit)
        self._credit_values = _plain_set(mapping.indicator_credit)

    def read(self, rows: Sequence[Row]) -> RowsRead:
        for row in rows:
            self.result.rows_read += 1
            self._row(row)
        self._check_cut_off(rows)
        self._report_skipped()
        return self.result

    # One row

    def _row(self, row: Row) -> None:
        date_text = self._cell(row, "date")
        day = self._date(date_text)
        if day is None:
            self._undated(row, date_text)
            return
        errors_count = self.findings.errors_count
        amounts = self._amounts(row)
        if self.findings.errors_count > errors_count:
            return
        amount, debit, credit = amounts
        if amount is None and debit is None and credit is None:
            self._without_amount(row)
            return
        if self._in_pending_section or self._is_not_booked(row):
            self._skip("not_booked", row)
            return
        balance = self._money(row, "balance", required=False)
        if self._is_balance_row(row, amount, balance):
            self._balance_row(row, balance)
            return
        if len(row.cells) > self.width and self._is_too_wide(row):
            return
        self.result.rows.append(self._raw(row, day, amount, debit, credit, balance))

    def _raw(
        self,
        row: Row,
        day: dt.date,
        amount: Amount | None,
        debit: Decimal | None,
        credit: Decimal | None,
        balance: Amount | None,
    ) -> RawRow:
        counterparty = self._text(row, "counterparty")
        return RawRow(
            line=row.line,
            date=day,
            value_date=self._date(self._cell(row, "value_date")),
            amount=amount,
            debit=debit,
            credit=credit,
            side=self._side(row),
            balance=balance.value if balance else None,
            description=self._description(row) or counterparty,
            reference=self._text(row, "reference"),
            bank_id=self._text(row, "bank_id"),
            counterparty=counterparty,
            currency=self._cell(row, "currency").upper(),
            account=self._text(row, "account"),
        )

    def _amounts(self, row: Row) -> tuple[Amount | None, Decimal | None, Decimal | None]:
        amount = self._money(row, "amount", required=True)
        if "debit" not in self.columns and "credit" not in self.columns:
            return amount, None, None
        debit = self._money(row, "debit", required=True)
        credit = self._money(row, "credit", required=True)
        if debit and credit and debit.value and credit.value:
            self._error(
                "debit_and_credit",
                row,
                "debit",
                "both debit and credit are filled; correct the row or the mapping",
            )
        return amount, debit.value if debit else None, credit.value if credit else None

    def _money(self, row: Row, role: str, *, required: bool) -> Amount | None:
        text = self._cell(row, role)
        if not text or text in {"-", "--", "\u2013", "\u2014"}:
            return None
        amount = parse_amount(text, self._decimal_sign)
        if amount is None and required:
            self._error(
                "amount_invalid",
                row,
                role,
                f"“{text[:40]}” is not an amount with “{self._decimal_sign}” as decimal sign;"
                " correct the row or the mapping",
            )
        return amount

    def _side(self, row: Row) -> str | None:
        if "indicator" not in self.columns:
            return None
        text = self._cell(row, "indicator")
        plain = plain_words(text) or text
        if plain in self._debit_values:
            return "debit"
        if plain in self._credit_values or (self._debit_values and not self._credit_values):
            return "credit"
        side = None if self._debit_values else indicator_side(text)
        if side is None:
            self.result.unknown_sides.append((row.line, text))
        return side

    # Rows that are no transactions

    def _undated(self, row: Row, date_text: str) -> None:
        amount_text = any(self._cell(row, role) for role in ("amount", "debit", "credit"))
        if normalized_headings(row.cells) == self.header:
            self._skip("header_repeated", row)
        elif self._label(row, _OPENING):
            self._opening(row)
        elif self._label(row, _CLOSING) or self._label(row, _TOTAL):
            self._skip("total_row", row)
        elif date_text and (_DATE_START.match(date_text) or amount_text):
            self._error(
                "date_invalid",
                row,
                "date",
                f"“{date_text[:40]}” is not a date in the format {self.mapping.date_format};"
                " correct the row or the mapping",
            )
        elif date_text:
            self._section(row)
            self._skip("row_ignored", row)
        elif amount_text:
            if self._is_not_booked(row):
                self._skip("not_booked", row)
            else:
                self._error("date_missing", row, "date", "the date is missing; complete the row")
        elif self.result.rows and not self._cell(row, "balance"):
            self._continue(row)
        else:
            self._skip("row_ignored", row)

    def _section(self, row: Row) -> None:
        """Some banks put pending rows under a line of their own, above the posted ones."""
        names = [plain_words(cell[:80]) for cell in row.cells if cell.strip()]
        if len(names) == 1:
            self._in_pending_section = names[0].startswith(("pending", "vorgemerkt", "en attente"))

    def _without_amount(self, row: Row) -> None:
        """A dated row without money: an opening or closing balance, or half a row."""
        if self._label(row, _OPENING):
            self._opening(row)
        elif self._label(row, _CLOSING) or self._label(row, _TOTAL) or self._cell(row, "balance"):
            self._skip("total_row", row)
        elif self._is_not_booked(row):
            self._skip("not_booked", row)
        else:
            role = "amount" if "amount" in self.columns else "debit"
            self._error("amount_missing", row, role, "the amount is missing; complete the row")

    def _continue(self, row: Row) -> None:
        last = self.result.rows[-1]
        if len(last.description) < CELL_CHARACTERS_MAX:
            text = " ".join(" ".join(row.cells).split())
            last.description = f"{last.description} {text}"[:CELL_CHARACTERS_MAX]
        self._skip("row_continues", row)

    def _is_balance_row(self, row: Row, amount: Amount | None, balance: Amount | None) -> bool:
        """Some banks print the opening balance in both columns of a dated row."""
        if amount is None or balance is None or amount.value != balance.value:
            return False
        return self._label(row, _OPENING) or self._label(row, _CLOSING)

    def _balance_row(self, row: Row, balance: Amount | None) -> None:
        if self._label(row, _OPENING) and balance:
            self.result.opening_balance = balance.value
        self._skip("total_row", row)

    def _opening(self, row: Row) -> None:
        balance = self._money(row, "balance", required=False)
        if balance and self.result.opening_balance is None:
            self.result.opening_balance = balance.value
        self._skip("total_row", row)

    def _label(self, row: Row, pattern: re.Pattern[str]) -> bool:
        cells = [row.cells[column] for column in self.description if column < len(row.cells)]
        first = next((cell for cell in row.cells if cell.strip()), "")
        return any(pattern.match(plain_words(cell[:80])) is not None for cell in [*cells, first])

    def _is_not_booked(self, row: Row) -> bool:
        return "status" in self.columns and plain_words(self._cell(row, "status")) in _NOT_BOOKED

    def _is_too_wide(self, row: Row) -> bool:
        if not any(cell.strip() for cell in row.cells[self.width :]):
            return False
        if self.description and max(self.description) == self.width - 1:
            return False  # an unquoted delimiter in the last column, which is text
        self._error(
            "row_too_wide",
            row,
            "date",
            f"the row has {len(row.cells)} columns instead of {self.width}, so a text holds the"
            " delimiter; put that text in quotes",
        )
        return True

    def _check_cut_off(self, rows: Sequence[Row]) -> None:
        """A last row that alone is narrower than all others was cut off."""
        if len(rows) < 2 or not self.result.rows or self.result.rows[-1].line != rows[-1].line:  # noqa: PLR2004
            return
        widths = Counter(len(row.cells) for row in rows[:-1])
        usual = min(widths)
        if len(rows[-1].cells) < usual and len(widths) == 1:
            self._error(
                "row_incomplete",
                rows[-1],
                "date",
                f"the row has {len(rows[-1].cells)} of {usual} columns, so the file was cut off;"
                " export it again",
            )

    # Cells

    def _cell(self, row: Row, role: str) -> str:
        position = self.columns.get(role)
        if position is None or position >= len(row.cells):
            return ""
        return row.cells[position].strip()

    def _text(self, row: Row, role: str) -> str:
        if role not in self.columns:
            return ""
        return " ".join(self._cell(row, role).split()).strip("'\"=")[:CELL_CHARACTERS_MAX]

    def _description(self, row: Row) -> str:
        cells = row.cells
        parts = [cells[column] for column in self.description if column < len(cells)]
        if len(parts) == 1 and len(cells) <= self.width:
            return " ".join(parts[0].split())[:CELL_CHARACTERS_MAX]
        if self.width - 1 in self.description:
            parts += cells[self.width :]
        seen = dict.fromkeys(text for part in parts if (text := " ".join(part.split())))
        return " ".join(seen)[:CELL_CHARACTERS_MAX]

    def _date(self, text: str) -> dt.date | None:
        if not text:
            return None
        if text not in self._dates:
            self._dates[text] = self._date_format.parse(clean_date_cell(text))
        return self._dates[text]

    # Findings

    def _error(self, code: str, row: Row, role: str, what: str) -> None:
        column = column_name(self.header, self.columns.get(role, -1), role)
        self.findings.error(
            code, f"Line {row.line}, column “{column}”: {what}.", line=row.line, column=column
        )

    def _skip(self, code: str, row: Row) -> None:
        self.result.rows_skipped += 1
        self._skipped.setdefault(code, []).append(row.line)

    def _report_skipped(self) -> None:
        for code, lines in self._skipped.items():
            self.findings.warning(
                code, _SKIP_MESSAGES[code].format(lines=_line_list(lines)), line=lines[0]
            )


_SKIP_MESSAGES: Final = {
    "header_repeated": "{lines}: the headings stand there again and were left out.",
    "total_row": "{lines}: balances or totals, not transactions, were left out; check that no"
    " transaction is among them.",
    "row_ignored": "{lines}: text without date and amount was left out; check that no transaction"
    " is among it.",
    "row_continues": "{lines}: rows without date and amount were added to the description of the"
    " row above; check the preview.",
    "not_booked": "{lines}: pending, declined or reverted rows were left out; they come with a"
    " later file once they are booked.",
}


def column_name(header: Sequence[str], position: int, role: str) -> str:
    """Return the heading, or the column's number counted from 1."""
    if 0 <= position < len(header) and header[position]:
        return header[position][:80]
    return f"column {position + 1}" if position >= 0 else role


def _line_list(lines: Sequence[int]) -> str:
    shown = ", ".join(str(line) for line in lines[:5])
    more = f" and {len(lines) - 5} more" if len(lines) > 5 else ""  # noqa: PLR2004
    return f"Line{'s' if len(lines) > 1 else ''} {shown}{more}"


def _plain_set(values: Sequence[str] | None) -> frozenset[str]:
    return frozenset(plain_words(value) or value.strip() for value in values or ())
