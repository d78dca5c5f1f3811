"""Every line of the fault menu, as a caller feels it."""

from __future__ import annotations

import http.client
import json
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sandbox.banks import INSTITUTIONS
from sandbox.control.commands import Action
from sandbox.faults import MENU, Fault
from sandbox.plaid.errors import ERRORS, EVERY_CALL, LASTING
from tests.sandbox_support import (
    CASCADE,
    FOUNDRY,
    MERIDIAN,
    NOORDERLICHT,
    connect,
    hosted_link,
    read_stream,
    through_hosted_page,
)

README = Path(__file__).parents[2] / "sandbox" / "README.md"


@pytest.fixture(autouse=True)
def nothing_else_goes_wrong(sandbox):
    yield
    sandbox.control("DELETE", "/faults")


def wrong(sandbox, made, name, **more):
    answer = sandbox.control("POST", f"/items/{made.item_id}/faults", name=name, **more)
    assert answer == {}, answer


def act(sandbox, made, action, **more):
    answer = sandbox.control("POST", f"/items/{made.item_id}/actions/{action}", **more)
    assert answer == {}, answer


def sync(sandbox, made, **more):
    return sandbox.call("/transactions/sync", access_token=made.access_token, **more)


def item(sandbox, made):
    return sandbox.call("/item/get", access_token=made.access_token)


def raw(sandbox, path, **body):
    """Return status, content type and bytes of a call, whatever they are."""
    keys = {"client_id": sandbox.client_id, "secret": sandbox.secret}
    connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=30)
    connection.request(
        "POST", path, json.dumps({**keys, **body}), {"Content-Type": "application/json"}
    )
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, answer.headers["Content-Type"], content


def test_the_menu_names_every_fault_and_action(sandbox):
    menu = sandbox.control("GET", "/menu")
    assert [entry["fault"] for entry in menu["faults"]] == list(Fault)
    assert {entry.fault for entry in MENU} == set(Fault)
    assert menu["actions"].keys() == set(Action)
    assert menu["error_codes"] == sorted(ERRORS)


def test_the_readme_lists_the_whole_menu():
    text = README.read_text()
    names = [*Fault, *Action, *EVERY_CALL, *INSTITUTIONS]
    assert [name for name in names if f"`{name}`" not in text] == []


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_each_error_code_can_be_had_once(sandbox, code):
    made = connect(sandbox)
    wrong(sandbox, made, code, times=1)
    error = sync(sandbox, made)
    assert (error["error_code"], error["error_type"]) == (code, ERRORS[code].error_type)
    assert "error_code" not in sync(sandbox, made)


@pytest.mark.parametrize("code", sorted(LASTING))
def test_a_lasting_error_stays_in_the_item_until_it_is_cleared(sandbox, receiver, code):
    made = connect(sandbox, webhook=receiver.url)
    wrong(sandbox, made, code)
    assert sync(sandbox, made)["error_code"] == code
    assert item(sandbox, made)["item"]["error"]["error_code"] == code
    assert receiver.wait_for("ERROR").content["error"]["error_code"] == code
    sandbox.control("DELETE", f"/items/{made.item_id}/faults/{code}")
    receiver.wait_for("LOGIN_REPAIRED")
    assert item(sandbox, made)["item"]["error"] is None


@pytest.mark.parametrize("code", sorted(EVERY_CALL))
def test_some_errors_meet_every_call(sandbox, code):
    made = connect(sandbox)
    wrong(sandbox, made, code)
    status, _, content = raw(sandbox, "/item/get", access_token=made.access_token)
    assert (status, json.loads(content)["error_code"]) == (ERRORS[code].status, code)


def test_a_bank_out_of_reach_leaves_the_item_itself_healthy(sandbox):
    made = connect(sandbox)
    wrong(sandbox, made, "INSTITUTION_DOWN")
    assert sync(sandbox, made)["error_code"] == "INSTITUTION_DOWN"
    sandbox.control("POST", f"/items/{made.item_id}/advance", days=1)
    answer = item(sandbox, made)
    assert answer["item"]["error"] is None
    times = answer["status"]["transactions"]
    assert times["last_failed_update"] >= times["last_successful_update"]


def test_a_fault_can_concern_one_call_alone(sandbox):
    made = connect(sandbox)
    wrong(sandbox, made, "INTERNAL_SERVER_ERROR", path="/accounts/get")
    assert "error_code" not in sync(sandbox, made)
    answer = sandbox.call("/accounts/get", access_token=made.access_token)
    assert answer["error_code"] == "INTERNAL_SERVER_ERROR"


def test_a_fault_everywhere_meets_calls_without_an_item(sandbox):
    sandbox.control("POST", "/faults", name="too_many_requests", path="/link/token/create")
    assert hosted_link(sandbox)["error_type"] == "RATE_LIMIT_EXCEEDED"
    sandbox.control("DELETE", "/faults/too_many_requests")
    assert "hosted_link_url" in hosted_link(sandbox)


def test_slow_answers(sandbox):
    made = connect(sandbox)
    wrong(sandbox, made, "slow", value="0.4", times=1)
    started = time.monotonic()
    sync(sandbox, made)
    assert time.monotonic() - started >= 0.4


def test_429_with_the_call_s_own_code(sandbox):
    made = connect(sandbox)
    wrong(sandbox, made, "too_many_requests", times=1)
    status, _, content = raw(sandbox, "/transactions/sync", access_token=made.access_token)
    assert (status, json.loads(content)["error_code"]) == (429, "TRANSACTIONS_SYNC_LIMIT")


def test_real_limits_per_minute(sandbox):
    made = connect(sandbox)
    wrong(sandbox, made, "rate_limits")
    answers = [
        sandbox.call("/transactions/refresh", access_token=made.access_token) for _ in range(3)
    ]
    assert [answer.get("error_code") for answer in answers] == [
        None,
        None,
        "TRANSACTIONS_REFRESH_LIMIT",
    ]


def test_500_with_html(sandbox):
    made = connect(sandbox)
    wrong(sandbox, made, "html_error", times=1)
    status, content_type, content = raw(
        sandbox, "/transactions/sync", access_token=made.access_token
    )
    assert (status, content_type) == (500, "text/html")
    assert content.startswith(b"<html>")


def test_json_that_breaks_off_after_the_call_had_its_effect(sandbox):
    made = connect(sandbox)
    wrong(sandbox, made, "truncated_json", times=1)
    status, _, content = raw(
        sandbox, "/item/access_token/invalidate", access_token=made.access_token
    )
    assert status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(content)
    assert item(sandbox, made)["error_code"] == "INVALID_ACCESS_TOKEN"


def test_mutation_on_the_second_page_so_often_and_no_more(sandbox):
    made = connect(sandbox, FOUNDRY)
    wrong(sandbox, made, "mutation", value="2", times=2)
    for _ in range(2):
        first = sync(sandbox, made, count=20)
        second = sync(sandbox, made, count=20, cursor=first["next_cursor"])
        assert second["error_code"] == "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION"
    assert len(read_stream(sandbox, made.access_token, count=20)) > 2


def test_mutation_at_a_stored_cursor_leaves_the_null_cursor_as_the_way_out(sandbox):
    made = connect(sandbox, FOUNDRY)
    stored = read_stream(sandbox, made.access_token)[-1]["next_cursor"]
    wrong(sandbox, made, "mutation", value="stored")
    sandbox.control("POST", f"/items/{made.item_id}/advance", days=7)
    for _ in range(3):
        answer = sync(sandbox, made, cursor=stored)
        assert answer["error_code"] == "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION"
    assert read_stream(sandbox, made.access_token, count=20)


def test_data_that_truly_change_during_a_loop_are_a_mutation(sandbox):
    made = connect(sandbox, FOUNDRY)
    first = sync(sandbox, made, count=20)
    sandbox.control("POST", f"/items/{made.item_id}/advance", days=7)
    second = sync(sandbox, made, count=20, cursor=first["next_cursor"])
    assert second["error_code"] == "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION"


def test_endless_pages(sandbox):
    made = connect(sandbox)
    wrong(sandbox, made, "endless_pages")
    cursor, seen = "", set()
    for _ in range(5):
        page = sync(sandbox, made, cursor=cursor, count=500)
        assert page["has_more"] is True
        cursor = page["next_cursor"]
        seen.add(cursor)
    assert len(seen) == 5
    assert page["added"] == []


def test_small_pages_part_a_pending_row_from_its_posted_one(sandbox):
    made = connect(sandbox, FOUNDRY)
    cursor = read_stream(sandbox, made.access_token)[-1]["next_cursor"]
    wrong(sandbox, made, "small_pages", value="1")
    sandbox.control("POST", f"/items/{made.item_id}/advance", days=10)
    pages = read_stream(sandbox, made.access_token, cursor=cursor)
    assert all(
        len(page["added"]) + len(page["modified"]) + len(page["removed"]) == 1 for page in pages
    )
    removed = {row["transaction_id"] for page in pages for row in page["removed"]}
    replaced = {row["pending_transaction_id"] for page in pages for row in page["added"]}
    assert removed & replaced


def test_a_cursor_that_is_no_longer_accepted(sandbox):
    made = connect(sandbox)
    stored = read_stream(sandbox, made.access_token)[-1]["next_cursor"]
    act(sandbox, made, "cursor_rejected")
    assert sync(sandbox, made, cursor=stored)["error_code"] == "INVALID_FIELD"
    assert read_stream(sandbox, made.access_token)


def test_new_accounts_are_shared_by_account_selection(sandbox, receiver):
    made = connect(sandbox, FOUNDRY, webhook=receiver.url)
    act(sandbox, made, "new_accounts")
    receiver.wait_for("NEW_ACCOUNTS_AVAILABLE")
    answer = sandbox.control("POST", f"/items/{made.item_id}/actions/new_accounts")
    assert "no account left to open" in answer["error"]


def test_an_account_revoked_is_gone_with_its_transactions(sandbox, receiver):
    made = connect(sandbox, FOUNDRY, webhook=receiver.url)
    accounts = sandbox.call("/accounts/get", access_token=made.access_token)["accounts"]
    act(sandbox, made, "account_revoked", value="card")
    told = receiver.wait_for("USER_ACCOUNT_REVOKED").content
    assert told["account_id"] == accounts[3]["account_id"]
    left = sandbox.call("/accounts/get", access_token=made.access_token)["accounts"]
    assert left == accounts[:3]
    rows = [row for page in read_stream(sandbox, made.access_token) for row in page["added"]]
    assert told["account_id"] not in {row["account_id"] for row in rows}


def test_the_last_account_revoked_leaves_an_item_without_accounts(sandbox):
    made = connect(sandbox)
    act(sandbox, made, "account_revoked")
    assert item(sandbox, made)["item"]["error"]["error_code"] == "NO_ACCOUNTS"


def test_permission_revoked(sandbox, receiver):
    made = connect(sandbox, webhook=receiver.url)
    act(sandbox, made, "permission_revoked")
    assert receiver.wait_for("USER_PERMISSION_REVOKED").content["item_id"] == made.item_id
    assert sync(sandbox, made)["error_code"] == "USER_PERMISSION_REVOKED"


def test_a_disconnect_is_announced_and_comes_after_seven_days(sandbox, receiver):
    made = connect(sandbox, CASCADE, webhook=receiver.url)
    act(sandbox, made, "pending_disconnect", value="INSTITUTION_MIGRATION")
    told = receiver.wait_for("PENDING_DISCONNECT").content
    assert told["reason"] == "INSTITUTION_MIGRATION"
    assert told["disconnect_time"]
    sandbox.control("POST", f"/items/{made.item_id}/advance", days=6)
    assert item(sandbox, made)["item"]["error"] is None
    sandbox.control("POST", f"/items/{made.item_id}/advance", days=2)
    assert item(sandbox, made)["item"]["error"]["error_code"] == "ITEM_LOGIN_REQUIRED"


def test_a_disconnect_does_not_come_when_the_user_signed_in_before(sandbox):
    made = connect(sandbox, CASCADE)
    act(sandbox, made, "pending_disconnect")
    through_hosted_page(hosted_link(sandbox, access_token=made.access_token))
    sandbox.control("POST", f"/items/{made.item_id}/advance", days=9)
    assert item(sandbox, made)["item"]["error"] is None


def test_a_european_consent_is_announced_to_expire_and_does(sandbox, receiver):
    made = connect(sandbox, NOORDERLICHT, webhook=receiver.url)
    act(sandbox, made, "pending_expiration")
    told = receiver.wait_for("PENDING_EXPIRATION").content
    assert (
        told["consent_expiration_time"] == (item(sandbox, made)["item"]["consent_expiration_time"])
    )
    sandbox.control("POST", f"/items/{made.item_id}/advance", days=8)
    error = item(sandbox, made)["item"]["error"]
    assert error["error_code_reason"] == "OAUTH_CONSENT_EXPIRED"


def test_a_consent_expires_by_itself_and_a_repair_renews_it(sandbox):
    made = connect(sandbox, MERIDIAN)
    sandbox.control("POST", f"/items/{made.item_id}/advance", days=366)
    assert sync(sandbox, made)["error_code_reason"] == "OAUTH_CONSENT_EXPIRED"
    through_hosted_page(hosted_link(sandbox, access_token=made.access_token))
    assert item(sandbox, made)["item"]["error"] is None
    assert "error_code" not in sync(sandbox, made)


def test_consent_expired_now(sandbox):
    made = connect(sandbox, MERIDIAN)
    act(sandbox, made, "consent_expired")
    assert sync(sandbox, made)["error_code_reason"] == "OAUTH_CONSENT_EXPIRED"


def test_removed_at_the_bank_and_a_dead_token(sandbox):
    removed, dead = connect(sandbox), connect(sandbox)
    act(sandbox, removed, "removed_at_bank")
    assert item(sandbox, removed)["error_code"] == "ITEM_NOT_FOUND"
    act(sandbox, dead, "token_dead")
    assert item(sandbox, dead)["error_code"] == "INVALID_ACCESS_TOKEN"


def test_first_transactions_can_be_held_and_released(sandbox, receiver):
    made = connect(sandbox, FOUNDRY, webhook=receiver.url)

    def hold(stage):
        assert sandbox.control("POST", f"/items/{made.item_id}/stage", stage=stage) == {}

    hold("NOT_READY")
    page = sync(sandbox, made)
    assert (page["transactions_update_status"], page["next_cursor"]) == ("NOT_READY", "")
    assert page["added"] == []
    hold("INITIAL")
    told = receiver.wait_for("SYNC_UPDATES_AVAILABLE").content
    assert told["initial_update_complete"] is True
    assert told["historical_update_complete"] is False
    pages = read_stream(sandbox, made.access_token)
    assert pages[-1]["transactions_update_status"] == "INITIAL_UPDATE_COMPLETE"
    initial = {row["transaction_id"] for page in pages for row in page["added"]}
    hold("HISTORICAL")
    receiver.wait_for("SYNC_UPDATES_AVAILABLE", count=2)
    pages = read_stream(sandbox, made.access_token, cursor=pages[-1]["next_cursor"])
    assert pages[-1]["transactions_update_status"] == "HISTORICAL_UPDATE_COMPLETE"
    rest = {row["transaction_id"] for page in pages for row in page["added"]}
    assert initial
    assert rest
    assert not initial & rest


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("/items/strange/advance", {"days": 1}, "There is no item strange."),
        ("/items/strange/faults", {"name": "slow"}, "There is no item strange."),
        ("/faults", {"name": "strange"}, "There is no fault strange."),
        ("/faults", {"name": "slow", "value": "soon"}, "slow needs seconds, not “soon”."),
        ("/faults", {"name": "small_pages", "value": "0"}, "small_pages needs a number of rows"),
        ("/faults", {}, "The body is not valid."),
        ("/faults", {"name": "slow", "times": "x"}, "The body is not valid."),
        ("/expire", {"token": "strange"}, "There is no token strange."),
        ("/webhooks/0/send-again", {}, "There is no webhook 0."),
    ],
)
def test_the_control_api_refuses_in_a_sentence(sandbox, path, body, sentence):
    answer = sandbox.control("POST", path, **body)
    assert answer["error"].startswith(sentence), answer


def test_an_item_is_found_by_any_of_its_names_and_reports_itself(sandbox):
    made = sandbox.call(
        "/sandbox/public_token/create",
        institution_id=FOUNDRY,
        initial_products=["transactions"],
    )
    report = sandbox.control("GET", f"/items/{made['public_token']}")
    given = sandbox.call("/item/public_token/exchange", public_token=made["public_token"])
    assert report["item_id"] == given["item_id"]
    assert [account["key"] for account in report["accounts"]] == [
        "operating",
        "savings",
        "sweep",
        "card",
    ]
    by_token = sandbox.control("GET", f"/items/{given['access_token']}")
    assert by_token["item_id"] == given["item_id"]
    listed = sandbox.control("GET", "/items")["items"]
    assert given["item_id"] in {one["item_id"] for one in listed}
