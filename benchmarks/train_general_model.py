"""Make the general model: `python -m benchmarks.train_general_model`.

The same seed gives the same file, byte for byte.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.matching import Decision, Model
from app.matching.model import GENERAL_MODEL_PATH, load_model, parse_model
from app.matching.training import calibration, examples, fit, model_json
from benchmarks.histories import history_of
from benchmarks.measures import assigned_log_odds
from benchmarks.worlds import TRAINING_WORLDS, Books

SEED = 20_260_101
BOOKS_PER_WORLD = 16
VERSION = "general-1"
START_PATH = Path(__file__).with_name("starting_model.json")


def true_pairs(books: Books) -> set[tuple[str, str]]:
    """Return the pairs of one bank line and one GL entry that are true."""
    return {(o[0], t[0]) for o, t in books.truth if len(o) == len(t) == 1}


def training_books(seed: int) -> Iterator[tuple[Books, Sequence[Decision]]]:
    """Yield books of several sizes and periods, half of them with a history."""
    for world in TRAINING_WORLDS:
        for place in range(BOOKS_PER_WORLD):
            events = (60, 150, 400, 900)[place % 4]
            days = (31, 31, 92, 180)[place // 4 % 4]
            books = world.books(seed + place, events, days=days)
            history = history_of(world, seed + place, cycles=1 + place % 5) if place % 2 else ()
            yield books, history


def main() -> None:
    """Train, calibrate and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--output", type=Path, default=GENERAL_MODEL_PATH)
    arguments = parser.parse_args()
    start = load_model(START_PATH)
    learnt = (
        (books.bank, books.gl, history, true_pairs(books))
        for books, history in training_books(arguments.seed)
    )
    model = fit(start, examples(learnt, start))
    model = replace(model, calibration=_calibrated(model, arguments.seed + 1_000))
    data = model_json(model, VERSION)
    parse_model(data)
    arguments.output.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    print(f"{arguments.output.name}: {VERSION}")


def _calibrated(model: Model, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Calibrate on assigned pairs of other books than those that were learnt from."""
    raw, right = [], []
    for books, history in training_books(seed):
        for value, is_right in assigned_log_odds(books, history, model):
            raw.append(value)
            right.append(is_right)
    return calibration(np.array(raw), np.array(right))


if __name__ == "__main__":
    main()
