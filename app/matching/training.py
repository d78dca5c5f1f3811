"""Fit a model's tables to books whose truth is known.

Each bank line chooses among its candidates and "no partner here" (a conditional logit), and so
does each GL entry; the tables maximize the likelihood of both, stay monotone by construction, and
are pulled towards the weights they start from.  The problem is convex, so the same examples give
the same model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from app.matching.candidates import EQUAL, FAR, amount_kinds, candidate_pairs
from app.matching.history import Memory
from app.matching.model import CHANNELS, REFERENCES, SCHEMA, UNEQUAL_AMOUNTS, Model, Table
from app.matching.pool import build_pool
from app.matching.records import Decision, Item
from app.matching.signals import REMEMBERED_MIN, Signals

if TYPE_CHECKING:
    from numpy.typing import NDArray

PULL: Final = 3.0
"""Weight of the squared distance to the starting weights, against one line's log-likelihood."""

ALONE_LOG_ODDS_MAX: Final = 1.2
"""What one signal may reach without the others: well under the auto-match threshold's 1.73."""

ALONE_RAW_MAX: Final = 1.3
ALONE_CALIBRATED_MAX: Final = 1.5
ALONE_PENALTY: Final = 2_000.0
ITERATIONS_MAX: Final = 400
FIXED: Final = frozenset({"nothing"})
PRUDENCE: Final = 0.5
"""Log-odds taken off calibrated scores, in full from 73 percent and not at all under 38: real
books hold surprises that examples do not."""

CALIBRATION_KNOTS: Final = 9


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Pairs of one or more books, with the places of their weights.

    Attributes:
        places: Shape (pairs, signals' parts): indices into the weights' vector.
        bank_rows: Shape (pairs,), unique over all books; likewise `gl_rows`.
        is_true: Shape (pairs,).
    """

    places: NDArray[np.int64]
    bank_rows: NDArray[np.int64]
    gl_rows: NDArray[np.int64]
    is_true: NDArray[np.bool_]


class Layout:
    """Where each table's weights stand in one vector."""

    def __init__(self, model: Model) -> None:
        self.parts: dict[str, slice] = {}
        start = 0
        for name, weights in _weights(model).items():
            self.parts[name] = slice(start, start + len(weights))
            start += len(weights)
        self.size = start

    def place(self, name: str, bins: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.asarray(self.parts[name].start + bins, np.int64)


def _weights(model: Model) -> dict[str, NDArray[np.float64]]:
    dates = {
        f"date {name}": table.weights for name, table in zip(CHANNELS, model.date, strict=True)
    }
    return {
        "intercept": np.array([model.intercept]),
        "amount_rivals": model.amount_rivals.weights,
        "amount_rarity": model.amount_rarity.weights,
        "amount_unequal": model.amount_unequal,
        **dates,
        "coverage": model.coverage.weights,
        "information": model.information.weights,
        "conflict": model.conflict.weights,
        "shortfall": model.shortfall.weights,
        "name_absent": np.array([model.name_absent]),
        "reference": model.reference,
        "history": model.history.weights,
        "nothing": np.zeros(1),
    }


def _model(start: Model, layout: Layout, weights: NDArray[np.float64]) -> Model:
    part = {name: weights[where] for name, where in layout.parts.items()}
    return replace(
        start,
        intercept=float(part["intercept"][0]),
        amount_rivals=Table(start.amount_rivals.edges, part["amount_rivals"]),
        amount_rarity=Table(start.amount_rarity.edges, part["amount_rarity"]),
        amount_unequal=part["amount_unequal"],
        date=tuple(
            Table(table.edges, part[f"date {name}"])
            for name, table in zip(CHANNELS, start.date, strict=True)
        ),
        coverage=Table(start.coverage.edges, part["coverage"]),
        information=Table(start.information.edges, part["information"]),
        conflict=Table(start.conflict.edges, part["conflict"]),
        shortfall=Table(start.shortfall.edges, part["shortfall"]),
        name_absent=float(part["name_absent"][0]),
        reference=part["reference"],
        history=Table(start.history.edges, part["history"]),
    )


def examples(
    books: Iterable[
        tuple[Sequence[Item], Sequence[Item], Sequence[Decision], set[tuple[str, str]]]
    ],
    model: Model,
) -> Examples:
    """Return the candidate pairs of some books.

    Args:
        books: Bank items, GL items, history, and the (bank id, GL id) pairs that are true.
        model: Whose tables' edges place the weights.
    """
    layout, parts = Layout(model), []
    bank_start = gl_start = 0
    for bank, gl, history, truth in books:
        signals = Signals(build_pool(bank, gl), model, Memory(history))
        for bank_rows, gl_rows in candidate_pairs(signals.pool, signals.groups):
            evidence = signals.evidence(bank_rows, gl_rows)
            possible = np.isfinite(evidence.log_odds)
            ours, theirs = bank_rows[possible], gl_rows[possible]
            bank_ids = [signals.pool.bank.items[row].id for row in ours]
            gl_ids = [signals.pool.gl.items[row].id for row in theirs]
            is_true = [pair in truth for pair in zip(bank_ids, gl_ids, strict=True)]
            places = _places(signals, layout, ours, theirs)
            parts.append(
                (places, ours + bank_start, theirs + gl_start, np.array(is_true, np.bool_))
            )
        bank_start += len(bank)
        gl_start += len(gl)
    return Examples(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _places(
    signals: Signals, layout: Layout, bank_rows: NDArray[np.int64], gl_rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    model, pool = signals.model, signals.pool
    nothing = layout.place("nothing", np.zeros(len(bank_rows), np.int64))
    kinds = amount_kinds(pool.bank.amounts_minor[bank_rows], pool.gl.amounts_minor[gl_rows])
    equal = kinds == EQUAL
    rivals = model.amount_rivals.bins(signals.rivals(bank_rows, gl_rows))
    rarity = model.amount_rarity.bins(signals.rarity[bank_rows])
    strengths = signals.strengths(bank_rows, gl_rows)
    names = signals.best_names(bank_rows, gl_rows).excused(strengths >= REMEMBERED_MIN)
    days = pool.bank.days[bank_rows] - pool.gl.days[gl_rows]
    channels = signals.channels(bank_rows, gl_rows)
    dates = nothing.copy()
    for number, name in enumerate(CHANNELS):
        mine = channels == number
        dates[mine] = layout.place(f"date {name}", model.date[number].bins(days[mine]))
    unequal = layout.place("amount_unequal", np.maximum(kinds, 0))
    absent = layout.place("name_absent", np.zeros(len(bank_rows), np.int64))
    coverage = layout.place("coverage", model.coverage.bins(names.coverage))
    information = layout.place("information", model.information.bins(names.information))
    conflict = layout.place("conflict", model.conflict.bins(names.conflict))
    shortfall = layout.place("shortfall", model.shortfall.bins(names.shortfall))
    return np.column_stack(
        [
            layout.place("intercept", np.zeros(len(bank_rows), np.int64)),
            np.where(equal, layout.place("amount_rivals", rivals), unequal),
            np.where(equal, layout.place("amount_rarity", rarity), nothing),
            dates,
            np.where(names.absent, absent, coverage),
            np.where(names.absent, nothing, information),
            np.where(names.absent, nothing, conflict),
            np.where(names.absent, nothing, shortfall),
            layout.place("reference", signals.references.kinds(bank_rows, gl_rows)),
            layout.place("history", model.history.bins(strengths)),
        ]
    )


def fit(start: Model, data: Examples) -> Model:
    """Return the model whose tables make the examples most likely, near the one to start from."""
    from scipy.optimize import minimize  # noqa: PLC0415 - slow to import, needed to train only

    layout = Layout(start)
    origin = np.concatenate(list(_weights(start).values()))
    steps, free = _steps(start, layout)
    fixed = np.where(steps.any(axis=1), 0.0, origin)
    objective = _Objective(start, layout, data, origin, fixed, steps)
    first = np.linalg.lstsq(steps, origin - fixed, rcond=None)[0]
    first = np.where(free, first, np.maximum(first, 0.0))
    bounds = [(None, None) if is_free else (0.0, None) for is_free in free]
    found = minimize(
        objective,
        first,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": ITERATIONS_MAX, "ftol": 1e-9},
    )
    fitted = _model(start, layout, np.round(fixed + steps @ found.x, 3))
    return replace(fitted, date_shares=_date_shares(layout, data))


def _date_shares(layout: Layout, data: Examples) -> tuple[NDArray[np.float64], ...]:
    """Return how the true pairs of each channel spread over its bins."""
    seen = np.bincount(data.places[data.is_true].ravel(), minlength=layout.size) + 0.5
    return tuple(
        seen[layout.parts[f"date {name}"]] / seen[layout.parts[f"date {name}"]].sum()
        for name in CHANNELS
    )


class _Objective:
    """Negative log-likelihood, pull and penalty, with the gradient in the steps' space."""

    def __init__(
        self,
        start: Model,
        layout: Layout,
        data: Examples,
        origin: NDArray[np.float64],
        fixed: NDArray[np.float64],
        steps: NDArray[np.float64],
    ) -> None:
        self._data, self._origin, self._fixed, self._steps = data, origin, fixed, steps
        self._bank_count = int(data.bank_rows.max()) + 1
        self._gl_count = int(data.gl_rows.max()) + 1
        parts = layout.parts
        last = {name: where.stop - 1 for name, where in parts.items()}
        best_dates = [
            [parts[f"date {name}"].start + int(table.weights.argmax())]
            for name, table in zip(CHANNELS, start.date, strict=True)
        ]
        self._alone = [
            [parts["amount_rivals"].start, last["amount_rarity"]],
            [
                last["coverage"],
                last["information"],
                parts["conflict"].start,
                parts["shortfall"].start,
            ],
            [last["reference"]],
            [last["history"]],
            *best_dates,
        ]

    def __call__(self, theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = self._fixed + self._steps @ theta
        pulled = weights - self._origin
        value = PULL * float(pulled @ pulled)
        gradient = 2 * PULL * pulled
        log_odds = weights[self._data.places].sum(axis=1)
        slope = np.zeros(len(log_odds))
        for rows, count in (
            (self._data.bank_rows, self._bank_count),
            (self._data.gl_rows, self._gl_count),
        ):
            odds = np.exp(np.minimum(log_odds, 40.0))
            totals = 1.0 + np.bincount(rows, weights=odds, minlength=count)
            value += float(np.log(totals).sum() - log_odds[self._data.is_true].sum())
            slope += odds / totals[rows] - self._data.is_true
        for column in self._data.places.T:
            gradient += np.bincount(column, weights=slope, minlength=len(weights))
        for places in self._alone:
            over = weights[0] + weights[places].sum() - ALONE_LOG_ODDS_MAX
            if over > 0:
                value += ALONE_PENALTY * over * over
                gradient[[0, *places]] += 2 * ALONE_PENALTY * over
        return value, self._steps.T @ gradient


def _steps(model: Model, layout: Layout) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return a matrix from steps to weights, and which steps may be negative.

    Each table is a level and steps of zero or more, up or down, so every combination is monotone
    (for dates: rises to its peak and falls after it).
    """
    steps: list[tuple[NDArray[np.int64], float, bool]] = []
    for name, where in layout.parts.items():
        if name not in FIXED:
            steps.extend(_table_steps(model, name, np.arange(where.start, where.stop)))
    matrix = np.zeros((layout.size, len(steps)))
    for column, (places, sign, _) in enumerate(steps):
        matrix[places, column] = sign
    return matrix, np.array([is_free for _, _, is_free in steps])


def _table_steps(
    model: Model, name: str, places: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], float, bool]]:
    """Yield (weights that move together, direction, whether it may turn) for one table."""
    if name == "amount_unequal":
        yield from ((places[k : k + 1], 1.0, True) for k in range(FAR))
        return
    if name in {"reference", "history"}:  # silence stays at zero
        silent = 0 if name == "reference" else _silent_bin(model)
        yield from ((places[k:], 1.0, False) for k in range(silent + 1, len(places)))
        yield from ((places[: k + 1], -1.0, False) for k in range(silent))
        return
    peak = _peak(model, name, len(places))
    yield places, 1.0, True
    yield from ((places[: k + 1], -1.0, False) for k in range(peak))
    yield from ((places[k:], -1.0, False) for k in range(peak + 1, len(places)))


def _silent_bin(model: Model) -> int:
    return int(model.history.bins(np.zeros(1))[0])


def _peak(model: Model, name: str, bins_count: int) -> int:
    """Return the bin of the highest weight: last for rising tables, first for falling ones."""
    if name in {"information", "coverage", "amount_rarity"}:
        return bins_count - 1
    if name.startswith("date "):
        return int(model.date[CHANNELS.index(name.removeprefix("date "))].weights.argmax())
    return 0


def calibration(
    raw: NDArray[np.float64], is_right: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a monotone piecewise-linear map from raw to calibrated log-odds.

    Shares in quantiles of the raw log-odds, with a pair's worth of doubt in each, made monotone
    by pooling (isotonic regression).
    """
    from sklearn.isotonic import IsotonicRegression  # noqa: PLC0415 - training only

    order = np.argsort(raw, kind="stable")
    chunks = np.array_split(order, CALIBRATION_KNOTS)
    x = np.array([raw[chunk].mean() for chunk in chunks])
    right = np.array([is_right[chunk].sum() for chunk in chunks], np.float64)
    sizes = np.array([len(chunk) for chunk in chunks], np.float64)
    shares = (right + 0.5) / (sizes + 1.0)
    fitted = IsotonicRegression(out_of_bounds="clip").fit(x, np.log(shares / (1 - shares)))
    y = fitted.predict(x)
    y = y - PRUDENCE * np.clip((y + 0.5) / 1.5, 0.0, 1.0)
    # What one signal alone may reach stays under the threshold, whatever the examples say.
    alone = min(float(np.interp(ALONE_RAW_MAX, x, y)), ALONE_CALIBRATED_MAX)
    y = np.where(x <= ALONE_RAW_MAX, np.minimum(y, alone), np.maximum(y, alone))
    place = int(np.searchsorted(x, ALONE_RAW_MAX))
    return np.round(np.insert(x, place, ALONE_RAW_MAX), 3), np.round(np.insert(y, place, alone), 3)


def model_json(model: Model, version: str) -> dict[str, Any]:
    """Return the model as the JSON that `load_model` reads."""

    def table(of: Table) -> dict[str, list[float]]:
        return {"edges": of.edges.tolist(), "weights": of.weights.tolist()}

    return {
        "schema": SCHEMA,
        "version": version,
        "intercept": model.intercept,
        "amount_rivals": table(model.amount_rivals),
        "amount_rarity": table(model.amount_rarity),
        "amount_unequal": dict(zip(UNEQUAL_AMOUNTS, model.amount_unequal.tolist(), strict=True)),
        "date": {
            name: {**table(dates), "shares": np.round(shares, 5).tolist()}
            for name, dates, shares in zip(CHANNELS, model.date, model.date_shares, strict=True)
        },
        "coverage": table(model.coverage),
        "information": table(model.information),
        "conflict": table(model.conflict),
        "shortfall": table(model.shortfall),
        "name_absent": model.name_absent,
        "reference": dict(zip(REFERENCES, model.reference.tolist(), strict=True)),
        "history": table(model.history),
        "calibration": {
            "raw": model.calibration[0].tolist(),
            "calibrated": model.calibration[1].tolist(),
        },
    }
