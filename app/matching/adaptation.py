"""Learn from the run itself how late this bank is, and how well its names agree with the books.

Pairs that are clear without the signal in question show how that signal behaves in these books:
expectation and maximization, one round, as in Fellegi–Sunter linkage.  What the general model
knows counts like some pairs of its own, so a small pool changes little, and no weight moves by
more than a bound, so a strange pool cannot talk the model out of what it knows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from app.matching.assignment import rival_points
from app.matching.model import Model, Table
from app.matching.signals import DATE, Evidence, Signals

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLEAR_PROBABILITY: Final = 0.8
GENERAL_PAIRS: Final = 30.0
"""Pairs that the general model's distribution counts for."""

SHIFT_MAX: Final = 2.5
"""Log-odds by which one weight may move."""


def adapted(signals: Signals, evidence: Evidence) -> Model:
    """Return the model with date weights, by channel, that fit this pool.

    Args:
        signals: Of the pool.
        evidence: Every pair that can still reach the floor with the best date.
    """
    model = signals.model
    clear = _clear(evidence, DATE)
    if not clear.any():
        return model
    ours, theirs = evidence.bank_rows, evidence.gl_rows
    days = signals.pool.bank.days[ours] - signals.pool.gl.days[theirs]
    channels = signals.channels(ours, theirs)
    tables = []
    for channel, table in enumerate(model.date):
        mine = clear & (channels == channel)
        counts = np.bincount(table.bins(days[mine]), minlength=len(table.weights))
        tables.append(_shifted(table, model.date_shares[channel], _smooth(counts)))
    return replace(model, date=tuple(tables))


def _clear(evidence: Evidence, signal: int) -> NDArray[np.bool_]:
    """Return the pairs that are clear without one signal."""
    without = np.where(
        evidence.amounts_equal, evidence.log_odds - evidence.points[:, signal], -np.inf
    )
    without = without + (1.0 if signal == DATE else 0.0)
    rivals = rival_points(evidence.bank_rows, evidence.gl_rows, without)
    log_odds = without + rivals
    return np.asarray(log_odds > np.log(CLEAR_PROBABILITY / (1 - CLEAR_PROBABILITY)), np.bool_)


def _shifted(table: Table, shares: NDArray[np.float64], counts: NDArray[np.float64]) -> Table:
    total = counts.sum() + GENERAL_PAIRS
    here = (counts + GENERAL_PAIRS * shares) / total
    shift = np.clip(np.log(here / shares), -SHIFT_MAX, SHIFT_MAX)
    return Table(table.edges, table.weights + shift)


def _smooth(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Spread each count over its neighbours, keeping the total."""
    padded = np.pad(counts.astype(np.float64), 1)
    spread = 0.5 * padded[1:-1] + 0.25 * (padded[:-2] + padded[2:])
    spread[0] += 0.25 * counts[0]
    spread[-1] += 0.25 * counts[-1]
    return spread
