"""Write what was played as files: a checking account's CSV, a savings account's BAI2, the books."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from demo import cast
from demo.books import BankLine, LedgerLine

CHECKING_HEADER: Final = (
    "Details",
    "Posting Date",
    "Description",
    "Amount",
    "Type",
    "Balance",
    "Check or Slip #",
)
LEDGER_HEADER: Final = (
    "external_id",
    "account_number",
    "date",
    "amount",
    "currency",
    "description",
    "counterparty",
    "reference",
    "journal",
)
BAI2_RECORD_CHARACTERS: Final = 80
"""Record length that the reserve's file announces in its header."""


def decimal(amount_minor: int) -> str:
    sign = "-" if amount_minor < 0 else ""
    whole, cents = divmod(abs(amount_minor), 100)
    return f"{sign}{whole}.{cents:02}"


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    target = io.StringIO()
    csv.writer(target, lineterminator="\n").writerows(rows)
    return target.getvalue()


def checking_details(line: BankLine) -> str:
    if line.kind in {"CHECK_PAID", "CHECK_DEPOSIT"}:
        return "CHECK" if line.kind == "CHECK_PAID" else "DSLIP"
    return "CREDIT" if line.amount_minor > 0 else "DEBIT"


def checking_csv(lines: Sequence[BankLine], opening_minor: int) -> str:
    """Return a month of the operating account, newest line first.

    As with the banks that use this layout, each row ends in one comma more than the header.
    """
    rows: list[tuple[str, ...]] = []
    balance_minor = opening_minor
    for line in lines:
        balance_minor += line.amount_minor
        rows.append(
            (
                checking_details(line),
                f"{line.posted:%m/%d/%Y}",
                line.description,
                decimal(line.amount_minor),
                line.kind,
                decimal(balance_minor),
                line.check_number,
                "",
            )
        )
    return csv_text([CHECKING_HEADER, *reversed(rows)])


def ledger_csv(rows: Iterable[tuple[str, date, LedgerLine, str]]) -> str:
    """Return ledger rows given as (external id, date, line, journal number)."""
    return csv_text(
        [
            LEDGER_HEADER,
            *(
                (
                    external_id,
                    line.account_number,
                    entered.isoformat(),
                    decimal(line.amount_minor),
                    str(cast.ORGANIZATION["currency"]),
                    line.description,
                    line.counterparty,
                    line.reference,
                    journal,
                )
                for external_id, entered, line, journal in rows
            ),
        ]
    )


def savings_bai2(lines: Sequence[BankLine], opening_minor: int, end: date) -> str:
    """Return a month of the reserve as BAI2: a group for each day with activity, and the end.

    A BAI2 transaction carries no date of its own; its group's as-of date is its posting date.
    Amounts are unsigned, the type code says the direction, and every trailer holds the sum
    of the amounts above it as well as the count of its records.
    """
    records = [
        f"01,{cast.RESERVE_ROUTING_NUMBER},{cast.CUSTOMER_NUMBER},{end:%y%m%d},0615,1,{BAI2_RECORD_CHARACTERS},,2/"
    ]
    groups: list[tuple[int, int]] = []
    balance_minor = opening_minor
    for day in sorted({line.posted for line in lines} | {end}):
        of_day = [line for line in lines if line.posted == day]
        group, total_minor = bai2_group(of_day, balance_minor, day)
        balance_minor += sum(line.amount_minor for line in of_day)
        groups.append((total_minor, len(group)))
        records += group
    total_minor = sum(total for total, _ in groups)
    records.append(f"99,{total_minor},{len(groups)},{len(records) + 1}/")
    return "\n".join(records) + "\n"


def bai2_group(lines: Sequence[BankLine], opening_minor: int, day: date) -> tuple[list[str], int]:
    """Return one day's records, 02 to 98, and their control total in minor units."""
    credits_minor = [line.amount_minor for line in lines if line.amount_minor > 0]
    debits_minor = [-line.amount_minor for line in lines if line.amount_minor < 0]
    turnover_minor = sum(credits_minor) + sum(debits_minor)
    closing_minor = opening_minor + sum(credits_minor) - sum(debits_minor)
    currency = cast.ORGANIZATION["currency"]
    number = cast.RESERVE_ACCOUNT_NUMBER
    account = [
        f"03,{number},{currency},010,{opening_minor},,,015,{closing_minor},,/",
        f"88,100,{sum(credits_minor)},{len(credits_minor)},,400,{sum(debits_minor)},{len(debits_minor)},/",
        *(bai2_transaction(line) for line in lines),
    ]
    total_minor = opening_minor + closing_minor + 2 * turnover_minor
    account.append(f"49,{total_minor},{len(account) + 1}/")
    parties = f"{cast.CUSTOMER_NUMBER},{cast.RESERVE_ROUTING_NUMBER}"
    return [
        f"02,{parties},1,{day:%y%m%d},2359,{currency},2/",
        *account,
        f"98,{total_minor},1,{len(account) + 2}/",
    ], total_minor


def bai2_transaction(line: BankLine) -> str:
    reference = f"{line.posted:%y%m%d}{line.kind}"
    record = f"16,{line.kind},{abs(line.amount_minor)},0,{reference},,{line.description}"
    assert len(record) <= BAI2_RECORD_CHARACTERS, record
    return record
