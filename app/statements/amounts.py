"""Reads amounts as banks write them: decimal sign, thousands, currency signs, CR and DR."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

AMOUNT_CHARACTERS_MAX: Final = 48

_PLAIN: Final = {
    ".": re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,12})?"),
    ",": re.compile(r"[+-]?[0-9]{1,18}(?:,[0-9]{1,12})?"),
}
_USUAL: Final = re.compile(r"[+-]?[0-9]{1,18}([.,])[0-9]{1,2}")
_SPACES: Final = re.compile(r"[\s\u00a0\u2007\u2009\u200a\u202f\u200e\u200f]+")
_MINUSES: Final = str.maketrans({"\u2212": "-", "\u2013": "-", "\u2010": "-", "\u2011": "-"})
_APOSTROPHES: Final = str.maketrans({"\u2019": "'", "\u2018": "'", "`": "'", "\u00b4": "'"})
_CURRENCY: Final = (
    r"(?:[A-Za-z]{0,3}[$€£¥₹₽₩₪฿₫₴₺₦₱]|[A-Z]{3}|kr\.?|Kr\.?|zł|zl|Kč|Ft|Fr\.?|SFr\.?"
    r"|Rs\.?|lei|лв\.?)"
)
_MARKER: Final = r"(?:CR|DR|Cr|Dr|cr|dr|C|D|S|H|DB|Db)\.?"
_FRONT: Final = re.compile(rf"\s*(?:(?P<sign>[+-])|(?P<marker>(?:CR|DR)(?=[\s\d]))|{_CURRENCY})\s*")
_BACK: Final = re.compile(rf"\s*(?:(?P<sign>[+-])|(?P<marker>{_MARKER})|{_CURRENCY})\s*$")
_GROUPED: Final = re.compile(r"[0-9]{1,3}(?:([.,' ])[0-9]{3})(?:\1[0-9]{3})*")
_INDIAN: Final = re.compile(r"[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}")
_DIGITS: Final = re.compile(r"[0-9]{1,18}")
_CORE: Final = re.compile(r"[0-9.,' ]+")
_DEBIT_MARKERS: Final = frozenset({"DR", "D", "S", "DB"})
_AFFIXES_MAX: Final = 4
_GROUP_DIGITS: Final = 3


@dataclass(frozen=True, slots=True)
class Amount:
    """A number as written; `marked` when CR or DR said which way the money went.

    The value of a marked amount is signed already: money in is positive.
    """

    value: Decimal
    marked: bool = False


@dataclass(frozen=True, slots=True)
class DecimalVotes:
    """How many cells can only be read with each decimal sign, and how many with both."""

    point: int
    comma: int
    either: int


def parse_amount(text: str, decimal_sign: str) -> Amount | None:
    """Return the amount, or None where the text is none with this decimal sign.

    Understands `1,234.56`, `1.234,56-`, `(12.50)`, `$ 5`, `EUR 1'000.00`, `12.50 CR`.
    """
    text = text.strip()
    if _PLAIN[decimal_sign].fullmatch(text):
        return Amount(Decimal(text.replace(",", ".")))
    if len(text) > AMOUNT_CHARACTERS_MAX:
        return None
    split = _affixes(text)
    if split is None:
        return None
    core, negative, marker = split
    value = _core_value(core, decimal_sign)
    if value is None:
        return None
    if marker:
        return Amount(-abs(value) if marker in _DEBIT_MARKERS else abs(value), marked=True)
    return Amount(-value if negative else value)


def looks_like_amount(text: str) -> bool:
    """Return whether the text is an amount with either decimal sign."""
    return parse_amount(text, ".") is not None or parse_amount(text, ",") is not None


def decimal_votes(cells: Iterable[str]) -> DecimalVotes:
    """Count which decimal sign the cells can be read with."""
    point = comma = either = 0
    for cell in cells:
        vote = _decimal_vote(cell)
        point += vote == "."
        comma += vote == ","
        either += vote == "?"
    return DecimalVotes(point, comma, either)


def decimals_count(value: Decimal) -> int:
    """Return how many decimals the amount needs; zeros at the end do not count."""
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


@lru_cache(maxsize=4096)
def _affixes(text: str) -> tuple[str, bool, str] | None:
    """Return the digits part, whether it is negative, and CR or DR in capitals."""
    core = _SPACES.sub(" ", text.translate(_MINUSES).translate(_APOSTROPHES)).strip(' ="')
    negative = False
    marker = ""
    signs_count = 0
    for _ in range(_AFFIXES_MAX):
        if _CORE.fullmatch(core):
            break
        if core.startswith("(") and core.endswith(")"):
            negative, core = True, core[1:-1].strip()
            signs_count += 1
            continue
        match = _FRONT.match(core)
        if match:
            core = core[match.end() :]
        else:
            match = _BACK.search(core)
            if not match:
                return None
            core = core[: match.start()]
        if match["sign"]:
            signs_count += 1
            negative = negative or match["sign"] == "-"
        if match["marker"]:
            marker = match["marker"].upper().rstrip(".")
    core = core.strip().lstrip("'").strip()
    if signs_count > 1 or (marker and negative) or not _CORE.fullmatch(core):
        return None
    return core, negative, marker


def _core_value(core: str, decimal_sign: str) -> Decimal | None:
    whole, sign, fraction = core.partition(decimal_sign)
    if sign and not (fraction.isascii() and fraction.isdigit()):
        return None
    if whole and not _DIGITS.fullmatch(whole):
        if not (_GROUPED.fullmatch(whole) or _INDIAN.fullmatch(whole)):
            return None
        whole = "".join(character for character in whole if character.isdigit())
    if not whole and not fraction:
        return None
    return Decimal(f"{whole or 0}.{fraction or 0}") if sign else Decimal(whole)


def _decimal_vote(cell: str) -> str:
    """Return the decimal sign that the cell shows, `?` where it may be either, or ""."""
    usual = _USUAL.fullmatch(cell)
    if usual:
        return usual[1]
    if len(cell) > AMOUNT_CHARACTERS_MAX or ("." not in cell and "," not in cell):
        return ""
    split = _affixes(cell.strip())
    return _core_vote(split[0]) if split else ""


def _core_vote(core: str) -> str:
    points, commas = core.count("."), core.count(",")
    if points and commas:
        return "." if core.rindex(".") > core.rindex(",") else ","
    sign, other = (".", ",") if points else (",", ".")
    if points + commas > 1:
        return other
    whole, _, fraction = core.partition(sign)
    if len(fraction) != _GROUP_DIGITS or not 1 <= len(whole) <= _GROUP_DIGITS or whole[0] == "0":
        return sign
    return "?"
