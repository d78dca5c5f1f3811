"""What happens every month: customers pay, vendors are paid, people get their wages."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from demo import cast
from demo.books import (
    LAST_DAY,
    OPERATING,
    BankLine,
    Books,
    LedgerLine,
    business_days_after,
    digits,
    draw,
    month_end,
    next_business_day,
)
from demo.cast import Party
from demo.habits import (
    ACH_CREDIT,
    ACH_DEBIT,
    Remittance,
    ach_debit,
    ach_receipt,
    ach_text,
    card,
    deposit,
    online_payment,
)

CUSTOMERS_BY_ACH: Final = (
    (cast.HARROW, 4, 6_900_00, True),
    (cast.KESTREL, 5, 5_400_00, True),
    (cast.BRIGHTWATER, 7, 2_350_00, False),
    (cast.ORCHARD, 10, 9_400_00, False),
    (cast.STONEBRIDGE, 12, 3_150_00, True),
    (cast.SALISHAN, 14, 18_900_00, False),
    (cast.HARROW, 18, 7_300_00, True),
    (cast.RIDGELINE, 19, 4_450_00, False),
    (cast.KESTREL, 21, 4_900_00, True),
    (cast.COPPERLINE, 24, 1_860_00, True),
    (cast.PACIFIC, 25, 5_250_00, False),
)
"""Customer, day of the month, usual amount, and whether its bank shows our invoice number."""

DEPOSITS: Final = (
    (3, (cast.TIDEPOOL, cast.BLUEBIRD)),
    (8, (cast.CEDAR, cast.HOLLIS, cast.ORCA)),
    (13, (cast.SABLE,)),
    (17, (cast.MAPLE, cast.VASHON, cast.BLUEBIRD, cast.FIELDNOTES)),
    (22, (cast.OLMSTEAD, cast.TIDEPOOL)),
    (27, (cast.FESTIVAL, cast.SABLE, cast.HOLLIS)),
)

VENDORS_ONLINE: Final = (
    (cast.CASCADIA, 3, 6_150_00),
    (cast.INKWELL, 6, 2_280_00),
    (cast.CORRUGATED, 9, 1_340_00),
    (cast.CASCADIA, 11, 5_480_00),
    (cast.COURIER, 15, 612_00),
    (cast.TINCTURE, 17, 1_790_00),
    (cast.CASCADIA, 19, 6_720_00),
    (cast.PLATE, 23, 1_480_00),
    (cast.COURIER, 29, 574_00),
)

BILLED_BY_DEBIT: Final = (
    (cast.INTERNET, 5, 219_00, 0, "INTERNET", "Fiber internet"),
    (cast.WATER, 8, 268_00, 45_00, "UTIL PYMT", "Water and sewer"),
    (cast.INSURER, 10, 1_142_50, 0, "INS PREM", "Business insurance, monthly instalment"),
    (cast.POWER, 12, 1_870_00, 260_00, "ELEC BILL", "Electricity"),
    (cast.WIRELESS, 16, 486_00, 12_00, "WIRELESS", "Mobile phones"),
    (cast.WASTE, 18, 312_40, 0, "RECYCLING", "Paper recycling"),
    (cast.GAS, 20, 164_00, 60_00, "GAS BILL", "Gas"),
    (cast.CARD_ISSUER, 22, 5_900_00, 1_300_00, "AUTOPAY", "Credit card, statement balance"),
    (cast.REVENUE, 25, 6_840_00, 900_00, "TAX PYMT", "Sales tax return"),
)
"""Vendor, day, amount and its spread, the bank's word for it, the books' words for it."""

CARD_PURCHASES: Final = (
    (cast.PROOFDESK, 2, 58_00, 0, 0),
    (cast.KERNING, 4, 164_97, 0, 0),
    (cast.BAGELS, 5, 46_00, 15_00, 1),
    (cast.FUEL, 6, 71_00, 14_00, 0),
    (cast.POST, 7, 132_00, 60_00, 0),
    (cast.STACKLIGHT, 9, 89_00, 0, 0),
    (cast.OFFICE, 10, 118_00, 70_00, 2),
    (cast.PARCEL, 11, 205_00, 80_00, 0),
    (cast.COFFEE, 12, 27_00, 6_00, 8),
    (cast.PIXELPANTRY, 14, 49_00, 0, 0),
    (cast.FUEL, 15, 68_00, 14_00, 0),
    (cast.LUNCH, 17, 84_00, 30_00, 6),
    (cast.POST, 21, 118_00, 50_00, 0),
    (cast.FUEL, 26, 74_00, 14_00, 0),
    (cast.COFFEE, 30, 29_00, 6_00, 0),
)
"""Shop, day, amount and its spread, days until the receipt reaches the bookkeeper."""

PAYDAYS: Final = (
    date(2026, 8, 14),
    date(2026, 8, 28),
    date(2026, 9, 11),
    date(2026, 9, 25),
    date(2026, 10, 9),
    date(2026, 10, 23),
)
STRIPE_PAYOUTS: Final = tuple(date(2026, 8, 5) + timedelta(weeks=week) for week in range(14))
SALES_DAYS_BEFORE_PAYOUT: Final = (7, 5, 2)


def invoice(month: date, place: int) -> str:
    """Return an invoice number of the 45 that the month's receipts may name."""
    return f"INV-{20_290 + 50 * (month.month - 8) + place}"


def day_text(day: date) -> str:
    return f"{day.day} {day:%B}"


def near(key: str, usual_minor: int) -> int:
    """Return an amount within a fifth of the usual one, in odd cents as sales tax makes them."""
    return usual_minor + draw(f"near {key}", -usual_minor // 5, usual_minor // 5)


def customers_pay(books: Books, month: date) -> None:
    for number, (party, day, usual_minor, shows_invoice) in enumerate(CUSTOMERS_BY_ACH):
        key = f"receipt {number} {month}"
        posted = next_business_day(month.replace(day=day))
        paid_invoice = invoice(month, 2 * number)
        individual = paid_invoice.replace("-", "") if shows_invoice else ""
        paid = Remittance(party, near(key, usual_minor), paid_invoice, individual)
        ach_receipt(books, paid, posted, entered_days=draw(key + " days", 0, 4))


def cheques_are_banked(books: Books, month: date) -> None:
    place = 1
    for day, parties in DEPOSITS:
        posted = next_business_day(month.replace(day=day))
        receipts: list[tuple[Party, int, str]] = []
        for number, party in enumerate(parties):
            amount_minor = near(f"deposit {posted} {number}", 1_450_00 + 380_00 * number)
            receipts.append((party, amount_minor, invoice(month, place)))
            place += 2
        deposit(books, posted, receipts, entered_days_before=draw(f"{posted}", 0, 1))


def vendors_are_paid(books: Books, month: date) -> None:
    for number, (party, day, usual_minor) in enumerate(VENDORS_ONLINE):
        key = f"bill {number} {month}"
        bill = str(draw(f"bills {party.name}", 3_100, 88_900) + 61 * month.month + number)
        sent = next_business_day(month.replace(day=day))
        cleared_days = draw(key + " days", 0, 2)
        online_payment(
            books, party, [(bill, near(key, usual_minor))], sent, cleared_days=cleared_days
        )


def bills_are_drawn(books: Books, month: date) -> None:
    for party, day, usual_minor, spread_minor, entry, label in BILLED_BY_DEBIT:
        key = f"debit {party.name} {month}"
        amount_minor = usual_minor + draw(key, -spread_minor, spread_minor)
        posted = next_business_day(month.replace(day=day))
        label_month = f"{label}, {month:%B}"
        days = draw(key + " days", 0, 3)
        ach_debit(
            books,
            party,
            amount_minor,
            posted,
            entry=entry,
            label=label_month,
            entered_days_before=days if posted.day > 8 else 0,  # noqa: PLR2004  stays in its month
        )


def equipment_is_paid(books: Books, month: date) -> None:
    """Pay two presses of one price, leased on one day, and the loan for the third."""
    posted = next_business_day(month.replace(day=15))
    for press in ("press 1", "press 2"):
        line = books.cash(
            month.replace(day=14),
            -1_865_00,
            cast.LEASING.contra,
            f"Lease {press}, {month:%B}",
            counterparty=cast.LEASING.name,
            reference=f"SPL-{digits(press, 5)}",
        )
        contract = digits(press, 5)
        text = ach_text(cast.LEASING, posted, "LEASE PMT", individual=f"SPL{contract}")
        bank_line = BankLine(OPERATING, posted, -1_865_00, text, ACH_DEBIT)
        books.settle("twins on one day", [bank_line], [line])
    interest_minor = 402_18 - 11_37 * (month.month - 8)
    bank_side, *_ = books.enter(
        posted,
        LedgerLine(OPERATING, -2_864_19, "Press loan, instalment", cast.LENDER.name, "LN-40771"),
        LedgerLine("2500", 2_864_19 - interest_minor, "Press loan, principal", cast.LENDER.name),
        LedgerLine("6830", interest_minor, "Press loan, interest", cast.LENDER.name),
    )
    text = f"LOAN PAYMENT TO LN ...0771 {posted:%m/%d}"
    bank_line = BankLine(OPERATING, posted, -2_864_19, text, "LOAN_PMT")
    books.settle("direct debit", [bank_line], [bank_side])


def card_is_used(books: Books, month: date) -> None:
    for merchant, day, usual_minor, spread_minor, entered_days in CARD_PURCHASES:
        bought = month.replace(day=day)
        key = f"card {merchant.name} {bought}"
        amount_minor = usual_minor + draw(key, -spread_minor, spread_minor)
        posted_days = draw(key + " days", 1, 2)
        card(
            books,
            merchant,
            amount_minor,
            bought,
            entered_days=entered_days,
            posted_days=posted_days,
        )


def wages_are_paid(books: Books, payday: date) -> None:
    """Draw net pay, then taxes to two offices that the books hold as one sum, then pensions."""
    key = f"payroll {payday}"
    net_minor = 25_380_00 + draw(key, -900_00, 900_00)
    drawn = business_days_after(payday, -1)
    label = f"Net pay, period ending {day_text(payday - timedelta(days=6))}"
    line = books.cash(payday, -net_minor, "6000", label, counterparty=cast.PAYROLL.name)
    text = ach_text(cast.PAYROLL, drawn, "PAYROLL", individual=digits(key, 8))
    books.settle("payroll", [BankLine(OPERATING, drawn, -net_minor, text, ACH_DEBIT)], [line])

    federal_minor = net_minor * 36 // 100 + draw(key + " federal", 0, 99)
    state_minor = net_minor * 3 // 100 + draw(key + " state", 0, 99)
    label = f"Payroll taxes, pay date {day_text(payday)}"
    taxes_minor = federal_minor + state_minor
    line = books.cash(payday, -taxes_minor, "2200", label, counterparty=cast.TREASURY.name)
    second_day = business_days_after(payday, 1)
    federal = ach_text(cast.TREASURY, payday, "USATAXPYMT", individual=digits(key + " eftps", 15))
    state = ach_text(cast.STATE_LEAVE, second_day, "PFML PREM")
    books.settle(
        "one entry, two payments",
        [
            BankLine(OPERATING, payday, -federal_minor, federal, ACH_DEBIT),
            BankLine(OPERATING, second_day, -state_minor, state, ACH_DEBIT),
        ],
        [line],
    )

    pension_minor = 2_140_00 + draw(key + " pension", -80_00, 80_00)
    drawn = business_days_after(payday, 3)
    label = f"401(k) contributions, pay date {day_text(payday)}"
    line = books.cash(payday, -pension_minor, "2200", label, counterparty=cast.PENSION.name)
    text = ach_text(cast.PENSION, drawn, "401K CONTR")
    books.settle(
        "direct debit", [BankLine(OPERATING, drawn, -pension_minor, text, ACH_DEBIT)], [line]
    )


def benefits_are_drawn(books: Books, month: date) -> None:
    posted = next_business_day(month.replace(day=3))
    label = f"Health insurance, {month:%B}"
    ach_debit(
        books, cast.HEALTH, 6_918_44, posted, entry="HEALTH INS", label=label, entered_days_before=0
    )


def shop_is_paid_out(books: Books, payout: date) -> None:
    """Pay out a week of the web shop: sales in the books gross, the fee as an entry of its own."""
    lines: list[LedgerLine] = []
    for days in SALES_DAYS_BEFORE_PAYOUT:
        sold = payout - timedelta(days=days)
        gross_minor = 1_280_00 + draw(f"shop {sold}", -420_00, 520_00)
        label = f"Web shop sales, {day_text(sold)}"
        lines.append(books.cash(sold, gross_minor, "4010", label, counterparty=cast.STRIPE.name))
    if payout > LAST_DAY:
        return
    gross_minor = sum(line.amount_minor for line in lines)
    fee_minor = gross_minor * 29 // 1000 + 30 * draw(f"orders {payout}", 28, 51)
    label = f"Stripe fees, payout of {day_text(payout)}"
    lines.append(books.cash(payout, -fee_minor, "6810", label, counterparty=cast.STRIPE.name))
    text = ach_text(cast.STRIPE, payout, "TRANSFER", individual=f"ST-{digits(f'{payout}', 10)}")
    bank_line = BankLine(OPERATING, payout, gross_minor - fee_minor, text, ACH_CREDIT)
    books.settle("payout less fees", [bank_line], lines)


def counter_is_settled(books: Books, month: date) -> None:
    """Receive a week's card takings of the counter every Tuesday but the last, booked net."""
    tuesdays = [
        month.replace(day=day) for day in range(1, 28) if month.replace(day=day).weekday() == 1
    ]
    for posted in tuesdays:
        amount_minor = 2_060_00 + draw(f"counter {posted}", -510_00, 590_00)
        label = f"Counter sales, net, week to {day_text(posted - timedelta(days=2))}"
        entered = business_days_after(posted, draw(f"counter {posted} days", 0, 1))
        line = books.cash(entered, amount_minor, "4020", label, counterparty=cast.SQUARE.name)
        text = ach_text(cast.SQUARE, posted, "SQUARE DEP")
        bank_line = BankLine(OPERATING, posted, amount_minor, text, ACH_CREDIT)
        books.settle("counter takings", [bank_line], [line])


def month_is_closed(books: Books, month: date) -> None:
    """Post what the sub-ledgers send once a month; none of it touches a bank account."""
    end = month_end(month)
    sales_minor = 148_200_00 + draw(f"sales {month}", -6_000_00, 9_000_00)
    tax_minor = sales_minor * 46 // 1000
    bills_minor = 38_400_00 + draw(f"bills {month}", -3_000_00, 3_000_00)
    label = f"Invoices of {month:%B}"
    books.enter(
        end,
        LedgerLine("1200", sales_minor + tax_minor, label),
        LedgerLine("4000", -sales_minor, label),
        LedgerLine("2300", -tax_minor, label),
    )
    label = f"Bills of {month:%B}"
    books.enter(
        end,
        LedgerLine("5000", bills_minor * 3 // 4, label),
        LedgerLine("5100", bills_minor - bills_minor * 3 // 4, label),
        LedgerLine("2000", -bills_minor, label),
    )
    label = f"Depreciation, {month:%B}"
    books.enter(end, LedgerLine("6900", 2_450_00, label), LedgerLine("1590", -2_450_00, label))


def play_month(books: Books, month: date) -> None:
    """Write the month that begins on this day."""
    customers_pay(books, month)
    cheques_are_banked(books, month)
    vendors_are_paid(books, month)
    bills_are_drawn(books, month)
    equipment_is_paid(books, month)
    card_is_used(books, month)
    benefits_are_drawn(books, month)
    counter_is_settled(books, month)
    month_is_closed(books, month)
