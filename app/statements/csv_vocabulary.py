"""Reads column headings: which role a heading speaks of, and which currency."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from app.statements.headings import PHRASES_BY_ROLE

# fmt: off
CURRENCY_CODES: Final = frozenset([
    "AED", "ARS", "AUD", "BAM", "BGN", "BHD", "BRL", "CAD", "CHF", "CLP", "CNY", "COP", "CZK",
    "DKK", "EGP", "EUR", "GBP", "GEL", "HKD", "HRK", "HUF", "IDR", "ILS", "INR", "ISK", "JOD",
    "JPY", "KES", "KRW", "KWD", "KZT", "LKR", "MAD", "MXN", "MYR", "NGN", "NOK", "NZD", "OMR",
    "PEN", "PHP", "PKR", "PLN", "QAR", "RON", "RSD", "RUB", "SAR", "SEK", "SGD", "THB", "TND",
    "TRY", "TWD", "UAH", "USD", "UYU", "VND", "ZAR",
])
_SECONDARY_WORDS: Final = frozenset([
    "foreign", "original", "local", "instructed", "transfer", "exchange", "fee", "fees", "tax",
    "vat", "limit", "pending", "counter", "fremde", "oorspronkelijk", "oorspr", "origine",
    "auslands", "eredeti", "puvodni", "urspr", "time", "type",
])
_CODE_WORDS: Final = frozenset([
    "bic", "iban", "swift", "blz", "account", "konto", "code", "szamlaszama", "address", "city",
    "country", "rekening", "compte", "uctu", "rachunku", "id", "type", "number", "bank",
])
_FILLER_WORDS: Final = frozenset([
    "in", "en", "im", "eur", "euro", "euros", "usd", "dollars", "der", "des", "de", "du", "la",
    "the", "of", "a", "i", "w", "v",
])
# fmt: on
_LETTERS: Final = str.maketrans(
    {"ß": "ss", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "ð": "d"}
)
_SEPARATORS: Final = re.compile(r"[\W_]+")
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_CURRENCY_WORD: Final = re.compile(r"(?<![A-Za-z])([A-Z]{3})(?![A-Za-z])")
_SYMBOL_CURRENCIES: Final = {"€": "EUR", "£": "GBP", "Kč": "CZK", "zł": "PLN"}

_HEADING_CHARACTERS_MAX: Final = 120
_PARTIAL_CHARACTERS_MIN: Final = 4

EXACT: Final = 3
PARTIAL: Final = 2
SECONDARY: Final = 1


def _roles_by_phrase() -> dict[str, tuple[str, ...]]:
    roles: dict[str, tuple[str, ...]] = {}
    for role, phrases in PHRASES_BY_ROLE.items():
        for phrase in phrases.split(";"):
            plain = " ".join(phrase.split())
            if role not in roles.get(plain, ()):
                roles[plain] = (*roles.get(plain, ()), role)
    return roles


_ROLES_BY_PHRASE: Final = _roles_by_phrase()
_PHRASE_WORDS_MAX: Final = max(phrase.count(" ") + 1 for phrase in _ROLES_BY_PHRASE)


def plain_words(text: str) -> str:
    """Return the text in small letters without accents and punctuation."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    letters = "".join(one for one in decomposed if not unicodedata.combining(one))
    return " ".join(_SEPARATORS.sub(" ", letters).split())


def heading_currency(heading: str) -> str | None:
    """Return the currency that a heading such as “Amount (EUR)” names."""
    for code in _CURRENCY_WORD.findall(heading):
        if code in CURRENCY_CODES:
            return str(code)
    return next((code for symbol, code in _SYMBOL_CURRENCIES.items() if symbol in heading), None)


@lru_cache(maxsize=4096)
def heading_roles(heading: str) -> dict[str, int]:
    """Return what a column may hold by its heading, with how sure that is (3 best, 1 least)."""
    if len(heading) > _HEADING_CHARACTERS_MAX:  # a sentence
        return {}
    plain = _without_currency(heading)
    found = _ROLES_BY_PHRASE.get(plain)
    if not found:
        found = _ROLES_BY_PHRASE.get(plain_words(_CAMEL.sub(" ", heading)))
    if found:
        return dict.fromkeys(found, EXACT)
    return _partial_roles(plain.split()[:12])


def _partial_roles(words: list[str]) -> dict[str, int]:
    """Look for the longest known phrase inside the heading."""
    weight = SECONDARY if _SECONDARY_WORDS & set(words) else PARTIAL
    unlikely = {"debit", "credit", "indicator", "account", "other"}
    if _CODE_WORDS & set(words):
        unlikely |= {"counterparty", "description", "amount"}
    for length in range(min(len(words), _PHRASE_WORDS_MAX), 0, -1):
        for start in range(len(words) - length + 1):
            phrase = " ".join(words[start : start + length])
            if len(phrase) < _PARTIAL_CHARACTERS_MIN:  # “in”, “no” say nothing
                continue
            roles = [role for role in _ROLES_BY_PHRASE.get(phrase, ()) if role not in unlikely]
            if roles:
                return dict.fromkeys(roles, weight)
    return {}


def _without_currency(heading: str) -> str:
    bare = _CURRENCY_WORD.sub(
        lambda match: " " if match[1] in CURRENCY_CODES else match[1], heading
    )
    words = plain_words(bare).split()
    while len(words) > 1 and words[-1] in _FILLER_WORDS:
        words.pop()
    return " ".join(words)
