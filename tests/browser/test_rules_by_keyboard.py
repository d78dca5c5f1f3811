"""Matching rules without a mouse: written, tested, moved, deleted and taken back."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in

pytestmark = pytest.mark.browser

FITS_NOTHING = "a reference that no entry has"


def press(page: Page, name: str, key: str = "Enter") -> None:
    page.get_by_role("button", name=name, exact=True).focus()
    page.keyboard.press(key)


def write_rule(page: Page, name: str) -> None:
    page.goto("/rules/new")
    page.locator("#bank_description_test").select_option("")
    for field, text in (("name", name), ("gl_reference_contains", FITS_NOTHING)):
        page.locator(f"#{field}").focus()
        page.keyboard.type(text)


def own_rules(page: Page) -> list[str]:
    rules = page.locator("tbody th").all_inner_texts()
    return [text.split("\n")[0].strip() for text in rules if FITS_NOTHING in text]


def test_a_rule_is_tested_before_it_is_saved_and_the_form_keeps_what_was_typed(page: Page):
    sign_in(page, "marisol")
    write_rule(page, "Never saved")
    press(page, "Test against existing transactions")
    expect(page.locator("#trial")).to_contain_text("would match 0")
    expect(page).to_have_url("/rules/new")
    expect(page.locator("#name")).to_have_value("Never saved")
    page.goto("/rules/")
    assert own_rules(page) == []


def test_rules_are_moved_and_a_deleted_one_comes_back_by_u(page: Page):
    sign_in(page, "marisol")
    for name in ("First of the test", "Second of the test"):
        write_rule(page, name)
        press(page, "Save the rule")
        page.wait_for_url("**/rules/")
    assert own_rules(page) == ["First of the test", "Second of the test"]

    press(page, "Move Second of the test up")
    expect(page.locator("#toasts")).to_contain_text("The rule is number")
    assert own_rules(page) == ["Second of the test", "First of the test"]
    expect(page.get_by_role("button", name="Move Second of the test up")).to_be_focused()

    press(page, "Delete Second of the test")
    expect(page.locator("#toasts")).to_contain_text("The rule was deleted.")
    assert own_rules(page) == ["First of the test"]
    page.keyboard.press("u")
    expect(page.locator("#toasts")).to_contain_text("The rule is back where it was.")
    assert own_rules(page) == ["Second of the test", "First of the test"]

    for name in ("First of the test", "Second of the test"):
        press(page, f"Delete {name}")
        expect(page.get_by_role("button", name=f"Delete {name}")).to_have_count(0)
