"""The worked example of docs/connectors.md, run as it stands there."""

import json
import re
import types
from datetime import date
from ipaddress import ip_network
from pathlib import Path

import pytest

from app.aggregators.contract import AggregatorError
from app.connectors import inbox, registry
from app.connectors.contract import DataConnector, OperatorSettings, SettingsRefused
from app.connectors.simplefin import windows
from app.kernel import limits
from app.kernel.outbound import OutboundRules
from tests.http_servers import http_server, reply

DOCUMENT = (Path(__file__).parents[2] / "docs/connectors.md").read_text(encoding="utf-8")
ACCOUNTS = [{"number": "GB01-4417", "name": "Pool", "currency": "JPY", "balance": "1200"}]
MOVEMENTS = [
    {"id": "m1", "account": "GB01-4417", "date": "2026-11-02", "amount": "-300", "text": "RENT"}
]


@pytest.fixture
def example():
    code = DOCUMENT.split("### A worked example")[1].split("```python\n")[1].split("```")[0]
    module = types.ModuleType("treasury")
    exec(compile(code, "docs/connectors.md", "exec"), module.__dict__)
    return module


@pytest.fixture
def connector(example, tmp_path):
    loopback = OutboundRules((ip_network("127.0.0.0/8"),))
    return example.TreasuryConnector(OperatorSettings(tmp_path, loopback))


@pytest.fixture
def treasury():
    asked = []

    def answer(handler):
        asked.append(handler.path)
        if handler.headers.get("Authorization") != "Bearer right":
            reply(handler, 401)
        elif handler.path == "/accounts":
            reply(handler, 200, json.dumps(ACCOUNTS).encode())
        else:
            reply(handler, 200, json.dumps(MOVEMENTS).encode())

    with http_server(answer) as port:
        yield types.SimpleNamespace(address=f"http://127.0.0.1:{port}/", asked=asked)


def test_the_example_is_a_connector_that_reads_what_there_is(connector, treasury):
    assert isinstance(connector, DataConnector)
    access = connector.connect({"address": treasury.address, "key": "right"}, "0" * 32)
    assert "right" not in repr(access) + access.external_id
    page = connector.sync_page(access, "")
    (account,), (row,) = page.accounts, page.upserts
    assert (account.mask, account.current_minor) == ("4417", 1_200)
    assert (row.posted_date, row.amount_minor, row.currency) == (date(2026, 11, 2), -300, "JPY")
    later = connector.sync_page(access, page.cursor)
    assert later.snapshot_from > page.snapshot_from
    assert treasury.asked[-1] == f"/movements?since={later.snapshot_from}"
    assert connector.login_status(access).health.status == "active"


def test_the_example_refuses_a_wrong_key_and_survives_a_silent_server(connector, treasury):
    with pytest.raises(SettingsRefused) as refused:
        connector.connect({"address": treasury.address, "key": "wrong"}, "0" * 32)
    assert list(refused.value.fields) == ["key"]
    with pytest.raises(AggregatorError) as failed:
        connector.connect({"address": "http://127.0.0.1:1", "key": "right"}, "0" * 32)
    assert not failed.value.permanent


def test_the_figures_in_the_document_are_those_of_the_code():
    flat = " ".join(DOCUMENT.split())
    for figure in (
        f"nobody has touched for {inbox.QUIET_SECONDS} seconds",
        f"larger than {limits.UPLOAD_BYTES_MAX // 2**20} MB",
        f"at most {inbox.FILES_PER_LOOK_MAX:,} at one look",
        f"asks for {windows.FIRST_DAYS} days",
        f"begins {windows.OVERLAP_DAYS} days before the last",
        f"windows of {windows.WINDOW_DAYS}",
    ):
        assert figure in flat, figure
    assert limits.FOLDER_LOOK_SECONDS == 60  # “a look every minute”
    for ending in inbox._TEMPORARY_ENDINGS:
        assert f"`{ending}`" in flat


def test_every_connector_stands_in_the_table():
    assert tuple(re.findall(r"^\| `(\w+)` \|", DOCUMENT, re.MULTILINE)[:3]) == registry.NAMES
