"""A bank is connected in a real browser, against the sandbox that `make run` brings along."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import sign_in

pytestmark = pytest.mark.browser

BANK = "Foundry Commerce Bank"
LOOKS_AGAIN = "#connections[hx-trigger]"


@pytest.fixture
def connections(page: Page) -> Page:
    sign_in(page, "marisol")
    page.goto("/connections/")
    return page


def begin(page: Page) -> None:
    """Go from the page of connections to a visit that waits for its person."""
    page.get_by_role("link", name="Add bank connection").click()
    page.get_by_label("Your bank’s name").fill("foundry")
    page.keyboard.press("Enter")
    page.get_by_role("button", name=f"Connect {BANK} through Plaid").click()
    expect(page.get_by_role("link", name="Continue at the bank")).to_be_focused()


def card(page: Page) -> Locator:
    return page.get_by_role("region", name=BANK)


def sign_in_at_the_bank(bank: Page) -> None:
    bank.get_by_role("button", name=BANK).click()
    bank.get_by_label("User name").fill("user_good")
    bank.get_by_label("Password").fill("pass_good")
    bank.keyboard.press("Enter")
    bank.get_by_label("Code", exact=True).fill("1234")
    bank.keyboard.press("Enter")
    bank.get_by_role("button", name="Share these accounts").click()
    expect(bank.get_by_role("heading", name="You can close this window")).to_be_visible()


@pytest.fixture
def waiting(connections: Page) -> Iterator[Page]:
    """The page with a visit that nobody finishes; in the end it is deleted."""
    begin(connections)
    yield connections
    connections.goto("/connections/")
    card(connections).get_by_role("link", name="Delete").click()
    connections.get_by_role("button", name="Delete the connection").click()
    expect(connections.locator("#toasts")).to_contain_text("was deleted")


def test_looking_again_keeps_what_was_chosen_where_the_focus_is_and_the_place(waiting: Page):
    expect(waiting.locator(LOOKS_AGAIN)).to_be_attached()
    chosen = waiting.get_by_label("Ledger bank account of Operating checking")
    chosen.select_option("")
    waiting.set_viewport_size({"width": 1000, "height": 300})
    files = waiting.get_by_role("link", name="Files of Operating checking")
    files.focus()
    place = waiting.evaluate("scrollY")
    assert place > 0
    for _ in range(3):
        with waiting.expect_response("**/connections/?shown=*"):
            pass
    assert chosen.input_value() == ""
    expect(files).to_be_focused()
    assert waiting.evaluate("scrollY") == place


def test_a_visit_that_is_left_can_be_gone_on_with_and_early_is_told_kindly(waiting: Page):
    card(waiting).get_by_role("button", name="I am done").click()
    expect(waiting.locator("#toasts")).to_contain_text("Nobody has opened the bank's sign-in yet")
    with waiting.context.expect_page() as opened:
        waiting.get_by_role("link", name="Continue at the bank").click()
    opened.value.get_by_role("button", name="Cancel and go back").click()
    expect(card(waiting)).to_contain_text("last visit")
    expect(card(waiting).get_by_role("link", name="Continue at the bank")).to_be_visible()


def test_from_add_bank_connection_to_its_transactions_without_reloading(connections: Page):
    begin(connections)
    connections.evaluate("window.neverReloaded = true")
    with connections.context.expect_page() as opened:
        connections.get_by_role("link", name="Continue at the bank").click()
    bank = opened.value
    assert bank.evaluate("window.opener") is None
    sign_in_at_the_bank(bank)
    bank.close()

    expect(card(connections)).to_contain_text("Active")
    expect(card(connections)).to_contain_text("Business checking ··7310")
    expect(card(connections)).to_contain_text("Commercial card ··1188")
    expect(connections.locator("#connections-summary")).to_contain_text("One needs somebody.")
    expect(connections.locator(LOOKS_AGAIN)).not_to_be_attached()
    assert connections.evaluate("window.neverReloaded")

    card(connections).get_by_role("link", name="History").click()
    expect(connections.get_by_role("table", name="What happened")).to_contain_text("new.")
    connections.get_by_role("link", name="Transactions of Business checking").click()
    assert connections.get_by_role("row").count() > 10
