"""The pictures of the README can be taken again.

This runs before the tests that finish the demo's open month, which the pictures show.
"""

import runpy
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

SCRIPT = Path(__file__).parents[2] / "docs/make_screenshots.py"


def test_the_pictures_of_the_readme_are_taken_from_the_running_program(browser, tieout, tmp_path):
    runpy.run_path(str(SCRIPT))["take_pictures"](browser, tieout, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"workspace.png", "report.png"}
    assert all(path.stat().st_size <= 400_000 for path in tmp_path.iterdir())
