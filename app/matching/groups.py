"""One line against several: deposits of many receipts, payments of many bills, payouts net of fees.

Works on what the one-to-one assignment left.  A line's members must share evidence with it (a
number, a name, or the day for a nameless deposit); first whole clusters are tried (everything with
one batch number, everything of one counterparty and day), then a bounded exact subset search.
Sums that work by chance are the danger, so the number of subsets that could have worked by chance
and of those that do work lower the score, and without support beyond the sum nothing is automatic.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from app.matching.normalize import Channel
from app.matching.signals import Signals

if TYPE_CHECKING:
    from numpy.typing import NDArray

DAYS_BEFORE_MAX: Final = 12
CHEQUE_DAYS_BEFORE_MAX: Final = 35
DAYS_AFTER_MAX: Final = 3
NAMELESS_DAYS_MAX: Final = 4
MEMBERS_MAX: Final = 60
"""Members of one whole cluster."""

SEARCH_MEMBERS_MAX: Final = 14
"""Members among which every subset is tried: 16,384 sums."""

PAIRS_MAX: Final = 1_500_000
TARGETS_MAX: Final = 20_000
NAME_COVERAGE_MIN: Final = 0.5
NAME_COVERAGE_FULL: Final = 0.68
NAME_NATS_MIN: Final = 0.7
NAME_CONFLICT_MAX: Final = 5.0

BASE: Final = -3.5
NUMBER_POINTS: Final = 6.0
MEMBERS_NUMBER_POINTS: Final = 3.0
NAME_FULL_WEIGHT: Final = 2.5
NAME_PART_WEIGHT: Final = 1.0
WHOLE_POINTS: Final = 2.5
SAME_DAY_POINTS: Final = 1.0
NEAR_POINTS: Final = 1.0
FAR_POINTS: Final = -1.0
NEAR_DAYS_MAX: Final = 5
SOLUTION_POINTS: Final = -2.0
RIVALS_POINTS_MIN: Final = -12.0
POINTS_MAX: Final = 6.0


@dataclass(frozen=True, slots=True)
class Group:
    """One line and the several that add up to it.

    Attributes:
        bank_rows: One, or several that share one GL entry; likewise `gl_rows`.
        points: By signal, log-odds; they sum up to `log_odds`.
        solutions: Subsets of the same evidence that add up as well, this one included.
        number: The reference that its members share, or empty.
    """

    bank_rows: tuple[int, ...]
    gl_rows: tuple[int, ...]
    points: dict[str, float]
    solutions: int
    number: str

    @property
    def log_odds(self) -> float:
        return sum(self.points.values())

    @property
    def supported(self) -> bool:
        """Whether anything beyond the sum and the dates speaks for it."""
        return self.points["reference"] > 0 or self.points["description"] > 0


@dataclass(frozen=True, slots=True, eq=False)
class _Links:
    """Pairs of a target and a possible member, sorted by target."""

    targets: NDArray[np.int64]
    members: NDArray[np.int64]
    names: NDArray[np.float64]
    nameless: NDArray[np.bool_]
    numbers: NDArray[np.bool_]


def find_groups(
    signals: Signals, bank_open: NDArray[np.int64], gl_open: NDArray[np.int64]
) -> list[Group]:
    """Return disjoint groups among the open rows, best first."""
    found = [
        *_groups(signals, bank_open, gl_open, bank_is_target=True),
        *_groups(signals, bank_open, gl_open, bank_is_target=False),
    ]
    found.sort(key=lambda g: (-g.log_odds, g.bank_rows, g.gl_rows))
    taken_bank: set[int] = set()
    taken_gl: set[int] = set()
    kept = []
    for group in found:
        if taken_bank.isdisjoint(group.bank_rows) and taken_gl.isdisjoint(group.gl_rows):
            taken_bank.update(group.bank_rows)
            taken_gl.update(group.gl_rows)
            kept.append(group)
    return kept


def _groups(
    signals: Signals,
    bank_open: NDArray[np.int64],
    gl_open: NDArray[np.int64],
    *,
    bank_is_target: bool,
) -> Iterator[Group]:
    links = _links(signals, bank_open, gl_open, bank_is_target=bank_is_target)
    starts = np.flatnonzero(np.diff(links.targets, prepend=-1))
    ends = np.append(starts[1:], len(links.targets))
    search = _Search(signals, bank_is_target=bank_is_target)
    for start, end in zip(starts[:TARGETS_MAX], ends, strict=False):
        part = slice(int(start), int(end))
        if end - start > 1:
            group = search.best(int(links.targets[start]), links, part)
            if group is not None:
                yield group


def _links(
    signals: Signals,
    bank_open: NDArray[np.int64],
    gl_open: NDArray[np.int64],
    *,
    bank_is_target: bool,
) -> _Links:
    """Return who could be a member of whose group: near in time, with shared evidence."""
    bank, gl = signals.pool.bank, signals.pool.gl
    # The ledger comes first: its days run from some days before the bank's to a few after.
    order = gl_open[np.argsort(gl.days[gl_open], kind="stable")]
    days = gl.days[order]
    is_cheque = bank.channels[bank_open] == int(Channel.CHEQUE)
    before = np.where(is_cheque, CHEQUE_DAYS_BEFORE_MAX, DAYS_BEFORE_MAX)
    first = np.searchsorted(days, bank.days[bank_open] - before, side="left")
    last = np.searchsorted(days, bank.days[bank_open] + DAYS_AFTER_MAX, side="right")
    widths = np.minimum(last - first, max(PAIRS_MAX // max(len(bank_open), 1), 1))
    bank_rows = np.repeat(bank_open, widths)
    offsets = np.arange(len(bank_rows)) - np.repeat(np.cumsum(widths) - widths, widths)
    gl_rows = order[np.repeat(last - widths, widths) + offsets]
    return _evident(signals, bank_rows, gl_rows, bank_is_target=bank_is_target)


def _evident(
    signals: Signals,
    bank_rows: NDArray[np.int64],
    gl_rows: NDArray[np.int64],
    *,
    bank_is_target: bool,
) -> _Links:
    bank, gl = signals.pool.bank, signals.pool.gl
    possible = bank.currencies[bank_rows] == gl.currencies[gl_rows]
    possible &= ~signals.contradictions.between(bank_rows, gl_rows)
    bank_rows, gl_rows = bank_rows[possible], gl_rows[possible]
    similar = signals.best_names(bank_rows, gl_rows)
    telling = (similar.information >= NAME_NATS_MIN) & (similar.conflict <= NAME_CONFLICT_MAX)
    names = np.where(telling & ~similar.absent, similar.coverage, 0.0).astype(np.float64)
    bank_names = np.array([bool(text.name) for text in bank.texts], np.bool_)
    gap = bank.days[bank_rows] - gl.days[gl_rows]
    same_way = np.sign(bank.amounts_minor[bank_rows]) == np.sign(gl.amounts_minor[gl_rows])
    nameless = ~bank_names[bank.text_rows[bank_rows]] & same_way
    nameless &= (gap >= -1) & (gap <= NAMELESS_DAYS_MAX) & (bank.amounts_minor[bank_rows] > 0)
    numbers = signals.references.shared(bank_rows, gl_rows)
    named = names >= NAME_COVERAGE_MIN
    smaller = np.abs(gl.amounts_minor[gl_rows]) < np.abs(bank.amounts_minor[bank_rows])
    if bank_is_target:
        # A processor's fee goes the other way; a receipt as large as the deposit is no part of it.
        evident = named | numbers | (nameless & smaller)
        targets, members = bank_rows, gl_rows
    else:
        larger = np.abs(gl.amounts_minor[gl_rows]) > np.abs(bank.amounts_minor[bank_rows])
        evident = (named | numbers) & same_way & larger
        targets, members = gl_rows, bank_rows
    keep = np.flatnonzero(evident)
    keep = keep[np.lexsort((members[keep], targets[keep]))]
    return _Links(targets[keep], members[keep], names[keep], nameless[keep], numbers[keep])


class _Search:
    """Finds the best group of one target."""

    def __init__(self, signals: Signals, *, bank_is_target: bool) -> None:
        pool = signals.pool
        self._bank_is_target = bank_is_target
        self._target, self._member = (
            (pool.bank, pool.gl) if bank_is_target else (pool.gl, pool.bank)
        )

    def best(self, target: int, links: _Links, part: slice) -> Group | None:
        """Return the group that adds up, whole clusters before subsets, or nothing."""
        wanted = int(self._target.amounts_minor[target])
        rows = [int(r) for r in links.members[part]]
        place = dict(zip(rows, range(part.start, part.stop), strict=True))
        clusters = list(self._clusters(target, rows))
        whole = [
            (number, members)
            for number, members in clusters
            if self._sum(members) == wanted and not self._one_sufficed(members, wanted)
        ]
        if whole:
            number, members = whole[0]
            different = len({frozenset(m) for _, m in whole})
            return self._group(
                target, members, number, links, place, different, trials=len(clusters)
            )
        return self._subset(target, rows, links, place)

    def _one_sufficed(self, members: Sequence[int], wanted: int) -> bool:
        return any(int(self._member.amounts_minor[m]) == wanted for m in members)

    def _sum(self, members: Sequence[int]) -> int:
        return int(self._member.amounts_minor[list(members)].sum())

    def _clusters(self, target: int, rows: list[int]) -> Iterator[tuple[str, list[int]]]:
        """Yield (shared number or nothing, members), most telling first."""
        side = self._member
        numbers: dict[str, list[int]] = defaultdict(list)
        for row in rows:
            for number in side.numbers[row]:
                numbers[number].append(row)
        ours = set(self._target.numbers[target])
        for number in sorted(numbers, key=lambda n: (n not in ours, n)):
            if 1 < len(numbers[number]) <= MEMBERS_MAX:
                yield number, numbers[number]
        keys: tuple[Callable[[int], object], ...] = (
            lambda row: (side.texts[side.text_rows[row]].name, int(side.days[row])),
            lambda row: int(side.days[row]),
            lambda row: side.texts[side.text_rows[row]].name,
        )
        for key in keys:
            clusters: dict[object, list[int]] = defaultdict(list)
            for row in rows:
                clusters[key(row)].append(row)
            for members in clusters.values():
                if 1 < len(members) <= MEMBERS_MAX:
                    yield "", members

    def _subset(
        self, target: int, rows: list[int], links: _Links, place: dict[int, int]
    ) -> Group | None:
        """Try every subset of the members nearest in time."""
        gaps = {row: abs(int(self._member.days[row] - self._target.days[target])) for row in rows}
        near = sorted(rows, key=lambda row: (gaps[row], row))[:SEARCH_MEMBERS_MAX]
        wanted = int(self._target.amounts_minor[target])
        sums = np.zeros(1, np.int64)
        for row in near:
            sums = np.concatenate([sums, sums + int(self._member.amounts_minor[row])])
        hits = [int(h) for h in np.flatnonzero(sums == wanted) if int(h).bit_count() > 1]
        if not hits:
            return None
        chosen = min(hits, key=lambda h: (h.bit_count(), h))
        members = [row for bit, row in enumerate(near) if chosen >> bit & 1]
        trials = sum(math.comb(len(near), k) for k in range(2, len(members) + 1))
        return self._group(target, members, "", links, place, len(hits), trials=trials)

    def _group(
        self,
        target: int,
        members: list[int],
        number: str,
        links: _Links,
        place: dict[int, int],
        solutions: int,
        *,
        trials: int,
    ) -> Group:
        at = [place[row] for row in members]
        days = self._member.days[members]
        gaps = np.abs(days - self._target.days[target])
        shared = bool(number) and number in self._target.numbers[target]
        reference = NUMBER_POINTS if shared else MEMBERS_NUMBER_POINTS if number else 0.0
        weakest = float(links.names[at].min())
        description = (
            NAME_FULL_WEIGHT
            if weakest >= NAME_COVERAGE_FULL
            else NAME_PART_WEIGHT
            if weakest >= NAME_COVERAGE_MIN
            else 0.0
        )
        date = NEAR_POINTS if int(gaps.max()) <= NEAR_DAYS_MAX else FAR_POINTS
        date += SAME_DAY_POINTS if int(np.ptp(days)) == 0 else 0.0
        whole = trials <= MEMBERS_MAX
        amount = (WHOLE_POINTS if whole else 0.0) - self._chance(members, trials)
        points = {
            "amount": amount,
            "date": date,
            "description": description,
            "reference": reference,
            "rivals": max(SOLUTION_POINTS * (solutions - 1), RIVALS_POINTS_MIN),
            "base": BASE,
        }
        over = sum(points.values()) - POINTS_MAX
        points["base"] -= max(over, 0.0)
        rows = tuple(sorted(members))
        ours, theirs = ((target,), rows) if self._bank_is_target else (rows, (target,))
        return Group(ours, theirs, points, solutions, number)

    def _chance(self, members: list[int], trials: int) -> float:
        """Return the log-odds that the sum loses for how many sums could have hit it by chance."""
        amounts = np.abs(self._member.amounts_minor[members])
        grain = int(np.gcd.reduce(amounts)) or 1
        spread = max(float(amounts.sum()) / 2.0 / grain, 1.0)
        return math.log1p(20.0 * trials / spread)
