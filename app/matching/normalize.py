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

from app.matching.fields import fields
from app.matching.words import (
    ABBREVIATIONS,
    CHANNEL_WORDS,
    LEGAL_SUFFIXES,
    NICKNAMES,
    NOISE_WORDS,
    NUMBER_KINDS,
    US_STATES,
)

TEXT_CHARACTERS_MAX: Final = 400
NAME_TOKENS_MAX: Final = 8
NUMBERS_MAX: Final = 10
INITIALS_MAX: Final = 2
ACRONYM_LETTERS_MIN: Final = 3
INNER_ACRONYM_LETTERS_MIN: Final = 4
"""Of words in the middle of a text, fewer initials meet other words by chance."""

ACRONYM_LETTERS_MAX: Final = 7
JOINED_STARTS_MAX: Final = 5
CUT_LETTERS_MAX: Final = 3


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
        name: Tokens that say who, in the order of the text, at most eight; a single letter is
            somebody's initial.
        numbers: References without leading zeros, such as `1043` or `RX88120`, at most ten.
        kinds: Of those, the ones that say what they are: (`cheque`, `1043`).
        channel: How the money moved.
        aliases: Initials of the name and of runs of its words, for acronyms.
        joined: The letters run together, from each of the first words on, and that word's length.
        cut: The last word where it is short, for the bank may have cut it there; else empty.
    """

    name: tuple[str, ...]
    numbers: tuple[str, ...]
    kinds: tuple[tuple[str, str], ...]
    channel: Channel
    aliases: tuple[str, ...]
    joined: tuple[tuple[str, int], ...]
    cut: str


_CHEQUE: Final = re.compile(
    r"\b(?:CHECKS?|CHEQUES?|CHK|CHQ|CK|SCHECK)\b(?:[ .:#]|\bNO\b|\bNUMBER\b|\bPAID\b){0,6}"
    r"0{0,12}([1-9]\d{0,7})\b"
)
_PROCESSOR: Final = re.compile(
    r"\b(?:SQ|SQC|TST|SP|IN|PP|PAYPAL|PY|CKE|BT|FS|FSP|DD|EB|EZ|WPY|IC|ACT|CLOVER|TOAST|STRIPE|2CO"
    r"|ZSK|INT|LS|PMT|XSOLLA) ?\* ?|^SP (?=[A-Z])"
)
_PHONE_OR_DATE: Final = re.compile(
    r"(?:\b\d{3}[-. ]\d{3}[-. ]\d{4}\b|\b\d{3}-\d{7}\b"
    r"|\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}/\d{1,2}(?:/\d{2,4})?\b|\b\d{1,2}[.-]\d{2}[.-]\d{2,4}\b"
    r"|\b\d{1,2}:\d{2}(?::\d{2})?\b|\b[\dX*]{2,12}X\d{4}\b|\bX{3,12}\d{2,12}\b)"
)
_TOKEN: Final = re.compile(r"[^\W_]+")
_APOSTROPHES: Final = re.compile("['’`´]")
_DOTTED: Final = re.compile(r"\b((?:[A-Z]\.){2,6}[A-Z]?)(?![^\W_])")
_LETTERS_JOINED: Final = re.compile(r"\b([A-Z]{1,2}) ?& ?([A-Z]{1,2})\b")
_DIGITS: Final = re.compile(r"\d+", re.ASCII)
_NAME_WITH_DIGITS: Final = re.compile(r"[^\W\d_]{3,}\d{1,2}|\d{1,2}[^\W\d_]{3,}")
_UMLAUTS: Final = str.maketrans({"Ä": "AE", "Ö": "OE", "Ü": "UE", "Ø": "OE", "Æ": "AE"})
_NUMBER_LENGTH_MIN: Final = 4
_REFERENCE_LENGTH_MIN: Final = 3
_SMALL_WORDS: Final = frozenset({"OF", "THE", "AND", "FOR", "DE"})


def upper_text(text: str) -> str:
    """Return the bounded head of the text in capitals, without accents."""
    head = text[:TEXT_CHARACTERS_MAX]
    if head.isascii():
        return head.upper()
    spelt = unicodedata.normalize("NFC", head).upper().translate(_UMLAUTS)
    decomposed = unicodedata.normalize("NFKD", spelt)[:TEXT_CHARACTERS_MAX]
    return "".join(c for c in decomposed if not unicodedata.combining(c)).upper()


@lru_cache(maxsize=65_536)
def descriptor(text: str, *, reference: bool = False) -> Descriptor:
    """Read one description, or with `reference` the content of a reference field."""
    upper = _APOSTROPHES.sub("", upper_text(text))
    kinds = [("cheque", number) for number in _CHEQUE.findall(upper)[:2]]
    parts = fields(upper)
    numbers, labelled = _numbers(_tokens(parts.numbered), reference=reference)
    kinds.extend(labelled)
    every = _tokens(upper)
    tokens = every if not parts.labelled else _tokens(parts.name or parts.head)
    words = [*_name_words(tokens), *_name_words(_tokens(parts.memo))]
    return Descriptor(
        name=tuple(dict.fromkeys(words))[:NAME_TOKENS_MAX],
        numbers=tuple(dict.fromkeys([*(n for _, n in kinds), *numbers]))[:NUMBERS_MAX],
        kinds=tuple(dict.fromkeys(kinds)),
        channel=_channel(every, kinds),
        aliases=_initialisms(tokens),
        joined=_run_together(tokens),
        cut=tokens[-1] if tokens and _may_be_cut(tokens[-1]) else "",
    )


def _tokens(text: str) -> list[str]:
    # "SQ *JOE" and "TST* DELI": what stands before the asterisk is the processor's, not the name.
    cleaned = _PHONE_OR_DATE.sub(" ", _PROCESSOR.sub(" CARD ", text))
    cleaned = _DOTTED.sub(lambda found: found.group(1).replace(".", ""), cleaned)
    return _TOKEN.findall(_LETTERS_JOINED.sub(r"\1\2", cleaned))


def _may_be_cut(token: str) -> bool:
    return len(token) <= CUT_LETTERS_MAX and token.isascii() and token.isalpha()


def _is_number(token: str) -> bool:
    return not token.isalpha() and not _NAME_WITH_DIGITS.fullmatch(token)


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
        if kind == "cheque":  # one number to a cheque; the next is the bank's
            kind = ""
    return numbers, labelled


def _name_words(tokens: list[str]) -> list[str]:
    words = [
        NICKNAMES.get(word, word)
        for t in tokens
        if not _is_number(t) and t not in NOISE_WORDS and t not in LEGAL_SUFFIXES
        for word in ABBREVIATIONS.get(t, t).split()
    ]
    if len(words) > 1 and words[-1] in US_STATES:
        words.pop()  # the state at the end of "… SEATTLE WA"
    names = [w for w in words if len(w) > 1 or not w.isascii()]
    initials = [w for w in words if len(w) == 1 and w.isascii() and w.isalpha()]
    return [*names, *initials[:INITIALS_MAX]] if names else []


def _channel(tokens: list[str], kinds: list[tuple[str, str]]) -> Channel:
    if any(kind == "cheque" for kind, _ in kinds):
        return Channel.CHEQUE
    for token in tokens:
        name = CHANNEL_WORDS.get(token)
        if name is not None:
            return Channel[name]
    return Channel.OTHER


def _initialisms(tokens: list[str]) -> tuple[str, ...]:
    """Return initials with and without the small words; "US" stands whole in USPS."""
    letters = [t for t in tokens if t.isalpha()][:12]
    plain = [t for t in letters if t not in _SMALL_WORDS]
    initials = {
        "".join(w[0] for w in letters),
        "".join(w[0] for w in plain),
        "".join(w[0] for w in letters if w not in LEGAL_SUFFIXES and w not in NOISE_WORDS),
    }
    start = next((k for k, word in enumerate(plain) if word not in NOISE_WORDS), len(plain))
    pieces = [word if word in {"US", "UK"} else word[0] for word in plain[start:]]
    for first in range(len(pieces)):
        shortest = INNER_ACRONYM_LETTERS_MIN if first else ACRONYM_LETTERS_MIN
        run = ""
        for piece in pieces[first:]:
            run += piece
            if shortest <= len(run) <= ACRONYM_LETTERS_MAX:
                initials.add(run)
    return tuple(sorted(i for i in initials if len(i) >= ACRONYM_LETTERS_MIN))


def _run_together(tokens: list[str]) -> tuple[tuple[str, int], ...]:
    """Return the letters without gaps, from each of the first words on, and that word's length."""
    letters = [t for t in tokens if t.isalpha()][:12]
    plain = [t for t in letters if t not in LEGAL_SUFFIXES and t not in NOISE_WORDS]
    ways = [letters[k:] for k in range(min(len(letters) - 1, JOINED_STARTS_MAX))]
    return tuple(sorted({("".join(w), len(w[0])) for w in (*ways, plain) if len(w) > 1}))
