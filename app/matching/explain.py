"""Say why: the words beside what each signal added to a pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.kernel.money import display_amount
from app.matching.candidates import EQUAL, FEE, NEAR, ROUNDING, TRANSPOSED
from app.matching.groups import Group
from app.matching.history import Memory, memory_key
from app.matching.model import CHANNELS
from app.matching.normalize import Channel
from app.matching.records import Contribution
from app.matching.references import CHEQUE_REFERENCE, NO_REFERENCE
from app.matching.signals import AMOUNT, DATE, DESCRIPTION, HISTORY, REFERENCE, Signals

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAMES_AGREE_POINTS: Final = 3.0
USUAL_POINTS: Final = 0.5
UNUSUAL_POINTS: Final = -1.0
QUOTED_CHARACTERS_MAX: Final = 60

_CHANNEL_WORDS: Final = {
    Channel.CARD: "for a card",
    Channel.ACH: "for an ACH payment",
    Channel.CHEQUE: "for a cheque",
    Channel.WIRE: "for a wire",
    Channel.DEPOSIT: "for a deposit",
    Channel.OTHER: "",
}
assert len(_CHANNEL_WORDS) == len(CHANNELS)


class Explainer:
    """The words of one run."""

    def __init__(self, signals: Signals, memory: Memory) -> None:
        self._signals, self._memory = signals, memory
        self._bank, self._gl = signals.pool.bank, signals.pool.gl

    def contributions(
        self,
        bank_row: int,
        gl_row: int,
        points: NDArray[np.float64],
        *,
        base: float,
        rivals: float,
        rivals_count: int,
        kind: int,
    ) -> tuple[Contribution, ...]:
        """Return one contribution for each signal that moved the score, and the base."""
        said = [
            Contribution("amount", float(points[AMOUNT]), self._amount(bank_row, gl_row, kind)),
            Contribution("date", float(points[DATE]), self._date(bank_row, gl_row, points[DATE])),
        ]
        if points[DESCRIPTION]:
            words = self._description(points[DESCRIPTION])
            said.append(Contribution("description", float(points[DESCRIPTION]), words))
        if points[REFERENCE]:
            words = self._reference(bank_row, gl_row)
            said.append(Contribution("reference", float(points[REFERENCE]), words))
        if points[HISTORY]:
            words = self._history(bank_row, gl_row)
            said.append(Contribution("history", float(points[HISTORY]), words))
        said.append(Contribution("rivals", rivals, _rivals(rivals_count)))
        said.append(Contribution("base", base, "before anything is compared"))
        return tuple(said)

    def veto(self, bank_row: int, gl_row: int) -> tuple[Contribution, ...]:
        """Return why the pair can never match."""
        bank, gl = self._bank.items[bank_row], self._gl.items[gl_row]
        if bank.currency != gl.currency:
            words = f"{bank.currency} against {gl.currency}"
        elif (bank.amount_minor > 0) != (gl.amount_minor > 0):
            words = "one is money in, the other money out"
        else:
            words = "their references contradict each other"
        return (Contribution("veto", 0.0, words),)

    def group(self, group: Group) -> tuple[Contribution, ...]:
        """Return why several lines belong to one."""
        count = max(len(group.bank_rows), len(group.gl_rows))
        bank_days = [int(self._bank.days[row]) for row in group.bank_rows]
        gl_days = [int(self._gl.days[row]) for row in group.gl_rows]
        apart = max(abs(b - g) for b in bank_days for g in gl_days)
        many_days = set(gl_days) if len(gl_days) > 1 else set(bank_days)
        others = group.solutions - 1
        words = {
            "amount": f"{count} lines add up exactly",
            "date": f"within {apart} day{'s' if apart != 1 else ''}"
            + (", all of one day" if len(many_days) == 1 else ""),
            "description": "names agree on all",
            "reference": f"number {group.number} on all",
            "rivals": f"{others} other way{'s' if others != 1 else ''} to reach the sum",
            "base": "before anything is compared",
        }
        return tuple(
            Contribution(signal, points, words[signal])
            for signal, points in group.points.items()
            if points or signal in {"amount", "date"}
        )

    def _amount(self, bank_row: int, gl_row: int, kind: int) -> str:
        bank, gl = self._bank.items[bank_row], self._gl.items[gl_row]
        if kind == EQUAL:
            others = self._others(bank_row, gl_row)
            if not others:
                return "amount equal, and no other open item has it"
            return f"amount equal, as in {others} other open item{'s' if others > 1 else ''}"
        gap = display_amount(abs(bank.amount_minor - gl.amount_minor), bank.currency)
        words = {
            ROUNDING: f"amount equal but for rounding ({gap})",
            NEAR: f"amounts differ by {gap}",
            FEE: f"amounts differ by {gap}, as after a fee",
            TRANSPOSED: f"two digits of the amount change places ({gap} apart)",
        }
        return words.get(kind, f"amounts differ by {gap}")

    def _others(self, bank_row: int, gl_row: int) -> int:
        signals = self._signals
        return max(int(signals.gl_equal[bank_row]) - 1, 0) + max(
            int(signals.bank_equal[gl_row]) - 1, 0
        )

    def _date(self, bank_row: int, gl_row: int, points: float) -> str:
        days = int(self._bank.days[bank_row] - self._gl.days[gl_row])
        own, other = self._bank.channels[bank_row], self._gl.channels[gl_row]
        channel = Channel(int(own) or int(other))
        when = "same day" if days == 0 else f"{abs(days)} day{'s' if abs(days) > 1 else ''} "
        when += "" if days == 0 else ("later" if days > 0 else "earlier than the books")
        usual = "usual" if points >= USUAL_POINTS else "unusual" if points <= UNUSUAL_POINTS else ""
        return f"{when}, {usual} {_CHANNEL_WORDS[channel]}".rstrip() if usual else when

    def _description(self, points: float) -> str:
        if points >= NAMES_AGREE_POINTS:
            return "names agree"
        return "names agree in part" if points > 0 else "names differ"

    def _reference(self, bank_row: int, gl_row: int) -> str:
        shared = set(self._bank.numbers[bank_row]) & set(self._gl.numbers[gl_row])
        number = max(shared, key=lambda n: (len(n), n), default="")
        kind = self._kind(bank_row, gl_row)
        if kind == CHEQUE_REFERENCE:
            return f"cheque number {number} on both"
        return f"reference {number} on both" if kind != NO_REFERENCE else ""

    def _kind(self, bank_row: int, gl_row: int) -> int:
        import numpy as np  # noqa: PLC0415 - one scalar into the vectorized look-up

        rows = np.array([bank_row], np.int64), np.array([gl_row], np.int64)
        return int(self._signals.references.kinds(*rows)[0])

    def _history(self, bank_row: int, gl_row: int) -> str:
        bank, gl = self._bank, self._gl
        bank_key = memory_key(bank.texts[bank.text_rows[bank_row]])
        memory = self._memory.about(bank_key, memory_key(gl.texts[gl.text_rows[gl_row]]))
        ours = _quoted(bank.items[bank_row].description)
        theirs = _quoted(gl.items[gl_row].counterparty or gl.items[gl_row].description)
        if memory is None:
            return f"you matched {ours} to others before, never to {theirs}"
        said = []
        if memory.confirmed_count:
            said.append(f"matched {ours} to {theirs} {_times(memory.confirmed_count)}")
        if memory.rejected_count:
            said.append(f"rejected {theirs} for {ours} {_times(memory.rejected_count)}")
        return "you " + " and ".join(said)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _quoted(text: str) -> str:
    shown = " ".join(text[: 4 * QUOTED_CHARACTERS_MAX].split())
    if len(shown) <= QUOTED_CHARACTERS_MAX:
        return shown
    return shown[: QUOTED_CHARACTERS_MAX - 1].rstrip() + "…"


def _rivals(count: int) -> str:
    if not count:
        return "no rival"
    return f"{count} other pairing{'s' if count > 1 else ''} possible"
