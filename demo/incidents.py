"""What happened once: slips of the pen, charges nobody booked, money on its way at month end."""

from __future__ import annotations

from datetime import date
from typing import Final

from demo import cast
from demo.books import BANK_ACCOUNTS, OPERATING, RESERVE, Books, digits, last_business_day
from demo.habits import (
    FEE,
    Remittance,
    ach_receipt,
    card,
    card_text,
    card_twice,
    deposit,
    foreign_card,
    online_payment,
    transfer,
    unbooked,
    wire_in,
)
from demo.routine import invoice

INTEREST_MINOR: Final = {
    (OPERATING, 8): 3_41,
    (OPERATING, 9): 3_08,
    (OPERATING, 10): 3_63,
    (RESERVE, 8): 456_18,
    (RESERVE, 9): 444_90,
    (RESERVE, 10): 439_27,
}
RETAINER_MINOR: Final = 1_500_00
RETAINERS: Final = {
    8: (
        (cast.FERN, 6, cast.FERN, True),
        (cast.LUMEN, 11, cast.BILLSTREAM, True),
        (cast.QUILL, 18, cast.BILLSTREAM, True),
    ),
    9: (
        (cast.FERN, 8, cast.FERN, True),
        (cast.LUMEN, 11, cast.BILLSTREAM, True),
        (cast.QUILL, 18, cast.BILLSTREAM, True),
    ),
    10: (
        (cast.FERN, 6, cast.FERN, True),
        (cast.LUMEN, 8, cast.BILLSTREAM, False),
        (cast.QUILL, 8, cast.BILLSTREAM, False),
    ),
}
"""By month: customer, day, who sent the money, and whether its bank shows our invoice number."""


def bank_closes_month(books: Books, month: date) -> None:
    """Let the banks pay interest and take fees, which the books learn only from the statement."""
    posted = last_business_day(month)
    for account_number in BANK_ACCOUNTS:
        unbooked(
            books,
            posted,
            INTEREST_MINOR[account_number, month.month],
            "INTEREST PAYMENT",
            "MISC_CREDIT" if account_number == OPERATING else "354",
            adjust_to="4900",
            memo=f"Interest, {month:%B}",
            account_number=account_number,
        )
    unbooked(
        books,
        posted,
        -18_00,
        "MONTHLY SERVICE FEE",
        FEE,
        adjust_to="6800",
        memo=f"Account fee, {month:%B}",
    )


def retainers_are_paid(books: Books, month: date) -> None:
    """Receive three equal retainers, two of them through a payment service.

    In October the service stopped passing on our invoice numbers: two credits of one amount,
    two customers, and nothing on either side that says which is which.
    """
    for number, (party, day, sender, shows_invoice) in enumerate(RETAINERS[month.month]):
        paid_invoice = invoice(month, 31 + number)
        opaque = f"BS{digits(f'{party.name} {month}', 8)}"
        individual = paid_invoice.replace("-", "") if shows_invoice else opaque
        paid = Remittance(party, RETAINER_MINOR, paid_invoice, individual, sender)
        ach_receipt(books, paid, month.replace(day=day), entered_days=1)


def july_is_carried(books: Books) -> None:
    """Leave a deposit and a card purchase on their way on the evening before the first day."""
    deposit(
        books,
        date(2026, 8, 3),
        [(cast.OLMSTEAD, 2_164_30, "INV-20271"), (cast.MAPLE, 655_00, "INV-20274")],
    )
    card(books, cast.COFFEE, 31_40, date(2026, 7, 31))


def august(books: Books) -> None:
    wire_in(
        books, cast.MERIDIAN, 18_940_00, date(2026, 8, 12), "INV-20326", credited_minor=18_940_00
    )
    foreign_card(books, cast.FONTS, date(2026, 8, 6), charged_minor=212_97, booked_minor=212_40)
    online_payment(
        books,
        cast.INKWELL,
        [("82391", 1_463_80)],
        date(2026, 8, 20),
        paid_minor=1_436_80,
        memo="Transposed digits, Inkwell bill 82391",
    )
    online_payment(
        books, cast.CORRUGATED, [("24588", 988_15), ("24597", 1_204_60)], date(2026, 8, 25)
    )
    card_twice(books, cast.PARKING, 14_00, date(2026, 8, 19))
    unbooked(
        books,
        date(2026, 8, 21),
        -64_35,
        "CHECK ORDER CHARGE HARTLEY CHECK PRINTING",
        FEE,
        adjust_to="6300",
        memo="Check forms",
    )
    card(books, cast.TRAIN, 118_00, date(2026, 8, 13), entered_days=11)
    transfer(books, date(2026, 8, 17), 5_000_00)
    deposit(
        books,
        date(2026, 9, 1),
        [(cast.ORCA, 1_318_40, "INV-20330"), (cast.CEDAR, 2_940_00, "INV-20332")],
    )


def september(books: Books) -> None:
    foreign_card(books, cast.FONTS, date(2026, 9, 15), charged_minor=148_26, booked_minor=148_57)
    deposit(books, date(2026, 9, 10), [(cast.BLUEBIRD, 612_50, "INV-20378")])
    for amount_minor, text, adjust_to, memo in (
        (
            -612_50,
            "DEPOSITED ITEM RETURNED NSF",
            "1200",
            "Returned check, Bluebird Bakery, INV-20378",
        ),
        (-12_00, "DEPOSITED ITEM RETURNED FEE", "6800", "Fee for a returned check"),
    ):
        unbooked(books, date(2026, 9, 15), amount_minor, text, FEE, adjust_to=adjust_to, memo=memo)
    online_payment(books, cast.TINCTURE, [("47293", 845_00)], date(2026, 9, 21))
    unbooked(
        books,
        date(2026, 9, 24),
        845_00,
        "ACH PAYMENT RETURNED TinctureInks R03 NO ACCOUNT",
        "MISC_CREDIT",
        adjust_to="2000",
        memo="Returned payment, Tincture bill 47293",
    )
    online_payment(books, cast.TINCTURE, [("47293", 845_00)], date(2026, 9, 25))
    deposit(
        books,
        date(2026, 9, 18),
        [(cast.VASHON, 2_318_00, "INV-20380")],
        credited_minor=2_381_00,
        memo="Transposed digits, receipt for INV-20380",
    )
    wire_in(
        books, cast.MERIDIAN, 12_450_00, date(2026, 9, 29), "INV-20376", credited_minor=12_450_00
    )
    online_payment(
        books,
        cast.CASCADIA,
        [("42701", 2_416_75), ("42706", 1_873_20), ("42709", 655_90)],
        date(2026, 9, 28),
    )
    card_twice(books, cast.PARKING, 14_00, date(2026, 9, 23))
    transfer(books, date(2026, 9, 15), 5_000_00)
    transfer(books, date(2026, 9, 18), -12_000_00)
    unbooked(
        books,
        date(2026, 9, 30),
        -3_00,
        "PAPER STATEMENT FEE",
        "698",
        adjust_to="6800",
        memo="Paper statement fee",
        account_number=RESERVE,
    )
    deposit(
        books,
        date(2026, 10, 1),
        [
            (cast.OLMSTEAD, 1_876_25, "INV-20382"),
            (cast.MAPLE, 702_10, "INV-20384"),
            (cast.FIELDNOTES, 1_150_00, "INV-20386"),
        ],
    )


def october(books: Books) -> None:
    wire_in(
        books, cast.MERIDIAN, 21_310_00, date(2026, 10, 14), "INV-20426", credited_minor=21_285_00
    )
    foreign_card(books, cast.FONTS, date(2026, 10, 20), charged_minor=326_18, booked_minor=325_74)
    online_payment(
        books,
        cast.INKWELL,
        [("82511", 1_238_46)],
        date(2026, 10, 13),
        paid_minor=1_283_46,
        memo="Transposed digits, Inkwell bill 82511",
    )
    online_payment(
        books, cast.CORRUGATED, [("24716", 1_066_90), ("24721", 842_35)], date(2026, 10, 21)
    )
    deposit(books, date(2026, 10, 15), [(cast.BLUEBIRD, 624_50, "INV-20378")])
    card_twice(books, cast.PARKING, 14_00, date(2026, 10, 7))
    card_twice(books, cast.POST, 58_00, date(2026, 10, 27))
    card(books, cast.TRAIN, 124_00, date(2026, 10, 16), entered_days=10)
    card(books, cast.LUNCH, 71_85, date(2026, 10, 22))
    bought = date(2026, 10, 19)
    unbooked(
        books,
        date(2026, 10, 20),
        -38_16,
        card_text(cast.DOMAINS, bought),
        "DEBIT_CARD",
        adjust_to=cast.DOMAINS.contra,
        memo="Domain renewal, receipt missing",
    )
    unbooked(
        books,
        date(2026, 10, 23),
        46_20,
        f"QUICKWHEEL COURIER REFUND {digits('courier refund', 8)}",
        "MISC_CREDIT",
        adjust_to="5200",
        memo="Courier's refund for a lost parcel",
    )
    transfer(books, date(2026, 10, 15), 5_000_00)
    transfer(books, date(2026, 10, 30), 4_000_00)
    deposit(
        books,
        date(2026, 11, 2),
        [(cast.SABLE, 1_742_60, "INV-20432"), (cast.ORCA, 905_00, "INV-20434")],
    )


STORIES: Final = {8: august, 9: september, 10: october}


def play_incidents(books: Books, month: date) -> None:
    """Write what happened once in the month that begins on this day."""
    retainers_are_paid(books, month)
    bank_closes_month(books, month)
    STORIES[month.month](books)
