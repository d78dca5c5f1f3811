from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import pytest

from app.matching import Item, load_model
from app.matching.model import log_odds, parse_model
from app.matching.training import calibration, examples, fit, model_json

DAY = date(2026, 3, 2)


def book(lag_days, count=60):
    """Payments of as many vendors; the bank follows after some days, and some lines stay alone."""
    bank = [
        Item(
            f"b{n}",
            DAY + timedelta(days=n % 25 + lag_days),
            -10_007 - 131 * (n % 40),
            "USD",
            f"ACH VENDOR{chr(65 + n % 26)}{n}X",
        )
        for n in range(count)
    ]
    gl = [
        Item(
            f"g{n}",
            DAY + timedelta(days=n % 25),
            -10_007 - 131 * (n % 40),
            "USD",
            "Bill",
            counterparty=f"Vendor{chr(65 + n % 26)}{n}x",
        )
        for n in range(count)
        if n % 7
    ]
    return bank, gl, (), {(f"b{n}", f"g{n}") for n in range(count) if n % 7}


@pytest.fixture(scope="module")
def fitted():
    start = load_model()
    return fit(start, examples([book(9), book(10)], start))


def test_training_keeps_every_promise_of_a_model(fitted):
    assert parse_model(json.loads(json.dumps(model_json(fitted, "test")))).version == "test"


def test_training_learns_how_late_the_bank_is(fitted):
    start, ach = load_model(), 2
    days = np.array([9, 2])
    before, after = start.date[ach].at(days), fitted.date[ach].at(days)
    assert after[0] - after[1] > before[0] - before[1] + 0.3
    assert fitted.date_shares[ach].sum() == pytest.approx(1)


def test_training_is_reproducible(fitted):
    start = load_model()
    again = fit(start, examples([book(9), book(10)], start))
    assert model_json(again, "v") == model_json(fitted, "v")


def test_calibration_is_monotone_and_keeps_single_signals_under_the_threshold():
    raw = np.linspace(-2, 8, 2_000)
    right = np.arange(2_000) % 50 != 0
    x, y = calibration(raw, right)
    assert (np.diff(x) > 0).all()
    assert (np.diff(y) >= 0).all()
    assert np.interp(1.3, x, y) < log_odds(85)
