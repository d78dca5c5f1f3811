"""Read the name, the numbers and the payment channel out of one description.

Bank descriptors carry processor prefixes, cities, telephone numbers and ids that change every
time; ledgers carry legal suffixes and sentences.  Both come out as the same few tokens.
Descriptions are data from outside: only a bounded head is read, every expression is linear.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final

from app.matching.words import (
    ABBREVIATIONS,
    CHANNEL_WORDS,
    LEGAL_SUFFIXES,
    NOISE_WORDS,
    NUMBER_KINDS,
    US_STATES,
)

TEXT_CHARACTERS_MAX: Final = 240
NAME_TOKENS_MAX: Final = 8
NUMBERS_MAX: Final = 6
ACRONYM_LETTERS_MIN: Final = 3


class Channel(IntEnum):
    """How the money moved, as far as the bank's words tell."""

    OTHER = 0
    CARD = 1
    ACH = 2
    CHEQUE = 3
    WIRE = 4
    DEPOSIT = 5


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One description, read.

    Attributes:
        name: Tokens that say who, in the order of the text, at most eight.
        numbers: References without leading zeros, such as `1043` or `RX88120`, at most six.
        kinds: Of those, the ones that say what they are: (`cheque`, `1043`).
        channel: How the money moved.
        aliases: The name's initials and its letters run together, for acronyms.
    """

    name: tuple[str, ...]
    numbers: tuple[str, ...]
    kinds: tuple[tuple[str, str], ...]
    channel: Channel
    aliases: tuple[str, ...]


_CHEQUE: Final = re.compile(
    r"\b(?:CHECKS?|CHEQUES?|CHK|CHQ|CK)\b(?:[ .:#]|\bNO\b|\bNUMBER\b|\bPAID\b){0,6}"
    r"0{0,12}([1-9]\d{0,7})\b"
)
_PROCESSOR: Final = re.compile(
    r"\b(?:SQ|SQC|TST|SP|IN|PP|PAYPAL|PY|CKE|BT|FS|DD|EB|WPY|IC|ACT|CLOVER|TOAST|STRIPE|2CO|ZSK|INT|LS|PMT|XSOLLA)"
    r" ?\* ?"
)
_PHONE_OR_DATE: Final = re.compile(
    r"(?:\b\d{3}[-. ]\d{3}[-. ]\d{4}\b|\b\d{3}-\d{7}\b"
    r"|\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}/\d{1,2}(?:/\d{2,4})?\b"
    r"|\b\d{1,2}:\d{2}(?::\d{2})?\b|\b[\dX*]{2,12}X\d{4}\b)"
)
_TOKEN: Final = re.compile(r"[^\W_]+")
_APOSTROPHES: Final = re.compile("['’`´]")
_DOTTED: Final = re.compile(r"\b((?:[A-Z]\.){2,6}[A-Z]?)(?![^\W_])")
_DIGITS: Final = re.compile(r"\d+", re.ASCII)
_VENDOR_NUMBER_DIGITS_MAX: Final = 2
_NUMBER_LENGTH_MIN: Final = 4
_REFERENCE_LENGTH_MIN: Final = 3


def upper_text(text: str) -> str:
    """Return the bounded head of the text in capitals, without accents."""
    head = text[:TEXT_CHARACTERS_MAX]
    if not head.isascii():
        decomposed = unicodedata.normalize("NFKD", head)[:TEXT_CHARACTERS_MAX]
        head = "".join(c for c in decomposed if not unicodedata.combining(c))
    return head.upper()


@lru_cache(maxsize=65_536)
def descriptor(text: str, *, reference: bool = False) -> Descriptor:
    """Read one description, or with `reference` the content of a reference field."""
    upper = _APOSTROPHES.sub("", upper_text(text))
    kinds = [("cheque", number) for number in _CHEQUE.findall(upper)[:2]]
    # "SQ *JOE" and "TST* DELI": what stands before the asterisk is the processor's, not the name.
    cleaned = _PHONE_OR_DATE.sub(" ", _PROCESSOR.sub(" CARD ", upper))
    cleaned = _DOTTED.sub(lambda found: found.group(1).replace(".", ""), cleaned)
    tokens = _TOKEN.findall(cleaned)
    numbers, labelled = _numbers(tokens, reference=reference)
    kinds.extend(labelled)
    words = _name_words(tokens)
    return Descriptor(
        name=tuple(dict.fromkeys(words))[:NAME_TOKENS_MAX],
        numbers=tuple(dict.fromkeys([*(n for _, n in kinds), *numbers]))[:NUMBERS_MAX],
        kinds=tuple(dict.fromkeys(kinds)),
        channel=_channel(tokens, kinds),
        aliases=_aliases(tokens, words),
    )


def _is_number(token: str) -> bool:
    if token.isalpha():
        return False
    digits = sum(c.isdigit() for c in token)
    letters = len(token) - digits
    return digits > _VENDOR_NUMBER_DIGITS_MAX or letters < 2 <= len(token)  # noqa: PLR2004


def _numbers(tokens: list[str], *, reference: bool) -> tuple[list[str], list[tuple[str, str]]]:
    """Return reference numbers, and those whose kind a word says: `INV 1043`, `INV1043`."""
    numbers: list[str] = []
    labelled: list[tuple[str, str]] = []
    kind = ""
    for token in tokens:
        if token.isalpha():
            kind = NUMBER_KINDS.get(token, kind if token in {"NO", "NUM", "NUMBER", "ID"} else "")
            continue
        digits = "".join(_DIGITS.findall(token)).lstrip("0")
        letters = token.rstrip("0123456789")
        own_kind = NUMBER_KINDS.get(letters, "") if letters.isalpha() else kind
        if own_kind and digits:
            labelled.append((own_kind, digits))
        length_min = _REFERENCE_LENGTH_MIN if reference or own_kind else _NUMBER_LENGTH_MIN
        plain = token.lstrip("0")
        if len(plain) >= length_min and len(digits) >= _REFERENCE_LENGTH_MIN:
            numbers.append(digits if own_kind else plain)
    return numbers, labelled


def _name_words(tokens: list[str]) -> list[str]:
    words = [
        ABBREVIATIONS.get(t, t)
        for t in tokens
        if not _is_number(t) and t not in NOISE_WORDS and t not in LEGAL_SUFFIXES
    ]
    if len(words) > 1 and words[-1] in US_STATES:
        words.pop()  # the state at the end of "… SEATTLE WA"
    return [w for w in words if len(w) > 1 or not w.isascii()]


def _channel(tokens: list[str], kinds: list[tuple[str, str]]) -> Channel:
    if any(kind == "cheque" for kind, _ in kinds):
        return Channel.CHEQUE
    for token in tokens:
        name = CHANNEL_WORDS.get(token)
        if name is not None:
            return Channel[name]
    return Channel.OTHER


def _aliases(tokens: list[str], words: list[str]) -> tuple[str, ...]:
    """Return initials with and without the small words, and the name run together."""
    letters = [t for t in tokens if t.isalpha()][:12]
    initials = {
        "".join(w[0] for w in letters),
        "".join(w[0] for w in letters if w not in {"OF", "THE", "AND", "FOR", "DE"}),
        "".join(w[0] for w in letters if w not in LEGAL_SUFFIXES and w not in NOISE_WORDS),
    }
    long_enough = {i for i in initials if len(i) >= ACRONYM_LETTERS_MIN}
    if len(words) > 1:
        long_enough.add("".join(words))
    return tuple(sorted(long_enough))
