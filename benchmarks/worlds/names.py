"""Names of businesses, people and committees; two halves that share no rare word."""

from __future__ import annotations

import random
from dataclasses import dataclass


def listed(text: str) -> list[str]:
    """Return the words of a text."""
    return text.split()


SURNAMES = (
    listed(
        """Abbott Acosta Bancroft Barlow Beckett Bellamy Brandt Calloway Carver Castillo Chandra
        Conway Dalton Delgado Donovan Easton Ellery Farrow Fenwick Fleming Garrett Gibbons Grady
        Halloran Hargrove Hastings Hobbs Holloway Ibarra Ingram Jarvis Keating Kendrick Kowalski
        Lambert Langley Larkin Lindqvist Lockhart Maddox"""
    ),
    listed(
        """Magnusson Marlowe Mercado Merritt Navarro Nolan Novak Oakley Okafor Orlov Osborne Paxton
        Pemberton Pereira Prescott Quigley Radcliffe Ramsey Reyes Rosales Rutherford Salazar
        Sandoval Schaefer Sheridan Sorensen Stanton Sutter Talbot Thackeray Tran Underhill Valdez
        Vance Villanueva Wakefield Weatherby Whitlock Winslow Yates"""
    ),
)
PLACES = (
    listed(
        """Aspen Bayview Cedar Copper Crescent Eagle Evergreen Granite Harbor Highland Juniper
        Lakeside Laurel Magnolia Meridian Northgate Pacific Pioneer Redwood Riverside"""
    ),
    listed(
        """Saddle Sierra Silver Skyline Southport Stonebridge Summit Sunrise Sycamore Tidewater
        Timber Trident Valley Vanguard Vista Walnut Westfield Willow Windsor Zenith"""
    ),
)
INVENTED = (
    listed(
        """Adobix Brightwell Cloudary Datavolt Embarq Figment Gustavo Hubstack Intercore Jumpline
        Kinsto Linodex Mailgrove Notary9 Openlane Paychord Quillbot Rampart Slackline Twilioni"""
    ),
    listed(
        """Upworth Vercello Wistia4 Xerocon Yardio Zapline Airtably Bamboozi Calendora Deelo Expenso
        Front8 Gitlane Hotjaro Inviso Justwork Klaviyon Loomix Mondago Netlifyo"""
    ),
)
TRADES = (
    listed(
        """Plumbing Electric Supply Landscaping Printing Catering Logistics Staffing Roofing Legal
        Accounting Marketing Design Janitorial Security Freight Dental Medical Software Hardware"""
    ),
    listed(
        """Paving Heating Lumber Nursery Graphics Bakery Trucking Recruiting Glass Advisors
        Bookkeeping Media Studio Cleaning Alarm Shipping Optical Therapy Analytics Tools"""
    ),
)
SUFFIXES = ("Inc.", "LLC", "Ltd", "Corp.", "Co.", "LP", "", "", "")
FIRST_NAMES = listed(
    """Aaron Beth Carlos Dana Elena Frank Grace Henry Irene Jamal Karen Luis Maria Nina Omar
        Paula Quinn Rosa Steven Tara Victor Wendy Yusuf Zoe"""
)
CITIES = (
    ("SEATTLE WA", "PORTLAND OR", "DENVER CO", "AUSTIN TX", "BOISE ID", "CHICAGO IL"),
    ("ATLANTA GA", "RALEIGH NC", "BOSTON MA", "MIAMI FL", "NEWARK NJ", "TULSA OK"),
)


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody to pay or to be paid by.

    Attributes:
        ledger: The name in the books.
        bank: The name as the bank gets it, in capitals; often another way to write it.
        city: City and state of its card terminal.
    """

    ledger: str
    bank: str
    city: str


def company(rng: random.Random, half: int) -> Party:
    """Return a business."""
    roll = rng.random()
    trade = rng.choice(TRADES[half])
    if roll < 0.35:
        core = f"{rng.choice(SURNAMES[half])} {trade}"
    elif roll < 0.55:
        core = f"{rng.choice(PLACES[half])} {trade}"
    elif roll < 0.7:
        core = f"{rng.choice(SURNAMES[half])} & {rng.choice(SURNAMES[half])}"
    elif roll < 0.85:
        core = rng.choice(INVENTED[half])
    else:
        core = f"{rng.choice(PLACES[half])} {rng.choice(SURNAMES[half])} {trade} Group"
    ledger = f"{core} {rng.choice(SUFFIXES)}".strip()
    return Party(ledger, _as_bank_writes(rng, core, ledger), rng.choice(CITIES[half]))


def person(rng: random.Random, half: int) -> Party:
    """Return a person; banks often see only initial and surname, or surname first."""
    first, last = rng.choice(FIRST_NAMES), rng.choice(SURNAMES[half])
    bank = rng.choice(
        [f"{first} {last}", f"{first} {last}", f"{first[0]} {last}", f"{last} {first}"]
    )
    return Party(f"{first} {last}", bank.upper(), rng.choice(CITIES[half]))


def committee(rng: random.Random, half: int) -> Party:
    """Return a political committee or association: long names that everybody writes differently."""
    last, place = rng.choice(SURNAMES[half]), rng.choice(PLACES[half])
    first, cause = rng.choice(FIRST_NAMES), rng.choice(TRADES[half])
    style = rng.randrange(5)
    if style == 0:
        names = [
            f"{last} for Congress",
            f"Friends of {first} {last}",
            f"{first} {last} for Congress",
        ]
    elif style == 1:
        names = [f"{last} for Senate", f"{first} {last} for Senate", f"{last} for US Senate Inc"]
    elif style == 2:
        long = f"National {cause} Action Committee"
        names = [long, "".join(w[0] for w in long.split()), f"Natl {cause} Action Cmte"]
    elif style == 3:
        names = [
            f"{place} County Democratic Party",
            f"{place} County Dem Party",
            f"{place} Cty Democratic Central Cmte",
        ]
    else:
        names = [f"{place} Leadership PAC", f"{place} PAC", f"Leadership PAC of {place}"]
    ledger = names[0]
    bank = rng.choice(names) if rng.random() < 0.6 else ledger
    return Party(ledger, bank.upper(), rng.choice(CITIES[half]))


def _as_bank_writes(rng: random.Random, core: str, ledger: str) -> str:
    roll = rng.random()
    plain = core.upper().replace("&", "AND" if rng.random() < 0.5 else "&")
    if roll < 0.45:
        return ledger.upper().replace(".", "").replace(",", "")
    if roll < 0.65:
        return plain
    if roll < 0.75:
        return plain.replace(" ", "")
    if roll < 0.85:
        words = plain.split()
        return " ".join([words[0], *(_shortened(w) for w in words[1:])])
    if roll < 0.93:
        return plain.split()[0]
    # Doing business under another name: nothing in common.
    return f"{rng.choice('ABCDEFGHKLMNPRST')}{rng.choice('AEIOU')}{rng.choice('BDKLMNRST')}{rng.choice('AEIOU')} HOLDINGS"


def _shortened(word: str) -> str:
    kept = word[0] + "".join(c for c in word[1:] if c not in "AEIOU")
    return kept[:5] if len(word) > 4 else word
