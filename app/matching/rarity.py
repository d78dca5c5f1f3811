"""How surprising it is that two amounts are equal: as rare as the amount is in these books.

Books hold few amounts of 2,506.85 and many of 100.00.  For each bank line the expected number of
ledger entries that have its amount by chance follows from how many entries of that size are as
round, spread over the amounts that they could have had.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from app.kernel.money import minor_digits
from app.matching.pool import Pool, Side

if TYPE_CHECKING:
    from numpy.typing import NDArray

WINDOW: Final = 1.6
"""Amounts are compared with those from so many times smaller to so many times larger."""

DOUBT: Final = 0.3
"""Entries of a kind that are assumed beside those that are seen."""

DAYS_NEAR: Final = 90
STEPS_CENTS: Final = (1, 5, 10, 50)
STEPS_UNITS: Final = (1, 5, 10, 25, 50, 100, 500, 1000)
PRICE_ENDINGS: Final = (90, 95, 98, 99)
"""Cents in which prices end; so few amounts are possible that they meet by chance."""


def amount_rarity(pool: Pool) -> NDArray[np.float64]:
    """Return for each bank row minus the logarithm of the entries expected by chance, in nats."""
    bank, gl = pool.bank, pool.gl
    rarity = np.zeros(len(bank))
    units = _units(bank)
    near = min(1.0, DAYS_NEAR / max(float(np.ptp(gl.days)) if len(gl) else 1.0, 1.0))
    for currency in np.unique(bank.currencies):
        for sign in (-1, 1):
            mine = _rows(bank, currency, sign)
            if not len(mine):
                continue
            unit = int(units[mine[0]])
            ours = np.abs(bank.amounts_minor[mine])
            theirs = np.abs(gl.amounts_minor[_rows(gl, currency, sign)])
            rarity[mine] = -np.log(_expected(ours, theirs, unit) * near)
    return rarity


def _rows(side: Side, currency: np.int64, sign: int) -> NDArray[np.int64]:
    return np.flatnonzero((side.currencies == currency) & (np.sign(side.amounts_minor) == sign))


def _units(side: Side) -> NDArray[np.int64]:
    return np.array([10 ** minor_digits(item.currency) for item in side.items], np.int64)


def _expected(ours: NDArray[np.int64], theirs: NDArray[np.int64], unit: int) -> NDArray[np.float64]:
    """Return how many of their amounts are expected to equal each of ours by chance."""
    steps = _steps(unit)
    our_kinds, their_kinds = _kinds(ours, steps, unit), _kinds(theirs, steps, unit)
    expected = np.ones(len(ours))
    for kind in np.unique(our_kinds):
        rows = np.flatnonzero(our_kinds == kind)
        others = np.sort(theirs[their_kinds == kind])
        low, high = ours[rows] / WINDOW, ours[rows] * WINDOW
        first = np.searchsorted(others, low, side="left")
        count = np.searchsorted(others, high, side="right") - first
        equal = np.searchsorted(others, ours[rows], side="right") - np.searchsorted(
            others, ours[rows], side="left"
        )
        # The partner itself is no coincidence.
        others_count = np.maximum(count - np.minimum(equal, 1), 0)
        possible = np.maximum((high - low) * _share(int(kind), steps, unit), 1.0)
        expected[rows] = (others_count + DOUBT) / possible
    return expected


def _steps(unit: int) -> tuple[int, ...]:
    """Return the roundness steps in minor units, finest first."""
    parts = [step for step in STEPS_CENTS if step < unit and unit % step == 0]
    return (*parts, *(step * unit for step in STEPS_UNITS))


def _kinds(amounts: NDArray[np.int64], steps: tuple[int, ...], unit: int) -> NDArray[np.int64]:
    """Return the coarsest step that divides each amount; prices are a kind of their own."""
    kinds = np.zeros(len(amounts), np.int64)
    for number, step in enumerate(steps):
        kinds[amounts % step == 0] = number
    if unit == 100:  # noqa: PLR2004 - prices end so where a unit has a hundred parts
        kinds[np.isin(amounts % unit, PRICE_ENDINGS)] = len(steps)
    return kinds


def _share(kind: int, steps: tuple[int, ...], unit: int) -> float:
    """Return the share of all minor amounts that are of one kind."""
    if kind == len(steps):
        return len(PRICE_ENDINGS) / unit
    finer = 1.0 / steps[kind]
    coarser = 1.0 / steps[kind + 1] if kind + 1 < len(steps) else 0.0
    return finer - coarser
