"""Reads a bank's CSV file: mapping found or given, rows, signs, statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from app.kernel.limits import FILE_ROWS_MAX
from app.kernel.money import AMOUNT_MINOR_MAX, minor_digits
from app.statements.amounts import decimals_count
from app.statements.csv_money import indicator_side
from app.statements.csv_rows import RawRow, RowReader, RowsRead, column_name
from app.statements.csv_settle import Settled, settle
from app.statements.csv_sign import SettledSigns, amounts_are_signed, is_one_sided, settle_signs
from app.statements.csv_table import Row, Table, read_table
from app.statements.encoding import DecodedText, physical_lines
from app.statements.findings import FindingLog
from app.statements.mapping import NO_COLUMN, CsvMapping
from app.statements.parsed import ParsedFile, ParsedStatement, ParsedTransaction

_USUAL_DIGITS: Final = 2
_NEARLY: Final = 0.5


@dataclass(frozen=True, slots=True)
class _Signed:
    row: RawRow
    amount: Decimal
    balance: Decimal | None


def read_csv(
    decoded: DecodedText, given: CsvMapping, *, currency: str | None, findings: FindingLog
) -> ParsedFile:
    """Read a whole file; anything that cannot be told for sure is an error in the result."""
    table = read_table(physical_lines(decoded.text), given.delimiter)
    for line in table.open_quote_lines:
        findings.error(
            "quote_not_closed",
            f"Line {line}: a quotation mark is never closed, so the row is cut off; complete the"
            " row or export the file again.",
            line=line,
        )
    settled = settle(table, given, encoding=decoded.encoding, currency=currency, findings=findings)
    if _is_no_table(table, settled, findings) or _is_too_long(settled.rows, findings):
        return _refused(settled.mapping, findings, 0)
    if findings.errors_count:
        return _refused(settled.mapping, findings, len(settled.rows))
    return _read_rows(settled, given, currency, findings)


def _read_rows(
    settled: Settled, given: CsvMapping, currency: str | None, findings: FindingLog
) -> ParsedFile:
    mapping = settled.mapping
    reader = RowReader(
        replace(mapping, date_format=settled.date_format), settled.header, settled.width, findings
    )
    read = reader.read(settled.rows)
    mapping = _settled_indicator(mapping, settled, read, findings)
    by_line = {row.line: row for row in settled.rows}
    groups = _groups(read.rows)
    sign = given.sign
    settled_signs: dict[int, SettledSigns] = {}
    # The largest account settles the sign for the others too.
    for position in sorted(range(len(groups)), key=lambda one: -len(groups[one])):
        signs = settle_signs(
            groups[position],
            sign,
            header=settled.header,
            table_rows=[by_line[row.line] for row in groups[position]],
        )
        settled_signs[position] = signs
        sign = signs.sign
    statements = [
        _statement(group, settled_signs[position], read, settled, mapping, currency, findings)
        for position, group in enumerate(groups)
    ]
    if not read.rows and not findings.errors_count:
        findings.warning(
            "no_rows", "The file has headings but no transactions; check the period exported."
        )
    mapping = replace(mapping, sign=sign or 1)
    if findings.errors_count:
        return _refused(mapping, findings, read.rows_read, read.rows_skipped)
    return ParsedFile(
        "csv", mapping, tuple(statements), findings.listed(), read.rows_read, read.rows_skipped
    )


def _refused(
    mapping: CsvMapping, findings: FindingLog, rows_read: int, rows_skipped: int = 0
) -> ParsedFile:
    return ParsedFile("csv", mapping, (), findings.listed(), rows_read, rows_skipped)


def _is_no_table(table: Table, settled: Settled, findings: FindingLog) -> bool:
    if settled.header or max((len(row.cells) for row in table.rows), default=0) > 1:
        return False
    findings.error(
        "not_a_table",
        "Line 1: the file has no columns separated by comma, semicolon, tab or another known sign;"
        " export the statement as CSV or BAI2.",
        line=1,
    )
    return True


def _is_too_long(rows: Sequence[Row], findings: FindingLog) -> bool:
    if len(rows) <= FILE_ROWS_MAX:
        return False
    line = rows[FILE_ROWS_MAX].line
    findings.error(
        "too_many_rows",
        f"Line {line}: the file has more than {FILE_ROWS_MAX:,} rows; export a shorter period.",
        line=line,
    )
    return True


def _settled_indicator(
    mapping: CsvMapping, settled: Settled, read: RowsRead, findings: FindingLog
) -> CsvMapping:
    """Drop the indicator where amounts are signed anyway; else say which values mean what."""
    position = mapping.columns.indicator
    if not isinstance(position, int) or position < 0:
        return mapping
    if amounts_are_signed(read.rows):
        return replace(mapping, columns=replace(mapping.columns, indicator=NO_COLUMN))
    column = column_name(settled.header, position, "indicator")
    for line, text in read.unknown_sides:
        findings.error(
            "indicator_unknown",
            f"Line {line}, column “{column}”: “{text[:40]}” does not say money in or money out;"
            " name the values in the mapping.",
            line=line,
            column=column,
        )
    if mapping.indicator_debit or mapping.indicator_credit:
        return mapping
    values = dict.fromkeys(
        row.cells[position].strip() for row in settled.rows if position < len(row.cells)
    )
    sides = {value: indicator_side(value) for value in values if value}
    return replace(
        mapping,
        indicator_debit=tuple(value for value, side in sides.items() if side == "debit"),
        indicator_credit=tuple(value for value, side in sides.items() if side == "credit"),
    )


def _groups(rows: Sequence[RawRow]) -> list[list[RawRow]]:
    """Split by own account and currency; a file may hold several."""
    groups: dict[tuple[str, str], list[RawRow]] = {}
    for row in rows:
        groups.setdefault((row.account, row.currency), []).append(row)
    return list(groups.values())


def _statement(
    rows: list[RawRow],
    signs: SettledSigns,
    read: RowsRead,
    settled: Settled,
    mapping: CsvMapping,
    currency: str | None,
    findings: FindingLog,
) -> ParsedStatement:
    stated = rows[0].currency or settled.currency
    if currency and rows[0].currency and rows[0].currency != currency:
        _report_currency(rows[0], settled, mapping, currency, findings)
    signed = [
        _Signed(row, amount, None if row.balance is None else row.balance * signs.balance_sign)
        for row, amount in zip(rows, signs.amounts, strict=True)
    ]
    _check_amounts(signed, stated, settled.header, mapping, findings)
    _report_signs(signed, signs, settled.header, mapping, findings)
    oldest_first = signed[::-1] if signs.proof and signs.proof.newest_first else signed
    opening, closing = _balances(oldest_first, signs, read)
    days = [row.date for row in rows]
    return ParsedStatement(
        account=rows[0].account,
        currency=stated,
        opening_balance=opening,
        closing_balance=closing,
        opening_date=min(days) if opening is not None else None,
        closing_date=max(days) if closing is not None else None,
        transactions=tuple(_transaction(one) for one in signed),
    )


def _transaction(signed: _Signed) -> ParsedTransaction:
    row = signed.row
    return ParsedTransaction(
        line=row.line,
        date=row.date,
        value_date=row.value_date,
        amount=signed.amount,
        description=row.description,
        reference=row.reference,
        bank_id=row.bank_id,
        counterparty=row.counterparty,
        balance=signed.balance,
    )


def _balances(
    oldest_first: Sequence[_Signed], signs: SettledSigns, read: RowsRead
) -> tuple[Decimal | None, Decimal | None]:
    """Return opening and closing balance where the running balance proves the amounts."""
    if not (signs.proof and signs.proof.is_proven):
        return (read.opening_balance if len(oldest_first) == len(read.rows) else None), None
    opening = _balance_before(oldest_first)
    return opening, opening + sum((one.amount for one in oldest_first), Decimal(0))


def _balance_before(oldest_first: Sequence[_Signed]) -> Decimal:
    before = Decimal(0)
    for one in oldest_first:
        before += one.amount
        if one.balance is not None:
            return one.balance - before
    raise AssertionError(before)  # a proof needs balances


def _check_amounts(
    signed: Sequence[_Signed],
    currency: str | None,
    header: Sequence[str],
    mapping: CsvMapping,
    findings: FindingLog,
) -> None:
    digits = minor_digits(currency) if currency else _usual_digits(signed)
    for one in signed:
        if decimals_count(one.amount) > digits:
            column = _amount_column(one, header, mapping)
            of_what = f"that {currency} has" if currency else "that the other amounts have"
            findings.error(
                "amount_decimals",
                f"Line {one.row.line}, column “{column}”: {abs(one.amount):f} has more than the"
                f" {digits} decimals {of_what}; correct the amount.",
                line=one.row.line,
                column=column,
            )
        elif abs(one.amount.scaleb(digits)) > AMOUNT_MINOR_MAX:
            column = _amount_column(one, header, mapping)
            findings.error(
                "amount_too_large",
                f"Line {one.row.line}, column “{column}”: {abs(one.amount):f} is larger than the"
                " largest amount that Tieout keeps; correct the amount or the mapping.",
                line=one.row.line,
                column=column,
            )


def _usual_digits(signed: Sequence[_Signed]) -> int:
    """Two, unless most amounts of a file without a currency have more."""
    more = [count for one in signed if (count := decimals_count(one.amount)) > _USUAL_DIGITS]
    return max(more) if len(more) * 2 > len(signed) else _USUAL_DIGITS


def _amount_column(one: _Signed, header: Sequence[str], mapping: CsvMapping) -> str:
    columns = mapping.columns
    if one.row.amount is not None:
        role, position = "amount", columns.amount
    elif one.row.debit:
        role, position = "debit", columns.debit
    else:
        role, position = "credit", columns.credit
    return column_name(header, position if isinstance(position, int) else NO_COLUMN, role)


def _report_currency(
    row: RawRow, settled: Settled, mapping: CsvMapping, currency: str, findings: FindingLog
) -> None:
    position = mapping.columns.currency
    column = column_name(
        settled.header, position if isinstance(position, int) else NO_COLUMN, "currency"
    )
    findings.error(
        "currency_mismatch",
        f"Line {row.line}, column “{column}”: the row is in {row.currency[:10]}, but the account is"
        f" in {currency}; choose the account that the file is for, or export its rows alone.",
        line=row.line,
        column=column,
    )


def _report_signs(
    signed: Sequence[_Signed],
    signs: SettledSigns,
    header: Sequence[str],
    mapping: CsvMapping,
    findings: FindingLog,
) -> None:
    first = signed[0]
    column = _amount_column(first, header, mapping)
    if signs.proof and not signs.proof.is_proven and signs.proof.links:
        broken = signed[signs.proof.broken_at or 0].row
        findings.warning(
            "balance_not_proven",
            f"Line {broken.line}, column “{_balance_column(header, mapping)}”: the balance does not"
            f" follow from the amounts ({signs.proof.holding} of {signs.proof.links} rows do);"
            " check for missing rows and the sign of amounts.",
            line=broken.line,
            column=_balance_column(header, mapping),
        )
    if signs.assumed:
        findings.warning(
            "sign_assumed",
            f"Line {first.row.line}, column “{column}”: this looks like a card file in which"
            " charges are positive, so positive amounts are taken as money out; reverse the sign"
            " in the mapping if that is wrong.",
            line=first.row.line,
            column=column,
        )
    elif (
        mapping.sign is None
        and signs.proof is None
        and is_one_sided([one.amount for one in signed])
    ):
        findings.warning(
            "sign_not_proven",
            f"Line {first.row.line}, column “{column}”: every amount of the file is money in;"
            " reverse the sign in the mapping if these are payments.",
            line=first.row.line,
            column=column,
        )


def _balance_column(header: Sequence[str], mapping: CsvMapping) -> str:
    position = mapping.columns.balance
    return column_name(header, position if isinstance(position, int) else NO_COLUMN, "balance")
