"""Names of businesses, people, offices and committees; two halves that share no rare word.

A party has the name that the books use, the name that the bank gets, and sometimes other ways in
which a bookkeeper writes it on other days.
"""

from __future__ import annotations

import random
from dataclasses import dataclass


def listed(text: str) -> list[str]:
    """Return the words of a text."""
    return text.split()


SURNAMES = (
    listed(
        """Abbott Acosta Anderson Bancroft Barlow Beckett Bellamy Brandt Brown Calloway Carver Castillo
        Chandra Clark Conway Dalton Davis Delgado Donovan Easton Ellery Farrow Fenwick Fleming Garcia
        Garrett Gibbons Grady Halloran Hargrove Hastings Hobbs Holloway Ibarra Ingram Jarvis Johnson
        Keating Kendrick Kowalski Lambert Langley Larkin Lee Lewis Lindqvist Lockhart Maddox Martin"""
    ),
    listed(
        """Magnusson Marlowe Mercado Merritt Miller Moore Navarro Nguyen Nolan Novak Oakley Okafor Orlov
        Osborne Parker Patel Paxton Pemberton Pereira Prescott Quigley Radcliffe Ramsey Reyes Robinson
        Rosales Rutherford Salazar Sanchez Sandoval Schaefer Sheridan Smith Sorensen Stanton Sutter
        Talbot Taylor Thackeray Thomas Tran Underhill Valdez Vance Villanueva Wakefield Weatherby
        Whitlock Williams Wilson Winslow Yates Young"""
    ),
)
PLACES = (
    listed(
        """Aspen Bayview Cedar Copper Crescent Eagle Evergreen Granite Harbor Highland Juniper Lakeside
        Laurel Magnolia Meridian Northgate Pacific Pioneer Redwood Riverside"""
    ),
    listed(
        """Saddle Sierra Silver Skyline Southport Stonebridge Summit Sunrise Sycamore Tidewater Timber
        Trident Valley Vanguard Vista Walnut Westfield Willow Windsor Zenith"""
    ),
)
STATES = (
    listed("Alabama Arizona Colorado Georgia Idaho Illinois Iowa Kansas Maine Maryland Michigan"),
    listed("Montana Nebraska Nevada Ohio Oregon Texas Utah Vermont Virginia Wisconsin Wyoming"),
)
INVENTED = (
    listed(
        """Adobix Brightwell Cloudary Datavolt Embarq Figment Gustavo Hubstack Intercore Jumpline Kinsto
        Linodex Mailgrove Notary9 Openlane Paychord Quillbot Rampart Slackline Twilioni"""
    ),
    listed(
        """Upworth Vercello Wistia4 Xerocon Yardio Zapline Airtably Bamboozi Calendora Deelo Expenso
        Front8 Gitlane Hotjaro Inviso Justwork Klaviyon Loomix Mondago Netlifyo"""
    ),
)
TRADES = (
    listed(
        """Plumbing Electric Supply Landscaping Printing Catering Logistics Staffing Roofing Legal
        Accounting Marketing Design Janitorial Security Freight Dental Medical Software Hardware Flooring
        Insurance Properties Consulting Foods"""
    ),
    listed(
        """Paving Heating Lumber Nursery Graphics Bakery Trucking Recruiting Glass Advisors Bookkeeping
        Media Studio Cleaning Alarm Shipping Optical Therapy Analytics Tools Fencing Capital Realty
        Partners Produce"""
    ),
)
GERMAN = (
    listed("Brückner Schäfer Köhler Weiß Vogel Hartmann Lorenz Böhm Jäger Kühn Seidel Groß"),
    listed("Müller Krüger Hoffmann Zöllner Ernst Wagner Fuchs Günther Peters Möller Scholz Thiel"),
)
SUFFIXES = ("Inc.", "LLC", "Ltd", "Corp.", "Co.", "LP", "", "", "")
FIRST_NAMES = listed(
    """Aaron Beth Carlos Dana Elena Frank Grace Henry Irene Jamal Karen Luis Maria Nina Omar Paula Quinn
    Rosa Steven Tara Victor Wendy Yusuf Zoe Robert William Michael Katherine Elizabeth James Thomas"""
)
NICKNAMES = {
    "Robert": "Bob",
    "William": "Bill",
    "Michael": "Mike",
    "Katherine": "Kathy",
    "Elizabeth": "Liz",
    "James": "Jim",
    "Thomas": "Tom",
    "Steven": "Steve",
    "Victor": "Vic",
}
CITIES = (
    ("SEATTLE WA", "PORTLAND OR", "DENVER CO", "AUSTIN TX", "BOISE ID", "CHICAGO IL"),
    ("ATLANTA GA", "RALEIGH NC", "BOSTON MA", "MIAMI FL", "NEWARK NJ", "TULSA OK"),
)


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody to pay or to be paid by.

    Attributes:
        ledger: The name in the books.
        bank: The name as the bank gets it; often another way to write it.
        city: City and state of its card terminal.
        others: Other ways in which the bookkeeper writes it.
        line: The whole card line of a well-known merchant, with `#` for a digit that changes.
    """

    ledger: str
    bank: str
    city: str
    others: tuple[str, ...] = ()
    line: str = ""


def company(rng: random.Random, half: int) -> Party:
    """Return a business."""
    trade, last = rng.choice(TRADES[half]), rng.choice(SURNAMES[half])
    place, other = rng.choice(PLACES[half]), rng.choice(SURNAMES[half])
    core = rng.choice(
        [
            *[f"{last} {trade}"] * 3,
            *[f"{place} {trade}"] * 2,
            f"{last} & {other}",
            f"{last} {trade} & Sons",
            f"{rng.choice(INVENTED[half])}",
            f"{rng.choice(INVENTED[half])}",
            f"{place} {last} {trade} Group",
            f"Law Offices of {rng.choice(FIRST_NAMES)} {last}",
            f"The {place} {trade} Company",
            f"{last[0]}&{other[0]} {trade}",
            f"{last[0]}{other[0]}{place[0]} {trade}",
            f"{place} {rng.choice(TRADES[half])} {trade}",
        ]
    )
    ledger = f"{core} {rng.choice(SUFFIXES)}".strip()
    others = (core, f"{core.split()[0]} {core.split()[-1]}") if rng.random() < 0.2 else ()
    return Party(ledger, _as_bank_writes(rng, core, ledger), rng.choice(CITIES[half]), others)


def person(rng: random.Random, half: int) -> Party:
    """Return a person; banks often see initial and surname, or surname first."""
    first, last = rng.choice(FIRST_NAMES), rng.choice(SURNAMES[half])
    middle = rng.choice("ABCDEFGHJKLMPRSTW")
    short = NICKNAMES.get(first, first)
    bank = rng.choice(
        [
            *[f"{first} {last}"] * 4,
            f"{first[0]} {last}",
            f"{last} {first}",
            f"{first} {middle} {last}",
            f"{short} {last}",
            f"{last}, {first} {middle}",
        ]
    )
    ledger = rng.choice([*[f"{first} {last}"] * 4, f"{last}, {first}", f"{short} {last}"])
    return Party(ledger, bank.upper(), rng.choice(CITIES[half]))


def office(rng: random.Random, half: int) -> Party:
    """Return a public body: long names that the bank cuts or turns into initials."""
    place, state = rng.choice(PLACES[half]), rng.choice(STATES[half])
    name, short = rng.choice(
        [
            (f"City of {place}", f"CITY OF {place.upper()} UTIL"),
            (f"{place} County Water District", f"{place.upper()} CO WATER DIST"),
            (f"{state} Department of Revenue", f"{state.upper()} DEPT REV"),
            (f"{place} Unified School District", f"{place[0]}USD"),
            (f"{state} Workers Compensation Fund", f"{state.upper()} WCF"),
            (f"{place} Power & Light", f"{place[0]}P&L"),
            (f"State of {state}", f"STATE OF {state[:2].upper()}"),
        ]
    )
    return Party(name, rng.choice([short, name.upper()]), rng.choice(CITIES[half]))


def european(rng: random.Random, half: int) -> Party:
    """Return a German, French or Dutch business, with its accents in one of the two texts."""
    last, other = rng.choice(GERMAN[half]), rng.choice(GERMAN[half])
    trade = rng.choice(
        (
            [
                "Elektrotechnik",
                "Bürobedarf",
                "Spedition",
                "Immobilien",
                "Druckerei",
                "Gebäudereinigung",
            ],
            ["Transporten", "Boulangerie", "Imprimerie", "Installatie", "Papeterie", "Schoonmaak"],
        )[half]
    )
    form = rng.choice(
        (["GmbH", "GmbH & Co. KG", "AG", "e.K."], ["B.V.", "SARL", "SAS", "N.V."])[half]
    )
    core = rng.choice(
        [f"{last} {trade}", f"{trade} {last}", f"{last} & {other}", f"{last} {other}"]
    )
    plain = core.replace("ü", "ue").replace("ö", "oe").replace("ä", "ae").replace("ß", "ss")
    bank = rng.choice([f"{core} {form}", f"{plain} {form}", plain.upper(), core])
    return Party(f"{core} {form}", bank, "")


def candidate(rng: random.Random, half: int) -> Party:
    """Return a candidate's committee: everybody writes it otherwise."""
    first, last = rng.choice(FIRST_NAMES), rng.choice(SURNAMES[half])
    short, state = NICKNAMES.get(first, first), rng.choice(STATES[half])
    names = [
        f"{last} for Congress",
        f"Friends of {first} {last}",
        f"{short} {last} for Congress",
        f"{last} for Senate",
        f"Committee to Elect {first} {last}",
        f"Citizens for {last}",
        f"People for {short} {last}",
        f"{last} Victory Fund",
        f"Team {last}",
        f"{last} for {state}",
        f"Re-Elect {short} {last} Committee",
        f"{first} {last} for US Senate Inc",
    ]
    official = rng.choice(names)
    writings = [
        f"{official} Inc",
        official.replace("Committee", "Cmte"),
        f"{official} Committee",
        f"The {official} Committee",
        official.replace(f"{first} ", ""),
        official.replace(last, f"{first} {last}") if first not in official else official,
        f"{first} {last}",
        rng.choice(names),
        misspelt(rng, official),
        f"{official} {rng.choice([2024, 2026])}",
    ]
    return _two_writings(rng, half, official, writings, same=0.5)


def committee(rng: random.Random, half: int) -> Party:
    """Return a party's, company's or association's committee: long names, often initials."""
    place, state = rng.choice(PLACES[half]), rng.choice(STATES[half])
    cause, other = rng.choice(TRADES[half]), rng.choice(TRADES[half])
    side = rng.choice(["Democratic", "Republican"])
    style = rng.randrange(6)
    if style == 0:
        official = f"National {cause} Action Committee"
        writings = [_initials(official), f"Natl {cause} Action Cmte", f"{_initials(official)} PAC"]
    elif style == 1:
        official = f"{place} County {side} Party"
        writings = [
            f"{place} County {side[:3]} Party",
            f"{place} Cty {side} Central Cmte",
            f"{place} {side}s",
        ]
    elif style == 2:
        official = rng.choice([f"{place} Leadership PAC", f"{place} Values PAC", f"{place} PAC"])
        writings = [
            official.replace(" PAC", " Political Action Committee"),
            f"{official}--{_initials(official)}",
            official.replace(" PAC", ""),
        ]
    elif style == 3:
        official = f"{side} Party of {state}"
        writings = [
            f"{state} {side} Party",
            f"{side} State Central Committee of {state}",
            f"{state} {side[:3]} Party",
            f"{state} {'GOP' if side == 'Republican' else 'Dems'}",
        ]
    elif style == 4:
        official = f"Association of {cause} and {other} Professionals Political Action Committee"
        writings = [
            f"Assn of {cause} & {other} Professionals PAC",
            f"{cause} and {other} Professionals PAC",
            f"A{cause[0]}{other[0]}PPAC",
        ]
    else:
        union = rng.choice(["United", "International", "Amalgamated"])
        official = f"{union} {cause} Workers Local {rng.randrange(10, 999)}"
        writings = [official.replace("Local", "Loc"), f"{union} {cause} Wkrs", f"{official} COPE"]
    return _two_writings(rng, half, official, writings, same=0.5)


def _two_writings(
    rng: random.Random, half: int, official: str, writings: list[str], *, same: float
) -> Party:
    bank = official if rng.random() < same else rng.choice(writings)
    ledger = official if rng.random() < 0.7 else rng.choice(writings)
    others = (rng.choice(writings),) if rng.random() < 0.15 else ()
    return Party(ledger, bank.upper(), rng.choice(CITIES[half]), others)


def _initials(name: str) -> str:
    return "".join(word[0] for word in name.split())


def misspelt(rng: random.Random, name: str) -> str:
    """Return the name with one letter of a longer word left out, doubled or exchanged."""
    words = name.split()
    places = [k for k, word in enumerate(words) if len(word) > 5]
    if not places:
        return name
    place = rng.choice(places)
    word = words[place]
    at = rng.randrange(2, len(word) - 1)
    words[place] = rng.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        ]
    )
    return " ".join(words)


def _as_bank_writes(rng: random.Random, core: str, ledger: str) -> str:
    plain = core.upper().replace("&", rng.choice(["AND", "&", "&"]))
    first, *rest = plain.split()
    letters = (rng.choice(some) for some in ("ABCDEFGHKLMNPRST", "AEIOU", "BDKLMNRST", "AEIOU"))
    ways = {
        ledger.upper().replace(".", "").replace(",", ""): 0.48,
        plain: 0.2,
        plain.replace(" ", ""): 0.08,
        " ".join([first, *(_shortened(w) for w in rest)]): 0.08,
        first if len(first) > 3 else plain: 0.05,
        misspelt(rng, core).upper(): 0.03,
        # The owner's first name before the business's.
        f"{rng.choice(FIRST_NAMES)} {first}".upper(): 0.04,
        # Doing business under another name: nothing in common.
        f"{''.join(letters)} {rng.choice(['HOLDINGS', 'VENTURES', 'LLC'])}": 0.04,
    }
    return rng.choices(list(ways), list(ways.values()))[0]


def _shortened(word: str) -> str:
    kept = word[0] + "".join(c for c in word[1:] if c not in "AEIOU")
    return kept[:5] if len(word) > 4 else word
