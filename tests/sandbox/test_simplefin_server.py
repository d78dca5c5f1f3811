"""The sandbox's SimpleFIN server: the wire itself, and our connector on it."""

import base64
import json
import re
import urllib.error
import urllib.request
from datetime import UTC, date, datetime, time, timedelta
from ipaddress import ip_network
from urllib.parse import urlencode, urlsplit

import pytest

from app.aggregators.contract import AggregatorError, SourceAccountStatus
from app.connectors.contract import OperatorSettings, SettingsRefused
from app.connectors.simplefin import connector as module
from app.connectors.simplefin.connector import SimpleFinConnector
from app.kernel.bank import ConnectionStatus
from app.kernel.outbound import OutboundRules
from tests.plaid_sandbox import TODAY
from tests.sandbox_support import FOUNDRY, PUGET, SUMMIT, Browser, sound

ACME = "0" * 32


def make_token(sandbox, *banks):
    """Walk through the page as a person; return the browser and the token."""
    browser = Browser().open(f"{sandbox.url}/simplefin/create")
    browser.submit("create", bank=banks)
    assert browser.heading == "Your setup token"
    return browser, re.search(r'id="token" value="([^"]+)"', browser.text)[1]


def get(url, **parameters):
    """Call with the credentials in the URL; return the status and the JSON, if it is any."""
    parts = urlsplit(url)
    address = f"{parts.scheme}://{parts.hostname}:{parts.port}{parts.path}?{urlencode(parameters)}"
    request = urllib.request.Request(address)
    if parts.username:
        pair = f"{parts.username}:{parts.password}".encode()
        request.add_header("Authorization", "Basic " + base64.b64encode(pair).decode())
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, None


@pytest.fixture
def connector(tmp_path):
    loopback = OutboundRules((ip_network("127.0.0.0/8"),))
    return SimpleFinConnector(OperatorSettings(tmp_path, loopback))


@pytest.fixture(autouse=True)
def noon_at_the_banks(monkeypatch):
    """Our clock shows the day on which the sandbox's banks stand."""
    clock = {"day": TODAY}
    monkeypatch.setattr(module, "utc_now", lambda: datetime.combine(clock["day"], time(12), UTC))
    return clock


def connected(connector, sandbox, *banks):
    browser, token = make_token(sandbox, *banks)
    return connector.connect({"setup_token": token}, ACME), browser


def items_of(sandbox, access, connector):
    """Return the control API's names of the banks behind an access, by the bank's id."""
    _, body = get(access.secrets["access_url"] + "/accounts", version=2)
    return {said["org_id"]: said["conn_id"] for said in body["connections"]}


def epoch(day):
    return int(datetime.combine(day, time.min, UTC).timestamp())


# the wire


def test_the_pages_are_sound_and_a_choice_is_asked_for(sandbox):
    browser = Browser().open(f"{sandbox.url}/simplefin/create")
    sound(browser.text)
    browser.submit("create")
    assert (browser.status, "Choose at least one bank" in browser.text) == (422, True)
    sound(browser.text)
    browser, _ = make_token(sandbox, PUGET)
    sound(browser.text)
    browser.submit("disable")
    assert browser.heading == "The token is disabled"
    sound(browser.text)


def test_a_token_is_claimed_once(sandbox, connector):
    _, token = make_token(sandbox, PUGET)
    access = connector.connect({"setup_token": token}, ACME)
    assert get(access.secrets["access_url"] + "/accounts")[0] == 200
    with pytest.raises(SettingsRefused, match="stolen"):
        connector.connect({"setup_token": token}, ACME)


def test_only_the_right_name_and_password_open_the_accounts(sandbox, connector):
    access, _ = connected(connector, sandbox, PUGET)
    url = access.secrets["access_url"]
    parts = urlsplit(url)
    assert get(f"{sandbox.url}/simplefin/accounts")[0] == 403
    assert get(url.replace(parts.password, "x" * 64) + "/accounts")[0] == 403
    assert get(url.replace(parts.username, "x" * 32) + "/accounts")[0] == 403


def test_an_old_program_gets_the_first_version(sandbox, connector):
    access, _ = connected(connector, sandbox, PUGET)
    _, old = get(access.secrets["access_url"] + "/accounts")
    assert (old["errors"], "errlist" in old, "connections" in old) == ([], False, False)
    assert old["accounts"][0]["org"]["name"] == "Puget Harbor Bank"
    _, new = get(access.secrets["access_url"] + "/accounts", version=2)
    assert (new["errlist"], "errors" in new) == ([], False)
    assert new["accounts"][0]["conn_id"] == new["connections"][0]["conn_id"]


def test_days_are_from_the_first_up_to_but_not_the_last(sandbox, connector):
    access, _ = connected(connector, sandbox, PUGET)
    url = access.secrets["access_url"] + "/accounts"
    first, last = TODAY - timedelta(days=20), TODAY - timedelta(days=10)
    asked = {"version": 2, "start-date": epoch(first), "end-date": epoch(last)}
    (account,) = get(url, **asked)[1]["accounts"]
    days = {datetime.fromtimestamp(row["posted"], UTC).date() for row in account["transactions"]}
    assert days
    assert first <= min(days)
    assert max(days) < last
    assert "transactions" not in get(url, **{"balances-only": 1})[1]["accounts"][0]


def test_more_than_ninety_days_are_cut_and_told(sandbox, connector):
    access, _ = connected(connector, sandbox, PUGET)
    asked = {"version": 2, "start-date": epoch(TODAY - timedelta(days=120))}
    _, body = get(access.secrets["access_url"] + "/accounts", **asked)
    assert [said["code"] for said in body["errlist"]] == ["gen.api"]


# the connector on it


def test_the_first_read_has_exactly_what_the_bank_shows(sandbox, connector):
    access, _ = connected(connector, sandbox, FOUNDRY)
    page = connector.sync_page(access, "")
    assert not page.unreadable
    assert page.snapshot_from == TODAY - timedelta(days=89)
    truth = sandbox.control(
        "GET", f"/items/{items_of(sandbox, access, connector)[FOUNDRY]}/transactions"
    )["transactions"]
    posted = {
        row["transaction_id"]: (row["date"], row["amount_minor"])
        for row in truth
        if date.fromisoformat(row["date"]) >= page.snapshot_from
    }
    read = {row.external_id: (str(row.posted_date), row.amount_minor) for row in page.upserts}
    assert len(read) > 100
    assert any(row.pending for row in page.upserts)
    assert read == posted


def test_points_are_no_money(sandbox, connector):
    access, _ = connected(connector, sandbox, SUMMIT)
    card, points = connector.accounts(access)
    assert (card.currency, card.status) == ("USD", SourceAccountStatus.ACTIVE)
    assert card.current_minor < 0
    assert (points.currency, points.status) == ("", SourceAccountStatus.UNSUPPORTED)


def test_one_token_spans_several_banks(sandbox, connector):
    access, _ = connected(connector, sandbox, PUGET, FOUNDRY)
    status = connector.login_status(access)
    assert (status.institution, status.health.status) == (None, ConnectionStatus.ACTIVE)
    names = items_of(sandbox, access, connector)
    sandbox.control("POST", f"/items/{names[PUGET]}/faults", name="con.auth")
    page = connector.sync_page(access, "")
    failing = {one.external_id.split("/")[0] for one in page.accounts if one.reason}
    assert failing == {names[PUGET]}
    assert connector.login_status(access).health.status is ConnectionStatus.ACTIVE
    sandbox.control("POST", f"/items/{names[FOUNDRY]}/faults", name="con.auth")
    health = connector.login_status(access).health
    assert (health.status, health.reason) == (ConnectionStatus.RECONNECT_REQUIRED, "CON_AUTH")
    assert "wants you to sign in again" in health.sentence


@pytest.mark.parametrize(
    ("fault", "status", "reasons"),
    [
        ("con.", "degraded", {"CON"}),
        ("gen.", "degraded", {""}),
        ("gen.auth", "reconnect_required", {""}),
        ("act.failed", "degraded", {"ACT_FAILED", ""}),
        ("act.missingdata", "active", {"ACT_MISSINGDATA"}),
    ],
)
def test_every_word_of_the_protocol_has_its_meaning(sandbox, connector, fault, status, reasons):
    access, _ = connected(connector, sandbox, FOUNDRY)
    (name,) = items_of(sandbox, access, connector).values()
    sandbox.control("POST", f"/items/{name}/faults", name=fault)
    assert connector.login_status(access).health.status == status
    assert {one.reason for one in connector.accounts(access)} == reasons
    sandbox.control("DELETE", f"/items/{name}/faults")
    assert connector.login_status(access).health.status is ConnectionStatus.ACTIVE


def test_until_the_bank_has_told_everything_data_are_missing(sandbox, connector):
    access, _ = connected(connector, sandbox, FOUNDRY)
    (name,) = items_of(sandbox, access, connector).values()
    sandbox.control("POST", f"/items/{name}/stage", stage="INITIAL")
    page = connector.sync_page(access, "")
    assert {one.status for one in page.accounts} == {SourceAccountStatus.FAILING}
    assert page.upserts


@pytest.mark.parametrize(
    ("action", "code"), [("disable", "ACCESS_REVOKED"), ("bill", "PAYMENT_REQUIRED")]
)
def test_a_token_taken_back_or_not_paid_for_gives_nothing(sandbox, connector, action, code):
    access, browser = connected(connector, sandbox, PUGET)
    browser.open(browser.url)
    assert browser.heading == "The token was claimed"
    browser.submit(action)
    with pytest.raises(AggregatorError) as refused:
        connector.sync_page(access, "")
    assert refused.value.code == code
    if action == "bill":
        browser.submit("pay")
        assert connector.sync_page(access, "").upserts


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("too_many_requests", "TOO_MANY_REQUESTS"),
        ("html_error", "HTTP_500"),
        ("truncated_json", "ANSWER_UNREADABLE"),
    ],
)
def test_a_wire_in_trouble_passes(sandbox, connector, fault, code):
    access, _ = connected(connector, sandbox, PUGET)
    (name,) = items_of(sandbox, access, connector).values()
    sandbox.control("POST", f"/items/{name}/faults", name=fault, times=1)
    with pytest.raises(AggregatorError) as refused:
        connector.sync_page(access, "")
    assert (refused.value.code, refused.value.permanent) == (code, False)
    assert connector.sync_page(access, "").upserts
