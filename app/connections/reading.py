"""What one bank file says about one account, or why it is refused.  Pure: bytes in, rows out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from app.connections.fingerprints import SourceRow, source_keys
from app.kernel.money import AmountInvalid, to_minor
from app.statements import parse_statement
from app.statements.mapping import CsvMapping
from app.statements.parsed import (
    Finding,
    Level,
    ParsedFile,
    ParsedStatement,
    ParsedTransaction,
)

ACCOUNT_UNCLEAR: Final = "account_unclear"
"""Code of the finding that a person settles by choosing one of the file's accounts."""

_CURRENCY_MISMATCH: Final = "currency_mismatch"

REMEMBERED_UNFIT: Final = "remembered_mapping_unfit"


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What of a financial account matters for reading its files.

    Attributes:
        mask: Last digits of its number, or empty.
        file_account: How the bank's files name it, where a person said so before.
    """

    name: str
    currency: str
    mask: str
    file_account: str


@dataclass(frozen=True, slots=True)
class FileAccount:
    """One account that the file speaks of; `name` is the file's own word, or empty."""

    name: str
    currencies: tuple[str, ...]
    rows_count: int


@dataclass(frozen=True, slots=True)
class Reading:
    """The rows of one account, in the file's order; none when the file is refused.

    Attributes:
        keys: Source key of each row; made here, since it takes as long as storing the rows.
        mapping: How a CSV file was read, as far as it is known.
        rows_read: Rows looked at for this account; all of the file's when it is refused.
        rows_rejected: Those that are no transactions; all of them when it is refused.
        closing_balance_minor: The latest that the file states, with its day.
        covers_until: Last day that the file itself says it covers.
        file_account: The file's word for the account whose rows these are.
        accounts: Every account of the file.
    """

    format: str
    mapping: CsvMapping | None
    rows: tuple[SourceRow, ...]
    keys: tuple[str, ...]
    rows_read: int
    rows_rejected: int
    closing_balance_minor: int | None
    closing_date: date | None
    covers_until: date | None
    file_account: str
    accounts: tuple[FileAccount, ...]
    findings: tuple[Finding, ...]

    @property
    def accepted(self) -> bool:
        return not any(finding.level is Level.ERROR for finding in self.findings)

    @property
    def refusal(self) -> str:
        """Return the sentence of the first error, for a file that is refused."""
        errors = [finding for finding in self.findings if finding.level is Level.ERROR]
        more = f" There are {len(errors) - 1} more findings." if len(errors) > 1 else ""
        return f"{errors[0].message}{more} Nothing was stored."


def read_file(
    data: bytes,
    account: AccountFacts,
    *,
    remembered: CsvMapping | None = None,
    corrected: CsvMapping | None = None,
    chosen_account: str = "",
) -> Reading:
    """Read the file and pick the account's rows.

    Args:
        data: The file's bytes.
        account: Whose rows are wanted; all amounts must be in its currency.
        remembered: How the account's last CSV file was read.  Where this file does not fit
            it, the file is read afresh and a warning says so.
        corrected: How a person says that this file is to be read; holds without more ado.
        chosen_account: Which of the file's accounts a person says it is.
    """
    parsed = _parsed(data, corrected or remembered, account, chosen_account)
    findings = list(parsed.findings)
    if remembered is not None and corrected is None and not parsed.accepted:
        afresh = _parsed(data, None, account, chosen_account)
        if afresh.accepted or _headings(afresh) != remembered.header:
            parsed, findings = afresh, [*afresh.findings]
            if parsed.format == "csv":
                findings.append(_unfit())
    return _reading(parsed, findings, account, chosen_account)


def _parsed(
    data: bytes, mapping: CsvMapping | None, account: AccountFacts, chosen_account: str
) -> ParsedFile:
    """Read the file; other accounts in it may be in other currencies, ours may not."""
    parsed = parse_statement(data, mapping=mapping, currency=account.currency)
    codes = {finding.code for finding in parsed.findings if finding.level is Level.ERROR}
    if codes != {_CURRENCY_MISMATCH}:
        return parsed
    any_currency = parse_statement(data, mapping=mapping)
    ours, _ = _statements_of(any_currency, account, chosen_account)
    agrees = bool(ours) and all(one.currency == account.currency for one in ours)
    return any_currency if agrees else parsed


def _reading(
    parsed: ParsedFile, findings: list[Finding], account: AccountFacts, chosen_account: str
) -> Reading:
    statements, unclear = _statements_of(parsed, account, chosen_account)
    findings += unclear
    assert all(one.currency in {None, account.currency} for one in statements)
    rows: list[SourceRow] = []
    if not _has_error(findings):
        rows, unfit = _source_rows(statements, account.currency)
        findings += unfit
    accepted = not _has_error(findings)
    closing = _closing(statements, account.currency) if accepted else (None, None)
    rows_read = len(rows) + parsed.rows_skipped if accepted else parsed.rows_read
    return Reading(
        format=parsed.format,
        mapping=parsed.mapping,
        rows=tuple(rows) if accepted else (),
        keys=tuple(source_keys(rows)) if accepted else (),
        rows_read=rows_read,
        rows_rejected=parsed.rows_skipped if accepted else rows_read,
        closing_balance_minor=closing[0],
        closing_date=closing[1],
        covers_until=_covers_until(statements, rows) if accepted else None,
        file_account=statements[0].account if statements else "",
        accounts=_file_accounts(parsed.statements),
        findings=tuple(findings),
    )


def _statements_of(
    parsed: ParsedFile, account: AccountFacts, chosen_account: str
) -> tuple[list[ParsedStatement], list[Finding]]:
    """Pick the account's statements: the chosen ones, the remembered, else by last digits."""
    statements = list(parsed.statements)
    names = list(dict.fromkeys(statement.account for statement in statements))
    if not names:
        return [], []
    for said in (chosen_account, account.file_account):
        if said and said in names:
            return [one for one in statements if one.account == said], []
    fitting = [name for name in names if _may_be(name, account.mask)]
    if len(fitting) == 1:
        return [one for one in statements if one.account == fitting[0]], []
    return [], [_unclear(names, account)]


def _may_be(name: str, mask: str) -> bool:
    """Tell whether the file's account can be the one with these last digits."""
    digits = "".join(character for character in name if character.isalnum())
    return not digits or not mask or digits.casefold().endswith(mask.casefold())


def _unclear(names: Sequence[str], account: AccountFacts) -> Finding:
    ours = f"“{account.name}”" + (f" ending in {account.mask}" if account.mask else "")
    if len(names) == 1:
        message = (
            f"The file is of the account {names[0]}, which is not known to be {ours}; "
            "choose it if it is, or upload the file to the account that it belongs to."
        )
    else:
        message = f"The file holds {len(names)} accounts; choose the one that is {ours}."
    return Finding(Level.ERROR, None, None, ACCOUNT_UNCLEAR, message)


def _source_rows(
    statements: Sequence[ParsedStatement], currency: str
) -> tuple[list[SourceRow], list[Finding]]:
    rows, unfit = [], []
    for statement in statements:
        for transaction in statement.transactions:
            try:
                rows.append(_source_row(transaction, currency))
            except AmountInvalid as refusal:
                message = f"Line {transaction.line}, amount: {refusal.detail}"
                unfit.append(
                    Finding(Level.ERROR, transaction.line, "amount", refusal.code, message)
                )
    return rows, unfit


def _source_row(transaction: ParsedTransaction, currency: str) -> SourceRow:
    return SourceRow(
        line=transaction.line,
        posted_date=transaction.date,
        value_date=transaction.value_date,
        amount_minor=to_minor(transaction.amount, currency),
        description=transaction.description,
        counterparty=transaction.counterparty,
        reference=transaction.reference,
        bank_id=transaction.bank_id,
    )


def _closing(
    statements: Sequence[ParsedStatement], currency: str
) -> tuple[int | None, date | None]:
    """Return the balance of the statement that closes last, with its day."""
    closings: list[tuple[date, Decimal]] = []
    for statement in statements:
        days = [one.date for one in statement.transactions]
        day = statement.closing_date or max(days, default=None)
        if day is not None and statement.closing_balance is not None:
            closings.append((day, statement.closing_balance))
    if not closings:
        return None, None
    day, balance = max(closings, key=lambda closing: closing[0])
    try:
        return to_minor(balance, currency), day
    except AmountInvalid:  # the rows count, and they are exact; a balance of odd decimals does not
        return None, None


def _covers_until(statements: Sequence[ParsedStatement], rows: Sequence[SourceRow]) -> date | None:
    days = [row.posted_date for row in rows]
    days += [one.closing_date for one in statements if one.closing_date is not None]
    return max(days, default=None)


def _file_accounts(statements: Sequence[ParsedStatement]) -> tuple[FileAccount, ...]:
    found = []
    for name in dict.fromkeys(statement.account for statement in statements):
        theirs = [one for one in statements if one.account == name]
        currencies = tuple(dict.fromkeys(one.currency for one in theirs if one.currency))
        found.append(FileAccount(name, currencies, sum(len(one.transactions) for one in theirs)))
    return tuple(found)


def _has_error(findings: Sequence[Finding]) -> bool:
    return any(finding.level is Level.ERROR for finding in findings)


def _headings(parsed: ParsedFile) -> tuple[str, ...]:
    return parsed.mapping.header if parsed.mapping else ()


def _unfit() -> Finding:
    message = (
        "The file does not fit how this account's last file was read, so it was read afresh; "
        "check the columns below."
    )
    return Finding(Level.WARNING, None, None, REMEMBERED_UNFIT, message)
