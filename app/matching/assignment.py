"""Decide between rivals: marginal probabilities and the best one-to-one assignment.

The weight of a pair is its odds against "this line has no partner here".  Belief propagation on
the candidate graph (the sum-product form for weighted matchings, Bayati and others, 2011) gives
each pair the probability that it is the right one while every line has at most one partner: a
rival that is clearly somebody else's counts little.  The assignment itself is optimal in each
connected part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from app.matching.signals import Evidence

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROUNDS: Final = 40
DAMPING: Final = 0.5
SETTLED: Final = 1e-6


def rival_points(
    bank_rows: NDArray[np.int64],
    gl_rows: NDArray[np.int64],
    log_odds: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return what rivals take away from each pair's log-odds: zero or less, shape (pairs,)."""
    weights = np.exp(np.minimum(log_odds, 30.0))
    bank_count = int(bank_rows.max(initial=-1)) + 1
    gl_count = int(gl_rows.max(initial=-1)) + 1
    from_bank = np.ones(len(weights))
    from_gl = np.ones(len(weights))
    for _ in range(ROUNDS):
        to_bank = weights * from_gl
        to_gl = weights * from_bank
        new_bank = 1.0 / (1.0 + _others(bank_rows, to_bank, bank_count))
        new_gl = 1.0 / (1.0 + _others(gl_rows, to_gl, gl_count))
        moved = max(
            float(np.abs(new_bank - from_bank).max(initial=0.0)),
            float(np.abs(new_gl - from_gl).max(initial=0.0)),
        )
        from_bank = DAMPING * from_bank + (1.0 - DAMPING) * new_bank
        from_gl = DAMPING * from_gl + (1.0 - DAMPING) * new_gl
        if moved < SETTLED:
            break
    return np.asarray(np.log(from_bank) + np.log(from_gl), np.float64)


def _others(
    rows: NDArray[np.int64], values: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    totals = np.bincount(rows, weights=values, minlength=count)
    return np.maximum(totals[rows] - values, 0.0)


def assign(
    bank_rows: NDArray[np.int64],
    gl_rows: NDArray[np.int64],
    log_odds: NDArray[np.float64],
    bank_days: NDArray[np.int64],
    gl_days: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return the indices of the pairs that together have the highest total log-odds.

    Among equal totals the one nearer to date order wins.  Pairs with negative log-odds are
    better left alone and are never chosen.
    """
    useful = np.flatnonzero(log_odds > 0.0)
    if not len(useful):
        return useful
    if (bank_rows[useful] == bank_rows[useful[0]]).all():  # one bank line needs no solver
        return useful[[int(log_odds[useful].argmax())]]
    from scipy.sparse import csr_array  # noqa: PLC0415 - slow to import, not needed to rank
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching  # noqa: PLC0415

    rows, row_of = np.unique(bank_rows[useful], return_inverse=True)
    columns, column_of = np.unique(gl_rows[useful], return_inverse=True)
    tie_breaks = _date_order(bank_days[useful], gl_days[useful])
    gains = log_odds[useful] + tie_breaks
    # Each bank row also has a column of its own that stands for staying alone, at no gain.
    alone = np.arange(len(rows))
    top = float(gains.max()) + 1.0
    costs = np.concatenate([top - gains, np.full(len(rows), top)])
    graph = csr_array(
        (
            costs,
            (np.concatenate([row_of, alone]), np.concatenate([column_of, len(columns) + alone])),
        ),
        shape=(len(rows), len(columns) + len(rows)),
    )
    chosen_rows, chosen_columns = min_weight_full_bipartite_matching(graph)
    real = chosen_columns < len(columns)
    wanted = chosen_rows[real].astype(np.int64) * len(columns) + chosen_columns[real]
    return np.sort(useful[np.isin(row_of * len(columns) + column_of, wanted)])


def interchangeable_points(
    evidence: Evidence,
    rivals: NDArray[np.float64],
    assigned: NDArray[np.bool_],
    bank_classes: NDArray[np.int64],
    gl_classes: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Give an assigned pair back what only interchangeable pairs took from it.

    Where the other entry has the same amount and counterparty, and goes to a bank line that is
    likewise the same, then either way round the books are right.

    Args:
        evidence: All pairs above the floor.
        rivals: As from `rival_points`.
        assigned: As from `assign`.
        bank_classes: Shape (bank rows,), equal for interchangeable ones.
        gl_classes: Shape (gl rows,), likewise.
    """
    if not assigned.any():
        return rivals
    ours, theirs = evidence.bank_rows, evidence.gl_rows
    gl_of = np.full(len(bank_classes), -1, np.int64)
    bank_of = np.full(len(gl_classes), -1, np.int64)
    gl_of[ours[assigned]] = theirs[assigned]
    bank_of[theirs[assigned]] = ours[assigned]
    mine, yours = gl_of[ours], bank_of[theirs]
    swaps = (mine >= 0) & (yours >= 0)
    swaps &= (gl_classes[mine] == gl_classes[theirs]) & (bank_classes[yours] == bank_classes[ours])
    share = 1.0 / (1.0 + np.exp(-(evidence.log_odds + rivals))) * swaps
    by_bank = np.bincount(ours, weights=share, minlength=len(bank_classes))
    by_gl = np.bincount(theirs, weights=share, minlength=len(gl_classes))
    whole = np.minimum(np.minimum(by_bank[ours], by_gl[theirs]), 1.0 - 1e-9)
    together = np.log(np.maximum(whole, 1e-12) / (1.0 - whole)) - evidence.log_odds
    # Never above what the pair would have without any rival.
    better = np.minimum(np.maximum(together, rivals), 0.0)
    return np.where(assigned, better, rivals)


def _date_order(bank_days: NDArray[np.int64], gl_days: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return tiny gains that are highest in total when earlier goes with earlier.

    A strictly concave function of the gap is not enough for rows that tie in it; the product of
    the two dates is supermodular, so sorted order maximizes its sum.
    """
    bank = (bank_days - bank_days.min()) / max(float(np.ptp(bank_days)), 1.0)
    gl = (gl_days - gl_days.min()) / max(float(np.ptp(gl_days)), 1.0)
    return np.asarray(1e-4 * bank * gl, np.float64)
