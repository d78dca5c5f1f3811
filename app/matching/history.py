"""Remember which bank descriptor goes with which counterparty.

Memory is the organization's own: confirmed and rejected pairs, newer ones weighing more.  What a
pair gains depends on the share of the descriptor's confirmations that it holds, so one wrong
confirmation among right ones neither helps the wrong pair nor hurts the right one much.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np

from app.matching.names import marks
from app.matching.normalize import Descriptor, descriptor
from app.matching.records import Decision, Item, Outcome
from app.matching.words import COMMON_WORDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEY_TOKENS_MAX: Final = 2
KEY_LETTERS_MAX: Final = 6
"""Banks cut names at many widths, and what comes after the first words is a city or an id."""

HALF_LIFE_DAYS: Final = 365.0
DOUBT: Final = 0.5
"""Confirmations that the descriptor's share is measured against, on top of its own."""

CONFIRMATIONS_HALF: Final = 2.0
"""Confirmations (decayed) after which half of what is left to learn has been learnt."""

REJECTIONS_HALF: Final = 1.5
ELSEWHERE_SHARE: Final = 0.5


@dataclass(slots=True)
class PairMemory:
    """What was decided about one descriptor and one counterparty; weights decay with age."""

    confirmed: float = 0.0
    rejected: float = 0.0
    confirmed_count: int = 0
    rejected_count: int = 0


def bank_text(item: Item) -> str:
    """Return the text that says who, for a bank line."""
    return f"{item.counterparty} {item.description}" if item.counterparty else item.description


def gl_text(item: Item) -> str:
    """Return the text that says who, for a GL entry."""
    return item.counterparty or item.description


def memory_key(text: Descriptor) -> str:
    """Return the beginnings of the first words that say who."""
    words = [word for word in text.name if len(word) > 1]
    telling = [word for word in words if word not in COMMON_WORDS] or words
    return " ".join(word[:KEY_LETTERS_MAX] for word in telling[:KEY_TOKENS_MAX])


class Memory:
    """Every decision of one organization, by descriptor and counterparty."""

    def __init__(self, history: Iterable[Decision] = ()) -> None:
        decisions = sorted(history, key=_order)
        self._pairs: dict[tuple[str, str], PairMemory] = {}
        self._gl_keys_by_bank: dict[str, list[str]] = defaultdict(list)
        self._confirmed_by_bank: dict[str, float] = defaultdict(float)
        today = max((_decided_on(d) for d in decisions), default=date.min)
        for decision in decisions:
            self._learn(decision, today)

    def _learn(self, decision: Decision, today: date) -> None:
        bank_key = memory_key(descriptor(bank_text(decision.bank)))
        gl_key = memory_key(descriptor(gl_text(decision.gl)))
        if not bank_key or not gl_key:
            return
        age_days = (today - _decided_on(decision)).days
        weight = float(0.5 ** (age_days / HALF_LIFE_DAYS))
        if (bank_key, gl_key) not in self._pairs:
            self._pairs[bank_key, gl_key] = PairMemory()
            self._gl_keys_by_bank[bank_key].append(gl_key)
        memory = self._pairs[bank_key, gl_key]
        if decision.outcome is Outcome.CONFIRMED:
            memory.confirmed += weight
            memory.confirmed_count += 1
            self._confirmed_by_bank[bank_key] += weight
        else:
            memory.rejected += weight
            memory.rejected_count += 1

    def gl_keys(self, bank_key: str) -> Sequence[str]:
        """Return the counterparties about which something was decided for this descriptor."""
        return self._gl_keys_by_bank.get(bank_key, ())

    def about(self, bank_key: str, gl_key: str) -> PairMemory | None:
        return self._pairs.get((bank_key, gl_key))

    def elsewhere(self, bank_key: str) -> float:
        """Return the strength against every counterparty that this descriptor never went to."""
        known = self._confirmed_by_bank.get(bank_key, 0.0)
        return -ELSEWHERE_SHARE * (1.0 - _halved(known, CONFIRMATIONS_HALF))

    def strength(self, bank_key: str, gl_key: str) -> float:
        """Return what memory says of the pair: -1 (rejected) to 1 (confirmed often), 0 nothing."""
        memory = self._pairs.get((bank_key, gl_key))
        if memory is None:
            return self.elsewhere(bank_key)
        known = self._confirmed_by_bank.get(bank_key, 0.0)
        share = memory.confirmed / (known + DOUBT)
        gained = share * (1.0 - _halved(memory.confirmed, CONFIRMATIONS_HALF))
        doubt = memory.rejected / (memory.rejected + memory.confirmed)
        lost = doubt * (1.0 - _halved(memory.rejected, REJECTIONS_HALF))
        return gained * (1.0 - doubt) - lost


class HistoryIndex:
    """Memory looked up for the unique texts of one pool.

    Args:
        memory: What the organization decided before.
        bank: Unique bank texts.
        gl: Unique ledger texts.
    """

    def __init__(
        self, memory: Memory, bank: Sequence[Descriptor], gl: Sequence[Descriptor]
    ) -> None:
        self._gl_count = max(len(gl), 1)
        self.elsewhere = np.zeros(len(bank), np.float64)
        rows_by_gl_key: dict[str, list[int]] = defaultdict(list)
        for row, text in enumerate(gl):
            rows_by_gl_key[memory_key(text)].append(row)
        specific: dict[int, float] = {}
        numbers = {key: place for place, key in enumerate(rows_by_gl_key)}
        self.gl_marks = marks([{numbers[memory_key(text)]} for text in gl])
        self.bank_marks = marks(
            [
                {numbers[key] for key in memory.gl_keys(memory_key(text)) if key in numbers}
                for text in bank
            ]
        )
        for row, text in enumerate(bank):
            bank_key = memory_key(text)
            self.elsewhere[row] = memory.elsewhere(bank_key)
            for gl_key in memory.gl_keys(bank_key):
                value = memory.strength(bank_key, gl_key)
                for gl_row in rows_by_gl_key.get(gl_key, ()):
                    specific[row * self._gl_count + gl_row] = value
        self._codes = np.array(sorted(specific), np.int64)
        self._values = np.array([specific[c] for c in sorted(specific)], np.float64)

    def strengths(
        self, bank_rows: NDArray[np.int64], gl_rows: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the strength for each pair of unique texts, shape (pairs,)."""
        found = self.elsewhere[bank_rows]
        if len(self._codes):
            wanted = bank_rows * self._gl_count + gl_rows
            place = np.minimum(np.searchsorted(self._codes, wanted), len(self._codes) - 1)
            hit = self._codes[place] == wanted
            found = np.where(hit, self._values[place], found)
        return found


def _halved(count: float, half: float) -> float:
    return float(0.5 ** (count / half))


def _decided_on(decision: Decision) -> date:
    return decision.decided_on or max(decision.bank.date, decision.gl.date)


def _order(decision: Decision) -> tuple[date, str, str, str, int]:
    bank, gl = decision.bank, decision.gl
    return (
        _decided_on(decision),
        decision.outcome,
        bank_text(bank),
        gl_text(gl),
        bank.amount_minor,
    )
