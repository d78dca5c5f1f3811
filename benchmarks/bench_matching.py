"""Measure the engine: `python -m benchmarks.bench_matching`; one line for each figure.

The first figure is the gate: the precision of automatic matches on worlds that the model was not
trained on.  Two baselines run on the same books: an equal amount within three days, and fixed
weights over thefuzz.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from math import log

from thefuzz import fuzz

from app.matching import Decision, Item, MatchOptions, MatchResult, ScoredPair, Tier, match
from benchmarks.histories import history_of
from benchmarks.measures import Tally, summed, wilson_low
from benchmarks.worlds import TEST_WORLDS, TRAINING_WORLDS, Books, World

SEEDS = range(500, 506)
EVENTS = 400
CYCLES = (0, 1, 2, 3, 6)

Matcher = Callable[[Books, Sequence[Decision]], MatchResult]


def engine(books: Books, history: Sequence[Decision]) -> MatchResult:
    """Bank Match AI."""
    return match(books.bank, books.gl, history=history)


def equal_within_three_days(books: Books, _history: Sequence[Decision]) -> MatchResult:
    """Match an equal amount within three days, each item once, in order of id."""
    return _greedy(books, lambda b, g: 100.0 * (abs((b.date - g.date).days) <= 3))


def weighted_thefuzz(books: Books, _history: Sequence[Decision]) -> MatchResult:
    """Fixed weights: amount 50, date 20, token-set similarity 30."""

    def score(bank: Item, gl: Item) -> float:
        days = abs((bank.date - gl.date).days)
        text = fuzz.token_set_ratio(bank.description, f"{gl.counterparty} {gl.description}")
        return 50.0 + max(0.0, 20.0 - 2.0 * days) + 0.3 * text

    return _greedy(books, score)


def _greedy(books: Books, score: Callable[[Item, Item], float]) -> MatchResult:
    """Take pairs of equal amounts best first, each item once, from a score of 85."""
    by_amount: dict[int, list[Item]] = {}
    for item in books.gl:
        by_amount.setdefault(item.amount_minor, []).append(item)
    scored = sorted(
        (-score(bank, gl), bank.id, gl.id)
        for bank in books.bank
        for gl in by_amount.get(bank.amount_minor, ())
    )
    used: set[str] = set()
    pairs = []
    for negative, bank_id, gl_id in scored:
        if -negative >= 85.0 and bank_id not in used and gl_id not in used:
            used |= {bank_id, gl_id}
            pairs.append(ScoredPair((bank_id,), (gl_id,), -negative, Tier.AUTO, (), 0, 0.0))
    return MatchResult(tuple(pairs), 0, 0, 0, "baseline")


def tally(
    worlds: Iterable[World], matcher: Matcher, *, cycles: int = 0, wrong: float = 0.0
) -> Tally:
    """Return the counts over all seeds of some worlds."""
    whole = Tally()
    for world in worlds:
        for seed in SEEDS:
            books = world.books(seed, EVENTS, days=31 if seed % 2 else 92)
            history = history_of(world, seed, cycles=cycles, wrong_share=wrong) if cycles else ()
            whole.add(books, matcher(books, history))
    return whole


def quality(name: str, counted: Tally) -> Iterator[str]:
    """Yield the figures of one run."""
    low = wilson_low(counted.right, counted.auto)
    strict = counted.right_strict / max(counted.auto, 1)
    yield f"{name}: precision of automatic matches {counted.precision:.4f} (95 % at least {low:.4f}; by id {strict:.4f})"
    yield f"{name}: automatic, of all bank lines {counted.auto / counted.bank_lines:.3f}"
    yield f"{name}: automatic, of those with a counterpart {counted.auto / counted.matchable:.3f}"
    yield f"{name}: true in automatic or first suggestion {counted.first / counted.matchable:.3f}"
    yield f"{name}: suggestions that are right {counted.suggestions_right / max(counted.suggestions, 1):.3f}"
    yield f"{name}: expected calibration error {counted.calibration_error:.3f}"
    yield f"{name}: group F1 {counted.group_f1:.3f} ({counted.groups_true} groups)"
    yield f"{name}: items used twice {counted.doubles}"


def learning() -> Iterator[str]:
    """Yield the automatic rate and precision after some cycles, right ones and 5 % wrong ones."""
    for wrong in (0.0, 0.05):
        for cycles in CYCLES:
            counted = tally(TEST_WORLDS, engine, cycles=cycles, wrong=wrong)
            yield (
                f"after {cycles} cycles, {wrong:.0%} of confirmations wrong: automatic"
                f" {counted.auto / counted.matchable:.3f}, precision {counted.precision:.4f}"
            )


def speed() -> Iterator[str]:
    """Yield seconds of processor time and peak memory for growing pools."""
    world = TRAINING_WORLDS[0]
    points = []
    for size, days in ((500, 31), (1_000, 62), (10_000, 365)):
        books = world.books(1, int(size * 1.24), days=days)
        match(books.bank[:50], books.gl[:50])
        started, processor = time.perf_counter(), time.process_time()
        result = match(books.bank, books.gl)
        wall, used = time.perf_counter() - started, time.process_time() - processor
        points.append((len(books.bank), used))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        yield (
            f"{len(books.bank)} × {len(books.gl)}: {wall:.2f} s ({used:.2f} s of processor), peak {peak:.0f} MB,"
            f" {result.pairs_scored} of {result.pairs_considered} pairings scored"
        )
    for (small, fast), (large, slow) in pairwise(points):
        yield f"log-log slope from {small} to {large}: {log(slow / fast) / log(large / small):.2f}"


def pruning() -> str:
    """Return whether pruned and exhaustive runs agree on everything shown."""
    agreed = 0
    for world in (*TRAINING_WORLDS, *TEST_WORLDS):
        books = world.books(77, 200)
        shown = [
            [
                (p.bank_ids, p.gl_ids, round(p.score, 4))
                for p in match(
                    books.bank, books.gl, options=MatchOptions(exhaustive=exhaustive)
                ).pairs
            ]
            for exhaustive in (False, True)
        ]
        agreed += shown[0] == shown[1]
    return f"worlds on which pruned and exhaustive runs agree: {agreed} of {len(TRAINING_WORLDS) + len(TEST_WORLDS)}"


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["quality", "learning", "speed"])
    only = parser.parse_args().only
    if only in {None, "quality"}:
        matchers: dict[str, Matcher] = {
            "engine": engine,
            "equal amount within three days": equal_within_three_days,
            "fixed weights over thefuzz": weighted_thefuzz,
        }
        for name, matcher in matchers.items():
            print(*quality(f"unseen worlds, {name}", tally(TEST_WORLDS, matcher)), sep="\n")
        parts = {world.name: tally([world], engine) for world in (*TRAINING_WORLDS, *TEST_WORLDS)}
        for name, counted in parts.items():
            print(*quality(name, counted), sep="\n")
        print(*quality("all worlds", summed(parts.values())), sep="\n")
        print(pruning())
    if only in {None, "learning"}:
        print(*learning(), sep="\n")
    if only in {None, "speed"}:
        print(*speed(), sep="\n")


if __name__ == "__main__":
    main()
