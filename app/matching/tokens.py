"""Words of names: how much each says, and which words of one side may stand for which of the other.

Agreement on a word counts as much as the word is rare in the pool (term-frequency adjustment).
Truncations, typing errors and abbreviations count as agreement, at a discount.  All of it is done
once per vocabulary, with work that is bounded whatever the texts are.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rapidfuzz.distance import JaroWinkler

from app.matching.normalize import CUT_LETTERS_MAX, Descriptor
from app.matching.words import COMMON_WORDS

EXPANSIONS: Final = 3
"""Ledger tokens that one bank token may stand for, itself included."""

BACKGROUND_DOCUMENTS: Final = 300.0
BACKGROUND_SHARE: Final = 0.002
BACKGROUND_SHARE_COMMON: Final = 0.04
"""How often a word stands in books in general, so that in small pools not everything is rare."""

COMMON_WORTH: Final = 0.5
"""Common words stand together ("county ... party"), so each says less than its share."""

LETTER_NATS: Final = 1.8
"""What each letter of an initial or another very short word says at most."""

COMPANIONS_HALF: Final = 3.0
"""Names beside which a word that the other side lacks stands, until it says half as much: cities,
processors and purposes stand beside many."""

PREFIX_LETTERS_MIN: Final = 4
TYPO_LETTERS_MIN: Final = 5
TYPO_SIMILARITY_MIN: Final = 0.9
ABBREVIATION_LETTERS_MIN: Final = 3
PREFIX_CREDIT: Final = 0.9
TYPO_CREDIT: Final = 0.8
ABBREVIATION_CREDIT: Final = 0.6
NEIGHBOURS_MAX: Final = 24
"""Words that share one spelling less a letter; beyond it they are ids, not misspellings."""

ABBREVIATION_CHECKS_MAX: Final = 1_000_000
_VOWELS: Final = frozenset("AEIOU")


def token_weights(
    bank: Sequence[Descriptor],
    gl: Sequence[Descriptor],
    bank_counts: Sequence[int],
    gl_counts: Sequence[int],
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the information of each side's tokens in nats: minus the logarithm of its share.

    Args:
        bank: Unique texts; likewise `gl`.
        bank_counts: How many open lines carry each; likewise `gl_counts`.
    """
    counts: dict[str, float] = defaultdict(float)
    for texts, repeats in ((bank, bank_counts), (gl, gl_counts)):
        for text, repeat in zip(texts, repeats, strict=True):
            for token in text.name:
                counts[token] += repeat
    documents = float(sum(bank_counts) + sum(gl_counts)) + BACKGROUND_DOCUMENTS
    weights = {}
    for token, count in counts.items():
        share = BACKGROUND_SHARE_COMMON if token in COMMON_WORDS else BACKGROUND_SHARE
        weights[token] = -math.log((count + BACKGROUND_DOCUMENTS * share) / documents)
        if token in COMMON_WORDS:
            weights[token] *= COMMON_WORTH
        if len(token) <= CUT_LETTERS_MAX and token.isascii():
            weights[token] = min(weights[token], LETTER_NATS * len(token))
    return weights, dict(weights)


def quietened(
    weights: dict[str, float], texts: Sequence[Descriptor], known: frozenset[str] | set[str]
) -> None:
    """Lower the weight of words that stand beside many names and that the other side lacks."""
    companions = Counter(token for text in texts for token in text.name)
    for token, count in companions.items():
        if token not in known:
            weights[token] /= 1.0 + (count - 1) / COMPANIONS_HALF


def relations(
    bank_tokens: set[str], vocabulary: dict[str, int]
) -> dict[str, list[tuple[int, float]]]:
    """Return for each bank token the ledger tokens that it can stand for, best first."""
    found: dict[str, dict[int, float]] = {token: {} for token in bank_tokens}

    def relate(token: str, gl_token: str, credit: float) -> None:
        number = vocabulary[gl_token]
        found[token][number] = max(found[token].get(number, 0.0), credit)

    for token in bank_tokens:
        if token in vocabulary:
            relate(token, token, 1.0)
    for short, long in _truncations(bank_tokens, sorted(vocabulary)):
        relate(short, long, PREFIX_CREDIT)
    for short, long in _truncations(set(vocabulary), sorted(bank_tokens)):
        relate(long, short, PREFIX_CREDIT)
    for token, gl_token in _misspellings(bank_tokens - vocabulary.keys(), vocabulary):
        relate(token, gl_token, TYPO_CREDIT)
    for short, long in _abbreviations(bank_tokens, vocabulary):
        relate(short, long, ABBREVIATION_CREDIT)
    for short, long in _abbreviations(vocabulary, bank_tokens):
        relate(long, short, ABBREVIATION_CREDIT)
    return {
        token: sorted(numbers.items(), key=lambda pair: (-pair[1], pair[0]))[:EXPANSIONS]
        for token, numbers in found.items()
    }


def _truncations(short_tokens: set[str], long_tokens: list[str]) -> Iterable[tuple[str, str]]:
    for short in sorted(short_tokens):
        if len(short) < PREFIX_LETTERS_MIN:
            continue
        place = bisect_left(long_tokens, short)
        for long in long_tokens[place : place + EXPANSIONS + 1]:
            if long != short and long.startswith(short):
                yield short, long


def _misspellings(
    bank_tokens: Iterable[str], gl_tokens: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Yield tokens that differ by a letter or two: those that are one when each lacks a letter."""
    by_spelling: dict[str, list[str]] = defaultdict(list)
    for token in sorted(gl_tokens):
        for spelling in _less_a_letter(token):
            by_spelling[spelling].append(token)
    for token in sorted(bank_tokens):
        near: set[str] = set()
        for spelling in _less_a_letter(token):
            others = by_spelling.get(spelling, ())
            if len(others) <= NEIGHBOURS_MAX:
                near.update(others)
        for other in sorted(near):
            if JaroWinkler.normalized_similarity(token, other) >= TYPO_SIMILARITY_MIN:
                yield token, other


def _less_a_letter(token: str) -> set[str]:
    if len(token) < TYPO_LETTERS_MIN:
        return set()
    return {token, *(token[:k] + token[k + 1 :] for k in range(1, len(token)))}


def _abbreviations(
    short_tokens: Iterable[str], long_tokens: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Yield consonant abbreviations and what they may stand for: BLDG for BUILDING."""
    by_letter: dict[str, list[str]] = defaultdict(list)
    for token in sorted(long_tokens):
        by_letter[token[0]].append(token)
    checks = 0
    for short in sorted(short_tokens):
        if len(short) < ABBREVIATION_LETTERS_MIN or not short.isalpha():
            continue
        if _VOWELS & set(short[1:]):
            continue
        checks += len(by_letter[short[0]])
        if checks > ABBREVIATION_CHECKS_MAX:
            return
        for long in by_letter[short[0]]:
            if len(long) > len(short) + 1 and _in_order(short, long):
                yield short, long


def _in_order(short: str, long: str) -> bool:
    letters = iter(long)
    return all(letter in letters for letter in short)
