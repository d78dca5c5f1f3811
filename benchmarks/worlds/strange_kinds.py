"""Books written by another hand: nothing is shared with the worlds that the model learns from.

The names are put together from syllables, the descriptor styles, lags, mistakes and wordings are
their own, so that what is measured here is not what one generator taught and then examined.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from benchmarks.worlds.books import Writer

HEADS = (
    *("Bal", "Cor", "Dun", "Fen", "Gar", "Hol", "Jar", "Kel", "Lor", "Mar", "Nor", "Os", "Pel"),
    *("Quin", "Ros", "Sal", "Tor", "Ul", "Var", "Wen", "Yar", "Zim", "Bri", "Cla", "Dre", "Fla"),
)
MIDDLES = ("", "", "de", "li", "ma", "no", "ri", "sa", "ti", "va", "be", "co")
TAILS = ("berg", "by", "den", "ford", "gan", "ham", "kin", "ler", "man", "nard", "quist", "ra")
ENDS = ("s", "son", "stein", "ter", "ton", "vic", "well", "wick", "z", "ski", "o", "ez")
GIVEN = (
    *("Alan", "Beth", "Chuck", "Dolores", "Earl", "Faye", "Gus", "Hattie", "Ivan", "Joan"),
    *("Kirk", "Lois", "Milt", "Nadia", "Otis", "Pam", "Ray", "Sue", "Ted", "Vera", "Walt"),
)
FORMAL = {"Chuck": "Charles", "Gus": "Augustus", "Milt": "Milton", "Ray": "Raymond"} | {
    "Pam": "Pamela",
    "Sue": "Susan",
    "Ted": "Theodore",
    "Walt": "Walter",
}
REGIONS = ("Ohio", "Utah", "Iowa", "Maine", "Texas", "Idaho", "Kansas", "Nevada", "Oregon")
FIELDS = (
    *("Bankers", "Beverage", "Builders", "Dairy", "Dental", "Farm", "Freight", "Grocers"),
    *("Health", "Home", "Hospital", "Insurance", "Nurses", "Petroleum", "Pilots", "Rail"),
    *("Realtors", "Retail", "Surgeons", "Teachers", "Telecom", "Timber", "Trial", "Wireless"),
)


@dataclass(frozen=True, slots=True)
class Name:
    """Who, as the books and as the other side write it."""

    books: str
    bank: str


def coined(rng: random.Random) -> str:
    """Return a surname or a word that nobody trained on."""
    return rng.choice(HEADS) + rng.choice(MIDDLES) + rng.choice(TAILS + ENDS)


def _runner(rng: random.Random, surnames: list[str]) -> Name:
    """Return a candidate's committee; surnames repeat, as they do."""
    last, given = rng.choice(surnames), rng.choice(GIVEN)
    formal, region = FORMAL.get(given, given), rng.choice(REGIONS)
    ways = [
        f"{last} for Congress",
        f"{given} {last} for Congress",
        f"Friends of {given} {last}",
        f"Friends of {formal} {last}, Inc.",
        f"{last} for {region}",
        f"{formal} {last} for {region}",
        f"Committee to Re-Elect {given} {last}",
        f"{last} Campaign Committee",
        f"The {last} Committee",
        f"{last} for US Senate",
        f"{last.upper()} {rng.choice([2012, 2014, 2016])}",
        f"{last}, {formal} {rng.choice('ABDEJLMRT')}.",
    ]
    return _written_twice(rng, ways)


def _association(rng: random.Random) -> Name:
    """Return an association's or company's fund, known by its initials to some."""
    first, field, other = rng.choice(["American", "National"]), *rng.sample(FIELDS, 2)
    kind = rng.choice(["Association", "Council", "Federation", "Institute"])
    full = rng.choice([f"{first} {kind} of {field}", f"{first} {field} {kind}"])
    if rng.random() < 0.4:
        full = f"{coined(rng)} {rng.choice(['Industries', 'Energy', 'Brands', 'Holdings'])}"
    elif rng.random() < 0.3:
        full = f"{field} and {other} {kind} of America"
    letters = "".join(w[0] for w in full.split() if w not in {"of", "and"}).upper()
    ways = [
        f"{full} PAC",
        f"{full} Political Action Committee",
        f"{full} Political Action Cmte ({letters}PAC)",
        f"{letters} PAC",
        f"{full} Federal PAC",
        f"{full.replace('Association', 'Assn').replace('National', 'Natl')} PAC",
        f"{letters}-PAC/{full.split()[-1]}",
        f"{full}, Inc. Good Government Fund",
    ]
    return _written_twice(rng, ways)


def _written_twice(rng: random.Random, ways: list[str]) -> Name:
    books = rng.choice(ways)
    return Name(books, books if rng.random() < 0.5 else rng.choice(ways))


def _slipped(rng: random.Random, text: str) -> str:
    """Return the text as another clerk keys it: cut, cased, a letter off, a word left out."""
    roll = rng.random()
    if roll < 0.04:
        words = text.split()
        return " ".join(words[: max(len(words) - 1, 1)])
    if roll < 0.08 and len(text) > 6:
        at = rng.randrange(2, len(text) - 2)
        return text[:at] + text[at + 1 :]
    return text[:38] if roll < 0.3 else text


def _posted_late(rng: random.Random) -> int:
    """Return days from one party's date to the other's: half within 5, a tenth over 15."""
    roll = rng.random()
    if roll < 0.1:
        return rng.choice([0, 0, 0, -1, -2, -5, -9])
    if roll < 0.12:
        return rng.randrange(30, 75)
    return min(round(rng.gammavariate(1.25, 5.6)), 45)


def two_parties(writer: Writer, events: int) -> None:
    """Payer and payees each wrote the payments down: round sums, halves, late, named otherwise."""
    cast, rng = writer.cast_rng, writer.rng
    surnames = [coined(cast) for _ in range(70)]
    friends = [_runner(cast, surnames) for _ in range(130)]
    friends += [_association(cast) for _ in range(40)]
    sums = [50000, 100000, 100000, 150000, 200000, 250000, 250000, 500000, 500000, 1000000]
    favourites = cast.sample(friends, 45)
    for _ in range(events):
        name = rng.choice(favourites if rng.random() < 0.45 else friends)
        value = rng.choice(sums) if rng.random() < 0.93 else rng.randrange(2_500, 400_000)
        day, lag = writer.day(), timedelta(days=_posted_late(rng))
        roll = rng.random()
        parts = [value // 2, value - value // 2] if roll < 0.03 else [value]
        unseen, unbooked = rng.random() < 0.12, rng.random() < 0.12
        whole = roll > 0.015  # who splits it: the payee's report or the payer's books
        theirs = [
            writer.gl_entry(day, -v, ("Contribution", "", name.books), party=name.books)
            for v in ([] if unbooked else [value] if whole else parts)
        ]
        text = _slipped(rng, name.bank).upper()
        ours = [
            writer.bank_line(day + lag, -v, (text, "", ""))
            for v in ([] if unseen else parts if whole else [value])
        ]
        writer.link(ours, theirs)


def _merchant(rng: random.Random) -> Name:
    word, kind = coined(rng), rng.choice(["Cafe", "Hardware", "Books", "Taxi", "Hotel", "Deli"])
    books = rng.choice([f"{word} {kind}", word, f"{word}'s {kind}", f"{kind} {word}"])
    town = coined(rng).upper()
    tail = rng.choice([f" {town}", f" {town} {rng.choice(['OH', 'TX', 'ME', 'NV'])}", "", " US"])
    core = rng.choice([f"{word} {kind}", f"{word}{kind}", f"{word} {kind} {rng.randrange(2, 99)}"])
    return Name(books, core.upper() + tail)


def deferred_card(writer: Writer, events: int) -> None:
    """A card that is debited a month later, booked on the day of purchase, and some bills."""
    cast, rng = writer.cast_rng, writer.rng
    shops = [_merchant(cast) for _ in range(70)]
    monthly = [(shop, -cast.randrange(900, 9_000)) for shop in cast.sample(shops, 14)]
    for month in range(max(1, writer.days // 30)):
        for shop, value in monthly:
            _card(writer, shop, value, writer.start + timedelta(days=30 * month + 2))
    for _ in range(events):
        shop = rng.choice(shops)
        value = -rng.choice([rng.randrange(300, 9_000), rng.randrange(1, 40) * 500])
        _card(writer, shop, value, writer.day())


def _card(writer: Writer, shop: Name, value: int, day: date) -> None:
    rng = writer.rng
    roll = rng.random()
    cut = shop.bank[: rng.choice([16, 18, 22, 40])]
    prefix = rng.choice(["CB ", "ACHAT CB ", "CARD ", ""])
    text = f"{prefix}{cut} {day:%d%m%y}" if rng.random() < 0.5 else f"{prefix}{cut}"
    said = rng.choice(["", shop.books, f"Lunch {shop.books}", "Supplies", "Travel"])
    theirs, ours = [], []
    if roll > 0.06:
        theirs.append(writer.gl_entry(day, value, (said, "", shop.books), party=shop.books))
    if roll < 0.93:
        deferred = rng.randrange(30, 36) if rng.random() < 0.7 else rng.randrange(4)
        ours.append(writer.bank_line(day + timedelta(days=deferred), value, (text, "", "")))
    writer.link(ours, theirs)


def slow_cheques(writer: Writer, events: int) -> None:
    """Round sums by cheque to people; banks name no payee, books lack every third number."""
    cast, rng = writer.cast_rng, writer.rng
    people = [f"{coined(cast)}, {cast.choice(GIVEN)}" for _ in range(80)]
    number = 2_000 + rng.randrange(5_000)
    for _ in range(int(events * 0.7)):
        number += 1
        value = -rng.choice([2_500, 5_000, 5_000, 10_000, 15_000, 20_000, 25_000, 40_000])
        who, day, roll = rng.choice(people), writer.day(), rng.random()
        lag = timedelta(days=min(round(rng.lognormvariate(2.0, 0.8)), 90))
        wrong = rng.random() < 0.01
        shown = "" if rng.random() < 0.33 else str(number + 10 * wrong)
        theirs, ours = [], []
        if roll > 0.06:
            said = rng.choice(["Stipend", f"Scholarship {who}", "Grant", ""])
            theirs.append(writer.gl_entry(day, value, (said, shown, who), party=who))
        if roll < 0.9:
            text = rng.choice([f"CHECK {number}", f"Check #{number:08d}", f"CHECK PAID {number}"])
            ours.append(writer.bank_line(day + lag, value, (text, "", "")))
        writer.link(ours, theirs)
    for _ in range(int(events * 0.3)):
        who, day = rng.choice(people), writer.day()
        value = rng.choice([2_500, 2_500, 5_000, 10_000, 7_500])
        last, first = who.split(", ")
        text = rng.choice([f"ZELLE FROM {first} {last}", f"{first[0]} {last} DUES", last]).upper()
        theirs = [writer.gl_entry(day, value, ("Dues", "", who), party=who)]
        lag = timedelta(days=rng.choice([-3, -1, 0, 0, 1, 2, 6]))
        if rng.random() < 0.9:
            writer.link([writer.bank_line(day + lag, value, (text, "", ""))], theirs)
