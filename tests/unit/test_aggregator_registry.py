"""The registry: what is configured, and that nothing is imported before it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from app.aggregators.plaid.settings import PlaidSettings
from app.aggregators.registry import Aggregators, Entry, configured

SETTINGS = PlaidSettings("https://plaid.example", "id", "secret")


def test_without_settings_there_is_no_aggregator():
    assert dict(configured(None, None)) == {}


def test_a_configured_one_is_known_by_name_and_title_before_it_is_made():
    made = []
    entries = {"plaid": Entry("Plaid", lambda: made.append("plaid") or object())}
    aggregators = Aggregators(entries)
    assert list(aggregators) == ["plaid"]
    assert "plaid" in aggregators
    assert "other" not in aggregators
    assert len(aggregators) == 1
    assert aggregators.titles() == {"plaid": "Plaid"}
    assert made == []
    assert aggregators["plaid"] is aggregators["plaid"]
    assert made == ["plaid"]


def test_it_is_called_in_the_registry_as_it_calls_itself():
    aggregators = configured(SETTINGS, None)
    for name, aggregator in aggregators.items():
        assert aggregator.name == name
        assert aggregator.title == aggregators.titles()[name]


def test_an_unknown_one_is_a_key_error():
    with pytest.raises(KeyError):
        configured(SETTINGS, None)["mint"]


def test_the_sdk_is_not_imported_until_it_is_asked_for():
    program = (
        "import sys\n"
        "from app.factory import create_app\n"
        "from app.aggregators.registry import configured\n"
        "from app.aggregators.plaid.settings import PlaidSettings\n"
        "aggregators = configured(PlaidSettings('https://plaid.example', 'id', 'secret'), None)\n"
        "assert 'plaid' in aggregators and aggregators.titles()\n"
        "assert 'plaid' not in sys.modules\n"
        "aggregators['plaid']\n"
        "assert 'plaid' in sys.modules\n"
        "assert 'plaid.models' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
