"""How banks write a line: the styles of card, ACH, wire, cheque, deposit and person-to-person."""

from __future__ import annotations

import random
from datetime import date

from benchmarks.worlds.names import Party


def digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choice("0123456789") for _ in range(count))


def card(rng: random.Random, party: Party, day: date) -> str:
    name = party.bank[: rng.choice([22, 25, 16])].strip()
    return rng.choice(
        [
            f"CHECKCARD {day:%m%d} {name} {party.city} {digits(rng, 23)}",
            f"PURCHASE AUTHORIZED ON {day:%m/%d} {name} {party.city} S{digits(rng, 15)} CARD {digits(rng, 4)}",
            f"SQ *{name} {party.city}",
            f"TST* {name} {party.city}",
            f"PAYPAL *{name.replace(' ', '')[:16]} 4029357733 CA",
            f"{name} {digits(rng, 3)}-{digits(rng, 7)} {party.city[-2:]}",
            f"POS DEBIT VISA {name} {party.city}",
        ]
    )


def ach(rng: random.Random, party: Party, day: date, own: str, word: str = "") -> str:
    word = word or rng.choice(
        ["PAYMENT", "EDI PYMNTS", "BILL PAY", "ACH PMT", "INVOICE", "VENDOR PMT"]
    )
    name = party.bank
    return rng.choice(
        [
            f"ORIG CO NAME:{name[:16]} ORIG ID:{digits(rng, 10)} DESC DATE:{day:%y%m%d} CO ENTRY DESCR:{word[:10]}SEC:CCD TRACE#:{digits(rng, 15)} EED:{day:%y%m%d} IND ID:{digits(rng, 8)} IND NAME:{own}",
            f"{name[:22]} DES:{word[:10]} ID:{digits(rng, 9)} INDN:{own} CO ID:{digits(rng, 10)} CCD",
            f"{name[:16]} {word} {day:%y%m%d} {digits(rng, 9)} {own}",
            f"ACH DEBIT {name[:20]} {word}",
            f"Online Payment {digits(rng, 10)} To {name.title()}",
        ]
    )


def wire(rng: random.Random, party: Party, day: date, *, out: bool) -> str:
    way, role = ("OUT", "BNF") if out else ("IN", "ORIG")
    return rng.choice(
        [
            f"WIRE TYPE:WIRE {way} DATE:{day:%y%m%d} TIME:{digits(rng, 4)} ET TRN:{digits(rng, 16)} {role}:{party.bank[:32]} ID:{digits(rng, 9)}",
            f"FEDWIRE {'DEBIT' if out else 'CREDIT'} VIA: SOME BANK/{digits(rng, 9)} {role}: {party.bank[:30]} IMAD: {digits(rng, 12)}",
        ]
    )


def person(rng: random.Random, party: Party, *, out: bool) -> str:
    way = "to" if out else "from"
    return rng.choice(
        [
            f"Zelle payment {way} {party.bank.title()} {digits(rng, 11)}",
            f"ZELLE {way.upper()} {party.bank} ON {digits(rng, 2)}/{digits(rng, 2)} REF # {digits(rng, 8)}",
            f"VENMO *{party.bank}",
        ]
    )


def cheque(rng: random.Random, number: int) -> tuple[str, str]:
    """Return description and reference."""
    return rng.choice(
        [
            (f"CHECK {number}", ""),
            (f"CHECK # {number:08d}", ""),
            ("CHECK", str(number)),
            ("Check Paid", f"{number:010d}"),
            (f"CHECK PAID #{number}", str(number)),
            (f"DDA CHECK {number}", ""),
        ]
    )


def deposit(rng: random.Random) -> str:
    return rng.choice(
        [
            "DEPOSIT",
            f"REMOTE ONLINE DEPOSIT # {rng.randrange(1, 9)}",
            f"MOBILE DEPOSIT {digits(rng, 9)}",
            f"DEPOSIT ID NUMBER {digits(rng, 6)}",
            "BRANCH DEPOSIT",
        ]
    )
