"""Bound pairs from above without comparing their texts.

A pair can gain from its names, numbers and history only where the two sides have at least one
word, number or remembered counterparty in common.  Each of these is a bit; where no bit is
common, what is left is the amount, the date and the best that unrelated names allow.  Different
words may share a bit: that costs a comparison, never a pair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from app.matching.signals import Signals

if TYPE_CHECKING:
    from numpy.typing import NDArray

SLACK: Final = 1e-6
"""The signals are added in another order than here."""


class Bounds:
    """Upper bounds of the log-odds of one pool's pairs."""

    def __init__(self, signals: Signals) -> None:
        self._signals = signals
        pool, model = signals.pool, signals.model
        self._bank = np.concatenate(
            [
                signals.names.bank_marks[pool.bank.text_rows],
                signals.references.bank_marks,
                signals.history.bank_marks[pool.bank.text_rows],
            ],
            axis=1,
        )
        of_names = signals.names.gl_marks
        self._gl = np.concatenate(
            [
                of_names[pool.gl.text_rows] | of_names[pool.gl.second_rows],
                signals.references.gl_marks,
                signals.history.gl_marks[pool.gl.text_rows],
            ],
            axis=1,
        )
        unrelated = model.coverage.weights[0] + model.information.weights[0]
        unrelated += model.conflict.best + model.shortfall.best
        self._unrelated = max(float(unrelated), model.name_absent)
        self._related = (
            model.best_description() + float(model.reference.max()) + max(model.history.best, 0.0)
        )

    def reaching(
        self, bank_rows: NDArray[np.int64], gl_rows: NDArray[np.int64], floor: float
    ) -> NDArray[np.bool_]:
        """Return which pairs may reach the floor, shape (pairs,)."""
        signals = self._signals
        sure = signals.model.intercept + signals.date_points(bank_rows, gl_rows)
        sure += signals.amount_points(bank_rows, gl_rows, signals.amount_kinds(bank_rows, gl_rows))
        needed = floor - SLACK - sure
        reach = np.asarray(needed <= self._unrelated, np.bool_)
        open_pairs = np.flatnonzero(~reach & (needed <= self._related))
        ours, theirs = bank_rows[open_pairs], gl_rows[open_pairs]
        common = np.zeros(len(open_pairs), np.bool_)
        for word in range(self._bank.shape[1]):
            common |= (self._bank[ours, word] & self._gl[theirs, word]) != 0
        reach[open_pairs] = common
        return reach
