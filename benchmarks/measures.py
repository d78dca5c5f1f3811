"""Measures of a matching run against the truth."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from app.matching import Decision, MatchOptions, MatchResult, Model, ScoredPair, Tier, match
from app.matching.model import log_odds
from benchmarks.worlds.books import Books

BANDS = 20


@dataclass(slots=True)
class Tally:
    """Counts that add up over books.

    Attributes:
        right: Automatic pairs that are true, or whose bank line truly belongs to an entry of the
            same party with the same amount; `right_strict` only the former.
    """

    bank_lines: int = 0
    matchable: int = 0
    auto: int = 0
    right: int = 0
    right_strict: int = 0
    first: int = 0
    groups_true: int = 0
    groups_found: int = 0
    groups_right: int = 0
    doubles: int = 0
    suggestions: int = 0
    suggestions_right: int = 0
    bands: list[list[float]] = field(
        default_factory=lambda: [[0.0, 0.0, 0.0] for _ in range(BANDS)]
    )

    def add(self, books: Books, result: MatchResult) -> None:
        """Count one run."""
        truth = {b: set(theirs) for ours, theirs in books.truth for b in ours}
        alike = {i.id: (i.amount_minor, books.parties[i.id]) for i in books.gl}
        self.bank_lines += len(books.bank)
        self.matchable += len(truth)
        used: set[str] = set()
        first_seen: set[str] = set()
        for pair in result.pairs:
            group = len(pair.bank_ids) + len(pair.gl_ids) > 2
            strict = all(truth.get(b, set()) >= set(pair.gl_ids) for b in pair.bank_ids)
            true_alike = {alike[g] for b in pair.bank_ids for g in truth.get(b, ())}
            right = strict or (not group and alike[pair.gl_ids[0]] in true_alike)
            ids = {*(f"b{i}" for i in pair.bank_ids), *(f"g{i}" for i in pair.gl_ids)}
            if pair.tier is Tier.AUTO:
                self.doubles += len(ids & used)
                used |= ids
                self.auto += len(pair.bank_ids)
                self.right += right * len(pair.bank_ids)
                self.right_strict += strict * len(pair.bank_ids)
            else:
                self.suggestions += 1
                self.suggestions_right += right
            leading = not set(pair.bank_ids) & first_seen
            if leading:
                first_seen |= set(pair.bank_ids)
                self.first += right * len(pair.bank_ids)
                self._band(pair, right)
            if group and pair.tier is Tier.AUTO:
                self.groups_found += 1
                self.groups_right += self._same_group(books, pair)
        self.groups_true += sum(len(o) + len(t) > 2 for o, t in books.truth)

    def _same_group(self, books: Books, pair: ScoredPair) -> bool:
        wanted = (frozenset(pair.bank_ids), frozenset(pair.gl_ids))
        return any((frozenset(o), frozenset(t)) == wanted for o, t in books.truth)

    def _band(self, pair: ScoredPair, right: bool) -> None:
        band = self.bands[min(int(pair.score / 100 * BANDS), BANDS - 1)]
        band[0] += 1
        band[1] += pair.score / 100
        band[2] += right

    @property
    def precision(self) -> float:
        return self.right / max(self.auto, 1)

    @property
    def calibration_error(self) -> float:
        total = sum(b[0] for b in self.bands) or 1.0
        return sum(abs(b[1] - b[2]) for b in self.bands) / total

    @property
    def group_f1(self) -> float:
        return 2 * self.groups_right / max(self.groups_true + self.groups_found, 1)


def assigned_log_odds(
    books: Books, history: Sequence[Decision], model: Model
) -> Iterator[tuple[float, bool]]:
    """Yield the uncalibrated log-odds of each leading proposal, and whether it is right."""
    flat = replace(model, calibration=(np.array([-20.0, 20.0]), np.array([-20.0, 20.0])))
    options = MatchOptions(auto_threshold=99.0, review_threshold=20.0)
    alike = {i.id: (i.amount_minor, books.parties[i.id]) for i in books.gl}
    partners: dict[str, set[tuple[int, str]]] = defaultdict(set)
    for ours, theirs in books.truth:
        for bank_id in ours if len(ours) == len(theirs) == 1 else ():
            partners[bank_id].add(alike[theirs[0]])
    seen: set[str] = set()
    result = match(books.bank, books.gl, history=history, options=options, model=flat)
    for pair in result.pairs:
        if len(pair.gl_ids) == len(pair.bank_ids) == 1 and pair.bank_ids[0] not in seen:
            seen.add(pair.bank_ids[0])
            yield log_odds(pair.score), alike[pair.gl_ids[0]] in partners[pair.bank_ids[0]]


def wilson_low(right: int, total: int, z: float = 1.96) -> float:
    """Return the lower end of the 95 % Wilson interval of a share."""
    if not total:
        return 0.0
    share = right / total
    middle = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return (middle - spread) / (1 + z * z / total)


def summed(tallies: Iterable[Tally]) -> Tally:
    """Return one tally of all."""
    whole = Tally()
    for tally in tallies:
        for name in (
            "bank_lines",
            "matchable",
            "auto",
            "right",
            "right_strict",
            "first",
            "groups_true",
            "groups_found",
            "groups_right",
            "doubles",
            "suggestions",
            "suggestions_right",
        ):
            setattr(whole, name, getattr(whole, name) + getattr(tally, name))
        for mine, theirs in zip(whole.bands, tally.bands, strict=True):
            for place in range(3):
                mine[place] += theirs[place]
    return whole
