"""Write the demo's files: `python -m demo.generate` makes them anew, byte for byte.

The story is played once; every file is a view of it.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from demo import cast
from demo.books import (
    BANK_ACCOUNTS,
    OPENING_DAY,
    OPERATING,
    BankLine,
    Books,
    LedgerLine,
    Match,
    month_end,
    month_of,
)
from demo.cheques import write_cheques
from demo.formats import checking_csv, decimal, ledger_csv, savings_bai2
from demo.incidents import play_incidents
from demo.routine import PAYDAYS, STRIPE_PAYOUTS, play_month, shop_is_paid_out, wages_are_paid

FOLDER: Final = Path(__file__).parent
MONTHS: Final = (date(2026, 8, 1), date(2026, 9, 1), date(2026, 10, 1))
FIRST_JOURNAL: Final = 20_801


@dataclass(frozen=True, slots=True)
class LedgerRow:
    external_id: str
    entered: date
    line: LedgerLine
    journal: str


class Story:
    """The three months as played, with the orders and numbers that the files need."""

    def __init__(self) -> None:
        books = play()
        self.matches = books.matches
        self.ledger_rows = numbered(books)
        self.external_ids = {row.line: row.external_id for row in self.ledger_rows}
        self.matched_month = {
            line: month_of(match_end(match)) for match in self.matches for line in match.ledger
        }

    def bank_lines(self, account_number: str, month: date) -> list[BankLine]:
        """Return a month of one account in the bank's order: by day, credits before debits."""
        lines = [line for match in self.matches for line in match.bank]
        return sorted(
            (
                line
                for line in lines
                if line.account_number == account_number
                and month_of(line.posted) == month_of(month)
            ),
            key=lambda line: (line.posted, line.amount_minor < 0, line.description),
        )

    def balance_minor(self, account_number: str, end: date) -> int:
        """Return the statement balance at the end of a day."""
        return cast.OPENING_BALANCES_MINOR[account_number] + sum(
            line.amount_minor
            for month in MONTHS
            for line in self.bank_lines(account_number, month)
            if line.posted <= end
        )

    def outstanding(self, account_number: str, end: date) -> list[LedgerRow]:
        """Return the ledger lines that the bank has not seen by a month's end."""
        return [
            row
            for row in self.ledger_rows
            if row.line.account_number == account_number
            and row.entered <= end
            and self.matched_month.get(row.line, "9999-12") > month_of(end)
        ]


def play() -> Books:
    books = Books()
    write_cheques(books)
    for month in MONTHS:
        play_month(books, month)
        play_incidents(books, month)
    for payday in PAYDAYS:
        wages_are_paid(books, payday)
    for payout in STRIPE_PAYOUTS:
        shop_is_paid_out(books, payout)
    return books


def match_end(match: Match) -> date:
    return max(line.posted for line in match.bank)


def numbered(books: Books) -> list[LedgerRow]:
    """Number journals in the order of their dates, and lines within their journal."""
    rows: list[LedgerRow] = []
    journals = sorted(books.journals, key=lambda journal: journal.entered)
    for number, journal in enumerate(journals, start=FIRST_JOURNAL):
        for place, line in enumerate(journal.lines, start=1):
            rows.append(LedgerRow(f"JE{number}-{place}", journal.entered, line, f"JE{number}"))
    return rows


def bank_keys(lines: list[BankLine]) -> dict[BankLine, dict[str, Any]]:
    """Return the key of each line: twins are told apart by counting them in the file's order."""
    seen: Counter[tuple[date, int, str]] = Counter()
    keys: dict[BankLine, dict[str, Any]] = {}
    for line in lines:
        twin = (line.posted, line.amount_minor, line.description)
        seen[twin] += 1
        keys[line] = {
            "date": line.posted.isoformat(),
            "amount": decimal(line.amount_minor),
            "description": line.description,
            "occurrence": seen[twin],
        }
    return keys


def ledger_text(story: Story, month: date) -> str:
    """Return a month of the books; the first also holds what July left outstanding."""
    return ledger_csv(
        (row.external_id, row.entered, row.line, row.journal)
        for row in story.ledger_rows
        if month_of(max(row.entered, MONTHS[0])) == month_of(month)
    )


def bank_file(account: dict[str, str], month: date) -> str:
    name, extension = ("operating", "csv") if is_operating(account) else ("reserve", "bai")
    return f"bank/{name}-{month_of(month)}.{extension}"


def is_operating(account: dict[str, str]) -> bool:
    return account["gl_account_number"] == OPERATING


def bank_text(story: Story, account: dict[str, str], month: date) -> str:
    number = account["gl_account_number"]
    lines = story.bank_lines(number, month)
    end = month_end(month)
    opening_minor = story.balance_minor(number, end) - sum(line.amount_minor for line in lines)
    if is_operating(account):
        return checking_csv(lines, opening_minor)
    return savings_bai2(lines, opening_minor, end)


def answers(story: Story, month: date) -> dict[str, Any]:
    return {
        "month": month_of(month),
        "accounts": [account_answers(story, number, month) for number in BANK_ACCOUNTS],
    }


def account_answers(story: Story, number: str, month: date) -> dict[str, Any]:
    lines = story.bank_lines(number, month)
    keys = bank_keys(lines)
    end = month_end(month)
    ending_minor = story.balance_minor(number, end)
    outstanding = story.outstanding(number, end)
    matches = [match for match in story.matches if match.bank[0] in keys]
    return {
        "gl_account_number": number,
        "ending_date": end.isoformat(),
        "opening_balance": decimal(ending_minor - sum(line.amount_minor for line in lines)),
        "ending_balance": decimal(ending_minor),
        "matches": [
            match_answer(story, match, keys)
            for match in sorted(matches, key=lambda match: lines.index(match.bank[0]))
        ],
        "outstanding": [row.external_id for row in outstanding],
        "adjusted_balance": decimal(
            ending_minor + sum(row.line.amount_minor for row in outstanding)
        ),
    }


def match_answer(
    story: Story, match: Match, keys: dict[BankLine, dict[str, Any]]
) -> dict[str, Any]:
    adjustment = None
    if match.adjust_to:
        adjustment = {
            "account_number": match.adjust_to,
            "amount": decimal(match.adjustment_minor),
            "memo": match.memo,
        }
    return {
        "habit": match.habit,
        "bank": [keys[line] for line in match.bank],
        "ledger": [story.external_ids[line] for line in match.ledger],
        "adjustment": adjustment,
    }


def company(story: Story) -> dict[str, Any]:
    return {
        "organization": cast.ORGANIZATION,
        "people": [
            {
                "name": name,
                "email": f"{mailbox}@{cast.MAIL_DOMAIN}",
                "role": role,
                "bank_connections": bank_connections,
            }
            for name, mailbox, role, bank_connections in cast.PEOPLE
        ],
        "gl_accounts": [
            {"number": number, "name": name, "type": kind, "currency": "USD"}
            for number, name, kind in cast.GL_ACCOUNTS
        ],
        "ledger_bank_accounts": [
            bank_account(story, account) for account in cast.LEDGER_BANK_ACCOUNTS
        ],
        "months": [
            {
                "month": month_of(month),
                "ledger_file": f"ledger/{month_of(month)}.csv",
                "answers_file": f"answers-{month_of(month)}.json",
            }
            for month in MONTHS
        ],
        "matching_rules": cast.MATCHING_RULES,
    }


def bank_account(story: Story, account: dict[str, str]) -> dict[str, Any]:
    number = account["gl_account_number"]
    return {
        **account,
        "currency": "USD",
        "opening_date": OPENING_DAY.isoformat(),
        "opening_balance": decimal(cast.OPENING_BALANCES_MINOR[number]),
        "statements": [
            {
                "month": month_of(month),
                "file": bank_file(account, month),
                "lines": len(story.bank_lines(number, month)),
                "ending_date": month_end(month).isoformat(),
                "ending_balance": decimal(story.balance_minor(number, month_end(month))),
            }
            for month in MONTHS
        ],
    }


def json_text(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def generated_files() -> dict[str, bytes]:
    """Return every generated file: its path under `demo/`, and its bytes."""
    story = Story()
    texts = {"company.json": json_text(company(story))}
    for month in MONTHS:
        texts[f"ledger/{month_of(month)}.csv"] = ledger_text(story, month)
        texts[f"answers-{month_of(month)}.json"] = json_text(answers(story, month))
        for account in cast.LEDGER_BANK_ACCOUNTS:
            texts[bank_file(account, month)] = bank_text(story, account, month)
    return {path: text.encode() for path, text in texts.items()}


def write_files(folder: Path = FOLDER) -> None:
    for path, content in generated_files().items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


if __name__ == "__main__":
    write_files()
