"""From sign-in to a certified reconciliation: once by mouse, once by keyboard alone."""

import csv
import json
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import sign_in
from tests.browser_support import at_rest

pytestmark = pytest.mark.browser

DEMO = Path(__file__).parents[2] / "demo"


def shown_day(iso: str) -> str:
    day = date.fromisoformat(iso)
    this_year = datetime.now(UTC).year
    return f"{day.day} {day:%b}" if day.year == this_year else f"{day.day} {day:%b %Y}"


def shown_amount(text: str) -> str:
    amount = f"{abs(float(text)):,.2f}"
    return f"−{amount}" if text.startswith("-") else amount


def ledger_lines() -> dict[str, dict[str, str]]:
    lines = {}
    for path in sorted(DEMO.glob("ledger/*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            lines |= {row["external_id"]: row for row in csv.DictReader(file)}
    return lines


def october(number: str) -> dict:
    answers = json.loads((DEMO / "answers-2026-10.json").read_text(encoding="utf-8"))
    return next(each for each in answers["accounts"] if each["gl_account_number"] == number)


def open_row(page: Page, pane: str, day: str, text: str, amount: str) -> Locator:
    """Return the open line of this day, text and amount; the first of equal ones."""
    rows = page.locator(f"[data-rows={pane}] tr[data-row]")
    return (
        rows.filter(has=page.get_by_role("cell", name=day, exact=True))
        .filter(has_text=text)
        .filter(has=page.locator("td.money .amount", has_text=re.compile(f"^{re.escape(amount)}$")))
        .first
    )


def difference(page: Page) -> str:
    return page.locator(".difference dd").inner_text()


def settle(page: Page, match: dict, ledger: dict[str, dict[str, str]]) -> bool:
    """Tick the lines of one answer, if they are still open, and match them by mouse."""
    line = match["bank"][0]
    first = open_row(
        page, "bank", shown_day(line["date"]), line["description"], shown_amount(line["amount"])
    )
    if first.count() == 0:
        return False
    for each in match["bank"]:
        open_row(
            page, "bank", shown_day(each["date"]), each["description"], shown_amount(each["amount"])
        ).locator("input[data-tick]").check()
    for external_id in match["ledger"]:
        entry = ledger[external_id]
        open_row(
            page,
            "ledger",
            shown_day(entry["date"]),
            entry["description"],
            shown_amount(entry["amount"]),
        ).locator("input[data-tick]").check()
    if match["adjustment"]:
        account = page.locator("select#contra_account_id")
        number = match["adjustment"]["account_number"]
        value = account.locator("option", has_text=re.compile(f"^{number} ")).get_attribute("value")
        account.select_option(value)
    with page.expect_response(re.compile("/matches$")) as answer:
        page.locator("button#match").click()
    assert answer.value.ok, answer.value.text()
    at_rest(page)
    return True


class Keyboard:
    """Presses keys only; finds its way by what has the focus."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def tab_to(self, selector: str, tabs_max: int = 60) -> None:
        """Press Tab until an element that fits has the focus."""
        at_rest(self.page)
        for _ in range(tabs_max):
            if self.page.evaluate("s => document.activeElement.matches(s)", selector):
                return
            self.press("Tab")
        raise AssertionError(f"{selector} is not reached by {tabs_max} tabs")

    def row(self, selector: str, rows_max: int = 40) -> None:
        """Walk down with j, then up with k, until the current row fits."""
        at_rest(self.page)
        for key in [*("j" * rows_max), *("k" * 2 * rows_max)]:
            self.press(key)
            current = "document.querySelector('tr[data-current]')"
            if self.page.evaluate(f"s => {current} && {current}.matches(s)", selector):
                return
        raise AssertionError(f"no row {selector}")


def test_what_was_done_last_is_undone_by_u_and_the_lines_come_back(page):
    sign_in(page, "dana")
    page.get_by_role("row", name=re.compile("Operating checking")).get_by_role(
        "link", name=re.compile("Continue")
    ).click()
    keys = Keyboard(page)
    first = page.locator("[data-rows=bank] tr[data-row]").first
    row_id = first.get_attribute("id")
    keys.row(f"#{row_id}")
    keys.press("x", "a")
    page.keyboard.type("6800")
    keys.tab_to("button#match")
    keys.press("Enter")
    expect(page.locator(f"#{row_id}")).to_have_count(0)
    keys.press("u")
    expect(page.locator(f"#{row_id}")).to_have_count(1)
    expect(page.locator("#toasts")).to_contain_text("Unmatched")


def test_by_mouse_the_demos_open_month_is_finished_and_certified(page):
    sign_in(page, "dana")
    page.get_by_role("row", name=re.compile("Operating checking")).get_by_role(
        "link", name="Continue"
    ).click()
    expect(page.get_by_role("heading", name="Review Queue")).to_be_visible()
    expect(page.locator("#certify")).to_have_attribute("aria-disabled", "true")
    # What the AI suggests is dismissed here, so that every kind of match is made by hand.
    suggested = page.locator("[data-rows=review] tr[data-row]")
    while suggested.count():
        row = page.locator(f"#{suggested.first.get_attribute('id')}")
        row.locator("button[data-reject]").click()
        expect(row).to_have_count(0)
    ledger = ledger_lines()
    settled = sum(settle(page, match, ledger) for match in october("1000")["matches"])
    assert settled > 10
    expect(page.locator(".difference dd")).to_contain_text("Balanced")
    page.locator("#certify").click()
    page.get_by_label("Remarks").fill("Done by mouse.")
    page.get_by_role("button", name="Certify").click()
    expect(page.locator("#main .notice").first).to_contain_text("Certified by Dana Whitfield")
    adjusted = shown_amount(october("1000")["adjusted_balance"])
    expect(page.locator("#adjusted-bank")).to_have_text(adjusted)
    expect(page.locator("#adjusted-books")).to_have_text(adjusted)


def test_by_keyboard_alone_an_account_is_opened_matched_and_certified(page):
    answers = october("1010")
    sign_in(page, "dana")
    keys = Keyboard(page)
    reserve = page.locator("tr", has_text="Reserve savings").get_attribute("id")
    keys.row(f"#{reserve}")
    keys.press("Enter")
    page.wait_for_url("**/new")
    keys.tab_to("#ending_date")
    page.keyboard.type("10312026")
    keys.tab_to("#ending_balance")
    page.keyboard.type(answers["ending_balance"])
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Review Queue")).to_be_visible()
    expect(page.locator("progress[aria-label^=Matching]")).to_have_count(0)
    interest = next(match for match in answers["matches"] if match["adjustment"])["bank"][0]
    row = open_row(
        page,
        "bank",
        shown_day(interest["date"]),
        interest["description"],
        shown_amount(interest["amount"]),
    )
    keys.row(f"#{row.get_attribute('id')}")
    keys.press("x", "a")
    page.keyboard.type("4900")
    keys.tab_to("#memo")
    page.keyboard.type("Interest of October")
    keys.tab_to("button#match")
    keys.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Matched")
    finish_by_keyboard(page, keys, answers)
    expect(page.locator(".difference dd")).to_contain_text("Balanced")
    keys.press("c")
    page.wait_for_url("**/certify")
    keys.tab_to("#remarks")
    page.keyboard.type("Done by keyboard.")
    keys.tab_to("form.confirm button")
    keys.press("Enter")
    page.wait_for_url("**/report")
    adjusted = shown_amount(answers["adjusted_balance"])
    expect(page.locator("#adjusted-bank")).to_have_text(adjusted)
    expect(page.locator("#adjusted-books")).to_have_text(adjusted)


def finish_by_keyboard(page: Page, keys: Keyboard, answers: dict) -> None:
    """Match what neither rules nor AI have matched; each has one line on each side."""
    ledger = ledger_lines()
    for match in answers["matches"]:
        if match["adjustment"]:
            continue
        line = match["bank"][0]
        bank = open_row(
            page, "bank", shown_day(line["date"]), line["description"], shown_amount(line["amount"])
        )
        if bank.count() == 0:
            continue
        entry = ledger[match["ledger"][0]]
        gl = open_row(
            page,
            "ledger",
            shown_day(entry["date"]),
            entry["description"],
            shown_amount(entry["amount"]),
        )
        rows = [f"#{each.get_attribute('id')}" for each in (bank, gl)]
        for row in rows:
            keys.row(row)
            keys.press("x")
        keys.press("m")
        expect(page.locator(rows[0])).to_have_count(0)


def test_the_keys_are_shown_on_a_question_mark(page):
    sign_in(page, "theo")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("next, previous account")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
