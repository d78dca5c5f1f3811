"""Numbers that two lines share, such as of cheques and invoices, and how telling each is."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import numpy as np

from app.matching.names import marks
from app.matching.pool import NUMBER_KINDS, UNKNOWN, Pool, Side

if TYPE_CHECKING:
    from numpy.typing import NDArray

NO_REFERENCE, COMMON_REFERENCE, SHORT_REFERENCE, LONG_REFERENCE, CHEQUE_REFERENCE = range(5)
"""Kinds of agreement, as in `model.REFERENCES`."""

SHORT_REFERENCE_LENGTH_MAX: Final = 4
REFERENCE_ITEMS_MAX: Final = 6
"""A number on more lines than this, on one side, is an account or a customer, not a reference."""

_CHEQUE: Final = NUMBER_KINDS.index("cheque")
_BARE: Final = len(NUMBER_KINDS)


class References:
    """The pairs of one pool that share a number.

    Args:
        pool: Both sides.
        bare_cheques: Whether a bare number in the ledger's reference may be a cheque's.
    """

    def __init__(self, pool: Pool, *, bare_cheques: bool) -> None:
        self._gl_count = len(pool.gl)
        found = _shared_numbers(pool)
        for code in _shared_cheques(pool, bare_cheques=bare_cheques):
            found[code] = CHEQUE_REFERENCE
        self._codes = np.array(sorted(found), np.int64)
        self._kinds = np.array([found[code] for code in sorted(found)], np.int64)
        self.bank_marks, self.gl_marks = _number_marks(pool)

    def kinds(self, bank_rows: NDArray[np.int64], gl_rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the best kind of agreement of each pair."""
        if not len(self._codes):
            return np.zeros(len(bank_rows), np.int64)
        wanted = bank_rows * self._gl_count + gl_rows
        place = np.minimum(np.searchsorted(self._codes, wanted), len(self._codes) - 1)
        found = np.where(self._codes[place] == wanted, self._kinds[place], NO_REFERENCE)
        return np.asarray(found, np.int64)

    def shared(self, bank_rows: NDArray[np.int64], gl_rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return whether each pair may share a number, however many other lines carry it."""
        return np.asarray((self.bank_marks[bank_rows] & self.gl_marks[gl_rows]).any(axis=1))


def cheque_codes(side: Side, *, bare: bool) -> NDArray[np.int64]:
    """Return the cheque number of each row, or `UNKNOWN`; with `bare`, bare references count."""
    named = side.kind_codes[:, _CHEQUE]
    return np.where((named == UNKNOWN) & bare, side.kind_codes[:, _BARE], named)


def _shared_cheques(pool: Pool, *, bare_cheques: bool) -> list[int]:
    """Return the codes of pairs with one cheque number, which few lines carry."""
    ours = cheque_codes(pool.bank, bare=False)
    theirs = cheque_codes(pool.gl, bare=bare_cheques)
    rows = _rows_by_code(ours), _rows_by_code(theirs)
    return [
        bank_row * len(pool.gl) + gl_row
        for code, bank_rows in rows[0].items()
        if len(bank_rows) <= REFERENCE_ITEMS_MAX
        and len(gl_rows := rows[1].get(code, [])) <= REFERENCE_ITEMS_MAX
        for bank_row in bank_rows
        for gl_row in gl_rows
    ]


def _rows_by_code(codes: NDArray[np.int64]) -> dict[int, list[int]]:
    rows: dict[int, list[int]] = defaultdict(list)
    for row in np.flatnonzero(codes != UNKNOWN):
        rows[int(codes[row])].append(int(row))
    return rows


def _shared_numbers(pool: Pool) -> dict[int, int]:
    """Return the kind of agreement by the code of each pair that shares a number."""
    gl_rows_by_number: dict[str, list[int]] = defaultdict(list)
    for row, numbers in enumerate(pool.gl.numbers):
        for number in numbers:
            gl_rows_by_number[number].append(row)
    bank_rows_by_number: dict[str, list[int]] = defaultdict(list)
    for row, numbers in enumerate(pool.bank.numbers):
        for number in numbers:
            if number in gl_rows_by_number:
                bank_rows_by_number[number].append(row)
    found: dict[int, int] = {}
    for number, bank_rows in bank_rows_by_number.items():
        gl_rows = gl_rows_by_number[number]
        if max(len(bank_rows), len(gl_rows)) > REFERENCE_ITEMS_MAX:
            continue
        kind = _reference_kind(number, len(bank_rows), len(gl_rows))
        for row in bank_rows:
            for gl_row in gl_rows:
                code = row * len(pool.gl) + gl_row
                found[code] = max(found.get(code, NO_REFERENCE), kind)
    return found


def _reference_kind(number: str, bank_count: int, gl_count: int) -> int:
    if bank_count > 1 or gl_count > 1:
        return COMMON_REFERENCE
    return SHORT_REFERENCE if len(number) <= SHORT_REFERENCE_LENGTH_MAX else LONG_REFERENCE


def _number_marks(pool: Pool) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return bits by row of both sides: rows with no bit in common share no number."""
    shared = {n for numbers in pool.bank.numbers for n in numbers}
    shared &= {n for numbers in pool.gl.numbers for n in numbers}
    places = {number: place for place, number in enumerate(sorted(shared))}
    bank, gl = (
        marks([{places[n] for n in numbers if n in places} for numbers in side.numbers])
        for side in (pool.bank, pool.gl)
    )
    return bank, gl
