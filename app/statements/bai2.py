"""Reads BAI2 cash management reports and proves every control total.

Source: Cash Management Balance Reporting Specifications, version 2 (ASC X9.121 family).
Totals add all amounts of an account's 03 and 16 records with the signs as written; counts
include every 88 and the trailer itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from app.kernel.errors import Invalid
from app.kernel.limits import CELL_CHARACTERS_MAX, FILE_ROWS_MAX
from app.kernel.money import from_minor, valid_currency
from app.statements.bai2_codes import (
    CLOSING_LEDGER,
    OPENING_LEDGER,
    direction,
    is_custom,
    type_name,
)
from app.statements.bai2_fields import (
    Detail,
    FieldError,
    parse_date,
    parse_detail,
    parse_minor,
    parse_summaries,
)
from app.statements.bai2_records import Record, has_packed_lines, records
from app.statements.encoding import physical_lines
from app.statements.findings import FindingLog
from app.statements.parsed import ParsedFile, ParsedStatement, ParsedTransaction

_DEFAULT_CURRENCY: Final = "USD"
_GROUP_DELETION: Final = "2"
_GROUP_TEST: Final = "4"
_VERSION: Final = "2"


@dataclass(slots=True)
class _Level:
    """What a trailer is compared with."""

    line: int
    records_count: int = 0
    total_minor: int = 0
    children_count: int = 0


@dataclass(slots=True)
class _Group(_Level):
    as_of: date | None = None
    currency: str = ""


@dataclass(slots=True)
class _Account(_Level):
    number: str = ""
    currency: str = ""
    balances: dict[str, int] = field(default_factory=dict)
    details: list[tuple[int, Detail]] = field(default_factory=list)


def read_bai2(text: str, *, currency: str | None, findings: FindingLog) -> ParsedFile:
    """Read a whole file; every wrong total, count or field is an error in the result.

    Args:
        text: The decoded file.
        currency: Of the account it is meant for; an account in another one is an error.
        findings: What decoding found; the result lists these too.
    """
    lines = physical_lines(text)
    reader = _Reader(currency, _copy(findings))
    reader.read(lines, split_texts=False)
    if reader.findings.errors_count and has_packed_lines(text):
        # “/16,” inside a free text is rare, several records on a line are not: take the reading
        # whose totals add up.
        packed = _Reader(currency, _copy(findings))
        packed.read(lines, split_texts=True)
        if packed.findings.errors_count < reader.findings.errors_count:
            reader = packed
    accepted = not reader.findings.errors_count
    return ParsedFile(
        format="bai2",
        mapping=None,
        statements=tuple(reader.statements) if accepted else (),
        findings=reader.findings.listed(),
        rows_read=reader.rows_read,
        rows_skipped=reader.rows_skipped,
    )


def _copy(findings: FindingLog) -> FindingLog:
    return FindingLog(
        [*findings.errors], [*findings.warnings], findings.errors_count, findings.warnings_count
    )


class _Reader:
    """One pass over the records, holding the open file, group and account."""

    def __init__(self, currency: str | None, findings: FindingLog) -> None:
        self.currency = currency
        self.findings = findings
        self.statements: list[ParsedStatement] = []
        self.rows_read = 0
        self.rows_skipped = 0
        self._file: _Level | None = None
        self._group: _Group | None = None
        self._account: _Account | None = None
        self._files_count = 0
        self._handlers: dict[str, Callable[[Record], None]] = {
            "01": self._file_header,
            "02": self._group_header,
            "03": self._account_header,
            "16": self._detail,
            "49": self._account_trailer,
            "98": self._group_trailer,
            "99": self._file_trailer,
        }

    def read(self, lines: list[str], *, split_texts: bool) -> None:
        last_line = 0
        for record in records(lines, split_texts=split_texts):
            last_line = record.line
            handler = self._handlers.get(record.code)
            if handler is None:
                self._unknown_record(record)
                continue
            try:
                handler(record)
            except FieldError as error:
                self._field_error(record, error)
            if self.rows_read > FILE_ROWS_MAX:
                self._too_many_rows(record)
                return
        self._refuse_open_levels(last_line)

    # Headers

    def _file_header(self, record: Record) -> None:
        if self._file:
            self._out_of_place(record, "a second file header (01) before the file trailer (99)")
        self._file = _Level(record.line, record.records_count)
        self._files_count += 1
        fields = _fields(record)
        if _at(fields, 2):
            parse_date(_at(fields, 2), "creation date")
        version = _at(fields, 7)
        if version != _VERSION:
            self.findings.warning(
                "version_not_2",
                f"Line {record.line}, field version: “{version[:10]}” instead of 2; the file is"
                " read as BAI2, so check the preview.",
                line=record.line,
                column="version",
            )

    def _group_header(self, record: Record) -> None:
        if not self._file or self._group:
            self._out_of_place(record, "a group header (02) where no group can start")
        self._group = _Group(record.line, record.records_count)
        fields = _fields(record)
        self._group_status(record, _at(fields, 2))
        self._group.currency = self._currency(_at(fields, 5), "currency")
        self._group.as_of = parse_date(_at(fields, 3), "as-of date")

    def _group_status(self, record: Record, status: str) -> None:
        if status == _GROUP_DELETION:
            self.findings.error(
                "group_deletes",
                f"Line {record.line}, field group status: 2 means that the bank takes back what it"
                " sent before; do not upload this file, but compare it with what is there.",
                line=record.line,
                column="group status",
            )
        elif status == _GROUP_TEST:
            self.findings.warning(
                "group_is_test",
                f"Line {record.line}, field group status: 4 marks test data; make sure that you"
                " want it in your books.",
                line=record.line,
                column="group status",
            )

    def _account_header(self, record: Record) -> None:
        if not self._group or self._account:
            self._out_of_place(record, "an account (03) outside a group, or before a 49")
        self._account = account = _Account(record.line, record.records_count)
        fields = _fields(record)
        account.number = _at(fields, 0)[:CELL_CHARACTERS_MAX]
        if not account.number:
            raise FieldError("account number", "it is missing")
        account.currency = self._currency(_at(fields, 1), "currency")
        for summary in parse_summaries(fields[2:]):
            account.total_minor += summary.amount_minor or 0
            if summary.amount_minor is not None:
                account.balances.setdefault(summary.type_code, summary.amount_minor)

    def _currency(self, text: str, field_name: str) -> str:
        try:
            return valid_currency(text) if text else ""
        except Invalid as error:
            raise FieldError(field_name, f"“{text[:20]}” is not a currency code") from error

    # Transactions

    def _detail(self, record: Record) -> None:
        self.rows_read += 1
        if not self._account:
            self._out_of_place(record, "a transaction (16) outside an account")
            return
        self._account.records_count += record.records_count
        detail = parse_detail(record)
        self._account.total_minor += detail.amount_minor
        self._account.details.append((record.line, detail))

    # Trailers

    def _account_trailer(self, record: Record) -> None:
        account, self._account = self._account, None
        if not account:
            self._out_of_place(record, "an account trailer (49) without an account (03)")
            return
        account.records_count += record.records_count
        fields = _fields(record)
        total = self._checked_total(record, fields, "account", account.total_minor)
        self._check_count(record, _at(fields, 1), "record count", account.records_count)
        if self._group:
            self._group.total_minor += total
            self._group.children_count += 1
            self._group.records_count += account.records_count
            self._finish_account(account, self._group)

    def _group_trailer(self, record: Record) -> None:
        group, self._group = self._group, None
        if not group or self._account:
            self._out_of_place(record, "a group trailer (98) before its account trailer (49)")
            self._account = None
        if not group:
            return
        group.records_count += record.records_count
        fields = _fields(record)
        total = self._checked_total(record, fields, "group", group.total_minor)
        self._check_count(record, _at(fields, 1), "number of accounts", group.children_count)
        self._check_count(record, _at(fields, 2), "record count", group.records_count)
        if self._file:
            self._file.total_minor += total
            self._file.children_count += 1
            self._file.records_count += group.records_count

    def _file_trailer(self, record: Record) -> None:
        file, self._file = self._file, None
        if not file or self._group:
            self._out_of_place(record, "a file trailer (99) before its group trailer (98)")
            self._group = None
        if not file:
            return
        file.records_count += record.records_count
        fields = _fields(record)
        self._checked_total(record, fields, "file", file.total_minor)
        self._check_count(record, _at(fields, 1), "number of groups", file.children_count)
        self._check_count(record, _at(fields, 2), "record count", file.records_count)

    def _checked_total(self, record: Record, fields: list[str], name: str, found: int) -> int:
        """Return the total as written, so that one wrong 49 is not reported three times."""
        column = f"{name} control total"
        written = parse_minor(_at(fields, 0), column)
        if written != found:
            self.findings.error(
                "control_total_wrong",
                f"Line {record.line}, field {column}: the file says {written}, but its records add"
                f" up to {found}; ask the bank for a complete file.",
                line=record.line,
                column=column,
            )
        return written

    def _check_count(self, record: Record, text: str, column: str, found: int) -> None:
        if not text:
            self.findings.warning(
                "control_count_blank",
                f"Line {record.line}, field {column}: it is blank, so a missing record would not"
                " be noticed; check the number of rows.",
                line=record.line,
                column=column,
            )
        elif parse_minor(text, column) != found:
            self.findings.error(
                "control_count_wrong",
                f"Line {record.line}, field {column}: the file says {text[:20]}, but there are"
                f" {found}; ask the bank for a complete file.",
                line=record.line,
                column=column,
            )

    # Statements

    def _finish_account(self, account: _Account, group: _Group) -> None:
        as_of = group.as_of
        if as_of is None:  # an unreadable date is an error already
            return
        stated = account.currency or group.currency
        if stated and self.currency and stated != self.currency:
            self.findings.error(
                "currency_mismatch",
                f"Line {account.line}, field currency: account {account.number[:40]} is in"
                f" {stated}, not in {self.currency}; choose the account that the file is for.",
                line=account.line,
                column="currency",
            )
        code = stated or self.currency or _DEFAULT_CURRENCY
        unclear_sign = self._unclear_sign(account)
        transactions = [
            self._transaction(line, detail, as_of, code, unclear_sign)
            for line, detail in account.details
        ]
        opening = account.balances.get(OPENING_LEDGER)
        closing = account.balances.get(CLOSING_LEDGER)
        statement = ParsedStatement(
            account=account.number,
            currency=code,
            opening_balance=None if opening is None else from_minor(opening, code),
            closing_balance=None if closing is None else from_minor(closing, code),
            opening_date=None if opening is None else as_of,
            closing_date=None if closing is None else as_of,
            transactions=tuple(transactions),
        )
        self._check_balances(account, statement)
        self.statements.append(statement)

    def _transaction(
        self, line: int, detail: Detail, as_of: date, currency: str, unclear_sign: int
    ) -> ParsedTransaction:
        amount_minor = self._signed_minor(line, detail, unclear_sign)
        text = detail.text or detail.customer_reference or type_name(detail.type_code)
        return ParsedTransaction(
            line=line,
            date=as_of,
            value_date=detail.value_date,
            amount=from_minor(amount_minor, currency),
            description=text[:CELL_CHARACTERS_MAX],
            reference=detail.customer_reference[:CELL_CHARACTERS_MAX],
            bank_id=detail.bank_reference[:CELL_CHARACTERS_MAX],
            counterparty="",
            balance=None,
        )

    def _signed_minor(self, line: int, detail: Detail, unclear_sign: int) -> int:
        sign = direction(detail.type_code)
        if sign is None or is_custom(detail.type_code):
            way = "money in" if (sign or unclear_sign) > 0 else "money out"
            self.findings.warning(
                "type_code_unknown",
                f"Line {line}, field type code: {detail.type_code} has no fixed meaning in BAI2 and"
                f" is taken as {way}; check this row with the bank's code list.",
                line=line,
                column="type code",
            )
        elif detail.amount_minor < 0:
            self.findings.warning(
                "amount_signed",
                f"Line {line}, field amount: {detail.amount_minor} carries a minus, which BAI2 does"
                " not have here, and is taken as money out; check this row.",
                line=line,
                column="amount",
            )
            return detail.amount_minor
        return detail.amount_minor * (sign or unclear_sign)

    def _unclear_sign(self, account: _Account) -> int:
        """Let opening and closing balance decide where type codes do not."""
        opening = account.balances.get(OPENING_LEDGER)
        closing = account.balances.get(CLOSING_LEDGER)
        if opening is None or closing is None:
            return 1
        known = unclear = 0
        for _, detail in account.details:
            sign = direction(detail.type_code)
            known += detail.amount_minor * (sign or 0)
            unclear += detail.amount_minor if sign is None else 0
        return -1 if opening + known - unclear == closing else 1

    def _check_balances(self, account: _Account, statement: ParsedStatement) -> None:
        opening, closing = statement.opening_balance, statement.closing_balance
        if opening is None or closing is None or not statement.transactions:
            return
        net = sum((one.amount for one in statement.transactions), Decimal(0))
        if opening + net != closing:
            self.findings.warning(
                "balance_not_proven",
                f"Line {account.line}, field closing ledger: opening {opening} plus transactions"
                f" {net} is not closing {closing}; the bank may not send every transaction.",
                line=account.line,
                column="closing ledger",
            )

    # Refusals

    def _field_error(self, record: Record, error: FieldError) -> None:
        self.findings.error(
            "field_invalid",
            f"Line {record.line}, field {error.field}: {error}; correct the file or ask the bank"
            " for it again.",
            line=record.line,
            column=error.field,
        )

    def _out_of_place(self, record: Record, what: str) -> None:
        self.findings.error(
            "record_out_of_place",
            f"Line {record.line}, record {record.code}: {what}; ask the bank for a complete file.",
            line=record.line,
            column="record code",
        )

    def _unknown_record(self, record: Record) -> None:
        shown = record.code or record.pieces[0][:20]
        self.findings.error(
            "record_code_unknown",
            f"Line {record.line}, field record code: “{shown}” is no record of BAI2; correct the"
            " file or ask the bank for it again.",
            line=record.line,
            column="record code",
        )

    def _too_many_rows(self, record: Record) -> None:
        self.findings.error(
            "too_many_rows",
            f"Line {record.line}, record 16: the file has more than {FILE_ROWS_MAX:,}"
            " transactions; export a shorter period.",
            line=record.line,
            column="record code",
        )

    def _refuse_open_levels(self, line: int) -> None:
        missing = [
            f"{name} ({code})"
            for level, name, code in (
                (self._account, "account trailer", "49"),
                (self._group, "group trailer", "98"),
                (self._file, "file trailer", "99"),
            )
            if level
        ]
        if not self._files_count:
            missing = ["file header (01)"]
        if missing:
            self.findings.error(
                "file_incomplete",
                f"Line {line}, record code: the file ends without its {', '.join(missing)}; ask the"
                " bank for a complete file.",
                line=line,
                column="record code",
            )


def _fields(record: Record) -> list[str]:
    return [text.strip() for text in ",".join(record.pieces).split(",")]


def _at(fields: list[str], position: int) -> str:
    return fields[position] if position < len(fields) else ""
