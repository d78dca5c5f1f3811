"""Candidates → signals → model → assignment → explanation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from app.matching.adaptation import SHIFT_MAX, adapted
from app.matching.assignment import assign, interchangeable_points, rival_points
from app.matching.bounds import Bounds
from app.matching.candidates import all_pairs, candidate_pairs, group_ranks
from app.matching.explain import Explainer
from app.matching.groups import Group, find_groups
from app.matching.history import Memory
from app.matching.model import Model, load_model, log_odds
from app.matching.pool import Pool, build_pool
from app.matching.records import Decision, Item, MatchOptions, MatchResult, ScoredPair, Tier
from app.matching.signals import Evidence, Signals
from app.matching.vetoes import reversed_entries

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUGGESTIONS_MAX: Final = 5
FLOOR_PERCENT: Final = 20.0
"""Pairs under this, before any rival, neither are shown nor count as rivals."""

CANDIDATES_MAX: Final = 32
"""Candidates of one bank line that are weighed against each other."""

BELOW_AUTO: Final = 0.01
"""Percent under the auto-match threshold at which suggestions end."""

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Every pair above the floor, decided: arrays of shape (pairs,)."""

    evidence: Evidence
    rivals: NDArray[np.float64]
    calibrated: NDArray[np.float64]
    scores: NDArray[np.float64]
    assigned: NDArray[np.bool_]
    scored_count: int


def match(
    bank: Sequence[Item],
    gl: Sequence[Item],
    *,
    history: Sequence[Decision] = (),
    options: MatchOptions | None = None,
    model: Model | None = None,
    progress: Progress | None = None,
) -> MatchResult:
    """Match open bank transactions with open GL entries.

    The result depends on the items' content alone, not on their order.

    Args:
        bank: Open bank transactions; ids are unique.
        gl: Open GL entries of the same account; ids are unique.
        history: What the organization decided before.
        options: Thresholds.
        model: The organization's model, or the general one.
        progress: Called with shares from 0 to 1.

    Raises:
        ValueError: An id stands twice on one side.
    """
    options = options or MatchOptions()
    model = model or load_model()
    report = progress or _silent
    taken = reversed_entries(gl, bank)
    pool = build_pool(bank, [item for item in gl if item.id not in taken])
    memory = Memory(history)
    signals = Signals(pool, model, memory)
    report(0.2)
    floor = min(log_odds(FLOOR_PERCENT), model.raw(log_odds(options.review_threshold)))
    pairs = all_pairs(pool) if options.exhaustive else candidate_pairs(pool, signals.groups)
    solution = _solve(
        signals,
        pairs,
        floor,
        adapt=True,
        prune=not options.exhaustive,
        suggested_max=options.auto_threshold - BELOW_AUTO,
    )
    report(0.8)
    found = _proposals(signals, memory, solution, options)
    report(1.0)
    considered = len(bank) * len(gl)
    return MatchResult(
        pairs=tuple(found),
        pairs_considered=considered,
        pairs_scored=solution.scored_count,
        pairs_unreachable=considered - solution.scored_count,
        model_version=model.version,
    )


def rank(
    bank_item: Item,
    gl: Sequence[Item],
    *,
    history: Sequence[Decision] = (),
    model: Model | None = None,
    limit: int = 20,
) -> tuple[ScoredPair, ...]:
    """Return the GL entries most likely to belong to one bank transaction, best first.

    Scores are those of `match` for a run in which no other bank line is open.
    """
    model = model or load_model()
    pool = build_pool([bank_item], gl)
    memory = Memory(history)
    signals = Signals(pool, model, memory)
    options = MatchOptions()
    solution = _solve(
        signals,
        all_pairs(pool),
        -np.inf,
        adapt=False,
        prune=False,
        suggested_max=options.auto_threshold - BELOW_AUTO,
    )
    order = np.lexsort((solution.evidence.gl_rows, -solution.scores))[:limit]
    writer = _Writer(signals, memory, solution)
    return tuple(writer.pair(int(k), _tier(float(solution.scores[k]), options)) for k in order)


def _silent(_share: float) -> None:
    return None


def _tier(score: float, options: MatchOptions) -> Tier:
    return Tier.REVIEW if score >= options.review_threshold else Tier.BELOW


def _solve(
    signals: Signals,
    pairs: Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]],
    floor: float,
    *,
    adapt: bool,
    prune: bool,
    suggested_max: float,
) -> Solution:
    """Score the pairs, drop those under the floor, weigh rivals, assign."""
    kept: list[Evidence] = [signals.evidence(*_no_rows())]
    scored_count = 0
    low = floor - SHIFT_MAX if adapt else floor
    bounds = Bounds(signals) if prune else None
    ranks = group_ranks(signals.groups[0]), group_ranks(signals.groups[1])
    for bank_rows, gl_rows in pairs:
        if bounds is not None:
            reach = bounds.reaching(bank_rows, gl_rows, low)
            bank_rows, gl_rows = bank_rows[reach], gl_rows[reach]  # noqa: PLW2901 - the rest is gone
        evidence = signals.evidence(bank_rows, gl_rows)
        scored_count += len(bank_rows)
        kept.append(_nearest(evidence.taken(evidence.log_odds >= low), ranks))
    evidence = _nearest(_joined(kept), ranks)
    if adapt:
        evidence = signals.with_dates_of(adapted(signals, evidence), evidence)
        evidence = evidence.taken(evidence.log_odds >= floor)
    pool = signals.pool
    ours, theirs = evidence.bank_rows, evidence.gl_rows
    rivals = rival_points(ours, theirs, evidence.log_odds)
    chosen = assign(ours, theirs, evidence.log_odds, pool.bank.days[ours], pool.gl.days[theirs])
    assigned = np.zeros(len(ours), np.bool_)
    assigned[chosen] = True
    rivals = interchangeable_points(evidence, rivals, assigned, *_classes(signals))
    calibrated = signals.model.calibrated(evidence.log_odds + rivals)
    # What may only be suggested never shows a score that would have matched it.
    suggested = ~(assigned & evidence.amounts_equal)
    calibrated[suggested] = np.minimum(calibrated[suggested], log_odds(suggested_max))
    scores = 100.0 / (1.0 + np.exp(-calibrated))
    return Solution(evidence, rivals, calibrated, scores, assigned, scored_count)


def _nearest(evidence: Evidence, ranks: tuple[NDArray[np.int64], NDArray[np.int64]]) -> Evidence:
    """Keep the best candidates of each bank line; among equals those of like rank in date order.

    Where a line has more, none of the rest could stand out from those that are kept.
    """
    rows = evidence.bank_rows
    if not len(rows) or int(np.bincount(rows).max()) <= CANDIDATES_MAX:
        return evidence
    apart = np.abs(ranks[0][rows] - ranks[1][evidence.gl_rows])
    order = np.lexsort((evidence.gl_rows, apart, -np.round(evidence.log_odds, 6), rows))
    return evidence.taken(np.sort(order[_places(rows[order]) < CANDIDATES_MAX]))


def _no_rows() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.empty(0, np.int64), np.empty(0, np.int64)


def _joined(parts: list[Evidence]) -> Evidence:
    """Return all parts as one, ordered by rows, whatever order they were found in."""
    bank_rows = np.concatenate([p.bank_rows for p in parts])
    gl_rows = np.concatenate([p.gl_rows for p in parts])
    order = np.lexsort((gl_rows, bank_rows))
    return Evidence(
        bank_rows[order],
        gl_rows[order],
        np.concatenate([p.points for p in parts])[order],
        np.concatenate([p.log_odds for p in parts])[order],
        np.concatenate([p.kinds for p in parts])[order],
    )


def _classes(signals: Signals) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return numbers that are equal for interchangeable rows; ledger rows need a name for it."""
    pool = signals.pool
    bank_groups, gl_groups = signals.groups
    numbers: dict[object, int] = {}
    bank = [
        numbers.setdefault((int(group), pool.bank.texts[text].name), len(numbers))
        for group, text in zip(bank_groups, pool.bank.text_rows, strict=True)
    ]
    gl = []
    for row, (group, text) in enumerate(zip(gl_groups, pool.gl.text_rows, strict=True)):
        name: object = pool.gl.texts[text].name or row
        key = ("gl", int(group), pool.gl.items[row].account, name)
        gl.append(numbers.setdefault(key, len(numbers)))
    return np.array(bank, np.int64), np.array(gl, np.int64)


def _proposals(
    signals: Signals, memory: Memory, solution: Solution, options: MatchOptions
) -> Iterator[ScoredPair]:
    """Yield auto pairs, then suggestions for lines that no auto pair took."""
    evidence, scores = solution.evidence, solution.scores
    writer = _Writer(signals, memory, solution)
    auto = solution.assigned & evidence.amounts_equal & (scores >= options.auto_threshold)
    for index in np.flatnonzero(auto):
        yield writer.pair(int(index), Tier.AUTO)
    bank_taken = np.zeros(len(signals.pool.bank), np.bool_)
    gl_taken = np.zeros(len(signals.pool.gl), np.bool_)
    bank_taken[evidence.bank_rows[auto]] = True
    gl_taken[evidence.gl_rows[auto]] = True
    groups = find_groups(signals, np.flatnonzero(~bank_taken), np.flatnonzero(~gl_taken))
    singles = _best_single(solution, len(signals.pool.bank), len(signals.pool.gl))
    for group in groups:
        proposal = writer.group(group, singles, options)
        if proposal is not None:
            yield proposal
            bank_taken[list(group.bank_rows)] |= proposal.tier is Tier.AUTO
            gl_taken[list(group.gl_rows)] |= proposal.tier is Tier.AUTO
    shown = scores >= options.review_threshold
    shown &= ~bank_taken[evidence.bank_rows] & ~gl_taken[evidence.gl_rows]
    indices = np.flatnonzero(shown)
    order = np.lexsort(
        (
            evidence.gl_rows[indices],
            ~solution.assigned[indices],
            -scores[indices],
            evidence.bank_rows[indices],
        )
    )
    places = _places(evidence.bank_rows[indices[order]])
    for index in indices[order][places < SUGGESTIONS_MAX]:
        yield writer.pair(int(index), Tier.REVIEW)


def _best_single(
    solution: Solution, bank_count: int, gl_count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the score of the best single pair of each row of both sides."""
    bank, gl = np.zeros(bank_count), np.zeros(gl_count)
    np.maximum.at(bank, solution.evidence.bank_rows, solution.scores)
    np.maximum.at(gl, solution.evidence.gl_rows, solution.scores)
    return bank, gl


def _places(sorted_rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return each element's place among its equals: 0, 1, 2, ..."""
    starts = np.flatnonzero(np.diff(sorted_rows, prepend=-1))
    lengths = np.diff(np.append(starts, len(sorted_rows)))
    return np.arange(len(sorted_rows), dtype=np.int64) - np.repeat(starts, lengths)


class _Writer:
    """Turns indices of a solution into the records that go out."""

    def __init__(self, signals: Signals, memory: Memory, solution: Solution) -> None:
        self._pool: Pool = signals.pool
        self._model = signals.model
        self._solution = solution
        self._explainer = Explainer(signals, memory)
        evidence = solution.evidence
        self._by_bank = np.bincount(evidence.bank_rows, minlength=len(self._pool.bank))
        self._by_gl = np.bincount(evidence.gl_rows, minlength=len(self._pool.gl))
        self._best = _best_rival(evidence, solution.scores)

    def pair(self, index: int, tier: Tier) -> ScoredPair:
        solution, evidence, pool = self._solution, self._solution.evidence, self._pool
        bank_row, gl_row = int(evidence.bank_rows[index]), int(evidence.gl_rows[index])
        raw = float(evidence.log_odds[index] + solution.rivals[index])
        if not np.isfinite(raw):
            return ScoredPair(
                (pool.bank.items[bank_row].id,),
                (pool.gl.items[gl_row].id,),
                0.0,
                tier,
                self._explainer.veto(bank_row, gl_row),
                0,
                0.0,
            )
        score = float(solution.scores[index])
        shift = float(solution.calibrated[index]) - raw
        rivals_count = int(self._by_bank[bank_row] + self._by_gl[gl_row]) - 2
        contributions = self._explainer.contributions(
            bank_row,
            gl_row,
            evidence.points[index],
            base=self._model.intercept + shift,
            rivals=float(solution.rivals[index]),
            rivals_count=rivals_count,
            kind=int(evidence.kinds[index]),
        )
        return ScoredPair(
            bank_ids=(pool.bank.items[bank_row].id,),
            gl_ids=(pool.gl.items[gl_row].id,),
            score=score,
            tier=tier,
            contributions=contributions,
            rivals_count=rivals_count,
            margin=log_odds(score) - float(self._best[index]),
        )

    def group(
        self,
        group: Group,
        singles: tuple[NDArray[np.float64], NDArray[np.float64]],
        options: MatchOptions,
    ) -> ScoredPair | None:
        """Return the proposal for a group, or nothing where it is under the review threshold."""
        bank, gl = self._pool.bank, self._pool.gl
        score = 100.0 / (1.0 + math.exp(-group.log_odds))
        rival = max(
            float(singles[0][list(group.bank_rows)].max()),
            float(singles[1][list(group.gl_rows)].max()),
        )
        if score < options.review_threshold:
            return None
        sure = group.supported and group.solutions == 1 and rival < score
        auto = sure and score >= options.auto_threshold
        if not auto:
            score = min(score, options.auto_threshold - BELOW_AUTO)
        return ScoredPair(
            bank_ids=tuple(bank.items[row].id for row in group.bank_rows),
            gl_ids=tuple(gl.items[row].id for row in group.gl_rows),
            score=score,
            tier=Tier.AUTO if auto else Tier.REVIEW,
            contributions=self._explainer.group(group),
            rivals_count=group.solutions - 1,
            margin=log_odds(score) - log_odds(rival),
        )


def _best_rival(evidence: Evidence, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each pair the log-odds of the best pair that shares one of its lines."""
    values = np.log(np.maximum(scores, 1e-7) / np.maximum(100.0 - scores, 1e-7))
    best = np.full(len(values), log_odds(0.0))
    for rows in (evidence.bank_rows, evidence.gl_rows):
        order = np.lexsort((-values, rows))
        places = _places(rows[order])
        first = order[places == 0]
        second = order[places == 1]
        top = np.full(int(rows.max(initial=-1)) + 1, log_odds(0.0))
        next_top = top.copy()
        top[rows[first]] = values[first]
        next_top[rows[second]] = values[second]
        is_first = np.zeros(len(values), np.bool_)
        is_first[first] = True
        best = np.maximum(best, np.where(is_first, next_top[rows], top[rows]))
    return best
