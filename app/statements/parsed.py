"""The one shape that every bank file is read into, whatever its format."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from app.statements.findings import Finding, Level
from app.statements.mapping import CsvMapping

__all__ = ["Finding", "Level", "ParsedFile", "ParsedStatement", "ParsedTransaction"]


@dataclass(frozen=True, slots=True)
class ParsedTransaction:
    """One bank transaction.

    Attributes:
        line: Physical line on which it starts, counted from 1.
        date: The bank's booking date, as written: never shifted by a time zone.
        amount: In units of the statement's currency; money in is positive.
        reference: Customer reference, cheque number or payment reference, or "".
        bank_id: The bank's own id of the transaction, or "".
        balance: The account's balance after it, where the file says so.
    """

    line: int
    date: dt.date
    value_date: dt.date | None
    amount: Decimal
    description: str
    reference: str
    bank_id: str
    counterparty: str
    balance: Decimal | None


@dataclass(frozen=True, slots=True)
class ParsedStatement:
    """One account's transactions in one currency, in the file's order.

    Attributes:
        account: The bank's account number as written in the file, or "".
        currency: ISO 4217 code, or None where neither file nor caller says it.
    """

    account: str
    currency: str | None
    opening_balance: Decimal | None
    closing_balance: Decimal | None
    opening_date: dt.date | None
    closing_date: dt.date | None
    transactions: tuple[ParsedTransaction, ...]


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What one bank file says, or why it is refused.

    Attributes:
        format: `csv`, `bai2`, or the name of what it looks like when it is refused.
        mapping: For CSV, how it was read: complete when accepted, as far as known otherwise.
        statements: Empty when the file is refused: a file is taken whole or not at all.
        rows_read: Rows (CSV) or transaction records (BAI2) that were looked at.
        rows_skipped: Those of them that are no transactions, each kind with a finding.
    """

    format: str
    mapping: CsvMapping | None
    statements: tuple[ParsedStatement, ...]
    findings: tuple[Finding, ...]
    rows_read: int
    rows_skipped: int = 0

    @property
    def accepted(self) -> bool:
        return not any(finding.level is Level.ERROR for finding in self.findings)
