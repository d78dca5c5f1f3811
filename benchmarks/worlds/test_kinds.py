"""Companies to be measured on: other kinds, other banks, other programs, other names."""

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
from benchmarks.worlds.training_kinds import gifts


def campaign(writer: Writer, events: int) -> None:
    """Contributions between committees: round sums, names written otherwise, slow, no numbers."""
    cast = writer.cast_rng
    habits = drawn_habits(cast, unposted=0.1, unbooked=0.1, wrong=0.003, referenced=0.0)
    pac = Company(writer, "SPRUCE ACTION PAC", banks.BARE, ledgers.REGISTER, habits)
    friends = pac.cast(160, candidate) + pac.cast(50, committee)
    sums = [50000, 100000, 100000, 100000, 150000, 200000, 250000, 250000, 500000, 500000]
    gifts(pac, friends, sums, int(events * 0.9), slow=1.65, spread=0.9)
    for _ in range(int(events * 0.07)):
        pac.pay(writer.rng.choice(friends), "card", -amount(writer.rng, 20, 900))
    decoys(pac, friends, int(events * 0.01))
    bank_only(pac, int(events * 0.01))


def parish(writer: Writer, events: int) -> None:
    """Weekly collections, pledges of people, slow cheques in round sums to helpers and charities."""
    cast = writer.cast_rng
    bank = cast.choice([banks.REGIONAL, banks.CITY_LINE])
    habits = drawn_habits(cast, slow=2.2, unposted=0.1, referenced=0.05)
    church = Company(writer, "ST BRENDAN PARISH", bank, ledgers.SHEET, habits, 400)
    rng, people = writer.rng, church.cast(90, person)
    helpers = church.cast(35, person) + church.cast(35, company) + church.cast(6, office)
    sums = [2500, 5000, 7500, 10000, 15000, 20000, 25000, 50000]
    for _ in range(int(events * 0.5)):
        value = -(rng.choice(sums) if rng.random() < 0.65 else amount(rng, 20, 1800))
        church.pay(rng.choice(helpers), "cheque", value)
    for _ in range(int(events * 0.2)):
        channel = rng.choice(["ach", "person"])
        church.pay(rng.choice(people), channel, rng.choice(sums), purpose="Pledge")
    for _ in range(int(events * 0.12)):
        church.pay(rng.choice(helpers), "card", -amount(rng, 8, 600))
    for _ in range(int(events * 0.06)):
        batch_deposit(church, rng.sample(people, rng.randrange(3, 9)), 20, 500, 0.7)
    decoys(church, helpers, int(events * 0.01))
    bank_only(church, int(events * 0.02))


def property_manager(writer: Writer, events: int) -> None:
    """Rents of a few equal sums by deposit, person-to-person and ACH; contractors by cheque."""
    cast = writer.cast_rng
    manager = Company(
        writer, "PARKVIEW MGMT", banks.REGIONAL, ledgers.CLOUD, drawn_habits(cast), 5000
    )
    tenants = manager.cast(90, person)
    contractors = manager.cast(40, company) + manager.cast(6, office)
    sums = [95000, 110000, 125000, 125000, 140000, 155050, 132500, 148750, 167500]
    rents = {t: cast.choice(sums) for t in tenants}
    rng, months = writer.rng, max(1, writer.days // 30)
    for month in range(months):
        for tenant in rng.sample(tenants, min(len(tenants), int(events * 0.4 / months))):
            day = writer.start + timedelta(days=30 * month + rng.randrange(6))
            channel = rng.choice(["ach", "ach", "person", "person", "deposit"])
            manager.pay(tenant, channel, rents[tenant], day=day, purpose="Rent")
    for _ in range(int(events * 0.45)):
        channel = rng.choice(["cheque", "cheque", "ach", "card"])
        manager.pay(rng.choice(contractors), channel, -amount(rng, 40, 5000, 0.3))
    for _ in range(int(events * 0.03)):
        batch_deposit(manager, rng.sample(tenants, rng.randrange(2, 6)), 300, 1500, 0.6)
    for _ in range(int(events * 0.02)):
        several_bills(manager, rng.choice(contractors), "cheque", rng.randrange(2, 4))
    for _ in range(int(events * 0.01)):
        split_payment(manager, rng.choice(contractors))
    decoys(manager, contractors, int(events * 0.01))
    bank_only(manager, int(events * 0.03))


def web_shop(writer: Writer, events: int) -> None:
    """Payouts of two processors, marketing and software by card, suppliers by wire."""
    cast = writer.cast_rng
    habits = drawn_habits(cast, card_days=5)
    shop = Company(writer, "BLUE KETTLE GOODS", banks.CITY_LINE, ledgers.ENTERPRISE, habits)
    rng, vendors = writer.rng, shop.cast(50, company) + shop.cast(20, merchant)
    processors = [Party("PayPal", "PAYPAL", ""), Party("Adyen", "ADYEN N.V.", "")]
    style = cast.choice(["gross", "daily"])
    for place in range(int(events * 0.22)):
        day = writer.start + timedelta(days=place % max(writer.days, 1))
        gross = [amount(rng, 60, 4000, 0.0) for _ in range(rng.choice([1, 2, 3, 4]))]
        entries = style if rng.random() < 0.5 else "net"
        payout(shop, rng.choice(processors), gross, day=day, entries=entries)
    for _ in range(int(events * 0.6)):
        channel = rng.choice(["card", "card", "card", "wire", "ach"])
        shop.pay(rng.choice(vendors), channel, -amount(rng, 6, 9000))
    for _ in range(int(events * 0.05)):
        shop.pay(rng.choice(vendors), "card", amount(rng, 6, 300), purpose="Refund")
    for _ in range(int(events * 0.01)):
        split_payment(shop, rng.choice(vendors))
        other_currency(shop, rng.choice(vendors), -amount(rng, 12, 6000))
    decoys(shop, vendors, int(events * 0.01))
    bank_only(shop, int(events * 0.02))


def clinic(writer: Writer, events: int) -> None:
    """A cleaned feed, insurers' payments, co-payments by card, payroll, subscriptions."""
    cast = writer.cast_rng
    house = Company(writer, "WILLOW CLINIC", banks.CLEANED, ledgers.SHEET, drawn_habits(cast), 300)
    rng, vendors = writer.rng, house.cast(45, company) + house.cast(18, merchant)
    insurers, staff = house.cast(10, company) + house.cast(3, office), house.cast(9, person)
    provider, terminal = Party("ADP", "ADP WAGE PAY", ""), Party("Clover", "CLOVER", "")
    recurring = [(v, -amount(cast, 15, 600, 0.4)) for v in house.cast(12, merchant)]
    for month in range(max(1, writer.days // 30)):
        first = writer.start + timedelta(days=30 * month)
        for vendor, value in recurring:
            house.pay(vendor, "card", value, day=first + timedelta(days=rng.randrange(4)))
        for half in (0, 14):
            payroll(house, provider, staff, first + timedelta(days=half))
    for place in range(int(events * 0.12)):
        day = writer.start + timedelta(days=place % max(writer.days, 1))
        payout(house, terminal, [amount(rng, 60, 900, 0.1)], day=day, entries="net")
    for _ in range(int(events * 0.25)):
        house.pay(rng.choice(insurers), "ach", amount(rng, 60, 9000, 0.02), purpose="Claims")
    for _ in range(int(events * 0.4)):
        channel = rng.choice(["card", "card", "ach", "cheque"])
        house.pay(rng.choice(vendors), channel, -amount(rng, 8, 3500))
    for _ in range(int(events * 0.03)):
        several_invoices(house, rng.choice(insurers), "ach", rng.randrange(2, 5))
    decoys(house, vendors, int(events * 0.01))
    bank_only(house, int(events * 0.02))


def agency(writer: Writer, events: int) -> None:
    """A British agency: direct debits, faster payments with references, few cheques."""
    cast = writer.cast_rng
    habits = drawn_habits(cast, referenced=cast.choice([0.2, 0.5]))
    desk = Company(writer, "HALYARD MEDIA LTD", banks.HIGH_STREET, ledgers.DAYBOOK, habits, 100)
    rng, vendors = writer.rng, desk.cast(55, company) + desk.cast(12, merchant)
    clients, people = desk.cast(25, company), desk.cast(20, person)
    for _ in range(int(events * 0.4)):
        channel = rng.choice(["ach", "ach", "ach", "card", "card", "cheque"])
        desk.pay(rng.choice(vendors), channel, -amount(rng, 8, 5000))
    for _ in range(int(events * 0.25)):
        desk.pay(rng.choice(clients), "ach", amount(rng, 300, 20000, 0.4), purpose="Sales receipt")
    for _ in range(int(events * 0.2)):
        desk.pay(rng.choice(people), rng.choice(["ach", "person"]), -amount(rng, 80, 2500, 0.5))
    for _ in range(int(events * 0.02)):
        several_bills(desk, rng.choice(vendors), "ach", rng.randrange(2, 5))
        several_invoices(desk, rng.choice(clients), "ach", rng.randrange(2, 4))
    decoys(desk, vendors, int(events * 0.01))
    bank_only(desk, int(events * 0.02))
    bank_fees_booked(desk, int(events * 0.01))


def importer(writer: Writer, events: int) -> None:
    """A Dutch importer: SEPA transfers with invoice numbers, foreign bills, card terminals."""
    cast = writer.cast_rng
    habits = drawn_habits(cast, referenced=cast.choice([0.3, 0.7]), foreign=0.03)
    house = Company(writer, "Tulp Import BV", banks.POLDER, ledgers.KAS, habits)
    rng = writer.rng
    suppliers = house.cast(45, european) + house.cast(15, company) + house.cast(8, merchant)
    customers = house.cast(40, european) + house.cast(20, person)
    for _ in range(int(events * 0.45)):
        channel = rng.choice(["ach", "ach", "ach", "card", "wire"])
        house.pay(rng.choice(suppliers), channel, -amount(rng, 10, 9000))
    for _ in range(int(events * 0.4)):
        channel = rng.choice(["ach", "ach", "person"])
        house.pay(rng.choice(customers), channel, amount(rng, 30, 12000, 0.15), purpose="Verkoop")
    for _ in range(int(events * 0.03)):
        several_invoices(house, rng.choice(customers), "ach", rng.randrange(2, 5))
    for _ in range(int(events * 0.02)):
        other_currency(house, rng.choice(suppliers), -amount(rng, 12, 6000))
    decoys(house, suppliers, int(events * 0.01))
