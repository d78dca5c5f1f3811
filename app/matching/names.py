"""Compare names: bank descriptors against what the ledger wrote, for many pairs at once.

Each side is a list of unique name texts.  Agreement on a token counts as much as the token is
rare in the pool (term-frequency adjustment); truncations, typing errors, abbreviations, acronyms
and words run together count as agreement, at a discount.  The token-to-token work is done once
per vocabulary, so a pair costs a few comparisons of integers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import JaroWinkler

from app.matching.normalize import NAME_TOKENS_MAX, Descriptor
from app.matching.words import COMMON_WORDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXPANSIONS: Final = 3
"""Ledger tokens that one bank token may stand for, itself included."""

ALIASES_MAX: Final = 4
ALIAS_TEXTS_MAX: Final = 50
"""Initials that more texts share say too little to be worth the pairs."""
CHUNK_PAIRS: Final = 1 << 15
BACKGROUND_DOCUMENTS: Final = 300.0
BACKGROUND_SHARE: Final = 0.002
BACKGROUND_SHARE_COMMON: Final = 0.04
"""How often a word stands in books in general, so that in small pools not everything is rare."""

PREFIX_LETTERS_MIN: Final = 4
ALIAS_PREFIX_LETTERS_MIN: Final = 7
TYPO_LETTERS_MIN: Final = 5
TYPO_SIMILARITY_MIN: Final = 0.9
PREFIX_CREDIT: Final = 0.9
TYPO_CREDIT: Final = 0.8
ABBREVIATION_CREDIT: Final = 0.6
ALIAS_COVERAGE: Final = 0.9
MARK_WORDS: Final = 4
_BITS: Final = tuple(np.uint64(1 << place) for place in range(64))
_VOWELS: Final = frozenset("AEIOU")
_NONE: Final = -1


@dataclass(frozen=True, slots=True, eq=False)
class NameSimilarity:
    """For each pair asked for, shape (pairs,).

    Attributes:
        coverage: 0 to 1, how much of the names agrees, rare words weighing more; 0 where a side
            has no name.
        information: Nats; how surprising the agreement is, less the conflict: rare names say more.
        conflict: Nats; what is left over on both sides, the smaller of the two: a city after a
            bank's name is no conflict, another surname is.
        absent: Whether a side has no name, or only words such as "monthly rent" that the other
            side does not repeat, so that nothing can be said.
    """

    coverage: NDArray[np.float32]
    information: NDArray[np.float32]
    conflict: NDArray[np.float32]
    absent: NDArray[np.bool_]


class NameIndex:
    """The unique names of both sides, prepared for comparing any of them.

    Args:
        bank: Unique descriptors of bank lines.
        gl: Unique descriptors of ledger texts.
        bank_counts: How many open lines carry each; likewise `gl_counts`.
    """

    def __init__(
        self,
        bank: Sequence[Descriptor],
        gl: Sequence[Descriptor],
        bank_counts: Sequence[int],
        gl_counts: Sequence[int],
    ) -> None:
        vocabulary: dict[str, int] = {}
        for text in gl:
            for token in text.name:
                vocabulary.setdefault(token, len(vocabulary))
        weights = _token_weights(bank, gl, bank_counts, gl_counts)
        relations = _relations({t for text in bank for t in text.name}, vocabulary)
        self._gl_tokens, self._gl_weights = _padded(gl, vocabulary, weights)
        bank_weights = np.zeros((len(bank), NAME_TOKENS_MAX), np.float32)
        tokens = np.full((len(bank), NAME_TOKENS_MAX, EXPANSIONS), _NONE, np.int32)
        shares = np.zeros(tokens.shape, np.float32)
        for row, text in enumerate(bank):
            for place, token in enumerate(text.name):
                bank_weights[row, place] = weights[token]
                for expansion, (number, credit) in enumerate(relations[token]):
                    tokens[row, place, expansion] = number
                    shares[row, place, expansion] = credit
        self._bank_tokens, self._bank_shares, self._bank_weights = tokens, shares, bank_weights
        self._bank_totals = bank_weights.sum(axis=1)
        self._gl_totals = self._gl_weights.sum(axis=1)
        self._bank_generic, self._gl_generic = _generic(bank), _generic(gl)
        self._aliased = _aliased(bank, gl)
        self._gl_count = max(len(gl), 1)
        self.bank_marks, self.gl_marks = self._marks()
        self._alias_codes = np.array(
            sorted(b * self._gl_count + g for b, g in self._aliased), np.int64
        )

    def _marks(self) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """Return bits by text: two texts with no bit in common agree on nothing at all."""
        flat = self._bank_tokens.reshape(len(self._bank_tokens), NAME_TOKENS_MAX * EXPANSIONS)
        bank = marks([set(row[row >= 0].tolist()) for row in flat])
        gl = marks([set(row[row >= 0].tolist()) for row in self._gl_tokens])
        for bank_row, gl_row in self._aliased:
            place = bank_row % 64
            bank[bank_row, 0] |= np.uint64(1 << place)
            gl[gl_row, 0] |= np.uint64(1 << place)
        return bank, gl

    def similarity(
        self, bank_rows: NDArray[np.int64], gl_rows: NDArray[np.int64]
    ) -> NameSimilarity:
        """Compare bank text `bank_rows[k]` with ledger text `gl_rows[k]` for every k."""
        codes, back = np.unique(bank_rows * self._gl_count + gl_rows, return_inverse=True)
        unique_bank, unique_gl = np.divmod(codes, self._gl_count)
        coverage = np.zeros(len(codes), np.float32)
        information = np.zeros(len(codes), np.float32)
        conflict = np.zeros(len(codes), np.float32)
        for start in range(0, len(codes), CHUNK_PAIRS):
            part = slice(start, start + CHUNK_PAIRS)
            compared = self._compare(unique_bank[part], unique_gl[part])
            coverage[part], information[part], conflict[part] = compared
        hit = self._alias_places(codes)
        coverage[hit] = np.maximum(coverage[hit], ALIAS_COVERAGE)
        whole = np.minimum(self._bank_totals[unique_bank[hit]], self._gl_totals[unique_gl[hit]])
        information[hit] = np.maximum(information[hit], whole)
        conflict[hit] = 0.0
        silent = self._bank_generic[unique_bank] | self._gl_generic[unique_gl]
        absent = silent & (coverage == 0.0)
        return NameSimilarity(coverage[back], information[back], conflict[back], absent[back])

    def _compare(
        self, bank_rows: NDArray[np.int64], gl_rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        # One row for each place in the name, so that every step runs along the pairs.
        gl_tokens = np.ascontiguousarray(self._gl_tokens[gl_rows].T)
        tokens = np.ascontiguousarray(self._bank_tokens[bank_rows].transpose(1, 2, 0))
        shares = np.ascontiguousarray(self._bank_shares[bank_rows].transpose(1, 2, 0))
        gl_best = np.zeros(gl_tokens.shape, np.float32)
        bank_best = np.zeros_like(gl_best)
        for place in range(NAME_TOKENS_MAX):
            for expansion in range(EXPANSIONS):
                token = tokens[place, expansion]
                if int(token.max()) == _NONE:
                    continue
                for gl_place in range(NAME_TOKENS_MAX):
                    agreed = (gl_tokens[gl_place] == token) * shares[place, expansion]
                    np.maximum(gl_best[gl_place], agreed, out=gl_best[gl_place])
                    np.maximum(bank_best[place], agreed, out=bank_best[place])
        matched_gl = (gl_best * self._gl_weights[gl_rows].T).sum(axis=0)
        matched_bank = (bank_best * self._bank_weights[bank_rows].T).sum(axis=0)
        gl_totals, bank_totals = self._gl_totals[gl_rows], self._bank_totals[bank_rows]
        of_gl = matched_gl / np.maximum(gl_totals, 1e-6)
        of_bank = matched_bank / np.maximum(bank_totals, 1e-6)
        coverage = 0.7 * np.maximum(of_gl, of_bank) + 0.3 * np.minimum(of_gl, of_bank)
        conflict = np.minimum(gl_totals - matched_gl, bank_totals - matched_bank)
        information = np.maximum(np.minimum(matched_gl, matched_bank) - conflict, 0.0)
        return coverage, information, conflict

    def _alias_places(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which of the sorted pairs agree by an acronym or a name run together."""
        if not self._aliased or not len(codes):
            return np.empty(0, np.int64)
        place = np.minimum(np.searchsorted(codes, self._alias_codes), len(codes) - 1)
        return np.asarray(place[codes[place] == self._alias_codes], np.int64)


def marks(sets: Sequence[set[int]]) -> NDArray[np.uint64]:
    """Return a set of bits for each set of numbers, shape (sets, `MARK_WORDS`)."""
    bits = np.zeros((len(sets), MARK_WORDS), np.uint64)
    for row, numbers in enumerate(sets):
        for number in numbers:
            place = number * 0x9E3779B1 % 2**32 >> 24
            bits[row, place // 64] |= _BITS[place % 64]
    return bits


def _token_weights(
    bank: Sequence[Descriptor],
    gl: Sequence[Descriptor],
    bank_counts: Sequence[int],
    gl_counts: Sequence[int],
) -> dict[str, float]:
    """Return the information of each token in nats: minus the logarithm of its share."""
    counts: dict[str, float] = defaultdict(float)
    for texts, repeats in ((bank, bank_counts), (gl, gl_counts)):
        for text, repeat in zip(texts, repeats, strict=True):
            for token in text.name:
                counts[token] += repeat
    documents = float(sum(bank_counts) + sum(gl_counts)) + BACKGROUND_DOCUMENTS
    weights = {}
    for token, count in counts.items():
        share = BACKGROUND_SHARE_COMMON if token in COMMON_WORDS else BACKGROUND_SHARE
        weights[token] = float(-np.log((count + BACKGROUND_DOCUMENTS * share) / documents))
    return weights


def _generic(texts: Sequence[Descriptor]) -> NDArray[np.bool_]:
    """Return which texts say nothing about who."""
    return np.array([COMMON_WORDS.issuperset(text.name) for text in texts], np.bool_)


def _padded(
    texts: Sequence[Descriptor], vocabulary: dict[str, int], weights: dict[str, float]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    tokens = np.full((len(texts), NAME_TOKENS_MAX), _NONE - 1, np.int32)
    token_weights = np.zeros(tokens.shape, np.float32)
    for row, text in enumerate(texts):
        for place, token in enumerate(text.name):
            tokens[row, place] = vocabulary[token]
            token_weights[row, place] = weights[token]
    return tokens, token_weights


def _relations(
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
) -> Iterable[tuple[str, str]]:
    """Yield tokens that differ by a letter or two, among those that begin alike."""
    buckets: dict[str, list[str]] = defaultdict(list)
    for token in sorted(gl_tokens):
        if len(token) >= TYPO_LETTERS_MIN:
            buckets[token[:2]].append(token)
    wanted: dict[str, list[str]] = defaultdict(list)
    for token in sorted(bank_tokens):
        if len(token) >= TYPO_LETTERS_MIN and token[:2] in buckets:
            wanted[token[:2]].append(token)
    for start, tokens in wanted.items():
        others = buckets[start]
        scores = process.cdist(
            tokens, others, scorer=JaroWinkler.normalized_similarity, dtype=np.float32
        )
        for row, column in np.argwhere(scores >= TYPO_SIMILARITY_MIN):
            if abs(len(tokens[row]) - len(others[column])) <= 1:
                yield tokens[row], others[column]


def _abbreviations(
    short_tokens: Iterable[str], long_tokens: Iterable[str]
) -> Iterable[tuple[str, str]]:
    """Yield consonant abbreviations and what they may stand for: BLDG for BUILDING."""
    by_letter: dict[str, list[str]] = defaultdict(list)
    for token in sorted(long_tokens):
        by_letter[token[0]].append(token)
    for short in sorted(short_tokens):
        if len(short) >= 3 and short.isalpha() and not _VOWELS & set(short[1:]):  # noqa: PLR2004
            for long in by_letter[short[0]]:
                if len(long) > len(short) + 1 and _in_order(short, long):
                    yield short, long


def _in_order(short: str, long: str) -> bool:
    letters = iter(long)
    return all(letter in letters for letter in short)


def _aliased(bank: Sequence[Descriptor], gl: Sequence[Descriptor]) -> set[tuple[int, int]]:
    """Return pairs of texts of which one holds the other's initials or run-together name."""
    return _holders(bank, gl) | {(b, g) for g, b in _holders(gl, bank)}


def _holders(holders: Sequence[Descriptor], named: Sequence[Descriptor]) -> set[tuple[int, int]]:
    rows_by_alias: dict[str, list[int]] = defaultdict(list)
    for row, text in enumerate(named):
        for alias in text.aliases[:ALIASES_MAX]:
            rows_by_alias[alias].append(row)
    by_alias = {a: rows for a, rows in rows_by_alias.items() if len(rows) <= ALIAS_TEXTS_MAX}
    aliases = sorted(by_alias)
    pairs: set[tuple[int, int]] = set()
    for row, text in enumerate(holders):
        for token in text.name:
            pairs.update((row, other) for other in by_alias.get(token, ()))
            if len(token) >= ALIAS_PREFIX_LETTERS_MIN:
                place = bisect_left(aliases, token)
                for alias in aliases[place : place + EXPANSIONS]:
                    if alias.startswith(token):
                        pairs.update((row, o) for o in by_alias[alias] if _spans(token, named[o]))
    return pairs


def _spans(token: str, text: Descriptor) -> bool:
    """Return whether a run-together token reaches into the second word of a name.

    Otherwise it is the first word alone, which many names share.
    """
    return len(token) > len(text.name[0]) + 1
