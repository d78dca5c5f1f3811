"""The sandbox's hosted page and control page in a real browser: axe, both schemes, a phone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.sandbox_support import FOUNDRY, connect, hosted_link

pytestmark = pytest.mark.browser

BACK = "/hosted/static/hosted.css?back"
SIDEWAYS = "document.documentElement.scrollWidth - innerWidth"


@pytest.fixture(params=[(1280, 900, "light"), (390, 844, "dark")], ids=["wide", "dark-phone"])
def opened(browser, request):
    width, height, scheme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    troubles = []
    page.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
    yield page
    context.close()
    assert [text for text in troubles if "status of 4" not in text] == []


def assert_sound(page, heading):
    page.get_by_role("heading", name=heading, level=1).wait_for()
    violations = Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in violations] == []
    assert page.evaluate(SIDEWAYS) <= 0


def test_a_person_connects_a_bank_with_a_second_factor(opened, plaid_sandbox):
    back = plaid_sandbox.url + BACK
    link = hosted_link(plaid_sandbox, hosted_link={"completion_redirect_uri": back})
    opened.goto(link["hosted_link_url"])
    assert_sound(opened, "Choose your bank")
    opened.get_by_label("Bank’s name").fill("foundry")
    opened.keyboard.press("Enter")
    opened.get_by_role("button", name="Foundry Commerce Bank").click()
    opened.get_by_label("User name").fill("user_good")
    opened.get_by_label("Password").fill("wrong")
    opened.keyboard.press("Enter")
    opened.get_by_role("alert").wait_for()
    assert_sound(opened, "Sign in to Foundry")
    opened.get_by_label("User name").fill("user_good")
    opened.get_by_label("Password").fill("pass_good")
    opened.keyboard.press("Enter")
    assert_sound(opened, "Type the code")
    opened.get_by_label("Code", exact=True).fill("1234")
    opened.keyboard.press("Enter")
    opened.get_by_label("Investment sweep").uncheck()
    assert_sound(opened, "Choose accounts")
    opened.get_by_role("button", name="Share these accounts").click()
    opened.wait_for_url(back)  # which the page's own policy has to allow
    (session,) = plaid_sandbox.call("/link/token/get", link_token=link["link_token"])[
        "link_sessions"
    ]
    (result,) = session["results"]["item_add_results"]
    assert [account["mask"] for account in result["accounts"]] == ["7310", "7328", "1188"]


def test_the_other_pages_are_sound(opened, plaid_sandbox):
    link = hosted_link(plaid_sandbox)
    opened.goto(link["hosted_link_url"])
    opened.get_by_role("button", name="Meridian First").click()
    assert_sound(opened, "Meridian First")
    opened.get_by_role("button", name="Cancel").click()
    assert_sound(opened, "Nothing was connected")
    plaid_sandbox.control("POST", "/expire", token=link["link_token"])
    opened.goto(link["hosted_link_url"])
    assert opened.get_by_role("heading", name="This page has expired").is_visible()


def test_the_control_page_is_sound(opened, plaid_sandbox):
    made = connect(plaid_sandbox, FOUNDRY, webhook="http://127.0.0.1:9/hooks")
    opened.goto(f"{plaid_sandbox.url}/control/")
    assert_sound(opened, "Items")
    opened.get_by_role("link", name=made.item_id[:8]).click()
    opened.get_by_label("Let this go wrong").select_option("webhook_late")
    opened.get_by_role("button", name="Let it go wrong").click()
    opened.get_by_role("button", name="Let days pass").click()
    assert_sound(opened, "Foundry Commerce Bank")
