"""A company's ordinary month: customers pay, bills are drawn, wages, cards, cheques, transfers.

A month is made of its own seed alone, so any month can be told without those before it.  What a
month leaves over goes to savings on its last banking day, so balances stay where they were.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from sandbox.story.draws import (
    business_day,
    day_in,
    digits,
    draw,
    last_business_day,
    near,
    next_month,
)
from sandbox.story.events import Event, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OPERATING: Final = "operating"
SAVINGS: Final = "savings"
SWEEP: Final = "sweep"
CARD: Final = "card"
FRIDAY: Final = 4
STATEMENT_DAY: Final = 22
US_LAYOUT: Final = "{party} DES:{entry} ID:XXXXX{number} INDN:{company} CO ID:XXXXX{origin} CCD"
SEPA_LAYOUT: Final = "SEPA {entry} NAAM: {party} KENMERK: {number}-{origin} OMSCHR: {company}"
SWEEP_STEP_MINOR: Final = 1_000_00
TIP_PERCENT: Final = (15, 22)


@dataclass(frozen=True, slots=True)
class Habit:
    """Something that happens every month on the operating account; money in is positive."""

    party: str
    entry: str
    day: int
    usual_minor: int
    spread_percent: int = 0
    kind: Kind = Kind.ACH


@dataclass(frozen=True, slots=True)
class Shop:
    """Where the card is used; a place with service asks for a tip, which posts days later."""

    merchant: str
    text: str
    usual_minor: int
    has_tip: bool = False


@dataclass(frozen=True, slots=True)
class Company:
    """A company at one bank.  `net_pay_minor` is drawn every other Friday."""

    name: str
    habits: tuple[Habit, ...]
    shops: tuple[Shop, ...]
    net_pay_minor: int
    checks_per_month: int
    deposits_per_month: int
    card_purchases_per_month: int
    account_keys: tuple[str, ...] = (OPERATING, SAVINGS, SWEEP, CARD)
    layout: str = US_LAYOUT


@lru_cache(maxsize=512)
def company_month(company: Company, seed: str, month: date) -> Mapping[str, tuple[Event, ...]]:
    """Return the month's events of each of the company's accounts at this bank."""
    story = f"{seed}|{company.name}"
    operating = [
        *_habits(company, story, month),
        *_payroll(company, story, month),
        *_checks(company, story, month),
        *_deposits(company, story, month),
        *_account_fee(story, month),
    ]
    told: dict[str, list[Event]] = {key: [] for key in company.account_keys}
    if CARD in told:
        told[CARD] += purchases(company.shops, story, month, company.card_purchases_per_month)
        _pay_card(company, story, month, operating, told[CARD])
    if SWEEP in told:
        _sweep(story, month, operating, told[SWEEP])
    if SAVINGS in told:
        _save(story, month, operating, told[SAVINGS])
    told[OPERATING] = operating
    return {key: tuple(events) for key, events in told.items()}


def _habits(company: Company, story: str, month: date) -> Iterator[Event]:
    for number, habit in enumerate(company.habits):
        key = f"{story}|habit {number}|{month}"
        day = business_day(day_in(month, habit.day))
        amount_minor = near(key, habit.usual_minor, habit.spread_percent)
        text = _clearing_text(company, habit.party, habit.entry, key)
        # Banks put right what the other side sent: a text cut off, now and then an amount.
        is_corrected = habit.spread_percent > 0 and draw(f"{key} corrected", 1, 9) == 1
        yield Event(
            key=f"habit {number} {month}",
            day=day,
            amount_minor=amount_minor,
            description=text,
            kind=habit.kind,
            merchant=habit.party.title() if habit.usual_minor < 0 else "",
            corrected_on=day + timedelta(days=draw(f"{key} when", 2, 6)) if is_corrected else None,
            corrected_minor=amount_minor,
            corrected_description=f"{text} ADDENDA {digits(key, 6)}",
        )


def _clearing_text(company: Company, party: str, entry: str, key: str) -> str:
    """Return a clearing-house record in the layout of the company's bank."""
    return company.layout.format(
        party=party.upper(),
        entry=entry,
        number=digits(key, 5),
        company=company.name.upper()[:22],
        origin=digits(party, 5),
    )


def _payroll(company: Company, story: str, month: date) -> Iterator[Event]:
    for payday in paydays(month):
        key = f"{story}|payroll {payday}"
        net_minor = near(key, company.net_pay_minor, 4)
        drawn = business_day(payday - timedelta(days=1))
        text = _clearing_text(company, "Paylark Payroll", "PAYROLL", key)
        yield Event(f"payroll {payday}", drawn, -net_minor, text, Kind.PAYROLL, "Paylark")
        tax_minor = net_minor * 31 // 100 + draw(f"{key} tax", 0, 99)
        text = _clearing_text(company, "IRS", "USATAXPYMT", key)
        yield Event(f"payroll tax {payday}", business_day(payday), -tax_minor, text, Kind.TAX)


def paydays(month: date) -> list[date]:
    """Return every other Friday, counted from one that all companies share."""
    first_payday = date(2024, 1, 5)
    day = first_payday + timedelta(weeks=-(-(month - first_payday).days // 14) * 2)
    assert day.weekday() == FRIDAY
    days = []
    while day < next_month(month):
        days.append(day)
        day += timedelta(weeks=2)
    return days


def _checks(company: Company, story: str, month: date) -> Iterator[Event]:
    first_number = 2_000 + 12 * (month.year - 2024) * company.checks_per_month
    first_number += (month.month - 1) * company.checks_per_month
    for place in range(company.checks_per_month):
        key = f"{story}|check {month} {place}"
        number = str(first_number + place)
        day = business_day(day_in(month, draw(f"{key} day", 2, 27)))
        amount_minor = -draw(key, 140_00, 2_900_00)
        yield Event(
            f"check {number}", day, amount_minor, f"CHECK {number}", Kind.CHECK, check_number=number
        )


def _deposits(company: Company, story: str, month: date) -> Iterator[Event]:
    for place in range(company.deposits_per_month):
        key = f"{story}|deposit {month} {place}"
        day = business_day(day_in(month, draw(f"{key} day", 1, 27)))
        text = f"MOBILE CHECK DEPOSIT {digits(key, 9)}"
        # One in twelve comes back unpaid some days later, and the bank strikes the deposit out.
        bounces = draw(f"{key} bounces", 1, 12) == 1
        yield Event(
            f"deposit {month} {place}",
            day,
            draw(key, 850_00, 7_400_00),
            text,
            Kind.DEPOSIT,
            removed_on=day + timedelta(days=draw(f"{key} when", 3, 8)) if bounces else None,
        )


def _account_fee(story: str, month: date) -> Iterator[Event]:
    day = last_business_day(month)
    fee_minor = -(18_00 + draw(f"{story}|fee {month}", 0, 12) * 50)
    yield Event(f"fee {month}", day, fee_minor, "ACCOUNT ANALYSIS FEE", Kind.FEE)


def purchases(shops: tuple[Shop, ...], story: str, month: date, count: int) -> tuple[Event, ...]:
    """Return a month of card use: pending at once, posted a banking day or two later."""
    return tuple(
        _purchase(shops, f"{story}|card {month} {place}", month, place) for place in range(count)
    )


def _purchase(shops: tuple[Shop, ...], key: str, month: date, place: int) -> Event:
    shop = shops[draw(f"{key} shop", 0, len(shops) - 1)]
    bought = day_in(month, draw(f"{key} day", 1, 28))
    posted = business_day(bought + timedelta(days=draw(f"{key} days", 1, 2)))
    pending_minor = near(key, shop.usual_minor, 35)
    tip_minor = pending_minor * draw(f"{key} tip", *TIP_PERCENT) // 100 if shop.has_tip else 0
    fate = draw(f"{key} fate", 1, 20)
    return Event(
        key=f"card {month} {place}",
        day=posted,
        amount_minor=-(pending_minor + tip_minor),
        description=f"{shop.text} {bought:%m/%d}",
        kind=Kind.CARD,
        merchant=shop.merchant,
        pending_from=bought,
        pending_minor=-pending_minor,
        is_linked=fate > 4,  # noqa: PLR2004  one in five posts without naming its pending one
        removed_on=posted if fate == 5 else None,  # noqa: PLR2004  one in twenty is never charged
    )


def _pay_card(
    company: Company, story: str, month: date, operating: list[Event], card: list[Event]
) -> None:
    """Pay last month's purchases from the operating account, so both accounts agree."""
    before = (month - timedelta(days=1)).replace(day=1)
    spent_minor = -sum(
        event.amount_minor
        for event in purchases(company.shops, story, before, company.card_purchases_per_month)
        if event.removed_on is None
    )
    day = business_day(month.replace(day=STATEMENT_DAY))
    text = _clearing_text(company, "Commercial Card", "AUTOPAY", f"{story}{month}")
    operating.append(Event(f"card payment {month}", day, -spent_minor, text, Kind.CARD_PAYMENT))
    text = "PAYMENT THANK YOU - AUTOPAY"
    card.append(Event(f"card payment {month}", day, spent_minor, text, Kind.CARD_PAYMENT))


def _sweep(story: str, month: date, operating: list[Event], sweep: list[Event]) -> None:
    """Move round sums to the sweep account and back on four days of the month."""
    day = month
    for place in range(4):
        day = business_day(day_in(month, 4 + 7 * place))
        steps = draw(f"{story}|sweep {month} {place // 2}", 4, 30)
        to_sweep_minor = steps * SWEEP_STEP_MINOR * (1 if place % 2 == 0 else -1)
        direction = "TO" if to_sweep_minor > 0 else "FROM"
        key = f"sweep {month} {place}"
        text = f"AUTOMATIC SWEEP {direction} INVESTMENT ACCT"
        operating.append(Event(key, day, -to_sweep_minor, text, Kind.TRANSFER))
        sweep.append(Event(key, day, to_sweep_minor, "AUTOMATIC SWEEP", Kind.TRANSFER))
    interest_minor = draw(f"{story}|sweep interest {month}", 610_00, 742_00)
    text = "DIVIDEND REINVESTED"
    sweep.append(
        Event(f"interest {month}", last_business_day(month), interest_minor, text, Kind.INTEREST)
    )


def _save(story: str, month: date, operating: list[Event], savings: list[Event]) -> None:
    """Send what the month left over to savings, or fetch what it lacks."""
    left_minor = sum(event.amount_minor for event in operating if event.removed_on is None)
    left_minor -= left_minor % 100
    day = last_business_day(month)
    direction = "TO" if left_minor > 0 else "FROM"
    confirmation = digits(f"{story}|save {month}", 10)
    text = f"ONLINE BANKING TRANSFER {direction} SAV CONF# {confirmation}"
    operating.append(Event(f"save {month}", day, -left_minor, text, Kind.TRANSFER))
    text = f"ONLINE BANKING TRANSFER CONF# {confirmation}"
    savings.append(Event(f"save {month}", day, left_minor, text, Kind.TRANSFER))
    interest_minor = draw(f"{story}|savings interest {month}", 188_00, 231_00)
    savings.append(Event(f"interest {month}", day, interest_minor, "INTEREST PAID", Kind.INTEREST))
