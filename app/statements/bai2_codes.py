"""BAI2 type codes: which way the money went, and what to call it where the bank says nothing."""

from __future__ import annotations

from typing import Final

OPENING_LEDGER: Final = "010"
CLOSING_LEDGER: Final = "015"

_NAMES: Final = {
    "108": "Credit",
    "115": "Lockbox deposit",
    "116": "Item in lockbox deposit",
    "142": "ACH credit received",
    "145": "ACH concentration credit",
    "155": "Preauthorized draft credit",
    "164": "Corporate trade payment credit",
    "165": "Preauthorized ACH credit",
    "166": "ACH settlement",
    "168": "ACH return or adjustment settlement",
    "169": "Miscellaneous ACH credit",
    "171": "Individual loan deposit",
    "172": "Deposit correction",
    "174": "Other deposit",
    "175": "Check deposit package",
    "195": "Incoming money transfer",
    "201": "Individual automatic transfer credit",
    "206": "Book transfer credit",
    "208": "International money transfer credit",
    "214": "Foreign exchange credit",
    "229": "Securities sold",
    "252": "Debit reversal",
    "254": "Posting error correction credit",
    "255": "Check posted and returned",
    "257": "Individual ACH return item",
    "275": "ZBA credit",
    "301": "Commercial deposit",
    "345": "Interest credit",
    "354": "Interest credit",
    "357": "Credit adjustment",
    "366": "Bank prepared deposit",
    "372": "Account transfer credit",
    "390": "Correction credit",
    "397": "Float adjustment",
    "398": "Miscellaneous fee refund",
    "399": "Miscellaneous credit",
    "408": "Float adjustment",
    "409": "Debit",
    "451": "ACH debit received",
    "455": "Preauthorized ACH debit",
    "464": "Corporate trade payment debit",
    "466": "ACH settlement",
    "469": "Miscellaneous ACH debit",
    "472": "Cumulative checks paid",
    "475": "Check paid",
    "477": "Bank originated debit",
    "481": "Individual loan payment",
    "487": "Cash letter debit",
    "495": "Outgoing money transfer",
    "501": "Individual automatic transfer debit",
    "506": "Book transfer debit",
    "508": "International money transfer debit",
    "514": "Foreign exchange debit",
    "529": "Securities purchased",
    "554": "Posting error correction debit",
    "555": "Deposited item returned",
    "557": "Individual ACH return item",
    "563": "Overdraft",
    "564": "Overdraft fee",
    "575": "ZBA debit",
    "631": "Debit adjustment",
    "645": "Interest debit",
    "654": "Interest debit",
    "657": "Debit adjustment",
    "661": "Account analysis fee",
    "677": "ACH service fee",
    "695": "Deposit correction",
    "698": "Miscellaneous fees",
    "699": "Miscellaneous debit",
}

_DIRECTIONS: Final = (
    (range(100, 400), 1),
    (range(400, 700), -1),
    (range(720, 760), 1),
    (range(760, 800), -1),
    (range(920, 960), 1),
    (range(960, 1000), -1),
)
_CUSTOM: Final = range(800, 1000)


def direction(type_code: str) -> int | None:
    """Return 1 for a credit, -1 for a debit, None where the code does not say."""
    number = int(type_code)
    return next((sign for codes, sign in _DIRECTIONS if number in codes), None)


def is_custom(type_code: str) -> bool:
    """Return whether each bank gives the code a meaning of its own."""
    return int(type_code) in _CUSTOM


def type_name(type_code: str) -> str:
    """Return a description for a transaction without text."""
    return _NAMES.get(type_code, f"BAI type {type_code}")
