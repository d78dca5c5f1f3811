"""Compare names: bank descriptors against what the ledger wrote, for many pairs at once.

Each side is a list of unique name texts.  The word-to-word work is done once per vocabulary by
`tokens`, so a pair costs a few comparisons of integers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from app.matching.normalize import CUT_LETTERS_MAX, NAME_TOKENS_MAX, Descriptor
from app.matching.tokens import EXPANSIONS, quietened, relations, token_weights
from app.matching.words import COMMON_WORDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALIAS_TEXTS_MAX: Final = 50
"""Initials that more texts share say too little to be worth the pairs."""
CHUNK_PAIRS: Final = 1 << 15
POSTINGS_MAX: Final = 64
"""Texts that share a word, up to which all of them are compared to find the best."""

BEST_PAIRS_MAX: Final = 400_000
EXCUSED_NATS_MAX: Final = 1.0
CONFLICT_MIN: Final = 1.0
"""Nats of conflict from which it matters that another name fits better."""

ALIAS_PREFIX_LETTERS_MIN: Final = 7
ALIAS_COVERAGE: Final = 0.9
ALIAS_LETTER_NATS: Final = 1.5
"""What each letter of an acronym says at most: short ones meet words by chance."""

INITIAL_CREDIT: Final = 0.9
MARK_WORDS: Final = 4
_BITS: Final = tuple(np.uint64(1 << place) for place in range(64))
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
        shortfall: Nats by which another name of the pool fits one of the two better; 0 without
            conflict, for a shorter writing is no other name.
        absent: Whether a side has no name, or only words such as "monthly rent" that the other
            side does not repeat, so that nothing can be said.
    """

    coverage: NDArray[np.float32]
    information: NDArray[np.float32]
    conflict: NDArray[np.float32]
    shortfall: NDArray[np.float32]
    absent: NDArray[np.bool_]

    def excused(self, known: NDArray[np.bool_]) -> NameSimilarity:
        """Return the same, but saying nothing where names differ that are known to be one."""
        absent = self.absent | (known & (self.information < EXCUSED_NATS_MAX))
        return replace(self, absent=absent)

    def put(
        self, places: NDArray[np.int64], other: NameSimilarity, keep: NDArray[np.bool_]
    ) -> None:
        """Replace what stands at some places by what the other says where `keep`."""
        for mine, theirs in (
            (self.coverage, other.coverage),
            (self.information, other.information),
            (self.conflict, other.conflict),
            (self.shortfall, other.shortfall),
        ):
            mine[places] = theirs[keep]
        self.absent[places] = other.absent[keep]


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
        related = relations({t for text in bank for t in text.name}, vocabulary)
        bank_weights, gl_weights = token_weights(bank, gl, bank_counts, gl_counts)
        words = list(vocabulary)
        quietened(bank_weights, bank, {t for t, found in related.items() if found})
        quietened(gl_weights, gl, {words[n] for found in related.values() for n, _ in found})
        self._gl_tokens, self._gl_weights = _padded(gl, vocabulary, gl_weights)
        self._bank_tokens, self._bank_shares = _expanded(bank, related)
        self._bank_weights = _padded(bank, None, bank_weights)[1]
        self._bank_totals = self._bank_weights.sum(axis=1)
        self._gl_totals = self._gl_weights.sum(axis=1)
        self._beginnings = _beginnings(bank), _beginnings(gl)
        self._bank_generic, self._gl_generic = _generic(bank), _generic(gl)
        self._aliased = _aliased(bank, gl)
        self._gl_count = max(len(gl), 1)
        self.bank_marks, self.gl_marks = self._marks()
        coded = sorted((b * self._gl_count + g, nats) for (b, g), nats in self._aliased.items())
        self._alias_codes = np.array([code for code, _ in coded], np.int64)
        self._alias_nats = np.array([nats for _, nats in coded], np.float32)
        self._best = np.zeros(len(bank), np.float32), np.zeros(len(gl), np.float32)
        self._best = self._best_fits()

    def _best_fits(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return for each text of both sides how well the best text of the other fits, in nats."""
        codes = np.union1d(self._sharing_words(), self._alias_codes)
        bank_rows, gl_rows = np.divmod(codes, self._gl_count)
        found = self.similarity(bank_rows, gl_rows)
        fits = found.information
        bank, gl = np.zeros_like(self._best[0]), np.zeros_like(self._best[1])
        np.maximum.at(bank, bank_rows, fits)
        np.maximum.at(gl, gl_rows, fits)
        return bank, gl

    def _sharing_words(self) -> NDArray[np.int64]:
        """Return the codes of pairs of texts that share a word, but for words in many texts."""
        texts, places = np.nonzero(self._gl_tokens >= 0)
        tokens = self._gl_tokens[texts, places]
        order = np.argsort(tokens, kind="stable")
        texts, tokens = texts[order], tokens[order]
        rows, *where = np.nonzero(self._bank_tokens >= 0)
        wanted = self._bank_tokens[rows, where[0], where[1]]
        first = np.searchsorted(tokens, wanted, side="left")
        counts = np.searchsorted(tokens, wanted, side="right") - first
        most = POSTINGS_MAX
        while most > 1 and int(counts[counts <= most].sum()) > BEST_PAIRS_MAX:
            most //= 2
        counts = np.where(counts <= most, counts, 0)
        ends = np.cumsum(counts)
        offsets = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - counts, counts)
        found = texts[np.repeat(first, counts) + offsets]
        return np.unique(np.repeat(rows, counts) * self._gl_count + found)

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
        whole = np.minimum(whole, self._alias_nats[np.searchsorted(self._alias_codes, codes[hit])])
        information[hit] = np.maximum(information[hit], whole)
        conflict[hit] = 0.0
        silent = self._bank_generic[unique_bank] | self._gl_generic[unique_gl]
        absent = silent & (coverage == 0.0)
        best = np.maximum(self._best[0][unique_bank], self._best[1][unique_gl])
        missing = np.maximum(best - information, 0.0)
        shortfall = np.where(conflict >= CONFLICT_MIN, missing, np.float32(0.0))
        return NameSimilarity(
            coverage[back], information[back], conflict[back], shortfall[back], absent[back]
        )

    def _compare(
        self, bank_rows: NDArray[np.int64], gl_rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        gl_best, bank_best = self._agreement(bank_rows, gl_rows)
        matched_gl = (gl_best * self._gl_weights[gl_rows].T).sum(axis=0)
        matched_bank = (bank_best * self._bank_weights[bank_rows].T).sum(axis=0)
        gl_totals, bank_totals = self._gl_totals[gl_rows], self._bank_totals[bank_rows]
        of_gl = matched_gl / np.maximum(gl_totals, 1e-6)
        of_bank = matched_bank / np.maximum(bank_totals, 1e-6)
        coverage = 0.7 * np.maximum(of_gl, of_bank) + 0.3 * np.minimum(of_gl, of_bank)
        conflict = np.minimum(gl_totals - matched_gl, bank_totals - matched_bank)
        information = np.maximum(np.minimum(matched_gl, matched_bank) - conflict, 0.0)
        return coverage, information, conflict

    def _agreement(
        self, bank_rows: NDArray[np.int64], gl_rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return how far each place of the names is matched, shape (places, pairs)."""
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
        self._agree_on_beginnings(bank_rows, gl_rows, gl_best, bank_best)
        return gl_best, bank_best

    def _agree_on_beginnings(
        self,
        bank_rows: NDArray[np.int64],
        gl_rows: NDArray[np.int64],
        gl_best: NDArray[np.float32],
        bank_best: NDArray[np.float32],
    ) -> None:
        """Beside agreement, count "H" as agreeing with a word that begins with it and is left.

        So does the short word in which a bank's name was cut.
        """
        ours, theirs = self._beginnings
        some = np.flatnonzero(
            (ours.is_short[bank_rows] | theirs.is_short[gl_rows]) & (bank_best > 0).any(axis=0)
        )
        rows, gl_texts = bank_rows[some], gl_rows[some]
        for length in range(1, CUT_LETTERS_MAX + 1):
            bank_words, gl_words = ours.words[length - 1], theirs.words[length - 1]
            for place in range(NAME_TOKENS_MAX):
                mine = bank_words[rows, place]
                for gl_place in range(NAME_TOKENS_MAX):
                    short = ours.lengths[rows, place] == length
                    if length == 1:
                        short |= theirs.lengths[gl_texts, gl_place] == 1
                    if not short.any():
                        continue
                    agreed = short & (mine == gl_words[gl_texts, gl_place]) & (mine > 0)
                    agreed &= (gl_best[gl_place, some] == 0) & (bank_best[place, some] == 0)
                    hit = some[agreed]
                    gl_best[gl_place, hit] = INITIAL_CREDIT
                    bank_best[place, hit] = INITIAL_CREDIT

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


def _generic(texts: Sequence[Descriptor]) -> NDArray[np.bool_]:
    """Return which texts say nothing about who."""
    return np.array([COMMON_WORDS.issuperset(text.name) for text in texts], np.bool_)


def _padded(
    texts: Sequence[Descriptor], vocabulary: dict[str, int] | None, weights: dict[str, float]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return each text's tokens by number and their weights, shape (texts, places)."""
    tokens = np.full((len(texts), NAME_TOKENS_MAX), _NONE - 1, np.int32)
    token_weights = np.zeros(tokens.shape, np.float32)
    for row, text in enumerate(texts):
        for place, token in enumerate(text.name):
            if vocabulary is not None:
                tokens[row, place] = vocabulary[token]
            token_weights[row, place] = weights[token]
    return tokens, token_weights


def _expanded(
    texts: Sequence[Descriptor], related: dict[str, list[tuple[int, float]]]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the ledger tokens that each token may stand for, shape (texts, places, expansions)."""
    tokens = np.full((len(texts), NAME_TOKENS_MAX, EXPANSIONS), _NONE, np.int32)
    shares = np.zeros(tokens.shape, np.float32)
    for row, text in enumerate(texts):
        for place, token in enumerate(text.name):
            for expansion, (number, credit) in enumerate(related[token]):
                tokens[row, place, expansion] = number
                shares[row, place, expansion] = credit
    return tokens, shares


@dataclass(frozen=True, slots=True, eq=False)
class _Beginnings:
    """How the words of each text begin.

    Attributes:
        words: For one, two and three letters: codes of the first letters at each place, shape
            (texts, places); 0 where no word is.
        lengths: Letters of a word that is an initial or was cut, else 0, shape (texts, places).
        is_short: Whether the text has such a word, shape (texts,).
    """

    words: tuple[NDArray[np.int64], ...]
    lengths: NDArray[np.int64]
    is_short: NDArray[np.bool_]


def _beginnings(texts: Sequence[Descriptor]) -> _Beginnings:
    words = tuple(np.zeros((len(texts), NAME_TOKENS_MAX), np.int64) for _ in range(CUT_LETTERS_MAX))
    lengths = np.zeros((len(texts), NAME_TOKENS_MAX), np.int64)
    for row, text in enumerate(texts):
        for place, token in enumerate(text.name):
            code = 0
            for length, letter in enumerate(token[:CUT_LETTERS_MAX]):
                code = code << 21 | ord(letter)
                words[length][row, place] = code
            if len(token) == 1 or token == text.cut:
                lengths[row, place] = len(token)
    return _Beginnings(words, lengths, np.asarray(lengths.any(axis=1)))


def _aliased(bank: Sequence[Descriptor], gl: Sequence[Descriptor]) -> dict[tuple[int, int], float]:
    """Return pairs of texts of which one holds the other's initials or run-together name.

    And how much that says at most, in nats.
    """
    pairs: dict[tuple[int, int], float] = {}
    for row, other, nats in _holders(bank, gl):
        pairs[row, other] = max(pairs.get((row, other), 0.0), nats)
    for other, row, nats in _holders(gl, bank):
        pairs[row, other] = max(pairs.get((row, other), 0.0), nats)
    return pairs


def _holders(
    holders: Sequence[Descriptor], named: Sequence[Descriptor]
) -> Iterator[tuple[int, int, float]]:
    by_initials: dict[str, list[int]] = defaultdict(list)
    by_joined: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row, text in enumerate(named):
        for alias in text.aliases:
            by_initials[alias].append(row)
        for whole, first_length in text.joined:
            by_joined[whole].append((row, first_length))
    joined = sorted(by_joined)
    for row, text in enumerate(holders):
        for token in text.name:
            nats = ALIAS_LETTER_NATS * len(token)
            others = by_initials.get(token, ())
            if len(others) <= ALIAS_TEXTS_MAX:
                yield from ((row, other, nats) for other in others)
            if len(token) < ALIAS_PREFIX_LETTERS_MIN:
                continue
            place = bisect_left(joined, token)
            for whole in joined[place : place + EXPANSIONS]:
                if whole.startswith(token) and len(by_joined[whole]) <= ALIAS_TEXTS_MAX:
                    # One that ends within its first word is a name of one word, not of several.
                    spanning = (o for o, length in by_joined[whole] if len(token) > length + 1)
                    yield from ((row, other, nats) for other in spanning)
