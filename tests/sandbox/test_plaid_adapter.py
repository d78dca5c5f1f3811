"""The application's Plaid adapter against the sandbox: the whole life of a connection."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.aggregators.contract import (
    AggregatorError,
    CursorRefused,
    FlowRequest,
    FlowState,
    History,
    SourceAccountStatus,
    WebhookInvalid,
    WebhookKind,
)
from app.aggregators.plaid.adapter import Plaid
from app.aggregators.plaid.client import Patience
from app.aggregators.plaid.settings import PlaidSettings
from app.kernel.bank import AccountType, ConnectionStatus
from app.kernel.clock import utc_now
from sandbox import faults
from sandbox.faults import ActiveFault
from tests.sandbox_support import CASCADE, FOUNDRY, PUGET, Browser, read_stream

BACK = "http://127.0.0.1:5000/bank-connections"
PATIENCE = Patience(connect_seconds=2.0, attempts_max=3, pause_seconds=0.01)


@pytest.fixture(scope="session")
def plaid(sandbox):
    return Plaid(PlaidSettings(sandbox.url, sandbox.client_id, sandbox.secret), PATIENCE)


@pytest.fixture
def set_fault(world):
    """Let something go wrong until the test is over."""
    broken = []

    def set_one(name, access=None, *, value="", times=None):
        item_id = access.external_id if access else faults.EVERYWHERE
        broken.append(item_id)
        with world.store.writing() as db:
            faults.set_fault(db, ActiveFault(item_id, name, "", value, times))

    yield set_one
    with world.store.writing() as db:
        for item_id in broken:
            faults.clear(db, item_id)


def begin(plaid, *, webhook=None, access=None, add_accounts=False):
    request = FlowRequest("flow", "person", BACK, webhook, access=access, add_accounts=add_accounts)
    return plaid.start_flow(request)


def sign_in(flow, bank=None, *, code=False, accounts=("operating",)):
    browser = Browser().open(flow.url)
    if bank:
        browser.submit("bank", institution_id=bank)
    browser.submit("sign-in", username="user_good", password="pass_good")
    if code:
        browser.submit("code", code="1234")
    browser.submit("accounts", account=accounts)
    assert browser.headers["Location"].startswith(BACK)
    return browser


@pytest.fixture
def connected(plaid):
    """A bank login with one account, and its access."""
    flow = begin(plaid)
    sign_in(flow, PUGET)
    return plaid.exchange(plaid.flow_result(flow.token).grants[0].token)


def read_all(plaid, access, cursor=""):
    pages = [plaid.sync_page(access, cursor)]
    while pages[-1].has_more:
        pages.append(plaid.sync_page(access, pages[-1].cursor))
    return pages


def test_a_visit_is_followed_from_the_address_to_the_grant(plaid):
    flow = begin(plaid)
    assert flow.expires_at > utc_now()
    assert plaid.flow_result(flow.token).state is FlowState.WAITING
    Browser().open(flow.url)
    assert plaid.flow_result(flow.token).state is FlowState.OPENED
    sign_in(flow, FOUNDRY, code=True, accounts=("operating", "card"))
    result = plaid.flow_result(flow.token)
    assert result.state is FlowState.FINISHED
    (grant,) = result.grants
    assert grant.institution is not None
    assert grant.institution.name == "Foundry Commerce Bank"
    assert [(account.mask, account.type) for account in grant.accounts] == [
        ("7310", AccountType.CHECKING),
        ("1188", AccountType.CARD),
    ]


def test_who_leaves_can_come_back(plaid):
    flow = begin(plaid)
    browser = Browser().open(flow.url)
    browser.submit("leave")
    left = plaid.flow_result(flow.token)
    assert left.state is FlowState.EXITED
    assert left.exit_code
    sign_in(flow, PUGET)
    assert plaid.flow_result(flow.token).state is FlowState.FINISHED


def test_a_refused_sign_in_is_the_reason_of_the_exit(plaid):
    flow = begin(plaid)
    browser = Browser().open(flow.url)
    browser.submit("bank", institution_id=PUGET)
    browser.submit("sign-in", username="user_good", password="wrong")
    browser.submit("leave")
    assert plaid.flow_result(flow.token).exit_code == "INVALID_CREDENTIALS"


def test_a_token_that_plaid_does_not_know_is_an_expired_visit(plaid):
    assert plaid.flow_result("link-sandbox-unknown").state is FlowState.EXPIRED


def test_a_grant_works_once(plaid):
    flow = begin(plaid)
    sign_in(flow, PUGET)
    (grant,) = plaid.flow_result(flow.token).grants
    access = plaid.exchange(grant.token)
    assert access.external_id
    assert access.secrets["access_token"] not in repr(access)
    with pytest.raises(AggregatorError, match="INVALID_PUBLIC_TOKEN") as raised:
        plaid.exchange(grant.token)
    assert raised.value.permanent


def test_a_new_login_is_healthy_and_its_bank_is_named(plaid, connected):
    status = plaid.login_status(connected)
    assert status.health.status is ConnectionStatus.ACTIVE
    assert status.institution is not None
    assert status.institution.name == "Puget Harbor Bank"
    assert status.aggregated_at is not None


def test_accounts_have_our_signs(plaid, sandbox):
    flow = begin(plaid)
    sign_in(flow, FOUNDRY, code=True, accounts=("operating", "card"))
    access = plaid.exchange(plaid.flow_result(flow.token).grants[0].token)
    stated = sandbox.call("/accounts/get", access_token=access.secrets["access_token"])["accounts"]
    read = {account.mask: account for account in plaid.accounts(access)}
    for account in stated:
        ours = read[account["mask"]]
        sign = -1 if account["type"] == "credit" else 1
        assert ours.current_minor == round(sign * account["balances"]["current"] * 100)
        assert ours.status is SourceAccountStatus.ACTIVE
    assert read["1188"].current_minor < 0


def test_a_page_holds_what_the_wire_holds_with_our_signs(plaid, sandbox, connected):
    (raw,) = read_stream(sandbox, connected.secrets["access_token"])
    pages = read_all(plaid, connected)
    ours = {row.external_id: row for page in pages for row in page.upserts}
    assert len(ours) == len(raw["added"]) > 20
    assert [row for page in pages for row in page.unreadable] == []
    for row in raw["added"]:
        read = ours[row["transaction_id"]]
        assert read.amount_minor == round(-row["amount"] * 100)
        assert read.posted_date.isoformat() == row["date"]
        assert read.pending is row["pending"]
        assert read.description
    assert pages[-1].history is History.COMPLETE


def test_reading_on_brings_only_what_is_new(plaid, connected):
    cursor = read_all(plaid, connected)[-1].cursor
    (page,) = read_all(plaid, connected, cursor)
    assert (page.upserts, page.removed) == ((), ())


def test_short_pages_add_up_to_the_same(plaid, connected, set_fault):
    whole = read_all(plaid, connected)
    set_fault("small_pages", connected, value="7")
    short = read_all(plaid, connected)
    assert len(short) > len(whole)
    rows = {row.external_id: row for page in whole for row in page.upserts}
    assert {row.external_id: row for page in short for row in page.upserts} == rows


def test_data_that_change_meanwhile_are_begun_again(plaid, connected, set_fault):
    set_fault("small_pages", connected, value="7")
    first = plaid.sync_page(connected, "")
    set_fault("mutation", connected, value="2", times=1)
    with pytest.raises(CursorRefused) as raised:
        plaid.sync_page(connected, first.cursor)
    assert not raised.value.permanent
    assert read_all(plaid, connected)[-1].cursor


@pytest.mark.parametrize("cursor", ["nonsense", "bm9uc2Vuc2U="])
def test_a_cursor_that_is_not_accepted_is_begun_again(plaid, connected, cursor):
    with pytest.raises(CursorRefused):
        plaid.sync_page(connected, cursor)


def test_a_refresh_brings_fresh_rows(plaid, sandbox):
    made = sandbox.call(
        "/sandbox/public_token/create",
        institution_id=PUGET,
        initial_products=["transactions"],
        options={"override_username": "user_transactions_dynamic"},
    )
    access = plaid.exchange(made["public_token"])
    cursor = read_all(plaid, access)[-1].cursor
    plaid.refresh(access)
    fresh = [row for page in read_all(plaid, access, cursor) for row in page.upserts]
    pending = [row for row in fresh if row.pending]
    assert pending
    cursor = read_all(plaid, access, cursor)[-1].cursor
    plaid.refresh(access)
    settled = [row for page in read_all(plaid, access, cursor) for row in page.upserts]
    replaced = {row.pending_external_id for row in settled if not row.pending}
    assert {row.external_id for row in pending} <= replaced


def test_a_login_that_breaks_is_repaired_without_another_token(plaid, sandbox, connected):
    cursor = read_all(plaid, connected)[-1].cursor
    sandbox.call("/sandbox/item/reset_login", access_token=connected.secrets["access_token"])
    assert plaid.login_status(connected).health.reason == "ITEM_LOGIN_REQUIRED"
    with pytest.raises(AggregatorError) as raised:
        plaid.sync_page(connected, cursor)
    assert raised.value.health is not None
    assert raised.value.health.status is ConnectionStatus.RECONNECT_REQUIRED
    flow = begin(plaid, access=connected)
    assert plaid.flow_result(flow.token).state is FlowState.WAITING
    sign_in(flow)
    assert plaid.flow_result(flow.token).state is FlowState.FINISHED
    assert plaid.login_status(connected).health.status is ConnectionStatus.ACTIVE
    assert plaid.sync_page(connected, cursor).cursor


def test_a_repair_that_is_left_is_told(plaid, connected):
    flow = begin(plaid, access=connected)
    Browser().open(flow.url).submit("leave")
    assert plaid.flow_result(flow.token).state is FlowState.EXITED
    assert plaid.login_status(connected).health.status is ConnectionStatus.ACTIVE


def test_accounts_are_chosen_again(plaid):
    flow = begin(plaid)
    sign_in(flow, FOUNDRY, code=True, accounts=("operating",))
    access = plaid.exchange(plaid.flow_result(flow.token).grants[0].token)
    assert len(plaid.accounts(access)) == 1
    again = begin(plaid, access=access, add_accounts=True)
    sign_in(again, code=True, accounts=("operating", "card"))
    assert len(plaid.accounts(access)) == 2


def test_removing_ends_the_access_and_twice_is_a_success(plaid, connected):
    plaid.remove(connected)
    plaid.remove(connected)
    with pytest.raises(AggregatorError) as raised:
        plaid.login_status(connected)
    assert raised.value.health is not None
    assert raised.value.health.status is ConnectionStatus.DELETED


def test_banks_are_found_by_name(plaid):
    names = [found.institution.name for found in plaid.search_institutions("cascade")]
    assert names == ["Cascade Mutual Savings"]
    assert plaid.search_institutions("cascade")[0].institution.external_id == CASCADE
    assert plaid.search_institutions("no bank of this name") == ()
    assert plaid.search_institutions("  ") == ()


@pytest.mark.parametrize("name", ["html_error", "truncated_json"])
def test_trouble_that_passes_is_not_noticed(plaid, connected, set_fault, name):
    set_fault(name, connected, times=2)
    assert plaid.accounts(connected)


@pytest.mark.parametrize(
    ("name", "code", "status"),
    [
        ("html_error", "HTTP_500", ConnectionStatus.DEGRADED),
        ("truncated_json", "ANSWER_UNREADABLE", ConnectionStatus.DEGRADED),
        ("INSTITUTION_DOWN", "INSTITUTION_DOWN", ConnectionStatus.DEGRADED),
        ("INTERNAL_SERVER_ERROR", "INTERNAL_SERVER_ERROR", ConnectionStatus.DEGRADED),
    ],
)
def test_trouble_that_stays_is_a_passing_failure(plaid, connected, set_fault, name, code, status):
    set_fault(name, connected)
    with pytest.raises(AggregatorError) as raised:
        plaid.accounts(connected)
    assert (raised.value.code, raised.value.permanent) == (code, False)
    assert raised.value.health is not None
    assert raised.value.health.status is status


def test_too_many_calls_say_when_to_come_back(plaid, connected, set_fault):
    set_fault("too_many_requests", connected)
    with pytest.raises(AggregatorError) as raised:
        plaid.sync_page(connected, "")
    assert raised.value.code == "TRANSACTIONS_SYNC_LIMIT"
    assert raised.value.retry_after_seconds == 60
    assert raised.value.health is None


def test_wrong_keys_are_the_operators_business(sandbox):
    stranger = Plaid(PlaidSettings(sandbox.url, sandbox.client_id, "wrong"), PATIENCE)
    with pytest.raises(AggregatorError) as raised:
        stranger.search_institutions("bank")
    assert (raised.value.code, raised.value.permanent) == ("INVALID_API_KEYS", True)


def verify(plaid, webhook, now=None):
    headers = {name.lower(): value for name, value in webhook.headers.items()}
    return plaid.read_webhook(headers, webhook.body, now or utc_now())


def test_signed_webhooks_of_a_whole_life_are_understood(plaid, receiver):
    flow = begin(plaid, webhook=receiver.url)
    sign_in(flow, PUGET)
    finished = verify(plaid, receiver.wait_for("SESSION_FINISHED"))
    assert (finished.kind, finished.flow_token) == (WebhookKind.FLOW_ENDED, flow.token)
    added = verify(plaid, receiver.wait_for("ITEM_ADD_RESULT"))
    assert (added.kind, added.flow_token) == (WebhookKind.FLOW_ENDED, flow.token)
    access = plaid.exchange(plaid.flow_result(flow.token).grants[0].token)
    plaid.sync_page(access, "")
    for code, kind in [
        ("SYNC_UPDATES_AVAILABLE", WebhookKind.DATA),
        ("NEW_ACCOUNTS_AVAILABLE", WebhookKind.HINT),
        ("PENDING_DISCONNECT", WebhookKind.HINT),
        ("LOGIN_REPAIRED", WebhookKind.HINT),
        ("DEFAULT_UPDATE", WebhookKind.IGNORED),
        ("USER_PERMISSION_REVOKED", WebhookKind.HINT),
    ]:
        fire(plaid, access, code)
        webhook = verify(plaid, receiver.wait_for(code))
        assert (webhook.kind, webhook.login_external_id) == (kind, access.external_id)


def fire(plaid, access, code):
    """Have the sandbox send one; the SDK that the adapter uses has the call."""
    sdk = plaid._client._api
    answer = sdk.sandbox_item_fire_webhook(
        {
            "access_token": access.secrets["access_token"],
            "webhook_code": code,
            "webhook_type": "TRANSACTIONS" if "UPDATE" in code else "ITEM",
        },
        _preload_content=False,
        _request_timeout=(2.0, 10.0),
    )
    assert answer.status == 200, answer.body


@pytest.mark.parametrize(
    "name",
    [
        "webhook_unsigned",
        "webhook_bad_signature",
        "webhook_wrong_algorithm",
        "webhook_wrong_hash",
        "webhook_old",
    ],
)
def test_a_webhook_that_is_not_plaids_is_refused(plaid, receiver, set_fault, name):
    flow = begin(plaid, webhook=receiver.url)
    sign_in(flow, PUGET)
    access = plaid.exchange(plaid.flow_result(flow.token).grants[0].token)
    set_fault(name, access)
    fire(plaid, access, "NEW_ACCOUNTS_AVAILABLE")
    with pytest.raises(WebhookInvalid):
        verify(plaid, receiver.wait_for("NEW_ACCOUNTS_AVAILABLE"))


def test_a_replayed_webhook_is_too_old(plaid, receiver):
    sign_in(begin(plaid, webhook=receiver.url), PUGET)
    webhook = receiver.wait_for("SESSION_FINISHED")
    assert verify(plaid, webhook)
    with pytest.raises(WebhookInvalid, match="too long ago"):
        verify(plaid, webhook, datetime(2100, 1, 1, tzinfo=UTC))
