"""The demo company's books and bank, as they are being written.

A `Books` holds what both sides wrote down and which of it belongs together.  An entry
whose bank line would fall after the last demo day keeps no bank line: it is outstanding.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

SEED: Final = "northgate-2026"
"""Every drawn number comes from this text, so the same files come out everywhere."""

FIRST_DAY: Final = date(2026, 8, 1)
LAST_DAY: Final = date(2026, 10, 31)
OPENING_DAY: Final = date(2026, 7, 31)
BANK_HOLIDAYS: Final = frozenset({date(2026, 9, 7), date(2026, 10, 12), date(2026, 11, 11)})

OPERATING: Final = "1000"
RESERVE: Final = "1010"
BANK_ACCOUNTS: Final = (OPERATING, RESERVE)


def draw(key: str, low: int, high: int) -> int:
    """Return the number from low to high, both included, that belongs to this key.

    Hashing, not `random`: a draw added to the story leaves all others as they were.
    """
    digest = hashlib.sha256(f"{SEED}|{key}".encode()).digest()
    return low + int.from_bytes(digest[:8]) % (high - low + 1)


def digits(key: str, length: int) -> str:
    """Return the trace or reference number that belongs to this key."""
    return str(draw(f"digits {key}", 10 ** (length - 1), 10**length - 1))


def month_of(day: date) -> str:
    return f"{day:%Y-%m}"


def month_end(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def is_business_day(day: date) -> bool:
    return day.weekday() < 5 and day not in BANK_HOLIDAYS  # noqa: PLR2004  Saturday is 5


def next_business_day(day: date) -> date:
    """Return the day itself when banks post on it, else the first one after it."""
    while not is_business_day(day):
        day += timedelta(days=1)
    return day


def business_days_after(day: date, count: int) -> date:
    """Return the day that many banking days later; a negative count goes back."""
    step = timedelta(days=1 if count > 0 else -1)
    for _ in range(abs(count)):
        day += step
        while not is_business_day(day):
            day += step
    return day


def last_business_day(day: date) -> date:
    end = month_end(day)
    return end if is_business_day(end) else business_days_after(end, -1)


@dataclass(frozen=True, slots=True, eq=False)
class BankLine:
    """One line of a bank statement; money in is positive."""

    account_number: str
    posted: date
    amount_minor: int
    description: str
    kind: str
    check_number: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class LedgerLine:
    """One line of a journal; debits are positive."""

    account_number: str
    amount_minor: int
    description: str
    counterparty: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Journal:
    entered: date
    lines: tuple[LedgerLine, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """What truly belongs together.

    `adjust_to` names the GL account that takes what the ledger lines lack against the
    bank lines; it is empty where the two sides are equal.
    """

    habit: str
    bank: tuple[BankLine, ...]
    ledger: tuple[LedgerLine, ...]
    adjust_to: str = ""
    memo: str = ""

    @property
    def adjustment_minor(self) -> int:
        bank_minor = sum(line.amount_minor for line in self.bank)
        return bank_minor - sum(line.amount_minor for line in self.ledger)


@dataclass(slots=True)
class Books:
    """Everything written down so far; `settle` keeps the two sides honest."""

    journals: list[Journal] = field(default_factory=list)
    matches: list[Match] = field(default_factory=list)

    def enter(self, entered: date, *lines: LedgerLine) -> tuple[LedgerLine, ...]:
        """Post a balanced journal and return its lines; one dated after the end is not posted."""
        assert sum(line.amount_minor for line in lines) == 0, lines
        if entered <= LAST_DAY:
            self.journals.append(Journal(entered, lines))
        return lines

    def cash(
        self,
        entered: date,
        amount_minor: int,
        contra: str,
        description: str,
        *,
        counterparty: str = "",
        reference: str = "",
        account_number: str = OPERATING,
    ) -> LedgerLine:
        """Post one movement of a bank account against one other account; return its bank side."""
        bank_side = LedgerLine(account_number, amount_minor, description, counterparty, reference)
        contra_side = LedgerLine(contra, -amount_minor, description, counterparty, reference)
        return self.enter(entered, bank_side, contra_side)[0]

    def settle(
        self,
        habit: str,
        bank: list[BankLine],
        ledger: list[LedgerLine],
        *,
        adjust_to: str = "",
        memo: str = "",
    ) -> None:
        """Record that these bank lines are these ledger lines, unless the bank comes too late."""
        if max(line.posted for line in bank) > LAST_DAY:
            assert min(line.posted for line in bank) > LAST_DAY, bank
            return
        match = Match(habit, tuple(bank), tuple(ledger), adjust_to, memo)
        assert bool(match.adjustment_minor) == bool(adjust_to), match
        self.matches.append(match)
