from __future__ import annotations

import json

import numpy as np
import pytest

from app.matching import ModelInvalid, load_model
from app.matching.model import GENERAL_MODEL_PATH, parse_model


@pytest.fixture
def data():
    return json.loads(GENERAL_MODEL_PATH.read_text(encoding="utf-8"))


def test_the_general_model_loads_and_is_calibrated_monotonically():
    model = load_model()
    values = model.calibrated(np.linspace(-30, 30, 200))
    assert (np.diff(values) >= 0).all()
    assert model.version.startswith("general-")


def test_a_model_of_another_schema_is_refused_by_number(data, tmp_path):
    path = tmp_path / "old.json"
    path.write_text(json.dumps({**data, "schema": 99}), encoding="utf-8")
    with pytest.raises(
        ModelInvalid, match=r"old\.json has schema 99, but this version reads schema 2"
    ):
        load_model(path)


@pytest.mark.parametrize("text", ["", "not json", "[]", '{"weights": []}', "\x00"])
def test_what_is_no_model_is_refused(tmp_path, text):
    path = tmp_path / "model.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ModelInvalid, match=r"model\.json"):
        load_model(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ModelInvalid, match="cannot be read"):
        load_model(tmp_path / "nowhere.json")


def test_a_missing_table_is_refused(data):
    del data["coverage"]
    with pytest.raises(ModelInvalid, match="incomplete or malformed"):
        parse_model(data)


def test_a_table_of_the_wrong_length_is_refused(data):
    data["coverage"]["weights"].append(9.0)
    with pytest.raises(ModelInvalid, match="one weight more than edges"):
        parse_model(data)


def test_shares_that_are_not_positive_are_refused(data):
    data["date"]["ach"]["shares"][0] = 0.0
    with pytest.raises(ModelInvalid, match="shares must be positive"):
        parse_model(data)


def test_weights_that_are_not_monotone_are_refused(data):
    data["information"]["weights"][0] = 9.0
    with pytest.raises(ModelInvalid, match="information are not monotone"):
        parse_model(data)


def test_dates_with_two_peaks_are_refused(data):
    data["date"]["ach"]["weights"][0] = 1.0
    with pytest.raises(ModelInvalid, match="more than one peak"):
        parse_model(data)


def test_a_signal_that_would_suffice_alone_is_refused(data):
    data["reference"]["cheque"] = 30.0
    with pytest.raises(ModelInvalid, match="reference alone would reach"):
        parse_model(data)


@pytest.mark.parametrize("calibrated", [-5.0, -0.2, 0.7, 2.0, 4.0, 9.0])
def test_raw_log_odds_undo_the_calibration(calibrated):
    model = load_model()
    assert model.calibrated(np.array([model.raw(calibrated)]))[0] == pytest.approx(calibrated)
