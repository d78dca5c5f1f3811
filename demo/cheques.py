"""The cheques of the three months: planned together, numbered in the order of issue.

Some vendors bank a cheque within the week, others let it lie for a month; one refund of
July was never presented.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from demo import cast
from demo.books import OPERATING, BankLine, Books, draw, next_business_day
from demo.cast import Party

FIRST_NUMBER: Final = 1031
NEVER_PRESENTED_DAYS: Final = 400


@dataclass(frozen=True, slots=True)
class Cheque:
    payee: Party
    amount_minor: int
    issued: date
    clearing_days: int
    memo: str
    misread_in_books: bool = False
    """The bookkeeper swapped the last two digits of its number."""


JULY: Final = (
    Cheque(cast.FOIL, 486_20, date(2026, 7, 13), 24, "Foil dies, bill 5519"),
    Cheque(cast.VASHON, 75_00, date(2026, 7, 16), NEVER_PRESENTED_DAYS, "Refund of a deposit"),
    Cheque(cast.BINDERY, 1_248_75, date(2026, 7, 22), 15, "Case binding, bill 20871"),
    Cheque(cast.ALARM, 189_50, date(2026, 7, 28), 8, "Alarm monitoring, third quarter"),
    Cheque(cast.JANITOR, 420_00, date(2026, 7, 30), 6, "Cleaning, second half of July"),
)

SINGULAR: Final = (
    Cheque(cast.CPA, 1_850_00, date(2026, 8, 11), 17, "Half-year review"),
    Cheque(cast.CHAMBER, 395_00, date(2026, 8, 19), 26, "Membership"),
    Cheque(cast.PRESS_REPAIR, 2_316_80, date(2026, 9, 17), 11, "Roller replacement, press 2"),
    Cheque(cast.CPA, 640_00, date(2026, 9, 22), 16, "Sales tax filing"),
    Cheque(cast.ALARM, 189_50, date(2026, 10, 1), 9, "Alarm monitoring, fourth quarter"),
    Cheque(cast.PRESS_REPAIR, 918_45, date(2026, 10, 6), 13, "Ink pump", misread_in_books=True),
    Cheque(cast.FESTIVAL, 500_00, date(2026, 10, 8), 8, "Sponsorship"),
    Cheque(cast.ILLUSTRATOR, 500_00, date(2026, 10, 9), 10, "Cover sketches"),
    Cheque(cast.CEDAR, 250_00, date(2026, 10, 28), 20, "Donation, fall auction"),
)
"""Cheques without a monthly rhythm; the festival's and the illustrator's look alike."""

MONTHLY: Final = (
    (cast.LANDLORD, 1, 9_800_00, 0, 3, 5, "Rent"),
    (cast.BINDERY, 5, 1_480_00, 420_00, 7, 19, "Binding"),
    (cast.ENVELOPE, 7, 940_00, 260_00, 6, 14, "Envelopes"),
    (cast.FOIL, 12, 610_00, 190_00, 14, 26, "Foil and dies"),
    (cast.JANITOR, 14, 420_00, 0, 5, 9, "Cleaning, first half"),
    (cast.ILLUSTRATOR, 18, 900_00, 300_00, 5, 12, "Illustration"),
    (cast.BINDERY, 20, 1_120_00, 380_00, 8, 24, "Binding"),
    (cast.PHOTOGRAPHER, 21, 750_00, 200_00, 6, 21, "Product photographs"),
    (cast.ENVELOPE, 25, 780_00, 220_00, 5, 16, "Envelopes"),
    (cast.JANITOR, 28, 420_00, 0, 5, 8, "Cleaning, second half"),
)
"""Payee, day of issue, amount and its spread, shortest and longest time to clear."""


def planned() -> list[Cheque]:
    """Return every cheque of the story in the order of issue."""
    return sorted([*JULY, *SINGULAR, *monthly()], key=lambda cheque: cheque.issued)


def monthly() -> Iterator[Cheque]:
    for month in (8, 9, 10):
        for payee, day, amount_minor, spread_minor, shortest, longest, memo in MONTHLY:
            issued = next_business_day(date(2026, month, day))
            key = f"cheque {payee.name} {issued}"
            first_bill = draw(f"bills {payee.name}", 2_100, 8_900)
            bill = (
                f"bill {first_bill + issued.timetuple().tm_yday}"
                if spread_minor
                else f"{issued:%B}"
            )
            yield Cheque(
                payee,
                amount_minor + draw(key, -spread_minor, spread_minor),
                issued,
                draw(key + " days", shortest, longest),
                f"{memo}, {bill}",
            )


def write_cheques(books: Books) -> None:
    for number, cheque in enumerate(planned(), start=FIRST_NUMBER):
        written = str(number)
        if cheque.misread_in_books:
            written = written[:-2] + written[-1] + written[-2]
        contra = cheque.payee.contra
        line = books.cash(
            cheque.issued,
            -cheque.amount_minor,
            contra,
            f"Check {written}, {cheque.payee.name}: {cheque.memo}",
            counterparty=cheque.payee.name,
            reference=written,
        )
        posted = next_business_day(cheque.issued + timedelta(days=cheque.clearing_days))
        text = f"CHECK {number}"
        bank_line = BankLine(
            OPERATING, posted, -cheque.amount_minor, text, "CHECK_PAID", str(number)
        )
        habit = "cheque, number misread" if cheque.misread_in_books else "cheque"
        books.settle(habit, [bank_line], [line])
