"""How the company pays and is paid: each habit writes both sides and ties them together.

Bank descriptions follow the styles of United States checking accounts: clearing-house
records with their labelled fields, card purchases with telephone and city tails, cheques
by number.  Runs of blanks are written as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from demo import cast
from demo.books import (
    OPERATING,
    BankLine,
    Books,
    LedgerLine,
    business_days_after,
    digits,
    draw,
    last_business_day,
    month_end,
    next_business_day,
)
from demo.cast import Merchant, Party

FEE: Final = "FEE_TRANSACTION"
ACH_DEBIT: Final = "ACH_DEBIT"
ACH_CREDIT: Final = "ACH_CREDIT"
CARD: Final = "DEBIT_CARD"
CHECK_DEPOSIT: Final = "CHECK_DEPOSIT"


def ach_text(party: Party, posted: date, entry: str, *, individual: str = "") -> str:
    """Return a clearing-house record as banks print it, its trace number drawn from the day."""
    key = f"{party.bank_name} {posted} {entry} {individual}"
    return (
        f"ORIG CO NAME:{party.bank_name[:16]} ORIG ID:{digits(party.name, 10)} "
        f"DESC DATE:{posted:%y%m%d} CO ENTRY DESCR:{entry[:10]} SEC:CCD "
        f"TRACE#:{digits(key, 15)} EED:{posted:%y%m%d} "
        f"IND ID:{individual or digits(party.name + ' customer', 6)} "
        f"IND NAME:{cast.BANK_SPELLING} TRN: {posted:%j}{digits(key, 7)}TC"
    )


def entered_after(posted: date, days: int) -> date:
    """Return when the bookkeeper entered it: never in a later month than the bank's."""
    return min(next_business_day(posted + timedelta(days=days)), last_business_day(posted))


def ach_debit(
    books: Books,
    party: Party,
    amount_minor: int,
    posted: date,
    *,
    entry: str,
    label: str,
    entered_days_before: int = 1,
    habit: str = "direct debit",
) -> None:
    """Let a vendor draw an amount that the books hold a few banking days earlier."""
    entered = business_days_after(posted, -entered_days_before)
    line = books.cash(entered, -amount_minor, party.contra, label, counterparty=party.name)
    text = ach_text(party, posted, entry)
    books.settle(habit, [BankLine(OPERATING, posted, -amount_minor, text, ACH_DEBIT)], [line])


def online_payment(
    books: Books,
    party: Party,
    bills: Sequence[tuple[str, int]],
    sent: date,
    *,
    cleared_days: int = 1,
    paid_minor: int = 0,
    memo: str = "",
) -> None:
    """Pay one or several bills in one sum; `paid_minor` where the books hold another amount."""
    lines = [
        books.cash(
            sent,
            -amount_minor,
            party.contra,
            f"Bill payment, {party.name}, bill {number}",
            counterparty=party.name,
            reference=number,
        )
        for number, amount_minor in bills
    ]
    posted = business_days_after(sent, cleared_days)
    key = f"{party.name} {sent} {bills[0][0]}"
    tail = digits(party.name, 4)
    text = f"Online ACH Payment {digits(key, 10)} To {party.bank_name} (_######{tail})"
    amount_minor = paid_minor or sum(amount for _, amount in bills)
    habit = "one payment, several bills" if len(bills) > 1 else "online payment"
    books.settle(
        "wrong amount in the books" if paid_minor else habit,
        [BankLine(OPERATING, posted, -amount_minor, text, "ACH_PAYMENT")],
        lines,
        adjust_to=party.contra if paid_minor else "",
        memo=memo,
    )


@dataclass(frozen=True, slots=True)
class Remittance:
    """What a customer paid by ACH, and how much of it the two sides can see of each other."""

    party: Party
    amount_minor: int
    invoice: str
    individual: str = ""
    sent_by: Party | None = None


def ach_receipt(books: Books, paid: Remittance, posted: date, *, entered_days: int) -> None:
    party = paid.party
    line = books.cash(
        entered_after(posted, entered_days),
        paid.amount_minor,
        party.contra,
        f"Payment {paid.invoice}, {party.name}",
        counterparty=party.name,
        reference=paid.invoice,
    )
    sender = paid.sent_by or party
    text = ach_text(sender, posted, "PAYMENT", individual=paid.individual)
    bank_line = BankLine(OPERATING, posted, paid.amount_minor, text, ACH_CREDIT)
    books.settle("customer's direct payment", [bank_line], [line])


def deposit(
    books: Books,
    posted: date,
    receipts: Sequence[tuple[Party, int, str]],
    *,
    entered_days_before: int = 1,
    credited_minor: int = 0,
    memo: str = "",
) -> None:
    """Bank several customers' cheques at once; each is a receipt of its own in the books."""
    entered = business_days_after(posted, -entered_days_before)
    lines = [
        books.cash(
            entered,
            amount_minor,
            "1200",
            f"Check received, {invoice}",
            counterparty=party.name,
            reference=invoice,
        )
        for party, amount_minor, invoice in receipts
    ]
    amount_minor = credited_minor or sum(amount for _, amount, _ in receipts)
    that_day = [match for match in books.matches if match.bank[0].posted == posted]
    slip = str(1 + sum(match.bank[0].kind == CHECK_DEPOSIT for match in that_day))
    text = f"REMOTE ONLINE DEPOSIT # {slip}"
    habit = "batch deposit" if len(receipts) > 1 else "single deposit"
    books.settle(
        "wrong amount in the books" if credited_minor else habit,
        [BankLine(OPERATING, posted, amount_minor, text, CHECK_DEPOSIT, slip)],
        lines,
        adjust_to="1200" if credited_minor else "",
        memo=memo,
    )


def card(
    books: Books,
    merchant: Merchant,
    amount_minor: int,
    bought: date,
    *,
    entered_days: int = 0,
    posted_days: int = 1,
) -> None:
    """Buy with the debit card; the receipt may reach the bookkeeper days after the bank."""
    posted = business_days_after(bought, posted_days)
    entered = min(bought + timedelta(days=entered_days), month_end(posted))
    line = books.cash(
        entered, -amount_minor, merchant.contra, merchant.label, counterparty=merchant.name
    )
    text = card_text(merchant, bought)
    bank_line = BankLine(OPERATING, posted, -amount_minor, text, CARD)
    books.settle(
        "card purchase, entered late" if entered > posted else "card purchase", [bank_line], [line]
    )


def card_twice(books: Books, merchant: Merchant, amount_minor: int, bought: date) -> None:
    """Buy the same for the same price twice in a day: two bank lines that nothing tells apart."""
    text = card_text(merchant, bought)
    for _ in range(2):
        line = books.cash(
            bought, -amount_minor, merchant.contra, merchant.label, counterparty=merchant.name
        )
        posted = business_days_after(bought, 1)
        bank_line = BankLine(OPERATING, posted, -amount_minor, text, CARD)
        books.settle("twins on one day", [bank_line], [line])


def card_text(merchant: Merchant, bought: date) -> str:
    return f"{merchant.bank_text} {bought:%m/%d}"


def foreign_card(
    books: Books, merchant: Merchant, bought: date, *, charged_minor: int, booked_minor: int
) -> None:
    """Buy in another currency: the bank converts at a rate that the books did not know."""
    posted = business_days_after(bought, 2)
    line = books.cash(
        bought,
        -booked_minor,
        merchant.contra,
        f"{merchant.label}, CHF at the day's rate",
        counterparty=merchant.name,
    )
    books.settle(
        "foreign card purchase",
        [BankLine(OPERATING, posted, -charged_minor, card_text(merchant, bought), CARD)],
        [line],
        adjust_to="6820",
        memo=f"Exchange difference, {merchant.name}",
    )


def unbooked(
    books: Books,
    posted: date,
    amount_minor: int,
    text: str,
    kind: str,
    *,
    adjust_to: str,
    memo: str,
    account_number: str = OPERATING,
) -> None:
    """Let the bank book what the books lack."""
    line = BankLine(account_number, posted, amount_minor, text, kind)
    books.settle("not in the books", [line], [], adjust_to=adjust_to, memo=memo)


def wire_in(
    books: Books,
    party: Party,
    booked_minor: int,
    posted: date,
    invoice: str,
    *,
    credited_minor: int,
) -> None:
    """Receive a wire, less what a bank on its way kept, and the own bank's fee for it."""
    line = books.cash(
        entered_after(posted, 1),
        booked_minor,
        party.contra,
        f"Wire, {invoice}, {party.name}",
        counterparty=party.name,
        reference=invoice,
    )
    key = f"wire {party.name} {posted}"
    text = (
        f"FEDWIRE CREDIT VIA: {digits(key, 9)} B/O: {party.bank_name} "
        f"REF: BNF=NORTHGATE PRINT & DESIGN LLC RFB={invoice.removeprefix('INV-')} "
        f"TRN: {digits(key + ' trn', 10)}FF"
    )
    short = credited_minor != booked_minor
    books.settle(
        "wire less a bank's charge" if short else "wire",
        [BankLine(OPERATING, posted, credited_minor, text, "WIRE_INCOMING")],
        [line],
        adjust_to="6800" if short else "",
        memo=f"Charge kept from the wire, {invoice}" if short else "",
    )
    unbooked(
        books,
        posted,
        -15_00,
        "DOMESTIC INCOMING WIRE FEE",
        FEE,
        adjust_to="6800",
        memo=f"Incoming wire fee, {party.name}",
    )


def transfer(books: Books, sent: date, to_reserve_minor: int) -> None:
    """Move money between the two bank accounts; a negative amount comes back from the reserve."""
    label = "Transfer to reserve" if to_reserve_minor > 0 else "Transfer from reserve"
    to_reserve, from_operating = books.enter(
        sent,
        LedgerLine("1010", to_reserve_minor, label, cast.SAVINGS_BANK.name),
        LedgerLine(OPERATING, -to_reserve_minor, label, cast.SAVINGS_BANK.name),
    )
    kind = ACH_DEBIT if to_reserve_minor > 0 else ACH_CREDIT
    text = ach_text(cast.SAVINGS_BANK, sent, "TRANSFER")
    operating_line = BankLine(OPERATING, sent, -to_reserve_minor, text, kind)
    books.settle("transfer between own accounts", [operating_line], [from_operating])
    posted = business_days_after(sent, 1)
    code = "165" if to_reserve_minor > 0 else "455"
    direction = "FROM" if to_reserve_minor > 0 else "TO"
    reserve_text = f"ACH TRANSFER {direction} PUGET HARBOR BANK 4417"
    reserve_line = BankLine("1010", posted, to_reserve_minor, reserve_text, code)
    books.settle("transfer between own accounts", [reserve_line], [to_reserve])


def drawn_day(key: str, first: date, last: date) -> date:
    """Return the banking day between the two dates that belongs to this key."""
    span = (last - first).days
    return next_business_day(first + timedelta(days=draw(key, 0, span)))
