"""The worlds: four to learn from, three to be measured on."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

from benchmarks.worlds.books import World, Writer
from benchmarks.worlds.flows import (
    Habits,
    amount,
    bank_only,
    batch_deposit,
    booked,
    decoys,
    payment,
    payout,
    several_bills,
    split_payment,
)
from benchmarks.worlds.names import Party, committee, company, person


def _cast(
    writer: Writer, count: int, make: Callable[[random.Random, int], Party] = company
) -> list[Party]:
    return [make(writer.cast_rng, writer.half) for _ in range(count)]


def _habits(writer: Writer, **fixed: float) -> Habits:
    rng = writer.cast_rng
    drawn = {
        "named": rng.choice([0.5, 0.8, 0.95]),
        "slow": rng.choice([0.7, 1.0, 1.8]),
        "late": rng.choice([0.02, 0.06, 0.15]),
        "wrong": rng.choice([0.004, 0.01, 0.02]),
        "referenced": rng.choice([0.05, 0.25, 0.5]),
        "card_days": rng.choice([2, 3, 5]),
    }
    return Habits(**{**drawn, **fixed})


def services_firm(writer: Writer, events: int) -> None:
    """Subscriptions and bills by card, ACH and cheque; clients pay by ACH and wire; payroll."""
    habits = _habits(writer)
    vendors, clients = _cast(writer, 60), _cast(writer, 25)
    recurring = [
        (v, -amount(writer.cast_rng, 15, 900, 0.4), writer.cast_rng.choice(["card", "ach"]))
        for v in _cast(writer, 14)
    ]
    number = 1000 + writer.rng.randrange(400)
    rng, own = writer.rng, "NORTHWIND ADVISORY"
    for vendor, value, channel in recurring:
        for month in range(max(1, writer.days // 30)):
            payment(
                writer,
                habits,
                vendor,
                channel,
                value,
                own,
                day=writer.start + timedelta(days=30 * month + rng.randrange(3)),
            )
    for _ in range(int(events * 0.5)):
        channel = rng.choice(["card", "card", "ach", "ach", "cheque", "wire"])
        number += 1
        payment(
            writer, habits, rng.choice(vendors), channel, -amount(rng, 12, 6000), own, number=number
        )
    for _ in range(int(events * 0.22)):
        payment(
            writer,
            habits,
            rng.choice(clients),
            rng.choice(["ach", "ach", "wire", "deposit"]),
            amount(rng, 400, 40000, 0.35),
            own,
            purpose="Invoice payment",
        )
    for _ in range(int(events * 0.02)):
        several_bills(
            writer,
            habits,
            rng.choice(vendors),
            rng.choice(["ach", "cheque"]),
            own,
            rng.randrange(2, 5),
        )
    for _ in range(int(events * 0.02)):
        batch_deposit(writer, rng.sample(clients, rng.randrange(2, 5)), 100, 4000, 0.3)
    for _ in range(int(events * 0.01)):
        split_payment(writer, habits, rng.choice(vendors), own)
    decoys(writer, vendors, own, int(events * 0.025))
    bank_only(writer, int(events * 0.03))


def retailer(writer: Writer, events: int) -> None:
    """Daily card payouts less fees, cash deposits, many small card purchases, instalments."""
    habits = _habits(writer)
    vendors, rng, own = _cast(writer, 80), writer.rng, "CORNER SHOP LLC"
    processor = writer.cast_rng.choice(["Stripe", "Square", "Shopify Payments"])
    number = 2000
    for place in range(int(events * 0.2)):
        day = writer.start + timedelta(days=place % max(writer.days, 1))
        gross = [amount(rng, 80, 2500, 0.02) for _ in range(rng.choice([1, 1, 2, 3]))]
        payout(
            writer,
            processor,
            rng.choice([1, 2, 2, 3]),
            gross,
            day=day,
            one_entry=rng.random() < 0.6,
        )
    cash = Party("Cash sales", "CASH", "")
    for _ in range(int(events * 0.15)):
        payment(
            writer, habits, cash, "deposit", amount(rng, 100, 3000, 0.5), own, purpose="Cash sales"
        )
    for _ in range(int(events * 0.5)):
        channel = rng.choice(["card", "card", "card", "ach", "cheque"])
        number += 1
        payment(
            writer, habits, rng.choice(vendors), channel, -amount(rng, 5, 2500), own, number=number
        )
    lender, value = _cast(writer, 1)[0], -amount(writer.cast_rng, 200, 900, 0.8)
    for week in range(max(1, writer.days // 7)):
        payment(
            writer,
            habits,
            lender,
            "ach",
            value,
            own,
            day=writer.start + timedelta(days=7 * week),
            purpose="Loan instalment",
        )
    for _ in range(int(events * 0.02)):
        several_bills(writer, habits, rng.choice(vendors), "ach", own, rng.randrange(2, 5))
    decoys(writer, vendors, own, int(events * 0.025))
    bank_only(writer, int(events * 0.04))


def non_profit(writer: Writer, events: int) -> None:
    """Round gifts from many people, grants paid by slow cheques."""
    habits = _habits(writer, slow=2.0)
    donors, grantees = _cast(writer, 150, person), _cast(writer, 50)
    rng, own = writer.rng, "HELPING HANDS FDN"
    number = 3000
    sums = [2500, 5000, 10000, 10000, 25000, 50000, 100000]
    for _ in range(int(events * 0.45)):
        payment(
            writer,
            habits,
            rng.choice(donors),
            rng.choice(["person", "ach", "deposit"]),
            rng.choice(sums),
            own,
            purpose="Donation",
        )
    for _ in range(int(events * 0.35)):
        number += 1
        payment(
            writer,
            habits,
            rng.choice(grantees),
            rng.choice(["cheque", "cheque", "ach", "wire"]),
            -rng.choice([*sums, 250000, 500000]),
            own,
            purpose="Grant",
            number=number,
        )
    for _ in range(int(events * 0.12)):
        payment(writer, habits, rng.choice(grantees), "card", -amount(rng, 8, 900), own)
    for _ in range(int(events * 0.03)):
        batch_deposit(writer, rng.sample(donors, rng.randrange(2, 7)), 20, 900, 0.8)
    decoys(writer, grantees, own, int(events * 0.025))
    bank_only(writer, int(events * 0.02))


def association(writer: Writer, events: int) -> None:
    """Grants and dues among organizations: round sums, posted slowly, names written otherwise."""
    habits = _habits(writer, slow=1.8)
    members, rng, own = (
        _cast(writer, 120, committee) + _cast(writer, 60),
        writer.rng,
        "UNITED TRADES ASSN",
    )
    sums = [25000, 50000, 50000, 100000, 100000, 150000, 200000, 500000]
    slow = writer.cast_rng.choice([1.2, 1.5, 1.9])
    for _ in range(int(events * 0.8)):
        party, day, value = rng.choice(members), writer.day(), -rng.choice(sums)
        gl_ids, bank_ids = [], []
        if rng.random() > 0.08:
            gl_ids = [booked(writer, habits, party, day, value, purpose="Grant")]
        if rng.random() > 0.08:
            lag = (
                min(int(rng.lognormvariate(slow, 0.8)), 75)
                if rng.random() > 0.04
                else -rng.randrange(1, 10)
            )
            text = party.bank[: rng.choice([16, 22, 40])]
            if rng.random() < 0.3:
                text = f"BILL PAYMENT {text} {rng.randrange(10**6)}"
            bank_ids = [writer.bank_line(day + timedelta(days=lag), value, text)]
        writer.link(bank_ids, gl_ids)
    for _ in range(int(events * 0.12)):
        payment(writer, habits, rng.choice(members), "card", -amount(rng, 20, 900), own)
    decoys(writer, members, own, int(events * 0.025))
    bank_only(writer, int(events * 0.02))


def campaign(writer: Writer, events: int) -> None:
    """Contributions between committees: round sums, names written otherwise, slow, no numbers."""
    habits = _habits(writer, slow=2.2, wrong=0.003)
    friends, rng, own = _cast(writer, 220, committee), writer.rng, "SPRUCE ACTION PAC"
    sums = [50000, 100000, 100000, 100000, 150000, 200000, 250000, 250000, 500000, 500000]
    for _ in range(int(events * 0.85)):
        friend = rng.choice(friends)
        day = writer.day()
        value = -rng.choice(sums)
        gl_ids = (
            [
                writer.gl_entry(
                    day,
                    value,
                    rng.choice(["Contribution", "", f"{rng.choice(['P', 'G'])}2026"]),
                    counterparty=friend.ledger,
                )
            ]
            if rng.random() > 0.1
            else []
        )
        lag = (
            min(int(rng.lognormvariate(1.65, 0.9)), 80)
            if rng.random() > 0.05
            else -rng.randrange(1, 12)
        )
        bank_ids = (
            [
                writer.bank_line(
                    day + timedelta(days=lag), value, friend.bank[: rng.choice([16, 32, 64])]
                )
            ]
            if rng.random() > 0.1
            else []
        )
        writer.link(bank_ids, gl_ids)
    for _ in range(int(events * 0.1)):
        payment(writer, habits, rng.choice(friends), "card", -amount(rng, 20, 900), own)
    decoys(writer, friends, own, int(events * 0.012))
    bank_only(writer, int(events * 0.02))


def property_manager(writer: Writer, events: int) -> None:
    """Rents of a few equal sums by cheque deposit and ACH; contractors by cheque and ACH."""
    habits = _habits(writer)
    tenants, contractors = _cast(writer, 90, person), _cast(writer, 40)
    rents = {
        t: writer.cast_rng.choice([95000, 110000, 125000, 125000, 140000, 155050]) for t in tenants
    }
    rng, own = writer.rng, "PARKVIEW MGMT"
    number = 5000
    months = max(1, writer.days // 30)
    for month in range(months):
        for tenant in rng.sample(tenants, min(len(tenants), int(events * 0.45 / months))):
            day = writer.start + timedelta(days=30 * month + rng.randrange(6))
            payment(
                writer,
                habits,
                tenant,
                rng.choice(["ach", "person", "person", "deposit"]),
                rents[tenant],
                own,
                day=day,
                purpose="Rent",
            )
    for _ in range(int(events * 0.45)):
        number += 1
        payment(
            writer,
            habits,
            rng.choice(contractors),
            rng.choice(["cheque", "cheque", "ach", "card"]),
            -amount(rng, 40, 5000, 0.3),
            own,
            number=number,
        )
    for _ in range(int(events * 0.03)):
        batch_deposit(writer, rng.sample(tenants, rng.randrange(2, 6)), 300, 1500, 0.6)
    for _ in range(int(events * 0.02)):
        several_bills(writer, habits, rng.choice(contractors), "cheque", own, rng.randrange(2, 4))
    for _ in range(int(events * 0.01)):
        split_payment(writer, habits, rng.choice(contractors), own)
    decoys(writer, contractors, own, int(events * 0.012))
    bank_only(writer, int(events * 0.03))


def web_shop(writer: Writer, events: int) -> None:
    """Payouts of two processors, marketing and software by card, suppliers by wire."""
    habits = _habits(writer, card_days=5)
    vendors, rng, own = _cast(writer, 70), writer.rng, "BLUE KETTLE GOODS"
    for place in range(int(events * 0.25)):
        day = writer.start + timedelta(days=place % max(writer.days, 1))
        gross = [amount(rng, 60, 4000, 0.0) for _ in range(rng.choice([1, 2, 3, 4]))]
        payout(
            writer,
            rng.choice(["PayPal", "Adyen"]),
            rng.choice([1, 2, 3, 4]),
            gross,
            day=day,
            one_entry=rng.random() < 0.5,
        )
    for _ in range(int(events * 0.6)):
        payment(
            writer,
            habits,
            rng.choice(vendors),
            rng.choice(["card", "card", "card", "wire", "ach"]),
            -amount(rng, 6, 9000),
            own,
        )
    for _ in range(int(events * 0.05)):
        payment(
            writer, habits, rng.choice(vendors), "card", amount(rng, 6, 300), own, purpose="Refund"
        )
    for _ in range(int(events * 0.01)):
        split_payment(writer, habits, rng.choice(vendors), own)
    decoys(writer, vendors, own, int(events * 0.012))
    bank_only(writer, int(events * 0.03))


TRAINING_WORLDS = (
    World("services firm", services_firm, 0),
    World("retailer", retailer, 0),
    World("non-profit", non_profit, 0),
    World("association", association, 0),
)
TEST_WORLDS = (
    World("campaign", campaign, 1),
    World("property manager", property_manager, 1),
    World("web shop", web_shop, 1),
)
WORLDS = TRAINING_WORLDS + TEST_WORLDS
