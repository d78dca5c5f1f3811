"""The demo company's accounts: August to October 2026 as its bank files tell them.

Other months are those three told again: days and references moved, amounts varied.  All three
spend more than they earn, so a customer wires at the end of each other month what it lacks, and the
balances stay near where the demo left them.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from demo.books import OPERATING, RESERVE, BankLine
from demo.generate import MONTHS, Story
from sandbox.story.company import Shop, purchases
from sandbox.story.draws import (
    business_day,
    day_in,
    digits,
    draw,
    last_business_day,
    month_of,
    near,
    next_month,
)
from sandbox.story.events import Event, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KINDS: Final = {
    "ACH_CREDIT": Kind.ACH,
    "ACH_DEBIT": Kind.ACH,
    "ACH_PAYMENT": Kind.ACH,
    "CHECK_DEPOSIT": Kind.DEPOSIT,
    "CHECK_PAID": Kind.CHECK,
    "DEBIT_CARD": Kind.CARD,
    "FEE_TRANSACTION": Kind.FEE,
    "LOAN_PMT": Kind.LOAN,
    "MISC_CREDIT": Kind.REFUND,
    "WIRE_INCOMING": Kind.WIRE,
    "165": Kind.TRANSFER,
    "354": Kind.INTEREST,
    "455": Kind.TRANSFER,
    "698": Kind.FEE,
}
"""The demo bank's words for what moved, and BAI2's type codes, in ours."""
CARD_ISSUER: Final = "SUMMIT CARD SVCS"
SAVINGS_BANK: Final = "CASCADE MUTUAL S"
CARD_DAY: Final = re.compile(r" (\d\d)/(\d\d)$")
LONG_NUMBER: Final = re.compile(r"(?<=TRACE#:)\d+|(?<=ST-)\d+|(?<=Payment )\d{10}|(?<=TRN: )\d+")
DATE_FIELD: Final = re.compile(r"(?<=DATE:)\d{6}|(?<=EED:)\d{6}")
VARIED_KINDS: Final = frozenset({Kind.ACH, Kind.CARD, Kind.CHECK, Kind.DEPOSIT})
TIPPED: Final = ("TST*", "SQ *")
MERCHANT: Final = re.compile(r"(?:TST\* |SQ \*)?([A-Z' .&]+[A-Z])")
CARD_SHOPS: Final = (
    Shop("Kerning Club", "KERNINGCLUB.COM 206-555-0144 WA", 164_00),
    Shop("Stacklight Hosting", "STACKLIGHT HOSTING 415-555-0119 CA", 289_00),
    Shop("Tank Stop", "TANK STOP #0417 TACOMA WA", 72_00),
    Shop("Noodle Quay", "TST* NOODLE QUAY TACOMA WA", 86_00, has_tip=True),
    Shop("Harbor Air", "HARBOR AIR 253-555-0170 WA", 418_00),
    Shop("Substrate Supply", "SUBSTRATE SUPPLY CO 503-555-0102 OR", 512_00),
    Shop("Inn at Ruston", "INN AT RUSTON TACOMA WA", 236_00, has_tip=True),
)
CARD_PURCHASES_PER_MONTH: Final = 19
CHECKS_PER_MONTH: Final = 14
"""The three told months use fewer numbers, so no number comes twice."""


@lru_cache(maxsize=512)
def checking_month(month: date) -> tuple[Event, ...]:
    """Return a month of the operating account ··4417."""
    told = _told()[OPERATING].get(month)
    if told is not None:
        return told
    events = _told_again(OPERATING, month)
    left_minor = sum(event.amount_minor for event in events if event.removed_on is None)
    return (*events, _wire_in(month, -left_minor))


@lru_cache(maxsize=512)
def reserve_month(month: date) -> tuple[Event, ...]:
    """Return a month of the reserve ··0926 at the other bank."""
    told = _told()[RESERVE].get(month)
    if told is not None:
        return told
    day = last_business_day(month)
    interest_minor = draw(f"reserve interest {month}", 431_00, 458_00)
    interest = Event(f"interest {month}", day, interest_minor, "INTEREST PAYMENT", Kind.INTEREST)
    return (*_arrivals(month), interest)


def _arrivals(month: date) -> Iterator[Event]:
    """Yield what the operating account sent or fetched, a banking day later."""
    before = (month - timedelta(days=1)).replace(day=1)
    for sent in (*checking_month(before), *checking_month(month)):
        day = business_day(sent.day + timedelta(days=1))
        if SAVINGS_BANK in sent.description and month_of(day) == month:
            direction = "FROM" if sent.amount_minor < 0 else "TO"
            text = f"ACH TRANSFER {direction} PUGET HARBOR BANK 4417"
            yield Event(f"transfer {sent.key}", day, -sent.amount_minor, text, Kind.TRANSFER)


@lru_cache(maxsize=512)
def card_month(month: date) -> tuple[Event, ...]:
    """Return a month of the company card: its purchases are what the next payment pays."""
    payment = _card_payment(month)
    due_minor = -_card_payment(next_month(month)).amount_minor
    bought = list(purchases(CARD_SHOPS, "northgate card", month, CARD_PURCHASES_PER_MONTH))
    spent_minor = -sum(event.amount_minor for event in bought if event.removed_on is None)
    day = day_in(month, 28)
    left_minor = spent_minor - due_minor
    text = "SUBSTRATE SUPPLY CO 503-555-0102 OR"
    rest = Event(f"card rest {month}", business_day(day), left_minor, text, Kind.CARD)
    paid = Event(
        f"card payment {month}",
        payment.day,
        -payment.amount_minor,
        "PAYMENT RECEIVED - THANK YOU",
        Kind.CARD_PAYMENT,
    )
    return (*bought, rest, paid)


def _card_payment(month: date) -> Event:
    paid = [event for event in checking_month(month) if CARD_ISSUER in event.description]
    return paid[0]


@lru_cache(maxsize=1)
def _told() -> Mapping[str, Mapping[date, tuple[Event, ...]]]:
    story = Story()
    return {
        number: {
            month: tuple(
                _event(line, f"{month} {place}")
                for place, line in enumerate(story.bank_lines(number, month))
            )
            for month in MONTHS
        }
        for number in (OPERATING, RESERVE)
    }


def _event(line: BankLine, key: str) -> Event:
    bought = _bought_on(line.description, line.posted) if line.kind == "DEBIT_CARD" else None
    kind = Kind.INTEREST if line.description == "INTEREST PAYMENT" else KINDS[line.kind]
    is_tipped = line.description.startswith(TIPPED)
    return Event(
        key=key,
        day=line.posted,
        amount_minor=line.amount_minor,
        description=line.description,
        kind=kind,
        merchant=_merchant(line.description) if kind is Kind.CARD else "",
        check_number=line.check_number if kind is Kind.CHECK else "",
        pending_from=bought,
        pending_minor=line.amount_minor * 100 // 118 if is_tipped else line.amount_minor,
        is_linked=draw(f"{key} linked", 1, 5) > 1,
    )


def _merchant(description: str) -> str:
    found = MERCHANT.match(description)
    return found[1].title().removesuffix(" Tacoma Wa") if found else ""


def _bought_on(description: str, posted: date) -> date | None:
    """Return the day of purchase that a card's description ends in."""
    found = CARD_DAY.search(description)
    if found is None:
        return None
    bought = date(posted.year, int(found[1]), int(found[2]))
    return bought if bought <= posted else bought.replace(year=posted.year - 1)


def _told_again(number: str, month: date) -> tuple[Event, ...]:
    template = MONTHS[(month.month + month.year) % len(MONTHS)]
    events = _told()[number][template]
    return tuple(_moved(event, template, month) for event in events)


def _moved(event: Event, template: date, month: date) -> Event:
    """Return an event of a told month as it happens in another one."""
    key = f"{month} {event.key}"
    day = business_day(day_in(month, event.day.day))
    if day >= next_month(month):
        day = last_business_day(month)
    is_varied = event.kind in VARIED_KINDS and SAVINGS_BANK not in event.description
    amount_minor = near(key, event.amount_minor, 6) if is_varied else event.amount_minor
    bought = None
    if event.pending_from is not None:
        bought = day - (event.day - event.pending_from)
    apart = (month.year - template.year) * 12 + month.month - template.month
    check_number = (
        str(int(event.check_number) + CHECKS_PER_MONTH * apart) if event.check_number else ""
    )
    text = _text_moved(event, key, bought or day, check_number)
    fate = draw(f"{key} fate", 1, 30)
    return Event(
        key=key,
        day=day,
        amount_minor=amount_minor,
        description=text,
        kind=event.kind,
        merchant=event.merchant,
        check_number=check_number,
        pending_from=bought,
        pending_minor=amount_minor * event.pending_minor // event.amount_minor,
        is_linked=event.is_linked,
        corrected_on=day + timedelta(days=3) if fate == 1 else None,
        corrected_minor=amount_minor,
        corrected_description=f"{text} CORR",
        removed_on=day + timedelta(days=4) if fate == 2 and event.kind is Kind.CARD else None,  # noqa: PLR2004
    )


def _text_moved(event: Event, key: str, day: date, check_number: str) -> str:
    if check_number:
        return f"CHECK {check_number}"
    text = CARD_DAY.sub(f" {day:%m/%d}", event.description)
    text = DATE_FIELD.sub(f"{day:%y%m%d}", text)
    return LONG_NUMBER.sub(lambda found: digits(key + found[0], len(found[0])), text)


def _wire_in(month: date, amount_minor: int) -> Event:
    key = f"wire {month}"
    text = (
        f"FEDWIRE CREDIT VIA: {digits(key, 9)} B/O: MERIDIAN OUTFITTERS "
        f"REF: BNF=NORTHGATE PRINT & DESIGN LLC TRN: {digits(key + ' trn', 10)}FF"
    )
    return Event(key, last_business_day(month), amount_minor, text, Kind.WIRE)


def card_balance_minor() -> int:
    """Return what the company owed on its card on the evening before the demo's first day."""
    return _card_payment(MONTHS[0]).amount_minor
