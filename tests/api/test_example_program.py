"""The program in `examples/` runs against a served Tieout, as an integrator would start it."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from app.aggregators.plaid.settings import PlaidSettings
from app.aggregators.registry import configured
from app.people.api_keys import create_api_key
from tests.books import run_waiting_jobs
from tests.sandbox_support import CASCADE, through_hosted_page
from tests.waiting import comes_true

PROGRAM = Path(__file__).parents[2] / "examples" / "reconcile_a_month.py"


@pytest.fixture
def served(app, plaid_sandbox, monkeypatch):
    """Return the address of the application, whose aggregator is the sandbox."""
    monkeypatch.setitem(
        app.extensions,
        "aggregators",
        configured(
            PlaidSettings(plaid_sandbox.url, plaid_sandbox.client_id, plaid_sandbox.secret), None
        ),
    )
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def started(url, key, output):
    """Start the program as a person does, and end it in any case."""
    with output.open("wb") as log:
        program = subprocess.Popen(
            (sys.executable, PROGRAM),
            env={**os.environ, "TIEOUT_URL": url, "TIEOUT_API_KEY": key, "NO_PROXY": "127.0.0.1"},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield program
        finally:
            program.kill()
            program.wait()


def test_a_bank_is_connected_a_ledger_pushed_and_a_month_completed(cast, served, tmp_path):
    output = tmp_path / "output"
    visits = []

    def ended():
        """Do what others do meanwhile: the workers, and a person at the bank."""
        run_waiting_jobs()
        address = re.search(r"Sign in at the bank: (\S+)\n", output.read_text())
        if address and not visits:
            visits.append(through_hosted_page({"hosted_link_url": address[1]}, CASCADE))
        return program.poll() is not None

    key = create_api_key(cast.alice, "Example").key
    with started(served, key, output) as program:
        assert comes_true(ended), output.read_text()

    told = output.read_text()
    assert program.returncode == 0, told
    assert "Connected Cascade Mutual Savings: " in told
    assert "Pushed the ledger: 510 created" in told
    assert "Booked to 4900: 439.27 USD" in told
    assert "Difference: 0.00 USD" in told
    assert told.endswith("Status: certified\n")
