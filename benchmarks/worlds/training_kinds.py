"""Companies to learn from: services, retail, gifts, grants, trade and building."""

from __future__ import annotations

from datetime import timedelta

from benchmarks.worlds import banks, ledgers
from benchmarks.worlds.books import Writer
from benchmarks.worlds.flows import (
    Company,
    amount,
    bank_fees_booked,
    bank_only,
    decoys,
    drawn_habits,
    other_currency,
)
from benchmarks.worlds.gatherings import (
    batch_deposit,
    payout,
    payroll,
    several_bills,
    several_invoices,
    split_payment,
)
from benchmarks.worlds.merchants import merchant
from benchmarks.worlds.names import (
    Party,
    candidate,
    committee,
    company,
    european,
    office,
    person,
)


def services_firm(writer: Writer, events: int) -> None:
    """Subscriptions and bills by card, ACH and cheque; clients pay by ACH and wire; payroll."""
    cast = writer.cast_rng
    bank = cast.choice([banks.MONEY_CENTER, banks.NATIONWIDE])
    firm = Company(writer, "NORTHWIND ADVISORY", bank, ledgers.SMALL_BUSINESS, drawn_habits(cast))
    rng, vendors, clients = writer.rng, firm.cast(50, company), firm.cast(25, company)
    vendors += [*firm.cast(12, merchant), *firm.cast(4, office)]
    staff, provider = firm.cast(7, person), Party("Gusto", "GUSTO", "")
    recurring = [
        (v, -amount(cast, 15, 900, 0.4), cast.choice(["card", "ach"]))
        for v in firm.cast(9, company) + firm.cast(5, merchant)
    ]
    for month in range(max(1, writer.days // 30)):
        first = writer.start + timedelta(days=30 * month)
        for vendor, value, channel in recurring:
            firm.pay(vendor, channel, value, day=first + timedelta(days=rng.randrange(3)))
        for half in (0, 14):
            payroll(firm, provider, staff, first + timedelta(days=half))
    for _ in range(int(events * 0.5)):
        channel = rng.choice(["card", "card", "ach", "ach", "cheque", "wire"])
        firm.pay(rng.choice(vendors), channel, -amount(rng, 12, 6000))
    for _ in range(int(events * 0.2)):
        channel = rng.choice(["ach", "ach", "wire", "deposit"])
        value = amount(rng, 400, 40000, 0.35)
        firm.pay(rng.choice(clients), channel, value, purpose="Invoice payment")
    for _ in range(int(events * 0.02)):
        channel = rng.choice(["ach", "cheque"])
        several_bills(firm, rng.choice(vendors), channel, rng.randrange(2, 5))
        several_invoices(firm, rng.choice(clients), "ach", rng.randrange(2, 4))
        batch_deposit(firm, rng.sample(clients, rng.randrange(2, 5)), 100, 4000, 0.3)
    for _ in range(int(events * 0.01)):
        split_payment(firm, rng.choice(vendors))
        other_currency(firm, rng.choice(vendors), -amount(rng, 12, 6000))
    decoys(firm, vendors, int(events * 0.02))
    bank_only(firm, int(events * 0.03))


def retailer(writer: Writer, events: int) -> None:
    """Daily card payouts less fees, cash deposits, many small card purchases, instalments."""
    cast = writer.cast_rng
    bank = cast.choice([banks.NATIONWIDE, banks.STAGECOACH])
    shop = Company(writer, "CORNER SHOP LLC", bank, ledgers.TILL, drawn_habits(cast), 2000)
    rng = writer.rng
    vendors = shop.cast(60, company) + shop.cast(15, merchant)
    name = cast.choice(["Stripe", "Square", "Shopify Payments"])
    processor = Party(name, f"{name.upper()} INC" if name == "Square" else name.upper(), "")
    style = cast.choice(["net", "gross", "daily"])
    for place in range(int(events * 0.2)):
        day = writer.start + timedelta(days=place % max(writer.days, 1))
        gross = [amount(rng, 80, 2500, 0.02) for _ in range(rng.choice([1, 1, 2, 3]))]
        entries = style if rng.random() < 0.5 else "net"
        payout(shop, processor, gross, day=day, entries=entries)
    cash = Party("Cash sales", "CASH", "")
    for _ in range(int(events * 0.15)):
        shop.pay(cash, "deposit", amount(rng, 100, 3000, 0.5), purpose="Cash sales")
    for _ in range(int(events * 0.5)):
        channel = rng.choice(["card", "card", "card", "ach", "cheque"])
        shop.pay(rng.choice(vendors), channel, -amount(rng, 5, 2500))
    (lender,), value = shop.cast(1, company), -amount(cast, 200, 900, 0.8)
    for week in range(max(1, writer.days // 7)):
        day = writer.start + timedelta(days=7 * week)
        shop.pay(lender, "ach", value, day=day, purpose="Loan instalment")
    for _ in range(int(events * 0.02)):
        several_bills(shop, rng.choice(vendors), "ach", rng.randrange(2, 5))
    decoys(shop, vendors, int(events * 0.02))
    bank_only(shop, int(events * 0.03))
    bank_fees_booked(shop, int(events * 0.01))


def non_profit(writer: Writer, events: int) -> None:
    """Round gifts from many people, grants paid by slow cheques."""
    cast = writer.cast_rng
    habits = drawn_habits(cast, slow=2.0)
    fund = Company(writer, "HELPING HANDS FDN", banks.STAGECOACH, ledgers.FUNDS, habits, 3000)
    rng, donors = writer.rng, fund.cast(130, person) + fund.cast(20, company)
    grantees = fund.cast(40, company) + fund.cast(10, office)
    sums = [2500, 5000, 10000, 10000, 25000, 50000, 100000]
    for _ in range(int(events * 0.42)):
        channel = rng.choice(["person", "ach", "person", "ach", "deposit"])
        fund.pay(rng.choice(donors), channel, rng.choice(sums), purpose="Donation")
    for _ in range(int(events * 0.35)):
        channel = rng.choice(["cheque", "cheque", "cheque", "ach", "wire"])
        value = -rng.choice([*sums, 250000, 500000])
        fund.pay(rng.choice(grantees), channel, value, purpose="Grant")
    for _ in range(int(events * 0.12)):
        fund.pay(rng.choice(grantees), "card", -amount(rng, 8, 900))
    for _ in range(int(events * 0.03)):
        batch_deposit(fund, rng.sample(donors, rng.randrange(2, 9)), 20, 900, 0.8)
    decoys(fund, grantees, int(events * 0.02))
    bank_only(fund, int(events * 0.02))


def association(writer: Writer, events: int) -> None:
    """Grants and dues among organizations: round sums, posted slowly, names written otherwise."""
    cast = writer.cast_rng
    habits = drawn_habits(cast)
    body = Company(writer, "UNITED TRADES ASSN", banks.BARE, ledgers.REGISTER, habits)
    rng = writer.rng
    members = body.cast(90, candidate) + body.cast(60, committee) + body.cast(20, company)
    sums = cast.choice(
        [
            [25000, 50000, 50000, 100000, 100000, 150000, 200000, 500000],
            [50000, 100000, 100000, 250000, 250000, 500000, 500000, 1500000],
        ]
    )
    slow, spread = cast.choice([1.2, 1.5, 1.9]), cast.choice([0.7, 1.0])
    gifts(body, members, sums, int(events * 0.85), slow=slow, spread=spread)
    for _ in range(int(events * 0.1)):
        body.pay(rng.choice(members), "card", -amount(rng, 20, 900))
    decoys(body, members, int(events * 0.01))
    bank_only(body, int(events * 0.02))


def gifts(
    body: Company, members: list[Party], sums: list[int], count: int, *, slow: float, spread: float
) -> None:
    """Write round sums that arrive late: days from ledger to bank are log-normal."""
    rng = body.rng
    for _ in range(count):
        party = rng.choice(members)
        value = -(rng.choice(sums) if rng.random() < 0.95 else amount(rng, 50, 3000, 0.5))
        lag = min(int(rng.lognormvariate(slow, spread)), 80)
        if rng.random() < 0.05:
            lag = -rng.randrange(1, 10)
        body.pay(party, "ach", value, purpose="Grant", lag=lag)


def trading_house(writer: Writer, events: int) -> None:
    """German suppliers and customers by transfer and direct debit, with invoice numbers."""
    cast = writer.cast_rng
    habits = drawn_habits(cast, referenced=cast.choice([0.4, 0.8]), foreign=0.02)
    house = Company(writer, "Nordlicht Handel GmbH", banks.SPARKASSE, ledgers.KONTEN, habits)
    rng = writer.rng
    suppliers = house.cast(50, european) + house.cast(15, merchant)
    customers = house.cast(40, european)
    rent, value = house.cast(1, european)[0], -amount(cast, 900, 4000, 1.0)
    for month in range(max(1, writer.days // 30)):
        house.pay(
            rent, "ach", value, day=writer.start + timedelta(days=30 * month), purpose="Miete"
        )
    for _ in range(int(events * 0.45)):
        channel = rng.choice(["ach", "ach", "ach", "card"])
        house.pay(rng.choice(suppliers), channel, -amount(rng, 10, 8000), purpose="Wareneingang")
    for _ in range(int(events * 0.35)):
        house.pay(rng.choice(customers), "ach", amount(rng, 80, 15000, 0.1), purpose="Erlöse")
    for _ in range(int(events * 0.04)):
        several_invoices(house, rng.choice(customers), "ach", rng.randrange(2, 5))
    for _ in range(int(events * 0.02)):
        several_bills(house, rng.choice(suppliers), "ach", rng.randrange(2, 4))
    decoys(house, suppliers, int(events * 0.015))


def builder(writer: Writer, events: int) -> None:
    """Subcontractors by cheque, materials by card, progress payments in large sums."""
    cast = writer.cast_rng
    bank = cast.choice([banks.STAGECOACH, banks.MONEY_CENTER])
    habits = drawn_habits(cast, slow=cast.choice([1.0, 1.6]), unposted=0.1)
    site = Company(writer, "KEYSTONE BUILDERS", bank, ledgers.SMALL_BUSINESS, habits, 7000)
    rng, subs = writer.rng, site.cast(45, company) + site.cast(25, person)
    stores, owners = site.cast(12, merchant) + site.cast(10, company), site.cast(12, company)
    for _ in range(int(events * 0.45)):
        site.pay(rng.choice(subs), "cheque", -amount(rng, 150, 18000, 0.4))
    for _ in range(int(events * 0.35)):
        site.pay(rng.choice(stores), rng.choice(["card", "card", "ach"]), -amount(rng, 8, 1500))
    for _ in range(int(events * 0.1)):
        channel = rng.choice(["wire", "cheque", "cheque"])
        site.pay(rng.choice(owners), channel, amount(rng, 4000, 90000, 0.4))
    for _ in range(int(events * 0.03)):
        several_bills(site, rng.choice(subs), "cheque", rng.randrange(2, 5))
    for _ in range(int(events * 0.01)):
        split_payment(site, rng.choice(stores))
    decoys(site, subs, int(events * 0.02))
    bank_only(site, int(events * 0.02))
