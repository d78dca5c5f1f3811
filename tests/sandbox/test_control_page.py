"""A person at the control page: plain forms, each answered with the page again."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

import pytest

from tests.sandbox_support import FOUNDRY, Browser, connect, sound


@pytest.fixture
def made(sandbox):
    return connect(sandbox, FOUNDRY)


@pytest.fixture
def page(sandbox, made):
    opened = Browser().open(f"{sandbox.url}/control/page/{made.item_id}")
    assert opened.heading == "Foundry Commerce Bank"
    return opened


def test_the_list_leads_to_every_item(sandbox, made):
    page = Browser().open(f"{sandbox.url}/control/")
    assert f"/control/page/{made.item_id}" in page.text
    sound(page.text)
    sandbox.control("POST", "/reset")
    assert "No bank is connected yet" in page.open(page.url).text


def test_a_fault_is_set_shown_and_cleared(sandbox, made, page):
    page.submit("fault", name="html_error", times="2")
    assert "html_error" in page.text
    sound(page.text)
    page.submit("clear", name="html_error")
    assert "Nothing goes wrong." in page.text
    assert "item" in sandbox.call("/item/get", access_token=made.access_token)


def test_a_fault_everywhere_is_set_on_the_list_and_shown_with_the_item(sandbox, made):
    page = Browser().open(f"{sandbox.url}/control/")
    page.submit("fault", name="slow", value="0")
    page.open(f"{sandbox.url}/control/page/{made.item_id}")
    assert "slow (everywhere)" in page.text
    page.open(f"{sandbox.url}/control/").submit("clear", name="slow")
    assert "Nothing goes wrong." in page.text


def test_an_error_of_the_item_is_healed_by_its_button(sandbox, made, page):
    page.submit("fault", name="ITEM_LOGIN_REQUIRED")
    assert "Heal ITEM_LOGIN_REQUIRED" in page.text
    page.submit("clear", name="ITEM_LOGIN_REQUIRED")
    assert sandbox.call("/item/get", access_token=made.access_token)["item"]["error"] is None


def test_days_stages_and_happenings(sandbox, made, page):
    page.submit("advance", days="3")
    assert "2026-11-23" in page.text
    page.submit("stage", stage="NOT_READY")
    sync = sandbox.call("/transactions/sync", access_token=made.access_token)
    assert sync["transactions_update_status"] == "NOT_READY"
    page.submit("act", action="account_revoked", value="sweep")
    assert "(sweep, not shared)" in page.text


@pytest.mark.parametrize(
    ("command", "form", "sentence"),
    [
        ("fault", {"name": "strange"}, "There is no fault strange."),
        ("advance", {"days": "many"}, "Days must be from 1 to"),
        ("act", {"action": "account_revoked", "value": "x"}, "The item shares no account x."),
    ],
)
def test_what_makes_no_sense_is_refused_on_the_page(page, command, form, sentence):
    page.submit(command, **form)
    assert page.status == 422
    assert sentence in page.text
    sound(page.text)


def test_a_refusal_on_the_list_and_an_unknown_item(sandbox):
    page = Browser().open(f"{sandbox.url}/control/")
    page.submit("fault", name="strange")
    assert (page.status, page.heading) == (422, "Nothing was changed")
    assert page.open(f"{sandbox.url}/control/page/strange").status == 404
    assert page.open(f"{sandbox.url}/control/page/*/strange", form={"a": "b"}).status == 404


def test_another_site_s_form_is_refused(sandbox, made):
    connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=10)
    connection.request(
        "POST",
        f"/control/page/{made.item_id}/act",
        "action=removed_at_bank",
        {
            "Origin": "https://elsewhere.example",
            "Content-Type": "application/x-www-form-urlencoded",
        },
    )
    assert connection.getresponse().status == 403
    connection.close()
    assert "item" in sandbox.call("/item/get", access_token=made.access_token)
