"""Turn pairs of rows into match weights: one bounded number of log-odds for each signal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from app.matching.candidates import EQUAL, amount_groups, amount_kinds, equal_count_near
from app.matching.history import HistoryIndex, Memory
from app.matching.model import Model
from app.matching.names import NameIndex, NameSimilarity
from app.matching.normalize import Channel
from app.matching.pool import Pool
from app.matching.rarity import amount_rarity
from app.matching.references import References
from app.matching.vetoes import Contradictions, directions_agree

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIGNALS: Final = ("amount", "date", "description", "reference", "history")
AMOUNT, DATE, DESCRIPTION, REFERENCE, HISTORY = range(len(SIGNALS))
RIVAL_DAYS: Final = 45
"""Open lines with the same amount so near in time count as rivals."""

REMEMBERED_MIN: Final = 0.1
"""Strength of memory from which another name is a known way to write it."""

DESCRIPTION_NATS_MORE: Final = 1.0
"""Nats by which a description must agree better than the counterparty to stand in for it."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What the signals say of some pairs.

    Attributes:
        bank_rows: Shape (pairs,); likewise `gl_rows`.
        points: Shape (pairs, signals), log-odds.
        log_odds: Shape (pairs,): intercept plus points; minus infinity for a veto.
        kinds: Shape (pairs,): `candidates.EQUAL` or the kind of difference.
    """

    bank_rows: NDArray[np.int64]
    gl_rows: NDArray[np.int64]
    points: NDArray[np.float64]
    log_odds: NDArray[np.float64]
    kinds: NDArray[np.int64]

    @property
    def amounts_equal(self) -> NDArray[np.bool_]:
        return np.asarray(self.kinds == EQUAL, np.bool_)

    def without(self, signal: int) -> NDArray[np.float64]:
        """Return the log-odds as if one signal said nothing."""
        return np.asarray(self.log_odds - self.points[:, signal], np.float64)

    def taken(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> Evidence:
        return Evidence(
            self.bank_rows[keep],
            self.gl_rows[keep],
            self.points[keep],
            self.log_odds[keep],
            self.kinds[keep],
        )


class Signals:
    """All signals of one pool under one model."""

    def __init__(self, pool: Pool, model: Model, memory: Memory) -> None:
        self.pool, self.model = pool, model
        bank, gl = pool.bank, pool.gl
        self.groups = amount_groups(pool)
        self.names = NameIndex(bank.texts, gl.texts, bank.text_counts, gl.text_counts)
        self.history = HistoryIndex(memory, bank.texts, gl.texts)
        self.contradictions = Contradictions(pool)
        near = (bank.days, gl.days)
        ours, theirs = self.groups
        self.gl_equal = equal_count_near(ours, near[0], theirs, near[1], RIVAL_DAYS)
        self.bank_equal = equal_count_near(theirs, near[1], ours, near[0], RIVAL_DAYS)
        self.rarity = amount_rarity(pool)
        self.references = References(pool, bare_cheques=self.contradictions.bare_cheques)

    def evidence(self, bank_rows: NDArray[np.int64], gl_rows: NDArray[np.int64]) -> Evidence:
        """Return what every signal says of each pair."""
        kinds = self.amount_kinds(bank_rows, gl_rows)
        points = np.empty((len(bank_rows), len(SIGNALS)))
        points[:, AMOUNT] = self.amount_points(bank_rows, gl_rows, kinds)
        points[:, DATE] = self.date_points(bank_rows, gl_rows)
        strengths = self.strengths(bank_rows, gl_rows)
        names = self.best_names(bank_rows, gl_rows).excused(strengths >= REMEMBERED_MIN)
        points[:, DESCRIPTION] = self.name_points(names)
        points[:, REFERENCE] = self.model.reference[self.references.kinds(bank_rows, gl_rows)]
        points[:, HISTORY] = self.model.history.at(strengths)
        log_odds = self.model.intercept + points.sum(axis=1)
        possible = directions_agree(self.pool, bank_rows, gl_rows)
        possible &= ~self.contradictions.between(bank_rows, gl_rows)
        log_odds[~possible] = -np.inf
        return Evidence(bank_rows, gl_rows, points, log_odds, kinds)

    def rivals(self, bank_rows: NDArray[np.int64], gl_rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many other open lines near in time have the pair's amount."""
        ours = np.maximum(self.gl_equal[bank_rows] - 1, 0)
        theirs = np.maximum(self.bank_equal[gl_rows] - 1, 0)
        return np.asarray(ours + theirs, np.int64)

    def amount_kinds(
        self, bank_rows: NDArray[np.int64], gl_rows: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        bank, gl = self.pool.bank.amounts_minor, self.pool.gl.amounts_minor
        return amount_kinds(bank[bank_rows], gl[gl_rows])

    def amount_points(
        self, bank_rows: NDArray[np.int64], gl_rows: NDArray[np.int64], kinds: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        equal = self.model.amount_rivals.at(self.rivals(bank_rows, gl_rows))
        equal = equal + self.model.amount_rarity.at(self.rarity[bank_rows])
        return np.where(kinds == EQUAL, equal, self.model.amount_unequal[kinds])

    def date_points(
        self, bank_rows: NDArray[np.int64], gl_rows: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        return self._date_points(self.model, bank_rows, gl_rows)

    def with_dates_of(self, model: Model, evidence: Evidence) -> Evidence:
        """Return the evidence with the date weights of another model."""
        points = evidence.points.copy()
        points[:, DATE] = self._date_points(model, evidence.bank_rows, evidence.gl_rows)
        log_odds = evidence.without(DATE) + points[:, DATE]
        return replace(evidence, points=points, log_odds=log_odds)

    def _date_points(
        self, model: Model, bank_rows: NDArray[np.int64], gl_rows: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        days = self.pool.bank.days[bank_rows] - self.pool.gl.days[gl_rows]
        channels = self.channels(bank_rows, gl_rows)
        points = np.empty(len(days))
        for channel, table in enumerate(model.date):
            mine = channels == channel
            points[mine] = table.at(days[mine])
        return points

    def channels(
        self, bank_rows: NDArray[np.int64], gl_rows: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return how the money moved: as the bank says, or else as the ledger says."""
        ours = self.pool.bank.channels[bank_rows]
        return np.where(ours == int(Channel.OTHER), self.pool.gl.channels[gl_rows], ours)

    def best_names(
        self, bank_rows: NDArray[np.int64], gl_rows: NDArray[np.int64]
    ) -> NameSimilarity:
        """Return how each bank line's name agrees with the counterparty or else the description."""
        texts = self.pool.bank.text_rows[bank_rows]
        first = self.pool.gl.text_rows[gl_rows]
        second = self.pool.gl.second_rows[gl_rows]
        names = self.names.similarity(texts, first)
        other = np.flatnonzero(second != first)
        if len(other):
            others = self.names.similarity(texts[other], second[other])
            # A vague description never excuses a counterparty that differs.
            better = others.information > names.information[other] + DESCRIPTION_NATS_MORE
            better |= names.absent[other]
            names.put(other[better], others, better)
        return names

    def name_points(self, names: NameSimilarity) -> NDArray[np.float64]:
        """Return the weights of some similarities."""
        coverage = self.model.coverage.at(names.coverage)
        points = coverage + self.model.information.at(names.information)
        points += self.model.conflict.at(names.conflict)
        points += self.model.shortfall.at(names.shortfall)
        return np.where(names.absent, self.model.name_absent, points)

    def strengths(
        self, bank_rows: NDArray[np.int64], gl_rows: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the strength of memory for each pair."""
        bank, gl = self.pool.bank, self.pool.gl
        return self.history.strengths(bank.text_rows[bank_rows], gl.text_rows[gl_rows])
