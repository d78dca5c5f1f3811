"""What happens in a company, written by both sides with their habits and mistakes."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from benchmarks.worlds import descriptors
from benchmarks.worlds.books import Writer
from benchmarks.worlds.names import Party

MISSING_AT_BANK = 0.06
MISSING_IN_BOOKS = 0.05
PRICED_SHARE = 0.12
PRICES = (
    999,
    1299,
    1500,
    1999,
    2499,
    2900,
    4900,
    4999,
    7500,
    9900,
    9999,
    12500,
    14900,
    19900,
    24900,
    29900,
    49900,
    75000,
    99900,
    125000,
    150000,
    240000,
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
    """How a company keeps its books.

    Attributes:
        named: Share of entries with the counterparty in its own column.
        slow: Factor on the days that a cheque takes.
        late: Share of entries booked after the bank shows them.
        wrong: Share of entries with a mistyped amount.
        referenced: Share of entries whose reference the bank shows too.
        card_days: Days that card settlements take at most.
    """

    named: float = 0.8
    slow: float = 1.0
    late: float = 0.06
    wrong: float = 0.01
    referenced: float = 0.25
    card_days: int = 3


def lag_days(rng: random.Random, channel: str, habits: Habits) -> int:
    """Return the days from ledger to bank."""
    if rng.random() < habits.late:
        return -rng.choice([1, 1, 2, 2, 3, 4, 5, 7, 9])
    if channel == "cheque":
        return min(int(rng.lognormvariate(1.7, 0.7) * habits.slow), 85)
    if channel == "card":
        return rng.randrange(habits.card_days + 1)
    return rng.choice(
        {"wire": [0, 0, 0, 1], "ach": [0, 1, 1, 2, 3], "deposit": [0, 0, 1, 1, 2, 3]}.get(
            channel, [0, 1, 1, 2]
        )
    )


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


def decoys(writer: Writer, parties: list[Party], own: str, count: int) -> None:
    """A bank line and a GL entry of two payments that chance gave the same amount and week."""
    rng = writer.rng
    for _ in range(count):
        value = -amount(rng, 8, 4000, 0.3)
        day = writer.day()
        one, other = rng.sample(parties, 2)
        channel = rng.choice(["card", "ach", "cheque", "wire", "person"])
        text, reference = described(
            writer, one, channel, day, own, out=True, number=rng.randrange(1000, 9999)
        )
        writer.bank_line(
            day + timedelta(days=rng.choice([0, 1, 1, 2, 3, 5])), value, text, reference
        )
        booked(writer, Habits(), other, day, value)


def mistyped(rng: random.Random, amount_minor: int) -> int:
    """Return the amount as a tired person types it."""
    text = str(abs(amount_minor))
    place = rng.randrange(max(len(text) - 1, 1))
    if rng.random() < 0.5 and len(text) > 2:
        text = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    else:
        text = text[:place] + rng.choice("0123456789") + text[place + 1 :]
    return int(text) * (1 if amount_minor > 0 else -1)


def booked(
    writer: Writer,
    habits: Habits,
    party: Party,
    day: date,
    amount_minor: int,
    *,
    purpose: str = "",
    reference: str = "",
) -> str:
    """Write one GL entry the way a bookkeeper does."""
    rng = writer.rng
    purpose = purpose or rng.choice(PURPOSES)
    if rng.random() < habits.wrong:
        amount_minor = mistyped(rng, amount_minor)
    if rng.random() < habits.named:
        description = rng.choice(
            [purpose, f"{purpose} {day:%B}", party.ledger, f"{party.ledger} - {purpose}", ""]
        )
        return writer.gl_entry(
            day, amount_minor, description, counterparty=party.ledger, reference=reference
        )
    description = rng.choice(
        [f"{party.ledger} {purpose}", f"{purpose} - {party.ledger}", party.ledger, purpose]
    )
    return writer.gl_entry(day, amount_minor, description, reference=reference)


def described(
    writer: Writer,
    party: Party,
    channel: str,
    day: date,
    own: str,
    *,
    out: bool,
    number: int = 0,
    word: str = "",
) -> tuple[str, str]:
    """Return the bank's description and reference."""
    rng = writer.rng
    if channel == "cheque":
        return descriptors.cheque(rng, number) if out else (descriptors.deposit(rng), "")
    if channel == "card":
        return descriptors.card(rng, party, day), ""
    if channel == "wire":
        return descriptors.wire(rng, party, day, out=out), ""
    if channel == "person":
        return descriptors.person(rng, party, out=out), ""
    if channel == "deposit":
        return descriptors.deposit(rng), ""
    return descriptors.ach(rng, party, day, own, word), ""


def payment(
    writer: Writer,
    habits: Habits,
    party: Party,
    channel: str,
    amount_minor: int,
    own: str,
    *,
    day: date | None = None,
    purpose: str = "",
    number: int = 0,
) -> None:
    """Write one event: usually on both sides, sometimes on one, sometimes voided."""
    rng = writer.rng
    day = day or writer.day()
    out = amount_minor < 0
    bank_day = day + timedelta(days=lag_days(rng, channel, habits))
    text, bank_reference = described(writer, party, channel, bank_day, own, out=out, number=number)
    reference = ""
    if channel == "cheque" and out:
        reference = rng.choice([str(number), str(number), f"CHK {number}", ""])
    elif rng.random() < 0.5:
        reference = f"{rng.choice(['INV-', 'B', ''])}{descriptors.digits(rng, 5)}"
        if rng.random() < habits.referenced:
            text += f" {reference}"
    gl_ids, bank_ids = [], []
    if rng.random() >= MISSING_IN_BOOKS:
        gl_ids.append(
            booked(writer, habits, party, day, amount_minor, purpose=purpose, reference=reference)
        )
    if rng.random() < 0.01 and gl_ids:
        writer.gl_entry(
            day + timedelta(days=rng.randrange(1, 9)),
            -amount_minor,
            f"VOID {party.ledger}",
            counterparty=party.ledger,
            reference=reference,
        )
        return
    if rng.random() >= MISSING_AT_BANK:
        bank_ids.append(writer.bank_line(bank_day, amount_minor, text, bank_reference))
    writer.link(bank_ids, gl_ids)


def several_bills(
    writer: Writer, habits: Habits, party: Party, channel: str, own: str, count: int
) -> None:
    """One bank payment for several bills of one vendor, or one deposit for several receipts."""
    rng = writer.rng
    day = writer.day()
    amounts = [-amount(rng, 40, 3000) for _ in range(count)]
    bank_day = day + timedelta(days=abs(lag_days(rng, channel, habits)))
    number = rng.randrange(1000, 9999)
    text, reference = described(writer, party, channel, bank_day, own, out=True, number=number)
    ours = [writer.bank_line(bank_day, sum(amounts), text, reference)]
    theirs = [
        booked(writer, habits, party, day, a, reference=str(number) if channel == "cheque" else "")
        for a in amounts
    ]
    writer.link(ours, theirs)


def split_payment(writer: Writer, habits: Habits, party: Party, own: str) -> None:
    """One bill in the books, paid in two or three parts."""
    rng = writer.rng
    day = writer.day()
    parts = [-amount(rng, 60, 2500) for _ in range(rng.choice([2, 2, 3]))]
    ours = []
    for part in parts:
        bank_day = day + timedelta(days=rng.randrange(6))
        text, reference = described(
            writer, party, rng.choice(["card", "ach"]), bank_day, own, out=True
        )
        ours.append(writer.bank_line(bank_day, part, text, reference))
    writer.link(ours, [booked(writer, habits, party, day, sum(parts))])


def batch_deposit(
    writer: Writer, parties: list[Party], low: int, high: int, round_share: float
) -> None:
    """Several receipts taken to the bank together; sometimes the slip's number stands on all."""
    rng = writer.rng
    day = writer.day()
    slip = descriptors.digits(rng, 6)
    slipped = rng.random() < 0.5
    amounts = [amount(rng, low, high, round_share) for _ in parties]
    theirs = []
    for party, value in zip(parties, amounts, strict=True):
        text = rng.choice([f"Receipt {party.ledger}", "Deposit", "Payment received"])
        reference = f"DEP {slip}" if slipped else ""
        theirs.append(
            writer.gl_entry(day, value, text, counterparty=party.ledger, reference=reference)
        )
    bank_day = day + timedelta(days=rng.choice([0, 0, 1, 1, 2]))
    text = f"DEPOSIT ID NUMBER {slip}" if slipped else descriptors.deposit(rng)
    writer.link([writer.bank_line(bank_day, sum(amounts), text)], theirs)


def payout(
    writer: Writer,
    processor: str,
    days_before: int,
    gross: list[int],
    *,
    day: date,
    one_entry: bool,
) -> None:
    """A card processor pays out sales less fees."""
    rng = writer.rng
    fees = [-(round(g * 0.029) + 30) for g in gross]
    net = sum(gross) + sum(fees)
    batch = descriptors.digits(rng, 8)
    bank_day = day + timedelta(days=days_before)
    text = rng.choice(
        [
            f"{processor.upper()} DES:TRANSFER ID:ST-{batch} INDN:OWN STORE CO ID:{descriptors.digits(rng, 10)} CCD",
            f"ORIG CO NAME:{processor.upper()} CO ENTRY DESCR:PAYOUT SEC:CCD IND ID:ST-{batch}",
        ]
    )
    ours = [writer.bank_line(bank_day, net, text)]
    if one_entry:
        writer.link(
            ours, [writer.gl_entry(day, net, f"{processor} payout", counterparty=processor)]
        )
        return
    known = rng.random() < 0.5
    reference = f"ST-{batch}" if known else ""
    theirs = [
        writer.gl_entry(
            day, g, f"{processor} sales {day:%m/%d}", counterparty=processor, reference=reference
        )
        for g in gross
    ]
    theirs.append(
        writer.gl_entry(
            day,
            sum(fees),
            f"{processor} fees {day:%m/%d}",
            counterparty=processor,
            reference=reference,
        )
    )
    writer.link(ours, theirs)


def bank_only(writer: Writer, count: int) -> None:
    """Fees and interest that the books do not know yet."""
    rng = writer.rng
    for _ in range(count):
        text, value = rng.choice(
            [
                ("SERVICE FEE", -rng.choice([1500, 2500, 3500])),
                ("WIRE TRANSFER FEE", -rng.choice([1500, 3000])),
                ("INTEREST PAID", rng.randrange(20, 900)),
                ("OVERDRAFT FEE", -3500),
            ]
        )
        writer.bank_line(writer.day(), value, text)
