"""A connection's whole life against a server made of Plaid's description; only `PLAID_HOST` differs.

The answers hold every field of the description.  Nobody wrote them for Tieout: what is not
given by an example is the barest value of its type.
"""

from __future__ import annotations

import os

import pytest

from app.aggregators.plaid.settings import PlaidSettings
from app.aggregators.registry import configured
from app.connections.completion import complete
from app.connections.deletion import delete_connection
from app.connections.hosted_flows import connect, repair
from app.connections.refresh import refresh
from app.models import (
    AccountStatus,
    FinancialAccount,
    FinancialConnection,
    FinancialTransaction,
    JobStatus,
    db,
)
from app.tenancy.scope import get_owned, owned
from tests.books import run_waiting_jobs
from tests.plaid_description import PATHS, described
from tests.plaid_server import CLIENT_ID, SECRET, plaid_server

SOURCE = os.environ.get("PLAID_DESCRIPTION", "sdk")
RETURN_URL = "https://tieout.example/connections/flows/ended"


def in_dollars(value):
    """Give every amount a currency that there is."""
    if isinstance(value, list):
        return [in_dollars(item) for item in value]
    if not isinstance(value, dict):
        return value
    changed = {key: in_dollars(item) for key, item in value.items()}
    if "iso_currency_code" in changed:
        changed |= {"iso_currency_code": "USD", "unofficial_currency_code": None}
    return changed


@pytest.fixture(params=[True, False], ids=["dollars", "no currency"])
def server(request, app):
    before = app.extensions["aggregators"]
    description = described(SOURCE)
    with plaid_server() as running:
        for path in PATHS.values():
            answer = description.answer(path, full=True)
            running.reply_to(path, in_dollars(answer) if request.param else answer)
        running.has_currency = request.param
        settings = PlaidSettings(running.url, CLIENT_ID, SECRET)
        app.extensions["aggregators"] = configured(settings, None)
        yield running
    app.extensions["aggregators"] = before


def connection(connection_id):
    db.session.rollback()
    return get_owned(FinancialConnection, connection_id)


def run_and_check():
    for run in run_waiting_jobs():
        assert run.status == JobStatus.SUCCEEDED, run.message


def test_connect_complete_sync_refresh_repair_delete(cast, server):
    opened = connect(cast.alice, "plaid", RETURN_URL)
    complete(cast.alice, opened.connection_id)
    run_and_check()
    account = db.session.scalars(owned(FinancialAccount)).one()
    rows = db.session.scalars(owned(FinancialTransaction)).all()
    if server.has_currency:
        assert account.status == AccountStatus.ACTIVE
        assert [row.amount_minor for row in rows] == [-1_250]
    else:
        assert account.status == AccountStatus.UNSUPPORTED
        assert rows == []
    assert connection(opened.connection_id).credentials is not None

    refresh(cast.alice, opened.connection_id)
    run_and_check()
    assert len(server.bodies("/transactions/refresh")) == 1

    again = repair(cast.alice, opened.connection_id, RETURN_URL)
    assert again.connection_id == opened.connection_id
    complete(cast.alice, opened.connection_id)
    run_and_check()

    assert delete_connection(cast.alice, opened.connection_id).access_removed
    assert connection(opened.connection_id).credentials is None
    assert len(server.bodies("/item/public_token/exchange")) == 1
    violations = [
        violation
        for seen in server.seen
        for violation in described(SOURCE).violations(seen.path, seen.body)
    ]
    assert violations == []
