"""How banks write a line: each with its own words for cards, ACH, wires, cheques and deposits.

Templates are format strings over `name` (as the bank gets it), `title`, `joined`, `city`, `state`,
`day`, `own` (the account's holder), `word` (what the payer calls it), `memo` (what the payer wrote
for the payee, else the word), `ref` (the same, else digits), `n` (number of the cheque or slip),
and `d[9]`, so many digits that change every time.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from benchmarks.worlds.merchants import filled
from benchmarks.worlds.names import Party


@dataclass(frozen=True, slots=True)
class Digits:
    """`digits[9]` is nine random digits."""

    rng: random.Random

    def __getitem__(self, count: int) -> str:
        return "".join(self.rng.choice("0123456789") for _ in range(count))


@dataclass(frozen=True, slots=True)
class Told:
    """What a bank knows of one line.

    Attributes:
        own: Name of the account's holder, as the bank writes it.
        word: What the payer calls it, such as PAYROLL.
        remittance: What the payer wrote for the payee, or nothing.
        number: Of the cheque or the deposit slip.
    """

    party: Party
    day: date
    own: str
    out: bool
    word: str = "PAYMENT"
    remittance: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Bank:
    """One bank's way to write.

    Attributes:
        templates: By channel, with " out" or " in" behind where the two differ.
        width: Characters after which a line is cut.
        number_apart: Share of cheques whose number stands in the reference alone.
        named: Share of lines with the counterparty in a column of its own.
    """

    name: str
    currency: str
    templates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    width: int = 400
    number_apart: float = 0.0
    named: float = 0.0

    def line(self, rng: random.Random, channel: str, told: Told) -> tuple[str, str, str]:
        """Return description, reference and counterparty."""
        text = self._text(rng, channel, told)
        reference = ""
        if channel == "cheque" and told.number:
            if rng.random() < self.number_apart:
                text, reference = text.replace(str(told.number), ""), f"{told.number:010d}"
            elif rng.random() < 0.3:
                reference = str(told.number)
        nameless = channel in {"cheque", "deposit"}
        named = "" if nameless or rng.random() >= self.named else told.party.bank.title()
        return " ".join(text[: self.width].split()).strip(" #."), reference, named

    def _text(self, rng: random.Random, channel: str, told: Told) -> str:
        if channel == "card" and told.party.line:
            return filled(rng, told.party.line)
        ways = self.templates.get(f"{channel} {'out' if told.out else 'in'}")
        template = rng.choice(ways or self.templates[channel])
        digits, name = Digits(rng), told.party.bank
        return template.format(
            name=name,
            title=name.title(),
            joined=name.replace(" ", ""),
            city=told.party.city,
            state=told.party.city[-2:],
            day=told.day,
            own=told.own,
            word=told.word,
            memo=told.remittance or told.word,
            ref=told.remittance or digits[9],
            n=told.number or int(digits[6]),
            d=digits,
        )


MONEY_CENTER = Bank(
    "money center",
    "USD",
    {
        "card": (
            "Card Purchase {day:%m/%d} {name:.25} {city} Card {d[4]}",
            "Recurring Card Purchase {day:%m/%d} {name:.25} {city} Card {d[4]}",
            "SQ *{name:.18} {city}",
            "PAYPAL *{joined:.16} 402-935-7733 CA",
        ),
        "ach out": (
            "ORIG CO NAME:{name:.16} ORIG ID:{d[10]} DESC DATE:{day:%y%m%d} CO ENTRY DESCR:{word:.10}SEC:CCD TRACE#:{d[15]} EED:{day:%y%m%d} IND ID:{ref} IND NAME:{own} TRN: {d[10]}TC",
            "ORIG CO NAME:{name:16.16}ORIG ID:{d[10]} CO ENTRY DESCR:{word:10.10}SEC:PPD IND ID:{d[12]}",
            "Online Payment {d[10]} To {title} {day:%m/%d}",
        ),
        "ach in": (
            "ORIG CO NAME:{name:.16} ORIG ID:{d[10]} DESC DATE:{day:%y%m%d} CO ENTRY DESCR:{word:.10}SEC:CCD TRACE#:{d[15]} EED:{day:%y%m%d} IND ID:{ref} IND NAME:{own} TRN: {d[10]}TC",
            "{name:.16} {word:.10} PPD ID: {d[10]}",
        ),
        "wire out": (
            "ONLINE DOMESTIC WIRE TRANSFER VIA: WELLS FARGO NA/{d[9]} A/C: {name:.32} {city} US REF: {memo}/TIME/10:42 IMAD: {day:%m%d}B1QGC08C{d[6]} TRN: {d[10]}ES",
        ),
        "wire in": (
            "FEDWIRE CREDIT VIA: BANK OF AMERICA, N.A./{d[9]} B/O: {name:.32} {city} REF: CHASE NYC/CTR/BNF={own} AC-{d[12]} RFB={d[9]} OBI={memo} IMAD: {day:%m%d}MMQFMPYZ{d[6]}",
        ),
        "cheque": ("CHECK # {n}", "CHECK {n}"),
        "deposit": ("REMOTE ONLINE DEPOSIT # {d[1]}", "DEPOSIT ID NUMBER {n}", "DEPOSIT"),
        "person out": ("Zelle Payment To {title} {d[11]}",),
        "person in": ("Zelle Payment From {title} {d[11]}",),
        "payout": (
            "ORIG CO NAME:{name:.16} ORIG ID:{d[10]} CO ENTRY DESCR:{word:.10}SEC:CCD IND ID:{ref} IND NAME:{own}",
        ),
    },
)
NATIONWIDE = Bank(
    "nationwide",
    "USD",
    {
        "card": (
            "CHECKCARD {day:%m%d} {name:.22} {city} {d[23]}",
            "PURCHASE {day:%m%d} {name:.22} {d[3]}-{d[7]} {state}",
            "TST* {name:.18} {city} {d[23]} RECURRING",
            "SP {name:.20} {d[10]} {state}",
        ),
        "ach out": (
            "{name:.16} DES:{word:.10} ID:{ref} INDN:{own} CO ID:{d[10]} CCD",
            "{name:.16} DES:{word:.10} ID:XXXXX{d[5]} INDN:{own} CO ID:XXXXX{d[5]} PPD PMT INFO:{memo}",
            "{name:.32} Bill Payment",
        ),
        "ach in": (
            "{name:.16} DES:{word:.10} ID:{ref} INDN:{own} CO ID:{d[10]} CCD",
            "{name:.22} DES:EDI PYMNTS ID:{d[9]} INDN:{own} CO ID:{d[10]} CTX ADDITIONAL INFORMATION IS AVAILABLE FOR THIS PMT. {memo}",
        ),
        "wire out": (
            "WIRE TYPE:WIRE OUT DATE:{day:%y%m%d} TIME:{d[4]} ET TRN:{d[16]} SEQ:{d[12]} BNF:{name:.32} ID:{d[9]} BNF BK:JPMORGAN CHASE BANK, NA ID:{d[9]} PMT DET:{memo}",
        ),
        "wire in": (
            "WIRE TYPE:WIRE IN DATE:{day:%y%m%d} TIME:{d[4]} ET TRN:{d[16]} SEQ:{d[12]} ORIG:{name:.32} ID:{d[9]} SND BK:CITIBANK N.A. ID:{d[9]} PMT DET:{memo}",
        ),
        "cheque": ("Check {n}", "CHECK {n:08d}"),
        "deposit": (
            "Counter Credit",
            "Preencoded Deposit",
            "BKOFAMERICA MOBILE DEPOSIT",
            "Deposit {n}",
        ),
        "person out": ("Zelle payment to {name} Conf# {d[3]}a{d[2]}kq{d[1]}",),
        "person in": ("Zelle payment from {name} Conf# {d[3]}a{d[2]}kq{d[1]}",),
        "payout": ("{name:.16} DES:{word:.10} ID:{ref} INDN:{own} CO ID:{d[10]} CCD",),
    },
    number_apart=0.1,
)
STAGECOACH = Bank(
    "stagecoach",
    "USD",
    {
        "card": (
            "PURCHASE AUTHORIZED ON {day:%m/%d} {name:.22} {city} S{d[15]} CARD {d[4]}",
            "RECURRING PAYMENT AUTHORIZED ON {day:%m/%d} {name:.22} {d[3]}-{d[7]} {state} S{d[15]} CARD {d[4]}",
            "PURCHASE AUTHORIZED ON {day:%m/%d} SQ *{name:.18} {city} P{d[15]} CARD {d[4]}",
        ),
        "ach out": (
            "{name:.16} {word:.10} {day:%y%m%d} {ref} {own}",
            "BUSINESS TO BUSINESS ACH DEBIT - {name:.16} {word:.10} {day:%y%m%d} {d[15]} {own}",
            "BILL PAY {name:.25} ON-LINE No Account Number ON {day:%m-%d}",
        ),
        "ach in": (
            "{name:.16} EDI PYMTS {day:%y%m%d} {ref} {own}",
            "{name:.16} ACH PMT {day:%y%m%d} {d[8]} {own}",
        ),
        "wire out": (
            "WT FED#0{d[4]} JPMORGAN CHASE BAN /FTR/BNF={name:.30} SRF# {d[14]} TRN#{d[12]} RFB# {ref}",
        ),
        "wire in": (
            "WT FED#0{d[4]} CITIBANK N.A. /ORG={name:.30} SRF# {d[14]} TRN#{d[12]} RFB# {ref}",
        ),
        "cheque": ("CHECK # {n}", "CASHED CHECK # {n}"),
        "deposit": (
            "eDeposit in Branch {day:%m/%d/%y} 01:22:14 PM",
            "DEPOSIT MADE IN A BRANCH/STORE",
            "MOBILE DEPOSIT : REF NUMBER :{d[12]}",
            "DEPOSIT {n}",
        ),
        "person out": (
            "ZELLE TO {name} ON {day:%m/%d} REF #RP0{d[3]}XK{d[2]}",
            "VENMO PAYMENT {day:%y%m%d} {d[13]} {name}",
        ),
        "person in": ("ZELLE FROM {name} ON {day:%m/%d} REF #RP0{d[3]}XK{d[2]} {memo}",),
        "payout": ("{name:.16} {word:.10} {day:%y%m%d} {ref} {own}",),
    },
)
SPARKASSE = Bank(
    "sparkasse",
    "EUR",
    {
        "card": (
            "KARTENZAHLUNG {name:.27}//BERLIN/DE {day:%Y-%m-%d}T12:42:03 Debitk.1 2027-12",
            "{name:.27} EC {d[8]} {day:%d.%m} 14.02 CE0",
        ),
        "ach out": (
            "FOLGELASTSCHRIFT {name:.35} EREF+{d[12]} MREF+{d[8]} CRED+DE{d[16]} SVWZ+{memo}",
            "ONLINE-UEBERWEISUNG {name:.35} SVWZ+{memo} DATUM {day:%d.%m.%Y}, 10.12 UHR",
        ),
        "ach in": (
            "GUTSCHR. UEBERWEISUNG {name:.35} EREF+NOTPROVIDED SVWZ+{memo}",
            "GUTSCHRIFT {name:.27} IBAN DE{d[20]} BIC COBADEFFXXX SVWZ+{memo}",
        ),
        "wire": ("AUSLANDSUEBERWEISUNG {name:.35} REF {d[10]} {memo}",),
        "cheque": ("SCHECK {n}",),
        "deposit": ("BAREINZAHLUNG", "SB-EINZAHLUNG {day:%d.%m.%y}"),
        "person": ("ECHTZEIT-UEBERWEISUNG {name:.35} {memo}",),
        "payout": ("GUTSCHR. UEBERWEISUNG {name:.35} EREF+{ref} SVWZ+{word} {ref}",),
    },
    named=0.5,
)
REGIONAL = Bank(
    "regional",
    "USD",
    {
        "card": (
            "POS DEB {d[4]} {day:%m/%d/%y} {d[8]} {name:.22} {city} C#{d[4]}",
            "DBT CRD {d[4]} {day:%m/%d/%y} {name:.20} {city}",
        ),
        "ach out": (
            "ACH DEBIT {name:.16} {word:.10}",
            "PREAUTHORIZED DEBIT {name:.16} {word:.10} {day:%y%m%d} {ref}",
            "{name:.22}/{word:.10}",
        ),
        "ach in": (
            "ACH CREDIT {name:.16} {word:.10}",
            "PREAUTHORIZED CREDIT {name:.16} {word:.10} {day:%y%m%d} {ref}",
        ),
        "wire out": ("OUTGOING WIRE {name:.30}",),
        "wire in": ("INCOMING WIRE {name:.30}",),
        "cheque": ("CK {n}", "CHECK {n}", "DDA CHECK {n}"),
        "deposit": ("DDA DEPOSIT", "REGULAR DEPOSIT", "DEPOSIT {n}"),
        "person out": ("P2P TO {name:.20}",),
        "person in": ("P2P FROM {name:.20}",),
        "payout": ("PREAUTHORIZED CREDIT {name:.16} {word:.10} {day:%y%m%d} {ref}",),
    },
    width=64,
    number_apart=0.3,
)
CITY_LINE = Bank(
    "city line",
    "USD",
    {
        "card": (
            "Debit Card Purchase - {name:.24} {city}",
            "{d[4]} DEBIT CARD PURCHASE XXXXX{d[4]} {name:.22} {city}",
            "PY *{name:.18} {city}",
        ),
        "ach out": (
            "Withdrawal from {name:.30} {word:.10}",
            "Corporate ACH {word:.10} {name:.16} {ref}",
            "Electronic Withdrawal To {name:.22} REF={d[15]} N00",
            "WEB AUTHORIZED PMT {name:.16} {word:.10}",
        ),
        "ach in": (
            "Deposit from {name:.30} {word:.10}",
            "Corporate ACH {word:.10} {name:.16} {ref}",
            "Electronic Deposit From {name:.22} REF={d[15]} N00",
        ),
        "wire out": ("Wire Debit REF{d[6]} TO {name:.30} {memo}",),
        "wire in": ("Wire Credit REF{d[6]} FROM {name:.30} {memo}",),
        "cheque": ("Check {n} {d[8]}", "Check #{n}"),
        "deposit": ("Mobile Banking Deposit", "Customer Deposit {d[10]}", "Branch deposit {n}"),
        "person out": ("Zelle money sent to {title}",),
        "person in": ("Zelle money received from {title}",),
        "payout": ("Deposit from {name:.30} {word:.10} {ref}",),
    },
    number_apart=0.2,
)
CLEANED = Bank(
    "cleaned feed",
    "USD",
    {
        "card": ("{title:.30}", "{title:.30} - {city}"),
        "ach": ("{title:.30}", "{title:.22} {word}"),
        "wire out": ("Wire transfer to {title:.30}",),
        "wire in": ("Wire transfer from {title:.30}",),
        "cheque": ("Check {n}", "Check Paid #{n}"),
        "deposit": ("Deposit", "Mobile Check Deposit"),
        "person out": ("Zelle to {title}", "Venmo {title}"),
        "person in": ("Zelle from {title}", "Venmo {title}"),
        "payout": ("{title:.30} {word}",),
    },
    named=0.6,
)
HIGH_STREET = Bank(
    "high street",
    "GBP",
    {
        "card": (
            "CARD PAYMENT TO {name:.22} ON {day:%d-%m-%Y}",
            "{name:.18} CD {d[4]} {day:%d%m%y}",
        ),
        "ach out": (
            "DIRECT DEBIT PAYMENT TO {name:.18} REF {d[9]}, MANDATE NO {d[2]}",
            "BILL PAYMENT VIA FASTER PAYMENT TO {name:.18} REFERENCE {memo}",
            "{name:.18} {memo} BBP",
        ),
        "ach in": (
            "BANK GIRO CREDIT REF {name:.18}, {memo}",
            "FASTER PAYMENTS RECEIPT REF.{memo} FROM {name:.18}",
            "{name:.18} {memo} FPI",
        ),
        "wire": ("CHAPS {name:.18} {d[8]}",),
        "cheque": ("CHEQUE {n:06d}", "CHQ {n}"),
        "deposit": ("PAID IN AT BRANCH {n}", "CREDIT {n}"),
        "person out": ("MOBILE PAYMENT TO {name:.18}",),
        "person in": ("MOBILE PAYMENT FROM {name:.18}",),
        "payout": ("{name:.18} {ref} BGC",),
    },
    width=80,
)
POLDER = Bank(
    "polder",
    "EUR",
    {
        "card": (
            "BEA, Betaalpas {name:.22},PAS{d[3]} NR:{d[6]}, {day:%d.%m.%y}/12:31",
            "Betaalautomaat {day:%d-%m-%y} {name:.22}",
        ),
        "ach out": (
            "/TRTP/SEPA INCASSO/IBAN/NL{d[2]}ABNA0{d[9]}/BIC/ABNANL2A/NAME/{name:.40}/REMI/{memo}/EREF/{d[12]}",
            "SEPA Overboeking IBAN: NL{d[2]}RABO0{d[9]} BIC: RABONL2U Naam: {name:.32} Omschrijving: {memo} Kenmerk: {d[10]}",
            "PRLV SEPA {name:.24} {memo}",
        ),
        "ach in": (
            "/TRTP/SEPA OVERBOEKING/IBAN/NL{d[2]}ABNA0{d[9]}/BIC/ABNANL2A/NAME/{name:.40}/REMI/{memo}/EREF/{d[12]}",
            "VIR SEPA {name:.24} {memo}",
        ),
        "wire": ("/TRTP/INTERNATIONAL PAYMENT/NAME/{name:.35}/REMI/{memo}",),
        "cheque": ("CHEQUE {n}",),
        "deposit": ("GELDSTORTING", "STORTING AUTOMAAT"),
        "person": ("iDEAL {name:.30} {d[16]}", "Tikkie {name:.30} {memo}"),
        "payout": ("/TRTP/SEPA OVERBOEKING/NAME/{name:.40}/REMI/{word} {ref}/EREF/{d[12]}",),
    },
    named=0.3,
)
BARE = Bank(
    "bare",
    "USD",
    {
        "cheque": ("{name:.22}", "CHECK {n} {name:.16}"),
        **dict.fromkeys(
            ("card", "ach", "wire", "person", "payout", "deposit"),
            ("{name:.16}", "{name:.32}", "{name:.64}"),
        ),
    },
)
