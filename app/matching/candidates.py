"""Find the pairs that can still reach a floor; prove the rest unable to.

Amounts decide most: equal ones are joined, near ones come from a window over sorted amounts,
transposed digits from equal digit counts.  Whatever else differs in its amount stays below any
threshold that a run may have, whatever the other signals say.  Each pair found is then bounded
from above by `Bounds`, without comparing any text, and dropped where the bound is under the floor.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import numpy as np

from app.matching.pool import Pool

if TYPE_CHECKING:
    from numpy.typing import NDArray

EQUAL: Final = -1
ROUNDING, NEAR, FEE, TRANSPOSED, FAR = range(5)
"""Kinds of amount difference, as in `model.UNEQUAL_AMOUNTS`."""

FEE_SHARE_MAX: Final = 0.05
NEAR_SHARE_MAX: Final = 0.01
ROUNDING_MINOR_MAX: Final = 2
ROUNDING_SHARE_MAX: Final = 0.001
CHUNK_PAIRS: Final = 1 << 18
WINDOW_MAX: Final = 2_000
"""Ledger rows looked at for one bank row and one kind of difference, nearest dates first."""

WINDOW_PAIRS_MAX: Final = 20_000_000
"""Pairs of one kind of difference up to which windows are never narrowed."""

_DAYS_SPAN: Final = 1 << 23
_AMOUNT_DIGITS: Final = 16
_POWERS: Final = 10 ** np.arange(_AMOUNT_DIGITS + 2, dtype=np.int64)


def amount_kinds(
    bank_amounts_minor: NDArray[np.int64], gl_amounts_minor: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return `EQUAL` or the kind of difference of each pair of amounts, shape (pairs,)."""
    bank, gl = np.abs(bank_amounts_minor), np.abs(gl_amounts_minor)
    gap = np.abs(bank - gl)
    share = gap / np.maximum(np.maximum(bank, gl), 1)
    kinds = np.full(len(gap), FAR, np.int64)
    distant = np.flatnonzero((share > FEE_SHARE_MAX) & (gap % 9 == 0))
    kinds[distant[_transposed(bank[distant], gl[distant])]] = TRANSPOSED
    kinds[share <= FEE_SHARE_MAX] = FEE
    kinds[share <= NEAR_SHARE_MAX] = NEAR
    kinds[(gap <= ROUNDING_MINOR_MAX) & (share <= ROUNDING_SHARE_MAX)] = ROUNDING
    kinds[(gap == 0) & (bank_amounts_minor == gl_amounts_minor)] = EQUAL
    kinds[np.sign(bank_amounts_minor) != np.sign(gl_amounts_minor)] = FAR
    return kinds


def all_pairs(pool: Pool) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield every pairing, in chunks."""
    bank_count, gl_count = len(pool.bank), len(pool.gl)
    for start in range(0, bank_count * gl_count, CHUNK_PAIRS):
        codes = np.arange(start, min(start + CHUNK_PAIRS, bank_count * gl_count), dtype=np.int64)
        yield np.divmod(codes, gl_count)


def amount_groups(pool: Pool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for both sides the number of each row's (currency, amount), the same on both."""
    bank, gl = pool.bank, pool.gl
    amounts = np.concatenate([bank.amounts_minor, gl.amounts_minor])
    currencies = np.concatenate([bank.currencies, gl.currencies])
    _, ranks = np.unique(amounts, return_inverse=True)
    _, groups = np.unique(ranks * (currencies.max(initial=0) + 1) + currencies, return_inverse=True)
    return groups[: len(bank)], groups[len(bank) :]


def group_ranks(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return each row's place among the rows of its group: 0, 1, 2, ..."""
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    lengths = np.diff(np.append(starts, len(groups)))
    ranks = np.empty(len(groups), np.int64)
    ranks[order] = np.arange(len(groups)) - np.repeat(starts, lengths)
    return ranks


def equal_count_near(
    groups: NDArray[np.int64],
    days: NDArray[np.int64],
    other_groups: NDArray[np.int64],
    other_days: NDArray[np.int64],
    days_near: int,
) -> NDArray[np.int64]:
    """Return how many rows of the other side have the same amount within some days."""
    keys = np.sort(other_groups * _DAYS_SPAN + other_days)
    first = np.searchsorted(keys, groups * _DAYS_SPAN + days - days_near, side="left")
    last = np.searchsorted(keys, groups * _DAYS_SPAN + days + days_near, side="right")
    return last - first


def candidate_pairs(
    pool: Pool, groups: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield every pair whose amounts are not far from each other, each once, in chunks."""
    yield from _equal_pairs(pool, *groups)
    yield from _near_pairs(pool)
    yield from _transposed_pairs(pool)


def _equal_pairs(
    pool: Pool, bank_groups: NDArray[np.int64], gl_groups: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    order = np.argsort(gl_groups * _DAYS_SPAN + pool.gl.days, kind="stable")
    keys = gl_groups[order]
    first = np.searchsorted(keys, bank_groups, side="left")
    last = np.searchsorted(keys, bank_groups, side="right")
    by_day = bank_groups * _DAYS_SPAN + pool.bank.days
    middle = np.searchsorted(keys * _DAYS_SPAN + pool.gl.days[order], by_day)
    middle = middle + group_ranks(by_day)  # so that identical rows do not all look at the same ones
    yield from _windows(order, first, last, middle)


def _near_pairs(pool: Pool) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    bank, gl = pool.bank, pool.gl
    for code in np.unique(gl.currencies):
        for sign in (-1, 1):
            mine = np.flatnonzero((bank.currencies == code) & (np.sign(bank.amounts_minor) == sign))
            theirs = np.flatnonzero((gl.currencies == code) & (np.sign(gl.amounts_minor) == sign))
            sizes = np.abs(gl.amounts_minor[theirs])
            order = np.argsort(sizes, kind="stable")
            sizes, wanted = sizes[order], np.abs(bank.amounts_minor[mine])
            low = np.minimum(wanted - ROUNDING_MINOR_MAX, np.floor(wanted * (1 - FEE_SHARE_MAX)))
            high = np.maximum(wanted + ROUNDING_MINOR_MAX, np.ceil(wanted / (1 - FEE_SHARE_MAX)))
            first = np.searchsorted(sizes, low, side="left")
            last = np.searchsorted(sizes, high, side="right")
            middle = np.searchsorted(sizes, wanted)
            for rows, columns in _windows(order, first, last, middle):
                pairs = mine[rows], theirs[columns]
                kinds = amount_kinds(bank.amounts_minor[pairs[0]], gl.amounts_minor[pairs[1]])
                near = (kinds == ROUNDING) | (kinds == NEAR) | (kinds == FEE)
                yield pairs[0][near], pairs[1][near]


def _transposed_pairs(pool: Pool) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    bank, gl = pool.bank, pool.gl
    signature = np.concatenate(
        [_digit_signature(bank.amounts_minor), _digit_signature(gl.amounts_minor)]
    )
    _, groups = np.unique(signature, return_inverse=True)
    bank_groups, gl_groups = groups[: len(bank)], groups[len(bank) :]
    for rows, columns in _equal_pairs(pool, bank_groups, gl_groups):
        kinds = amount_kinds(bank.amounts_minor[rows], gl.amounts_minor[columns])
        same = (kinds == TRANSPOSED) & (bank.currencies[rows] == gl.currencies[columns])
        yield rows[same], columns[same]


def _windows(
    order: NDArray[np.int64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    middle: NDArray[np.int64],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield (row, order[k]) for first[row] <= k < last[row], in chunks of bounded size.

    Only where all windows together pass `WINDOW_PAIRS_MAX` is each narrowed around its middle:
    then so many rows are alike that no single pair among them could stand out.
    """
    if int((last - first).sum()) > WINDOW_PAIRS_MAX:
        share = max(WINDOW_PAIRS_MAX // max(len(first), 1), 1)
        half = min(share, WINDOW_MAX) // 2
        first, last = np.maximum(first, middle - half), np.minimum(last, middle + half + 1)
    widths = np.maximum(last - first, 0)
    ends = np.cumsum(widths)
    start = 0
    while start < len(widths):
        done = ends[start - 1] if start else 0
        stop = max(int(np.searchsorted(ends, done + CHUNK_PAIRS, side="right")), start + 1)
        part = widths[start:stop]
        total = int(part.sum())
        if total:
            rows = np.repeat(np.arange(start, stop, dtype=np.int64), part)
            offsets = np.arange(total, dtype=np.int64) - np.repeat(np.cumsum(part) - part, part)
            yield rows, order[np.repeat(first[start:stop], part) + offsets]
        start = stop


def _digit_signature(amounts_minor: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a number that is equal for amounts with the same sign and the same digits."""
    rest = np.abs(amounts_minor)
    signature = np.zeros(len(rest), np.int64)
    for _ in range(_AMOUNT_DIGITS):
        rest, digit = np.divmod(rest, 10)
        signature += np.where((rest > 0) | (digit > 0), np.int64(1) << (5 * digit), 0)
    return signature * np.sign(amounts_minor)


def _transposed(bank: NDArray[np.int64], gl: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return whether two neighbouring digits stand in the other order and all else is equal."""
    gap = np.abs(bank - gl)
    # 05 for 50 at the head is another length, which no bookkeeper's slip of two digits gives.
    same_length = np.searchsorted(_POWERS, bank, "right") == np.searchsorted(_POWERS, gl, "right")
    found = np.zeros(len(gap), np.bool_)
    unit = np.int64(1)
    for _ in range(_AMOUNT_DIGITS - 1):
        pair_bank, pair_gl = bank // unit % 100, gl // unit % 100
        swapped = (pair_bank % 10 == pair_gl // 10) & (pair_bank // 10 == pair_gl % 10)
        found |= swapped & (gap == np.abs(pair_bank - pair_gl) * unit) & (gap > 0)
        unit *= 10
    return np.asarray(found & same_length, np.bool_)
