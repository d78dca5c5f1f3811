"""People walk through the hosted page without JavaScript: to its end, away from it, back again."""

from __future__ import annotations

import pytest

from sandbox.hosted import flow
from tests.sandbox_support import (
    CASCADE,
    CONTINENTAL,
    FOUNDRY,
    GRANITE,
    MERIDIAN,
    NOORDERLICHT,
    PUGET,
    SUMMIT,
    TIDEWATER,
    Browser,
    connect,
    hosted_link,
    sign_in,
    sound,
    through_hosted_page,
)

BACK = "http://127.0.0.1:5000/bank-connections/back"


def test_a_bank_with_a_second_factor_is_connected(sandbox, receiver):
    link = hosted_link(sandbox, webhook=receiver.url)
    browser = sign_in(link, FOUNDRY)
    assert browser.heading == "Type the code"
    browser.submit("code", code="1234")
    assert browser.heading == "Choose accounts"
    browser.submit("accounts", account=["operating", "card"])
    assert browser.heading == "Foundry Commerce Bank is connected"

    finished = receiver.wait_for("SESSION_FINISHED").content
    assert finished["status"] == "SUCCESS"
    assert finished["link_token"] == link["link_token"]
    (public_token,) = finished["public_tokens"]
    assert receiver.wait_for("ITEM_ADD_RESULT").content["public_token"] == public_token
    names = [event["event_name"] for event in receiver.wait_for("EVENTS").content["events"]]
    assert names == [
        "OPEN",
        "SELECT_INSTITUTION",
        "SUBMIT_CREDENTIALS",
        "SUBMIT_MFA",
        "HANDOFF",
    ]
    given = sandbox.call("/item/public_token/exchange", public_token=public_token)
    accounts = sandbox.call("/accounts/get", access_token=given["access_token"])["accounts"]
    assert [account["mask"] for account in accounts] == ["7310", "1188"]


@pytest.mark.parametrize(
    ("institution_id", "countries", "masks"),
    [
        (PUGET, ["US"], ["4417"]),
        (CASCADE, ["US"], ["0926"]),
        (SUMMIT, ["US"], ["3391"]),
        (MERIDIAN, ["US"], ["5102", "5110", "8801"]),
        (NOORDERLICHT, ["US", "NL"], ["6071", "6089", "4402"]),
        (CONTINENTAL, ["US"], ["9000"]),
    ],
)
def test_every_bank_can_be_connected(sandbox, receiver, institution_id, countries, masks):
    link = hosted_link(sandbox, webhook=receiver.url, country_codes=countries)
    through_hosted_page(link, institution_id)
    (public_token,) = receiver.wait_for("SESSION_FINISHED").content["public_tokens"]
    given = sandbox.call("/item/public_token/exchange", public_token=public_token)
    accounts = sandbox.call("/accounts/get", access_token=given["access_token"])["accounts"]
    assert [account["mask"] for account in accounts] == masks


def test_the_search_finds_by_name_and_routing_number_in_the_link_s_countries(sandbox):
    link = hosted_link(sandbox)
    page = Browser().open(link["hosted_link_url"])
    assert "Meridian First" in page.text
    assert "Noorderlicht" not in page.text
    assert "Puget Harbor" in page.open(f"{page.url}?q=999004417").text
    assert "Meridian" not in page.text
    assert "No bank here has a name like “zzz”" in page.open(page.url.split("?")[0] + "?q=zzz").text


@pytest.mark.parametrize(
    ("institution_id", "reason"),
    [(TIDEWATER, "not supported"), (GRANITE, "no transactions"), ("ins_0", "from the list")],
)
def test_a_bank_without_cover_says_so(sandbox, institution_id, reason):
    page = Browser().open(hosted_link(sandbox)["hosted_link_url"])
    page.submit("bank", institution_id=institution_id)
    assert page.status == 422
    assert reason in page.text


def test_a_wrong_password_and_a_wrong_code_may_be_typed_again(sandbox, receiver):
    link = hosted_link(sandbox, webhook=receiver.url)
    page = sign_in(link, CASCADE, password="wrong")
    assert page.status == 422
    assert "The user name or password was not correct." in page.text
    page.submit("sign-in", username="user_good", password="pass_good")
    page.submit("code", code="9999")
    assert (page.status, page.heading) == (422, "Type the code")
    page.submit("code", code="1234")
    assert page.heading == "Choose accounts"


def test_a_password_can_ask_for_an_error(sandbox):
    link = hosted_link(sandbox)
    page = sign_in(link, PUGET, password="error_ITEM_LOCKED")
    assert "Your account is locked at the bank." in page.text
    page.submit("leave")
    (session,) = sandbox.call("/link/token/get", link_token=link["link_token"])["link_sessions"]
    assert session["exit"]["error"]["error_code"] == "ITEM_LOCKED"


def test_no_account_chosen_is_refused(sandbox):
    page = sign_in(hosted_link(sandbox), PUGET)
    page.submit("accounts")
    assert (page.status, page.heading) == (422, "Choose accounts")


def test_leaving_ends_the_session_and_the_url_can_be_opened_again(sandbox, receiver):
    link = hosted_link(sandbox, webhook=receiver.url)
    page = Browser().open(link["hosted_link_url"])
    page.submit("leave")
    assert page.heading == "Nothing was connected"
    exited = receiver.wait_for("SESSION_FINISHED").content
    assert (exited["status"], exited["public_tokens"]) == ("EXITED", [])
    through_hosted_page(link, PUGET)
    receiver.wait_for("SESSION_FINISHED", count=2)
    sessions = sandbox.call("/link/token/get", link_token=link["link_token"])["link_sessions"]
    assert ["exit" in session for session in sessions] == [True, False]


def test_both_ends_go_back_to_where_the_application_wants(sandbox):
    link = hosted_link(sandbox, hosted_link={"completion_redirect_uri": BACK})
    page = through_hosted_page(link, PUGET)
    assert (page.status, page.headers["Location"]) == (303, BACK)
    page = Browser().open(link["hosted_link_url"])
    page.submit("leave")
    assert (page.status, page.headers["Location"]) == (303, BACK)


def test_the_policy_lets_nothing_in_and_only_the_way_back_out(sandbox):
    link = hosted_link(sandbox, hosted_link={"completion_redirect_uri": BACK})
    policy = Browser().open(link["hosted_link_url"]).headers["Content-Security-Policy"]
    assert "default-src 'none'; style-src 'self';" in policy
    assert policy.endswith("form-action 'self' http://127.0.0.1:5000")


def test_a_link_that_has_run_out_shows_so_at_every_step(sandbox):
    link = hosted_link(sandbox)
    page = sign_in(link, PUGET)
    sandbox.control("POST", "/expire", token=link["link_token"])
    page.submit("accounts", account="operating")
    assert (page.status, page.heading) == (410, "This page has expired")
    assert Browser().open(link["hosted_link_url"]).status == 410


def test_a_form_of_another_step_changes_nothing(sandbox):
    page = Browser().open(hosted_link(sandbox)["hosted_link_url"])
    at_bank = page.url
    page.open(f"{at_bank}/accounts", form={"account": "operating"})
    assert page.heading == "Choose your bank"


def test_a_finished_session_is_not_finished_twice(sandbox):
    link = hosted_link(sandbox)
    page = sign_in(link, PUGET)
    again = f"{page.url.rpartition('/')[0]}/accounts"
    page.submit("accounts", account="operating")
    page.open(again, form={"account": "operating"})
    (session,) = sandbox.call("/link/token/get", link_token=link["link_token"])["link_sessions"]
    assert len(session["results"]["item_add_results"]) == 1


def test_strange_links_and_sessions_are_not_found(sandbox):
    assert Browser().open(f"{sandbox.url}/hosted/strange").status == 404
    link = hosted_link(sandbox)
    assert Browser().open(f"{link['hosted_link_url']}/strange").status == 404


def test_repair_heals_and_brings_what_was_missed(sandbox, receiver):
    made = connect(sandbox, FOUNDRY, webhook=receiver.url)
    cursor = sandbox.call("/transactions/sync", access_token=made.access_token, count=500)[
        "next_cursor"
    ]
    sandbox.call("/sandbox/item/reset_login", access_token=made.access_token)
    sandbox.control("POST", f"/items/{made.item_id}/advance", days=7)
    link = hosted_link(sandbox, access_token=made.access_token, webhook=receiver.url)
    page = sign_in(link)
    page.submit("code", code="1234")
    assert page.heading == "You are signed in"
    page.submit("accounts")
    receiver.wait_for("LOGIN_REPAIRED")
    receiver.wait_for("SYNC_UPDATES_AVAILABLE")
    finished = receiver.wait_for("SESSION_FINISHED").content
    given = sandbox.call("/item/public_token/exchange", public_token=finished["public_tokens"][0])
    assert (given["item_id"], given["access_token"]) == (made.item_id, made.access_token)
    item = sandbox.call("/item/get", access_token=made.access_token)["item"]
    assert item["error"] is None
    page = sandbox.call("/transactions/sync", access_token=made.access_token, cursor=cursor)
    assert page["added"]


def test_repair_with_another_login_is_refused(sandbox):
    made = connect(sandbox)
    link = hosted_link(sandbox, access_token=made.access_token)
    page = sign_in(link, username="user_transactions_dynamic")
    assert page.status == 422
    assert "the user name that you used before" in page.text


def test_a_repair_session_that_is_left_heals_nothing(sandbox):
    made = connect(sandbox)
    sandbox.call("/sandbox/item/reset_login", access_token=made.access_token)
    page = Browser().open(hosted_link(sandbox, access_token=made.access_token)["hosted_link_url"])
    page.submit("leave")
    item = sandbox.call("/item/get", access_token=made.access_token)["item"]
    assert item["error"]["error_code"] == "ITEM_LOGIN_REQUIRED"


def test_accounts_can_be_added_and_dropped(sandbox, receiver):
    made = connect(sandbox, FOUNDRY, webhook=receiver.url)
    sandbox.call("/transactions/sync", access_token=made.access_token)
    sandbox.control("POST", f"/items/{made.item_id}/actions/new_accounts")
    receiver.wait_for("NEW_ACCOUNTS_AVAILABLE")
    link = hosted_link(
        sandbox,
        access_token=made.access_token,
        update={"account_selection_enabled": True},
    )
    through_hosted_page(link, accounts=["operating", "payroll"])
    accounts = sandbox.call("/accounts/get", access_token=made.access_token)["accounts"]
    assert [account["mask"] for account in accounts] == ["7310", "7344"]


def test_a_second_login_at_a_bank_that_allows_one_ends_the_first(sandbox, receiver):
    first = connect(sandbox, MERIDIAN, webhook=receiver.url)
    connect(sandbox, MERIDIAN)
    receiver.wait_for("ERROR")
    item = sandbox.call("/item/get", access_token=first.access_token)["item"]
    assert item["error"]["error_code"] == "ITEM_LOGIN_REQUIRED"


def test_every_page_is_sound_html(sandbox):
    link = hosted_link(sandbox, country_codes=["US", "NL"])
    page = Browser().open(link["hosted_link_url"])
    texts = [page.text]
    texts.append(page.submit("bank", institution_id=MERIDIAN).text)
    texts.append(page.submit("consent").text)
    texts.append(page.submit("sign-in", username="user_good", password="wrong").text)
    texts.append(page.submit("sign-in", username="user_good", password="pass_good").text)
    texts.append(page.submit("accounts", account="operating").text)
    texts.append(sign_in(link, FOUNDRY).text)
    for text in texts:
        sound(text)


def test_a_session_that_nobody_goes_on_with_is_ended(sandbox, world, receiver):
    link = hosted_link(sandbox, webhook=receiver.url)
    sign_in(link, PUGET)
    flow.end_abandoned(world)
    assert receiver.codes() == []  # it is too early for that
    with world.store.writing() as db:
        db.execute("UPDATE session SET active_at = active_at - ?", (flow.ABANDONED_SECONDS + 1,))
    flow.end_abandoned(world)
    assert receiver.wait_for("SESSION_FINISHED").content["status"] == "EXITED"
    (session,) = sandbox.call("/link/token/get", link_token=link["link_token"])["link_sessions"]
    assert session["exit"]["metadata"]["status"] == "requires_account_selection"


def test_a_session_ends_with_its_link(sandbox, world, receiver):
    link = hosted_link(sandbox, webhook=receiver.url)
    Browser().open(link["hosted_link_url"])
    sandbox.control("POST", "/expire", token=link["link_token"])
    flow.end_abandoned(world)
    assert receiver.wait_for("SESSION_FINISHED").content["status"] == "EXITED"
