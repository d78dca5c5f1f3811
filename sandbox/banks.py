"""The sandbox's banks, and which accounts a login finds there.

Nothing here knows a wire format.  A company's accounts at a bank are the same at every login;
the identifiers that an item gives them are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from demo import cast
from demo.books import OPENING_DAY
from demo.books import OPERATING as DEMO_OPERATING
from demo.books import RESERVE as DEMO_RESERVE
from sandbox.story import casts, northgate
from sandbox.story.company import CARD, OPERATING, SAVINGS, SWEEP, Company, company_month

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandbox.story.events import Event

USER_GOOD: Final = "user_good"
USER_DYNAMIC: Final = "user_transactions_dynamic"
PASSWORD_GOOD: Final = "pass_good"  # noqa: S105  printed on the page
CODE_GOOD: Final = "1234"
BALANCE_DAY: Final = date(2024, 1, 1)
LINE: Final = "line"
BULK: Final = "bulk"
BULK_ROWS: Final = 100_000
BULK_ROWS_MAX: Final = 2_000_000
BULK_USER: Final = "user_rows_"
"""Followed by a number: how many transactions this login has at the bank for load tests."""


class AccountKind(StrEnum):
    CHECKING = "checking"
    SAVINGS = "savings"
    SWEEP = "sweep"
    CARD = "card"
    LINE_OF_CREDIT = "line of credit"


OWED_KINDS: Final = frozenset({AccountKind.CARD, AccountKind.LINE_OF_CREDIT})


@dataclass(frozen=True, slots=True)
class AccountPlan:
    """An account as the bank has it.

    `balance_minor` is the balance at the end of `balance_day`; what is owed is negative.
    `is_opened_later` accounts appear only when the fault menu opens them.
    """

    key: str
    kind: AccountKind
    name: str
    official_name: str
    mask: str
    balance_minor: int
    balance_day: date = BALANCE_DAY
    currency: str = "USD"
    limit_minor: int = 0
    is_opened_later: bool = False

    @property
    def is_owed(self) -> bool:
        return self.kind in OWED_KINDS


def _no_story(_username: str, _month: date) -> Mapping[str, tuple[Event, ...]]:
    return {}


@dataclass(frozen=True, slots=True)
class Institution:
    """A bank.

    `story` tells a month of a login's accounts, by account key.  At a bank whose logins
    `break_each_other`, a second item with the same login makes the first one ask for a new
    sign-in.  `consent_days` is how long a consent lasts, None where it has no end.
    """

    institution_id: str
    name: str
    url: str
    colour: str
    accounts: tuple[AccountPlan, ...]
    story: Callable[[str, date], Mapping[str, tuple[Event, ...]]] = _no_story
    routing_numbers: tuple[str, ...] = ()
    country: str = "US"
    asks_code: bool = False
    is_oauth: bool = False
    is_supported: bool = True
    has_transactions: bool = True
    has_persistent_ids: bool = False
    break_each_other: bool = False
    consent_days: int | None = None

    def account(self, key: str) -> AccountPlan:
        return next(account for account in self.accounts if account.key == key)


def _company_story(
    company: Company,
) -> Callable[[str, date], Mapping[str, tuple[Event, ...]]]:
    return lambda username, month: company_month(company, username, month)


def _puget_story(_username: str, month: date) -> Mapping[str, tuple[Event, ...]]:
    return {OPERATING: northgate.checking_month(month)}


def _cascade_story(_username: str, month: date) -> Mapping[str, tuple[Event, ...]]:
    return {SAVINGS: northgate.reserve_month(month)}


def _summit_story(_username: str, month: date) -> Mapping[str, tuple[Event, ...]]:
    return {CARD: northgate.card_month(month)}


PUGET_HARBOR: Final = Institution(
    institution_id="ins_900201",
    name="Puget Harbor Bank",
    url="https://pugetharbor.example",
    colour="#1d4f6e",
    routing_numbers=("999004417",),
    accounts=(
        AccountPlan(
            OPERATING,
            AccountKind.CHECKING,
            "Operating checking",
            "Harbor Business Checking",
            "4417",
            cast.OPENING_BALANCES_MINOR[DEMO_OPERATING],
            OPENING_DAY,
        ),
        AccountPlan(
            SAVINGS,
            AccountKind.SAVINGS,
            "Tax savings",
            "Harbor Business Savings",
            "4425",
            12_500_00,
            is_opened_later=True,
        ),
    ),
    story=_puget_story,
)

CASCADE_MUTUAL: Final = Institution(
    institution_id="ins_900202",
    name="Cascade Mutual Savings",
    url="https://cascademutual.example",
    colour="#23603f",
    routing_numbers=("999000926",),
    asks_code=True,
    accounts=(
        AccountPlan(
            SAVINGS,
            AccountKind.SAVINGS,
            "Reserve savings",
            "Mutual Business Reserve",
            "0926",
            cast.OPENING_BALANCES_MINOR[DEMO_RESERVE],
            OPENING_DAY,
        ),
    ),
    story=_cascade_story,
)

SUMMIT_CARD: Final = Institution(
    institution_id="ins_900203",
    name="Summit Card Services",
    url="https://summitcard.example",
    colour="#5a3a78",
    accounts=(
        AccountPlan(
            CARD,
            AccountKind.CARD,
            "Business card",
            "Summit Business Rewards",
            "3391",
            northgate.card_balance_minor(),
            OPENING_DAY,
            limit_minor=25_000_00,
        ),
    ),
    story=_summit_story,
)

FOUNDRY_COMMERCE: Final = Institution(
    institution_id="ins_900204",
    name="Foundry Commerce Bank",
    url="https://foundrycommerce.example",
    colour="#8a3b1f",
    routing_numbers=("999001130",),
    asks_code=True,
    accounts=(
        AccountPlan(
            OPERATING,
            AccountKind.CHECKING,
            "Business checking",
            "Foundry Analyzed Checking",
            "7310",
            184_220_41,
        ),
        AccountPlan(
            SAVINGS,
            AccountKind.SAVINGS,
            "Business savings",
            "Foundry Premium Savings",
            "7328",
            412_900_00,
        ),
        AccountPlan(
            SWEEP,
            AccountKind.SWEEP,
            "Investment sweep",
            "Foundry Treasury Sweep",
            "7336",
            150_000_00,
        ),
        AccountPlan(
            CARD,
            AccountKind.CARD,
            "Commercial card",
            "Foundry Commercial Card",
            "1188",
            -4_116_82,
            limit_minor=40_000_00,
        ),
        AccountPlan(
            "payroll",
            AccountKind.CHECKING,
            "Payroll checking",
            "Foundry Payroll Checking",
            "7344",
            25_000_00,
            is_opened_later=True,
        ),
    ),
    story=_company_story(casts.ALDER_AND_FINCH),
)

MERIDIAN_FIRST: Final = Institution(
    institution_id="ins_900205",
    name="Meridian First",
    url="https://meridianfirst.example",
    colour="#0f3d91",
    routing_numbers=("999002248", "999002256"),
    is_oauth=True,
    has_persistent_ids=True,
    break_each_other=True,
    consent_days=365,
    accounts=(
        AccountPlan(
            OPERATING,
            AccountKind.CHECKING,
            "Practice checking",
            "Meridian Business Complete",
            "5102",
            96_480_15,
        ),
        AccountPlan(
            SAVINGS,
            AccountKind.SAVINGS,
            "Practice savings",
            "Meridian Business Premier Savings",
            "5110",
            238_000_00,
        ),
        AccountPlan(
            LINE,
            AccountKind.LINE_OF_CREDIT,
            "Equipment line",
            "Meridian Business Line",
            "8801",
            -41_300_00,
            limit_minor=120_000_00,
        ),
    ),
    story=_company_story(casts.BRIGHTLINE_DENTAL),
)

NOORDERLICHT: Final = Institution(
    institution_id="ins_900206",
    name="Noorderlicht Bank",
    url="https://noorderlicht.example",
    colour="#a34a00",
    country="NL",
    is_oauth=True,
    consent_days=180,
    accounts=(
        AccountPlan(
            OPERATING,
            AccountKind.CHECKING,
            "Zakelijke rekening",
            "Noorderlicht Zakelijk",
            "6071",
            58_340_90,
            currency="EUR",
        ),
        AccountPlan(
            SAVINGS,
            AccountKind.SAVINGS,
            "Zakelijk sparen",
            "Noorderlicht Spaarrekening",
            "6089",
            120_000_00,
            currency="EUR",
        ),
        AccountPlan(
            CARD,
            AccountKind.CARD,
            "Zakelijke kaart",
            "Noorderlicht Creditcard",
            "4402",
            -1_204_55,
            currency="EUR",
            limit_minor=10_000_00,
        ),
    ),
    story=_company_story(casts.HAVENZICHT),
)

TIDEWATER_TRUST: Final = Institution(
    institution_id="ins_900207",
    name="Tidewater Trust",
    url="https://tidewatertrust.example",
    colour="#48545f",
    is_supported=False,
    accounts=(),
)

GRANITE_CLEARING: Final = Institution(
    institution_id="ins_900208",
    name="Granite Custody & Clearing",
    url="https://granitecustody.example",
    colour="#5d5340",
    has_transactions=False,
    accounts=(
        AccountPlan(
            "custody",
            AccountKind.SWEEP,
            "Custody cash",
            "Granite Institutional Custody",
            "2290",
            1_840_000_00,
        ),
    ),
)

CONTINENTAL_LEDGER: Final = Institution(
    institution_id="ins_900209",
    name="Continental Ledger Bank",
    url="https://continentalledger.example",
    colour="#2f2f2f",
    accounts=(
        AccountPlan(
            BULK,
            AccountKind.CHECKING,
            "Settlement account",
            "Continental Settlement Checking",
            "9000",
            5_000_000_00,
        ),
    ),
)

INSTITUTIONS: Final = {
    bank.institution_id: bank
    for bank in (
        PUGET_HARBOR,
        CASCADE_MUTUAL,
        SUMMIT_CARD,
        FOUNDRY_COMMERCE,
        MERIDIAN_FIRST,
        NOORDERLICHT,
        TIDEWATER_TRUST,
        GRANITE_CLEARING,
        CONTINENTAL_LEDGER,
    )
}


def search(query: str, countries: frozenset[str]) -> list[Institution]:
    """Return the banks of these countries whose name or number contains the words asked for."""
    words = query.lower().split()
    return [
        bank
        for bank in INSTITUTIONS.values()
        if bank.country in countries
        and all(word in bank.name.lower() or word in bank.routing_numbers for word in words)
    ]


def bulk_rows_of(username: str) -> int:
    """Return how many transactions this login has at the bank for load tests."""
    number = username.removeprefix(BULK_USER)
    if number != username and number.isdecimal():
        return min(int(number), BULK_ROWS_MAX)
    return BULK_ROWS


def knows(username: str) -> bool:
    """Return whether the sandbox's banks have a customer of this name."""
    number = username.removeprefix(BULK_USER)
    return username in {USER_GOOD, USER_DYNAMIC} or (number != username and number.isdecimal())
