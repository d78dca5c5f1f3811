"""The second factor without a mouse, on pages of which axe finds nothing wrong."""

import time

import pyotp
import pytest
from playwright.sync_api import Page, expect

from app.demo import PASSWORD
from tests.browser.conftest import sign_in
from tests.browser_support import axe_faults

pytestmark = pytest.mark.browser

PERSON = "priya"


def enter(page: Page, field: str, text: str) -> None:
    page.locator(f"#{field}").focus()
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).focus()
    page.keyboard.press("Enter")


def test_it_is_set_up_asked_for_and_switched_off(page: Page):
    found = {}
    sign_in(page, PERSON)
    page.goto("/account/second-factor/")
    press(page, "Set it up")
    expect(page.get_by_role("img", name="QR code of the key below")).to_be_visible()
    found["setup"] = axe_faults(page)
    key = pyotp.TOTP(page.locator("code.key").inner_text().replace(" ", ""))
    enter(page, "code", key.now())
    expect(page.get_by_role("heading", name="Recovery codes", level=1)).to_be_visible()
    found["codes"] = axe_faults(page)
    codes = page.locator("ol.one-time code").all_inner_texts()
    page.get_by_role("link", name="I have kept them").press("Enter")
    expect(page.get_by_role("heading", name="Switched on")).to_be_visible()
    found["on"] = axe_faults(page)

    page.context.clear_cookies()
    page.goto("/sign-in")
    page.locator("#email").fill(f"{PERSON}@northgate-demo.example")
    enter(page, "password", PASSWORD)
    expect(page).to_have_url("/sign-in/code")
    found["asked"] = axe_faults(page)
    enter(page, "code", "not a code")
    expect(page.get_by_role("alert")).to_be_visible()
    found["refused"] = axe_faults(page)
    enter(page, "code", key.at(int(time.time()) + 30))
    page.wait_for_url(lambda url: "/sign-in" not in url)

    page.goto("/account/second-factor/")
    page.locator("#current_password").fill(PASSWORD)
    page.locator("#code").fill(codes[0])
    press(page, "Switch off")
    expect(page.get_by_role("heading", name="Switched off")).to_be_visible()
    assert {name: faults for name, faults in found.items() if faults} == {}
