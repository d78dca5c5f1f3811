"""Show where the engine misses, and on what: `python -m benchmarks.misses [WORLD ...]`.

Every bank line that has a counterpart and is not matched automatically to it falls under one
cause; so does every wrong automatic match.  With `--show N` the first N lines of each cause are
printed with what each signal added, so that a cause can be mended rather than an example.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.matching import Decision, Item, MatchOptions, MatchResult, ScoredPair, Tier, match
from benchmarks.bench_matching import EVENTS, SEEDS
from benchmarks.histories import history_of
from benchmarks.worlds import WORLDS, Books, World

RIVAL_POINTS = -0.5
"""Log-odds lost to rivals from which the rivals are the cause."""

NAME_POINTS = -0.3
DATE_POINTS = -0.8


@dataclass(frozen=True, slots=True)
class Miss:
    """One line that should have been matched and was not, or was matched wrongly."""

    cause: str
    text: str


def misses(books: Books, history: Sequence[Decision] = ()) -> Iterator[Miss]:
    """Yield what the engine missed in some books."""
    options = MatchOptions(review_threshold=2.0)
    yield from _Review(books, match(books.bank, books.gl, history=history, options=options)).all()


class _Review:
    def __init__(self, books: Books, result: MatchResult) -> None:
        self._bank = {i.id: i for i in books.bank}
        self._gl = {i.id: i for i in books.gl}
        self._books = books
        self._auto = {b: p for p in result.pairs if p.tier is Tier.AUTO for b in p.bank_ids}
        self._owner = {g: p for p in self._auto.values() for g in p.gl_ids}
        self._shown: dict[str, list[ScoredPair]] = defaultdict(list)
        for pair in result.pairs:
            for bank_id in pair.bank_ids:
                self._shown[bank_id].append(pair)
        self._true = {b: (o, t) for o, t in books.truth for b in o}

    def all(self) -> Iterator[Miss]:
        for pair in dict.fromkeys(self._auto.values()):
            if not self._right(pair):
                yield Miss(self._wrong_cause(pair), self._told(pair))
        for ours, theirs in self._books.truth:
            found = self._auto.get(ours[0])
            if found is None:
                yield self._missed(ours, theirs)

    def _right(self, pair: ScoredPair) -> bool:
        ours, theirs = self._true.get(pair.bank_ids[0], ((), ()))
        if {*pair.bank_ids} <= {*ours} and {*pair.gl_ids} <= {*theirs}:
            return True
        if len(pair.gl_ids) > 1 or len(pair.bank_ids) > 1:
            return False
        mine, party = self._gl[pair.gl_ids[0]], self._books.parties[pair.gl_ids[0]]
        return any(
            self._gl[g].amount_minor == mine.amount_minor and self._books.parties[g] == party
            for g in theirs
        )

    def _wrong_cause(self, pair: ScoredPair) -> str:
        if len(pair.bank_ids) + len(pair.gl_ids) > 2:
            return "wrong: group"
        true = self._true.get(pair.bank_ids[0])
        if true is None:
            return "wrong: the line has no counterpart"
        if len(true[0]) + len(true[1]) > 2:
            return "wrong: the line is part of a group"
        right = self._gl[true[1][0]]
        if right.amount_minor != self._bank[pair.bank_ids[0]].amount_minor:
            return "wrong: the counterpart's amount is mistyped"
        return "wrong: another entry"

    def _missed(self, ours: tuple[str, ...], theirs: tuple[str, ...]) -> Miss:
        if len(ours) + len(theirs) > 2:
            shown = [
                p
                for p in self._shown[ours[0]]
                if {*p.bank_ids} == {*ours} and {*p.gl_ids} == {*theirs}
            ]
            cause = "group: suggested only" if shown else "group: not found"
            listed = [self._line(self._bank[b]) for b in ours]
            listed += [self._line(self._gl[g]) for g in theirs]
            return Miss(cause, "\n".join([*listed, *(self._points(p) for p in shown)]))
        bank, gl = self._bank[ours[0]], self._gl[theirs[0]]
        lines = [self._line(bank), self._line(gl)]
        if theirs[0] in self._owner:
            return Miss("taken: the entry went to another line", "\n".join(lines))
        pairs = [p for p in self._shown[bank.id] if p.gl_ids == theirs and p.bank_ids == ours]
        if not pairs:
            unequal = bank.amount_minor != gl.amount_minor
            cause = "not shown: amounts differ" if unequal else "not shown"
            return Miss(cause, "\n".join(lines))
        lines += [self._told_rival(p) for p in self._shown[bank.id] if p.gl_ids != theirs][:2]
        lines.insert(2, self._points(pairs[0]))
        return Miss(self._cause(bank, gl, pairs[0]), "\n".join(lines))

    def _cause(self, bank: Item, gl: Item, pair: ScoredPair) -> str:
        points = {c.signal: c.points for c in pair.contributions}
        if bank.amount_minor != gl.amount_minor:
            return "suggested: amounts differ"
        first = self._shown[bank.id][0] is pair
        if points["rivals"] < RIVAL_POINTS:
            return f"suggested{' first' if first else ' later'}: rivals"
        name, date = points.get("description", 0.0), points["date"]
        reasons = ["name"] * (name < NAME_POINTS) + ["date"] * (date < DATE_POINTS)
        return f"suggested: {' and '.join(reasons) or 'nothing stands out'}"

    def _told(self, pair: ScoredPair) -> str:
        lines = [self._line(self._bank[b]) for b in pair.bank_ids]
        lines += [self._line(self._gl[g]) for g in pair.gl_ids]
        lines.append(self._points(pair))
        for bank_id in pair.bank_ids:
            true = self._true.get(bank_id, ((), ()))
            lines += [f"   true: {self._line(self._gl[g])}" for g in true[1]]
        return "\n".join(lines)

    def _told_rival(self, pair: ScoredPair) -> str:
        entries = "; ".join(self._line(self._gl[g]).strip() for g in pair.gl_ids)
        return f"   rival: {entries}\n      {self._points(pair).strip()}"

    def _line(self, item: Item) -> str:
        side = "bank" if item.id in self._bank and self._bank[item.id] is item else "gl"
        texts = f"{item.description} | {item.counterparty} | {item.reference}"
        return f"   {side:4} {item.id} {item.date} {item.amount_minor / 100:.2f} {texts}"

    def _points(self, pair: ScoredPair) -> str:
        said = " ".join(f"{c.signal}:{c.points:+.1f}" for c in pair.contributions)
        return f"   = {pair.score:.1f} {said}"


def main() -> None:
    """Print the causes of the misses of some worlds, and lines of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("worlds", nargs="*", help="names of worlds; all of them if none is given")
    parser.add_argument("--show", type=int, default=0, help="lines printed for each cause")
    parser.add_argument("--cause", default="", help="only causes that begin so")
    parser.add_argument("--cycles", type=int, default=0, help="cycles of history")
    arguments = parser.parse_args()
    for world in WORLDS:
        if not arguments.worlds or world.name in arguments.worlds:
            _print_world(world, arguments.show, arguments.cause, arguments.cycles)


def _print_world(world: World, show: int, cause: str, cycles: int) -> None:
    found: list[Miss] = []
    lines_count = 0
    for seed in SEEDS:
        books = world.books(seed, EVENTS, days=31 if seed % 2 else 92)
        lines_count += sum(len(ours) for ours, _ in books.truth)
        history = history_of(world, seed, cycles=cycles) if cycles else ()
        found.extend(misses(books, history))
    print(f"{world.name}: {lines_count} lines with a counterpart")
    for name, count in Counter(miss.cause for miss in found).most_common():
        print(f"  {count / lines_count:6.2%} {count:4} {name}")
    for name in sorted({miss.cause for miss in found if miss.cause.startswith(cause)}):
        for miss in [m for m in found if m.cause == name][:show]:
            print(f"- {name}\n{miss.text}")


if __name__ == "__main__":
    main()
