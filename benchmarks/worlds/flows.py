"""What happens in a company, written by both sides with their habits and mistakes."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from benchmarks.worlds.banks import Bank, Digits, Told
from benchmarks.worlds.books import Writer
from benchmarks.worlds.ledgers import Entry, Ledger
from benchmarks.worlds.names import Party

PRICED_SHARE = 0.12
PRICES = (
    *(999, 1299, 1500, 1999, 2499, 2900, 4900, 4999, 7500, 9900, 9999, 12500, 14900, 19900),
    *(24900, 29900, 49900, 75000, 99900, 125000, 150000, 240000),
)
"""What things cost everywhere, so that amounts with odd cents meet by chance as well."""

PURPOSES = (
    "Office supplies",
    "Consulting",
    "Monthly service",
    "Software subscription",
    "Repairs",
    "Materials",
    "Travel",
    "Insurance",
    "Advertising",
    "Equipment rental",
    "Utilities",
    "Professional fees",
    "Freight",
    "Meals",
    "Training",
)


@dataclass(frozen=True, slots=True)
class Habits:
    """How a company keeps its books; shares of all events.

    Attributes:
        slow: Factor on the days that a cheque takes.
        late: Booked after the bank shows it.
        wrong: Mistyped amounts.
        wrong_number: Mistyped cheque numbers.
        referenced: Document numbers that the bank shows too.
        card_days: Days that card purchases take at most.
        unposted: Not at the bank by the end; likewise `unbooked` not in the books.
        twice: Booked twice by mistake.
        foreign: Bills in another currency, booked at an estimated rate.
    """

    slow: float = 1.0
    late: float = 0.06
    wrong: float = 0.01
    wrong_number: float = 0.005
    referenced: float = 0.25
    card_days: int = 3
    unposted: float = 0.06
    unbooked: float = 0.05
    twice: float = 0.003
    foreign: float = 0.01


def drawn_habits(rng: random.Random, **fixed: float) -> Habits:
    """Return the habits of one company."""
    drawn = {
        "slow": rng.choice([0.7, 1.0, 1.8]),
        "late": rng.choice([0.02, 0.06, 0.15]),
        "wrong": rng.choice([0.004, 0.01, 0.02]),
        "wrong_number": rng.choice([0.0, 0.005, 0.02]),
        "referenced": rng.choice([0.05, 0.25, 0.5]),
        "card_days": rng.choice([2, 3, 5]),
        "unposted": rng.choice([0.02, 0.06, 0.1]),
        "unbooked": rng.choice([0.02, 0.05, 0.1]),
        **fixed,
    }
    return Habits(**{**drawn, "card_days": int(drawn["card_days"])})  # type: ignore[arg-type]


@dataclass(slots=True)
class Company:
    """One company with its bank, its books and the number of its next cheque."""

    writer: Writer
    own: str
    bank: Bank
    ledger: Ledger
    habits: Habits
    number: int = 1000
    document_form: str = ""

    def __post_init__(self) -> None:
        self.writer.currency = self.bank.currency
        self.number += self.writer.rng.randrange(400)
        self.document_form = self.writer.cast_rng.choice(self.ledger.documents)

    @property
    def rng(self) -> random.Random:
        return self.writer.rng

    def cast(self, count: int, make: Callable[[random.Random, int], Party]) -> list[Party]:
        return [make(self.writer.cast_rng, self.writer.half) for _ in range(count)]

    def document(self) -> str:
        return self.document_form.format(d=Digits(self.rng))

    def booked(self, day: date, amount_minor: int, entry: Entry, *, currency: str = "") -> str:
        """Write one GL entry the way this bookkeeper does, mistakes included."""
        if self.rng.random() < self.habits.wrong:
            amount_minor = mistyped(self.rng, amount_minor)
        said = self.ledger.write(self.rng, entry)
        return self.writer.gl_entry(
            day, amount_minor, said, party=entry.party.ledger, currency=currency
        )

    def posted(self, day: date, amount_minor: int, channel: str, told: Told) -> str:
        return self.writer.bank_line(day, amount_minor, self.bank.line(self.rng, channel, told))

    def pay(
        self,
        party: Party,
        channel: str,
        amount_minor: int,
        *,
        day: date | None = None,
        purpose: str = "",
        word: str = "",
        lag: int | None = None,
    ) -> None:
        """Write one event: usually on both sides, sometimes on one, sometimes voided."""
        rng, habits, out = self.rng, self.habits, amount_minor < 0
        day = day or self.writer.day()
        number = 0
        if channel == "cheque":
            channel = "cheque" if out else "deposit"
            if out:
                self.number += 1
                number = self.number
        bank_day = day + timedelta(days=self.lag_days(channel) if lag is None else lag)
        document = "" if number else self.document()
        shown = document if rng.random() < habits.referenced else ""
        wrong_number = number and rng.random() < habits.wrong_number
        entry = Entry(
            party,
            day,
            purpose or rng.choice(PURPOSES),
            document,
            int(str(number)[::-1]) if wrong_number else number,
        )
        told = Told(party, bank_day, self.own, out, word or _word(rng), shown, number)
        self._both(entry, told, channel, amount_minor)

    def _both(self, entry: Entry, told: Told, channel: str, amount_minor: int) -> None:
        rng, habits, day = self.rng, self.habits, entry.day
        gl_ids, bank_ids = [], []
        if rng.random() >= habits.unbooked:
            booked_minor = amount_minor
            if rng.random() < habits.foreign:
                booked_minor = round(amount_minor * rng.uniform(0.985, 1.015))
            gl_ids.append(self.booked(day, booked_minor, entry))
            if rng.random() < habits.twice:
                self.booked(day + timedelta(days=rng.randrange(4)), amount_minor, entry)
        roll = rng.random()
        if roll < 0.01 and gl_ids:
            self._void(entry, amount_minor)
            return
        if rng.random() >= habits.unposted:
            bank_ids.append(self.posted(told.day, amount_minor, channel, told))
            if roll > 0.997:  # the bank takes it back, which the books do not know yet
                back = told.day + timedelta(days=rng.randrange(1, 5))
                self.posted(back, -amount_minor, channel, replace(told, out=not told.out))
        self.writer.link(bank_ids, gl_ids)

    def _void(self, entry: Entry, amount_minor: int) -> None:
        description, reference, named = self.ledger.write(self.rng, entry)
        day = entry.day + timedelta(days=self.rng.randrange(1, 9))
        self.writer.gl_entry(day, -amount_minor, (f"VOID {description}", reference, named))

    def lag_days(self, channel: str) -> int:
        """Return the days from ledger to bank."""
        rng, habits = self.rng, self.habits
        if rng.random() < habits.late:
            return -rng.choice([1, 1, 2, 2, 3, 4, 5, 7, 9])
        if channel == "cheque":
            return min(int(rng.lognormvariate(1.7, 0.7) * habits.slow), 85)
        if channel == "card":
            return rng.randrange(habits.card_days + 1)
        usual = {"wire": [0, 0, 0, 1], "ach": [0, 1, 1, 2, 3], "deposit": [0, 0, 1, 1, 2, 3]}
        return rng.choice(usual.get(channel, [0, 1, 1, 2]))


def _word(rng: random.Random) -> str:
    return rng.choice(["PAYMENT", "EDI PYMNTS", "BILL PAY", "ACH PMT", "INVOICE", "VENDOR PMT"])


def amount(rng: random.Random, low: int, high: int, round_share: float = 0.15) -> int:
    """Return an amount in minor units, log-uniform, some of them round."""
    if rng.random() < PRICED_SHARE:
        priced = [p for p in PRICES if low * 100 <= p <= high * 100]
        if priced:
            return rng.choice(priced)
    value = int(100 * low * (high / low) ** rng.random())
    if rng.random() < round_share:
        step = 100_00 if value > 1000_00 else 25_00 if value > 100_00 else 5_00
        return max(step, value // step * step)
    return value


def mistyped(rng: random.Random, amount_minor: int) -> int:
    """Return the amount as a tired person types it."""
    text = str(abs(amount_minor))
    place = rng.randrange(max(len(text) - 1, 1))
    if rng.random() < 0.5 and len(text) > 2:
        text = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    else:
        text = text[:place] + rng.choice("0123456789") + text[place + 1 :]
    return int(text) * (1 if amount_minor > 0 else -1)


def decoys(company: Company, parties: Sequence[Party], count: int) -> None:
    """A bank line and a GL entry of two payments that chance gave the same amount and week.

    Chance does so mostly where few amounts are possible: small ones, prices and round sums.
    """
    rng = company.rng
    for _ in range(count):
        common = rng.random() < 0.4
        value = -(rng.choice(PRICES) if common else amount(rng, 8, 1500, 0.4))
        day = company.writer.day()
        one, other = rng.sample(parties, 2)
        channel = rng.choice(["card", "ach", "cheque", "wire", "person"])
        bank_day = day + timedelta(days=rng.choice([0, 1, 1, 2, 3, 5]))
        told = Told(one, bank_day, company.own, out=True, number=rng.randrange(1000, 9999))
        company.posted(bank_day, value, channel, told)
        entry = Entry(other, day, rng.choice(PURPOSES), company.document())
        company.booked(day, value, entry)


def bank_only(company: Company, count: int) -> None:
    """Fees and interest that the books do not know yet."""
    rng = company.rng
    for _ in range(count):
        text, value = rng.choice(
            [
                ("SERVICE FEE", -rng.choice([1500, 2500, 3500])),
                ("WIRE TRANSFER FEE", -rng.choice([1500, 3000])),
                ("INTEREST PAID", rng.randrange(20, 900)),
                ("OVERDRAFT FEE", -3500),
                ("ACCOUNT ANALYSIS FEE", -rng.randrange(900, 9000)),
            ]
        )
        company.writer.bank_line(company.writer.day(), value, (text, "", ""))


def bank_fees_booked(company: Company, count: int) -> None:
    """Fees that the bookkeeper enters from last month's habit, in words of their own."""
    rng, fee = company.rng, Party("Bank", "SERVICE FEE", "")
    for _ in range(count):
        value, day = -rng.choice([1500, 2500, 3500, 4250]), company.writer.day()
        said = rng.choice(["Bank charges", "Bank fee", "Monthly bank service charge"])
        gl_id = company.writer.gl_entry(day, value, (said, "", rng.choice(["", fee.ledger])))
        text = rng.choice(["MONTHLY SERVICE FEE", "ANALYSIS SERVICE CHARGE", "MAINTENANCE FEE"])
        lag = timedelta(days=rng.choice([-1, 0, 0, 1]))
        company.writer.link([company.writer.bank_line(day + lag, value, (text, "", ""))], [gl_id])


def other_currency(company: Company, party: Party, amount_minor: int) -> None:
    """An entry in another currency on the same account: never the partner of this account's line."""
    day = company.writer.day()
    entry = Entry(party, day, "Foreign bill", company.document())
    other = "EUR" if company.bank.currency == "USD" else "USD"
    company.booked(day, amount_minor, entry, currency=other)
