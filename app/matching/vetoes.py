"""What can never be a match, taken out before anything is scored."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from app.matching.normalize import descriptor, upper_text
from app.matching.pool import NUMBER_KINDS, UNKNOWN, Pool
from app.matching.records import Item

if TYPE_CHECKING:
    from numpy.typing import NDArray

REVERSAL_DAYS_MAX: Final = 90
REVERSAL_SHOWN_DAYS_MAX: Final = 30
BANK_LINES_MAX: Final = 50
PLAIN_DIGITS_MAX: Final = 7
PLAIN_NUMBERS_MIN: Final = 8
"""Below so many bare numbers on a side nothing says that the two columns speak differently."""

PLAIN_SHARED_MIN: Final = 0.2
"""Share of the bank's bare numbers that the ledger knows, from which the columns mean the same."""

_REVERSAL: Final = re.compile(
    r"\b(?:VOID(?:ED)?|REVERS(?:E|ED|AL|ING)|RVSL|RETURN(?:ED)?|NSF|CANCEL(?:L?ED)?|STORNO)\b"
)


def directions_agree(
    pool: Pool, bank_rows: NDArray[np.int64], gl_rows: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return whether each pair moves money the same way in the same currency."""
    bank, gl = pool.bank, pool.gl
    same_sign = np.sign(bank.amounts_minor[bank_rows]) == np.sign(gl.amounts_minor[gl_rows])
    same_currency = bank.currencies[bank_rows] == gl.currencies[gl_rows]
    return np.asarray(same_sign & same_currency, np.bool_)


class Contradictions:
    """References of the same kind that differ: two different cheque numbers are two payments."""

    def __init__(self, pool: Pool) -> None:
        self._bank, self._gl = pool.bank.kind_codes, pool.gl.kind_codes
        self._lettered = pool.bank.lettered, pool.gl.lettered
        self._columns = [
            column
            for column in range(len(NUMBER_KINDS))
            if (self._bank[:, column] != UNKNOWN).any() and (self._gl[:, column] != UNKNOWN).any()
        ]
        cheque = NUMBER_KINDS.index("cheque")
        plain = len(NUMBER_KINDS)
        # A bare number counts as what it stands beside wherever the two columns mean the same.
        self._bare = [
            (ours, theirs)
            for ours, theirs in ((plain, plain), (cheque, plain), (plain, cheque))
            if _same_language(self._bank[:, ours], self._gl[:, theirs])
        ]
        self.bare_cheques = (cheque, plain) in self._bare
        self._letters_count = _same_language(pool.bank.lettered[:, 1], pool.gl.lettered[:, 1])

    def between(
        self, bank_rows: NDArray[np.int64], gl_rows: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Return whether the references of each pair contradict each other, shape (pairs,)."""
        against = np.zeros(len(bank_rows), np.bool_)
        agreed = np.zeros(len(bank_rows), np.bool_)
        for column in self._columns:
            bank, gl = self._bank[bank_rows, column], self._gl[gl_rows, column]
            both = (bank != UNKNOWN) & (gl != UNKNOWN)
            against |= both & (bank != gl)
            agreed |= both & (bank == gl)
        for ours, theirs in self._bare:
            bank, gl = self._bank[bank_rows, ours], self._gl[gl_rows, theirs]
            both = (bank != UNKNOWN) & (gl != UNKNOWN) & (_digits(bank) == _digits(gl))
            against |= both & (bank != gl) & (_digits(bank) <= PLAIN_DIGITS_MAX)
            agreed |= both & (bank == gl)
        if self._letters_count:
            bank, gl = self._lettered[0][bank_rows], self._lettered[1][gl_rows]
            alike = (bank[:, 0] == gl[:, 0]) & (bank[:, 0] != UNKNOWN)
            against |= alike & (bank[:, 1] != gl[:, 1])
        return against & ~agreed


def _same_language(ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> bool:
    """Return whether two columns of references speak of the same things, as far as they show."""
    bank, gl = np.unique(ours[ours != UNKNOWN]), np.unique(theirs[theirs != UNKNOWN])
    if min(len(bank), len(gl)) < PLAIN_NUMBERS_MIN:
        return True
    return float(np.isin(bank, gl).mean()) >= PLAIN_SHARED_MIN


def _digits(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.floor(np.log10(np.maximum(numbers, 1))).astype(np.int64) + 1


def reversed_entries(gl: Sequence[Item], bank: Sequence[Item]) -> set[str]:
    """Return ids of ledger entries that cancel each other and never reached the bank.

    An entry that says it is a reversal, and the nearest earlier entry with the opposite amount
    and the same counterparty or reference.  Where the bank shows the reversal too, both stay.
    """
    at_bank: dict[tuple[str, int], list[Item]] = defaultdict(list)
    for item in sorted(bank, key=lambda i: (i.date, i.id)):
        at_bank[item.currency, item.amount_minor].append(item)
    by_amount: dict[tuple[str, int], list[Item]] = defaultdict(list)
    for item in sorted(gl, key=lambda i: (i.date, i.id)):
        by_amount[item.currency, item.amount_minor].append(item)
    taken: set[str] = set()
    for item in sorted(gl, key=lambda i: (i.date, i.id)):
        if item.id in taken or not _REVERSAL.search(upper_text(item.description)):
            continue
        alike = at_bank[item.currency, item.amount_minor]
        if any(_shows_reversal(line, item) for line in alike[:BANK_LINES_MAX]):
            continue
        original = _original(item, by_amount[item.currency, -item.amount_minor], taken)
        if original is not None:
            taken |= {item.id, original.id}
    return taken


def _shows_reversal(line: Item, reversal: Item) -> bool:
    """Return whether a bank line with the reversal's amount is that reversal."""
    days = (line.date - reversal.date).days
    if not -REVERSAL_SHOWN_DAYS_MAX <= days <= REVERSAL_SHOWN_DAYS_MAX:
        return False
    if _REVERSAL.search(upper_text(line.description)):
        return True
    theirs = f"{reversal.counterparty} {_REVERSAL.sub(' ', upper_text(reversal.description))}"
    said = set(descriptor(f"{line.counterparty} {line.description}").name)
    return not said or bool(said & set(descriptor(theirs).name))


def _original(reversal: Item, opposites: Sequence[Item], taken: set[str]) -> Item | None:
    fitting = [
        item
        for item in opposites
        if item.id not in taken
        and item.id != reversal.id
        and abs((reversal.date - item.date).days) <= REVERSAL_DAYS_MAX
        and _same_business(reversal, item)
    ]
    return min(fitting, key=lambda i: (abs((reversal.date - i.date).days), i.id), default=None)


def _same_business(reversal: Item, item: Item) -> bool:
    if reversal.reference and reversal.reference == item.reference:
        return True
    if reversal.counterparty or item.counterparty:
        return reversal.counterparty == item.counterparty
    ours = set(descriptor(_REVERSAL.sub(" ", upper_text(reversal.description))).name)
    return bool(ours) and ours == set(descriptor(item.description).name)
