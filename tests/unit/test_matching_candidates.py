from __future__ import annotations

import numpy as np
import pytest

from app.matching.candidates import EQUAL, FAR, FEE, NEAR, ROUNDING, TRANSPOSED, amount_kinds


@pytest.mark.parametrize(
    ("bank", "gl", "kind"),
    [
        (-50_000, -50_000, EQUAL),
        (0, 0, EQUAL),
        (-50_000, 50_000, FAR),
        (-50_000, -50_001, ROUNDING),
        (-50_000, -50_300, NEAR),
        (97_100, 100_000, FEE),
        (-54_321, -45_321, TRANSPOSED),
        (-50_000, -5_000, FAR),
        (-50_000, -91_733, FAR),
    ],
)
def test_each_difference_of_amounts_has_its_kind(bank, gl, kind):
    assert amount_kinds(np.array([bank]), np.array([gl]))[0] == kind
