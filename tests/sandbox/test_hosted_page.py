"""A person walks through the hosted page without JavaScript."""

from __future__ import annotations

from tests.sandbox_support import Browser, hosted_link


def sign_in(link, institution_id, **who):
    browser = Browser().open(link["hosted_link_url"])
    assert browser.heading == "Choose your bank"
    browser.submit("bank", institution_id=institution_id)
    return browser.submit("sign-in", **{"username": "user_good", "password": "pass_good", **who})


def test_a_bank_with_a_second_factor_is_connected(sandbox, receiver):
    link = hosted_link(sandbox, webhook=receiver.url)
    browser = sign_in(link, "ins_900204")
    assert browser.heading == "Type the code"
    browser.submit("code", code="1234")
    assert browser.heading == "Choose accounts"
    browser.submit("accounts", account=["operating", "card"])
    assert browser.heading == "Foundry Commerce Bank is connected"

    finished = receiver.wait_for("SESSION_FINISHED").content
    assert finished["status"] == "SUCCESS"
    (public_token,) = finished["public_tokens"]
    assert receiver.wait_for("ITEM_ADD_RESULT").content["public_token"] == public_token
    given = sandbox.call("/item/public_token/exchange", public_token=public_token)
    accounts = sandbox.call("/accounts/get", access_token=given["access_token"])["accounts"]
    assert [account["mask"] for account in accounts] == ["7310", "1188"]
