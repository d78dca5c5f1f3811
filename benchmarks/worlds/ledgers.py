"""How bookkeepers write an entry: each program and each habit with its own words.

Templates are format strings over `who` (the party, as this bookkeeper writes it today), `purpose`,
`day`, `doc` (the document's number), `n` (the cheque's number) and `d[5]`, so many digits.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date

from benchmarks.worlds.banks import Digits
from benchmarks.worlds.names import Party


@dataclass(frozen=True, slots=True)
class Entry:
    """What a bookkeeper knows of one entry."""

    party: Party
    day: date
    purpose: str
    document: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Ledger:
    """One way to keep books.

    Attributes:
        named: Share of entries with the counterparty in a column of its own.
        beside: Descriptions where the counterparty has its own column.
        alone: Descriptions that have to say who as well; some forget it.
        cheques: References of cheques.
        documents: References of bills, of which each company keeps to one.
        surname_first: Whether people are written as "Conway, Grace".
    """

    name: str
    named: float
    beside: tuple[str, ...]
    alone: tuple[str, ...]
    cheques: tuple[str, ...]
    documents: tuple[str, ...]
    surname_first: bool = False

    def write(self, rng: random.Random, entry: Entry) -> tuple[str, str, str]:
        """Return description, reference and counterparty."""
        party = entry.party
        who = rng.choice(party.others) if party.others and rng.random() < 0.5 else party.ledger
        if self.surname_first and len(who.split()) == 2 and "," not in who and "." not in who:
            who = ", ".join(reversed(who.split()))
        named = rng.random() < self.named
        template = rng.choice(self.beside if named else self.alone)
        reference = rng.choice(self.cheques) if entry.number else "{doc}"
        fields = {
            "who": who,
            "purpose": entry.purpose,
            "day": entry.day,
            "doc": entry.document,
            "n": entry.number or "",
            "d": Digits(rng),
        }
        description = " ".join(template.format(**fields).split())
        return description, reference.format(**fields).strip(), who if named else ""


SMALL_BUSINESS = Ledger(
    "small business program",
    0.85,
    (
        "{purpose}",
        "",
        "{purpose} {day:%B}",
        "Bill Payment",
        "{who}",
        "{who} - {purpose}",
        "Expense",
    ),
    ("{who} {purpose}", "{purpose} - {who}", "{who}", "Bill Payment: {who}", "{purpose}"),
    ("{n}", "{n}", "{n}", ""),
    ("INV-{d[5]}", "{d[5]}", ""),
)
TILL = Ledger(
    "till and spreadsheet",
    0.6,
    ("{purpose}", "{who}", "{purpose} {day:%m/%d}", ""),
    ("{who}", "{who} {purpose}", "{purpose} {who} {day:%m/%d}", "{purpose}"),
    ("CHK {n}", "{n}", "", "ck#{n}"),
    ("B{d[5]}", ""),
)
FUNDS = Ledger(
    "fund accounting",
    0.8,
    ("{purpose}", "{purpose} FY{day:%y}", "{who}", "{purpose} {d[4]}"),
    ("{purpose} - {who}", "{who} {purpose} FY{day:%y}", "{who}", "{purpose}"),
    ("{n}", "{n}", ""),
    ("{d[5]}", "PLG-{d[4]}", ""),
    surname_first=True,
)
REGISTER = Ledger(
    "register",
    0.9,
    ("Grant", "", "{who}", "Contribution", "Grant {day:%B}"),
    ("{who}", "{who} Grant", "Grant - {who}", "Grant"),
    ("{n}", ""),
    ("", "", "{d[5]}"),
)
KONTEN = Ledger(
    "German ledger",
    0.7,
    ("{purpose}", "RE {doc}", "{who}", "{purpose} {day:%m/%Y}"),
    ("{who} {purpose}", "{who}", "{who}, RE {doc}", "Zahlung {who}", "{purpose}"),
    ("{n}",),
    ("RE-{d[6]}", "{d[6]}", "2025{d[4]}"),
)
CLOUD = Ledger(
    "cloud program",
    0.55,
    ("Payment: {who}", "{purpose}", "{who}", "Spend Money - {who}"),
    (*("Payment: {who}", "{who}", "{who} - {purpose}") * 3, "Spend Money: {purpose}"),
    ("{n}", "Check {n}", ""),
    ("BILL-{d[4]}", "INV{d[5]}", ""),
)
ENTERPRISE = Ledger(
    "enterprise program",
    0.75,
    ("VENDPYMT{d[5]}", "{purpose}", "PYMT {d[6]} {who}", ""),
    ("VENDPYMT{d[5]} {who}", "V{d[5]} {who}", "{who} {purpose}"),
    ("{n}", "{n}", "CHK-{n}"),
    ("PO{d[5]}", "APINV{d[6]}", "{d[7]}"),
)
SHEET = Ledger(
    "spreadsheet",
    0.3,
    ("{purpose}", "{who}"),
    (
        *("{who}", "{who} {purpose}", "{purpose} ({who})", "paid {who} for {purpose}") * 3,
        "{purpose}",
    ),
    ("{n}", "", "chk {n}"),
    ("", "{d[4]}"),
)
DAYBOOK = Ledger(
    "day book",
    0.6,
    ("BP {d[4]}", "{purpose}", "{who}", "PP {who}"),
    ("BP {d[4]} {who}", "{who}", "{purpose} - {who}", "SR {who} {purpose}"),
    ("{n}", "{n}"),
    ("{d[5]}", "SI{d[5]}", ""),
)
KAS = Ledger(
    "Dutch ledger",
    0.65,
    ("{purpose}", "Factuur {doc}", "{who}"),
    ("{who} factuur {doc}", "{who}", "Betaling {who}", "{purpose} {who}"),
    ("{n}",),
    ("{d[6]}", "F{d[5]}", "2025-{d[4]}"),
)
