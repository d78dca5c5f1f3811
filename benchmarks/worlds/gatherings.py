"""One line for several: bills paid together, deposits of many receipts, payouts, split payments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from benchmarks.worlds.banks import Digits, Told
from benchmarks.worlds.flows import PURPOSES, Company, amount
from benchmarks.worlds.ledgers import Entry
from benchmarks.worlds.names import Party


def several_bills(company: Company, party: Party, channel: str, count: int) -> None:
    """One bank payment for several bills of one vendor, booked on one day or on several."""
    rng, day = company.rng, company.writer.day()
    amounts = [-amount(rng, 40, 3000) for _ in range(count)]
    documents = [company.document() for _ in amounts]
    number = 0
    if channel == "cheque":
        company.number += 1
        number = company.number
    spread = rng.choice([0, 0, 0, 4])
    bank_day = day + timedelta(days=spread + abs(company.lag_days(channel)))
    shown = " ".join(documents) if rng.random() < company.habits.referenced else ""
    told = Told(party, bank_day, company.own, out=True, remittance=shown, number=number)
    ours = [company.posted(bank_day, sum(amounts), channel, told)]
    theirs = [
        company.writer.gl_entry(
            booked_on := day + timedelta(days=rng.randrange(spread + 1)),
            value,
            company.ledger.write(
                rng, Entry(party, booked_on, rng.choice(PURPOSES), document, number)
            ),
            party=party.ledger,
        )
        for value, document in zip(amounts, documents, strict=True)
    ]
    company.writer.link(ours, theirs)


def several_invoices(company: Company, party: Party, channel: str, count: int) -> None:
    """A customer pays several invoices at once and sometimes says which."""
    rng, day = company.rng, company.writer.day()
    amounts = [amount(rng, 200, 9000, 0.2) for _ in range(count)]
    documents = [company.document() for _ in amounts]
    bank_day = day + timedelta(days=abs(company.lag_days(channel)))
    shown = " ".join(documents) if rng.random() < company.habits.referenced else ""
    told = Told(party, bank_day, company.own, out=False, remittance=shown)
    ours = [company.posted(bank_day, sum(amounts), channel, told)]
    theirs = [
        company.writer.gl_entry(
            day,
            value,
            company.ledger.write(rng, Entry(party, day, "Invoice payment", document)),
            party=party.ledger,
        )
        for value, document in zip(amounts, documents, strict=True)
    ]
    company.writer.link(ours, theirs)


def split_payment(company: Company, party: Party) -> None:
    """One bill in the books, paid in two or three parts."""
    rng, day = company.rng, company.writer.day()
    parts = [-amount(rng, 60, 2500) for _ in range(rng.choice([2, 2, 3]))]
    ours = []
    for part in parts:
        bank_day = day + timedelta(days=rng.randrange(6))
        told = Told(party, bank_day, company.own, out=True)
        ours.append(company.posted(bank_day, part, rng.choice(["card", "ach"]), told))
    entry = Entry(party, day, rng.choice(PURPOSES), company.document())
    said = company.ledger.write(rng, entry)
    company.writer.link(ours, [company.writer.gl_entry(day, sum(parts), said)])


def batch_deposit(
    company: Company, parties: Sequence[Party], low: int, high: int, round_share: float
) -> None:
    """Several receipts taken to the bank together; sometimes the slip's number stands on all."""
    rng, day = company.rng, company.writer.day()
    slip = int(Digits(rng)[6]) + 1
    slipped = rng.random() < 0.4
    amounts = [amount(rng, low, high, round_share) for _ in parties]
    theirs = []
    for party, value in zip(parties, amounts, strict=True):
        text = rng.choice([f"Receipt {party.ledger}", "Deposit", "Payment received"])
        reference = rng.choice([f"DEP {slip}", str(slip)]) if slipped else ""
        theirs.append(company.writer.gl_entry(day, value, (text, reference, party.ledger)))
    bank_day = day + timedelta(days=rng.choice([0, 0, 1, 1, 2]))
    told = Told(parties[0], bank_day, company.own, out=False, number=slip if slipped else 0)
    company.writer.link([company.posted(bank_day, sum(amounts), "deposit", told)], theirs)


def payroll(company: Company, provider: Party, staff: Sequence[Party], day: date) -> None:
    """Wages leave in one sum through a provider; the books have one entry for each person."""
    rng = company.rng
    wages = [-amount(rng, 900, 4200, 0.0) for _ in staff]
    theirs = [
        company.writer.gl_entry(
            day, wage, (f"Payroll {day:%m/%d} {person.ledger}", "", provider.ledger)
        )
        for person, wage in zip(staff, wages, strict=True)
    ]
    bank_day = day + timedelta(days=rng.choice([-1, 0, 0, 1]))
    told = Told(provider, bank_day, company.own, out=True, word="PAYROLL")
    company.writer.link([company.posted(bank_day, sum(wages), "ach", told)], theirs)


def payout(
    company: Company, processor: Party, gross: Sequence[int], *, day: date, entries: str
) -> None:
    """A card processor pays out sales less fees; the books hold it `net`, `gross` or `daily`."""
    rng, writer = company.rng, company.writer
    fees = [-(round(g * 0.029) + 30) for g in gross]
    net = sum(gross) + sum(fees)
    batch = f"ST-{Digits(rng)[8]}"
    bank_day = day + timedelta(days=rng.choice([1, 2, 2, 3]))
    told = Told(
        processor,
        bank_day,
        company.own,
        out=False,
        word=rng.choice(["TRANSFER", "PAYOUT", "BNKCD DEP", "SETTLEMENT"]),
        remittance=batch,
    )
    ours = [company.posted(bank_day, net, "payout", told)]
    name = processor.ledger
    reference = batch if rng.random() < 0.4 else ""
    if entries == "net":
        theirs = [writer.gl_entry(day, net, (f"{name} payout", reference, name))]
    else:
        days = [day - timedelta(days=k if entries == "daily" else 0) for k in range(len(gross))]
        theirs = [
            writer.gl_entry(on, g, (f"{name} sales {on:%m/%d}", reference, name))
            for on, g in zip(days, gross, strict=True)
        ]
        said = (f"{name} fees {day:%m/%d}", reference, name)
        theirs.append(writer.gl_entry(day, sum(fees), said))
    writer.link(ours, theirs)
