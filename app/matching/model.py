"""The model: match weights in tables, read from JSON.

A pair's log-odds are the intercept plus one bounded weight for each signal.  Tables are monotone
(dates: one peak), so a better agreement never lowers a score and an upper bound of a pair follows
from the best it could still reach.  No signal's bound, added to the intercept alone, reaches the
auto-match threshold.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCHEMA: Final = 2
GENERAL_MODEL_PATH: Final = Path(__file__).with_name("general_model.json")
SINGLE_SIGNAL_PERCENT_MAX: Final = 85.0
CHANNELS: Final = ("other", "card", "ach", "cheque", "wire", "deposit")
UNEQUAL_AMOUNTS: Final = ("rounding", "near", "fee", "transposed", "far")
REFERENCES: Final = ("none", "common", "short", "long", "cheque")


class ModelInvalid(ValueError):  # noqa: N818 - a refusal, as in app.kernel.errors
    """The file is not a model that this version can use; the sentence says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Weights by bin: `weights[k]` holds from `edges[k - 1]` up to, not including, `edges[k]`."""

    edges: NDArray[np.float64]
    weights: NDArray[np.float64]

    def bins(self, values: NDArray[Any]) -> NDArray[np.int64]:
        return np.searchsorted(self.edges, values, side="right")

    def at(self, values: NDArray[Any]) -> NDArray[np.float64]:
        return np.asarray(self.weights[self.bins(values)], np.float64)

    @property
    def best(self) -> float:
        return float(self.weights.max())


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Match weights in log-odds (natural logarithm).

    Attributes:
        amount_rivals: Equal amounts, by the number of other open lines with that amount.
        amount_rarity: Added to it, by how rare the amount is in these books, in nats.
        amount_unequal: By kind of difference, in the order of `UNEQUAL_AMOUNTS`.
        date: By channel, over the days from ledger to bank.
        date_shares: By channel, how true pairs spread over the bins of `date`; positive, sum 1.
        coverage: Names, by how much of them agrees.
        information: Added to it, by how rare what agrees is.
        conflict: Added to it, by how much is left over on both sides.
        shortfall: Added to it, by how much better another name of the pool fits.
        name_absent: A side without a name.
        reference: By kind of agreement, in the order of `REFERENCES`.
        history: By strength of memory, -1 (rejected) to 1 (confirmed often).
        calibration: Maps raw log-odds to calibrated ones, piecewise linear, monotone: (x, y).
    """

    version: str
    intercept: float
    amount_rivals: Table
    amount_rarity: Table
    amount_unequal: NDArray[np.float64]
    date: tuple[Table, ...]
    date_shares: tuple[NDArray[np.float64], ...]
    coverage: Table
    information: Table
    conflict: Table
    shortfall: Table
    name_absent: float
    reference: NDArray[np.float64]
    history: Table
    calibration: tuple[NDArray[np.float64], NDArray[np.float64]]

    def best_amount(self) -> float:
        return self.amount_rivals.best + self.amount_rarity.best

    def best_date(self) -> float:
        return max(table.best for table in self.date)

    def best_description(self) -> float:
        best = self.coverage.best + self.information.best + self.conflict.best
        best += self.shortfall.best
        return max(best, self.name_absent)

    def best_alone(self) -> dict[str, float]:
        """Return the calibrated log-odds that each signal reaches with all others silent."""
        bests = {
            "amount": self.best_amount(),
            "date": self.best_date(),
            "description": self.best_description(),
            "reference": float(self.reference.max()),
            "history": self.history.best,
        }
        return {
            signal: float(self.calibrated(np.array([self.intercept + best]))[0])
            for signal, best in bests.items()
        }

    def calibrated(self, log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return calibrated log-odds; outside the table the outermost shift holds."""
        x, y = self.calibration
        inside = np.interp(log_odds, x, y)
        shift = np.minimum(log_odds - x[0], 0.0) + np.maximum(log_odds - x[-1], 0.0)
        return np.asarray(inside + shift, np.float64)

    def raw(self, calibrated: float) -> float:
        """Return the lowest raw log-odds that are calibrated to at least so much."""
        x, y = self.calibration
        if calibrated <= y[0]:
            return float(x[0] + calibrated - y[0])
        place = int(np.searchsorted(y, calibrated))
        if place == len(y):
            return float(x[-1] + calibrated - y[-1])
        part = (calibrated - y[place - 1]) / (y[place] - y[place - 1])
        return float(x[place - 1] + part * (x[place] - x[place - 1]))


def log_odds(percent: float) -> float:
    """Return the natural log-odds of a percentage, finite at 0 and 100."""
    share = min(max(percent / 100.0, 1e-9), 1.0 - 1e-9)
    return math.log(share / (1.0 - share))


def load_model(path: Path | str | None = None) -> Model:
    """Return the model in a JSON file, or the general model that ships with Tieout.

    Raises:
        ModelInvalid: Not JSON, another schema, or weights that break the model's promises.
    """
    return _general_model() if path is None else _read(Path(path))


@cache
def _general_model() -> Model:
    return _read(GENERAL_MODEL_PATH)


def _read(path: Path) -> Model:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelInvalid(f"{path.name} cannot be read as a model: {error}.") from error
    return parse_model(data, name=path.name)


def parse_model(data: Any, *, name: str = "The model") -> Model:
    """Return the model in parsed JSON.

    Raises:
        ModelInvalid: As `load_model`.
    """
    if not isinstance(data, Mapping) or "schema" not in data:
        raise ModelInvalid(f"{name} is not a Tieout matching model.")
    if data["schema"] != SCHEMA:
        raise ModelInvalid(
            f"{name} has schema {data['schema']!r}, but this version reads schema {SCHEMA}."
        )
    try:
        model = _built(data)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelInvalid(f"{name} is incomplete or malformed: {error}.") from error
    _check(model, name)
    return model


def _built(data: Mapping[str, Any]) -> Model:
    dates, unequal, references = data["date"], data["amount_unequal"], data["reference"]
    calibration = data["calibration"]
    return Model(
        version=str(data["version"]),
        intercept=float(data["intercept"]),
        amount_rivals=_table(data["amount_rivals"]),
        amount_rarity=_table(data["amount_rarity"]),
        amount_unequal=np.array([float(unequal[kind]) for kind in UNEQUAL_AMOUNTS]),
        date=tuple(_table(dates[channel]) for channel in CHANNELS),
        date_shares=tuple(_shares(dates[channel]) for channel in CHANNELS),
        coverage=_table(data["coverage"]),
        information=_table(data["information"]),
        conflict=_table(data["conflict"]),
        shortfall=_table(data["shortfall"]),
        name_absent=float(data["name_absent"]),
        reference=np.array([float(references[kind]) for kind in REFERENCES]),
        history=_table(data["history"]),
        calibration=(
            np.array(calibration["raw"], np.float64),
            np.array(calibration["calibrated"], np.float64),
        ),
    )


def _table(data: Mapping[str, Any]) -> Table:
    edges = np.array(data["edges"], np.float64)
    weights = np.array(data["weights"], np.float64)
    if edges.ndim != 1 or weights.shape != (len(edges) + 1,):
        raise ValueError("a table needs one weight more than edges")
    if not (np.isfinite(weights).all() and (np.diff(edges) > 0).all()):
        raise ValueError("edges must rise and weights be finite")
    return Table(edges, weights)


def _shares(data: Mapping[str, Any]) -> NDArray[np.float64]:
    shares = np.array(data["shares"], np.float64)
    if shares.shape != (len(data["weights"]),) or not (shares > 0).all():
        raise ValueError("shares must be positive, one for each weight")
    return np.asarray(shares / shares.sum(), np.float64)


def _check(model: Model, name: str) -> None:
    """Refuse weights that break what the search and the explanation rely on."""
    rising = {
        "coverage": model.coverage.weights,
        "information": model.information.weights,
        "reference": model.reference,
        "history": model.history.weights,
        "conflict": -model.conflict.weights,
        "shortfall": -model.shortfall.weights,
        "amount_rivals": -model.amount_rivals.weights,
        "amount_rarity": model.amount_rarity.weights,
        "calibration": model.calibration[1],
    }
    for part, weights in rising.items():
        if (np.diff(weights) < 0).any():
            raise ModelInvalid(f"{name}: the weights of {part} are not monotone.")
    for channel, table in zip(CHANNELS, model.date, strict=True):
        peak = int(table.weights.argmax())
        steps = np.diff(table.weights)
        if (steps[:peak] < 0).any() or (steps[peak:] > 0).any():
            raise ModelInvalid(f"{name}: the date weights of {channel} have more than one peak.")
    for signal, reached in model.best_alone().items():
        if reached >= log_odds(SINGLE_SIGNAL_PERCENT_MAX):
            raise ModelInvalid(f"{name}: {signal} alone would reach the auto-match threshold.")
