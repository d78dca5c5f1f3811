"""The whole job without JavaScript, by somebody new, from an organization that holds nothing.

Where to go next is always read from the page: the buttons of the empty states lead the way.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.launched import ROOT, Launched, environment

pytestmark = pytest.mark.browser

EMAIL = "nora@larch-example.example"
PASSWORD = "tie the books together"
ACCOUNTS = (
    ("1000", "Checking", "Asset"),
    ("4000", "Sales", "Income"),
    ("6800", "Bank fees", "Expense"),
)
# The day stands first, money out is in brackets, and nobody names the columns as Tieout does.
BANK_FILE = """Posted;Narrative;Value
03/10/2026;ACH BRAEBURN CAFE INV 301;1.250,00
14/10/2026;CHECK 1201;(310,40)
20/10/2026;CARDWELL PAPER 7781;(89,90)
31/10/2026;SERVICE FEE OCTOBER;(15,00)
"""
LEDGER_FILE = """external_id,account_number,date,amount,currency,description,counterparty,reference
L-1,1000,2026-10-02,1250.00,USD,Invoice 301,Braeburn Cafe,301
L-2,1000,2026-10-12,-310.40,USD,Roof repair,Alder Roofing,1201
L-3,1000,2026-10-19,-89.90,USD,Paper,Cardwell Paper,7781
L-4,1000,2026-10-30,400.00,USD,Invoice 305,Quince Studio,305
"""
OPENING, ENDING, ADJUSTED = "1,000.00", "1,834.70", "2,234.70"


@pytest.fixture
def page(browser: Browser, tieout: str, launched: Launched) -> Iterator[Page]:
    create_organization(launched)
    context = browser.new_context(
        base_url=tieout, java_script_enabled=False, viewport={"width": 1280, "height": 900}
    )
    yield context.new_page()
    context.close()


def create_organization(launched: Launched) -> None:
    command = ("create-organization", "Larch & Co", "--admin-email", EMAIL)
    subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *command, "--admin-password", PASSWORD],
        cwd=ROOT,
        env=environment(launched.instance, launched.port),
        check=True,
        capture_output=True,
    )


def press(page: Page, name: str) -> None:
    """Follow a link or press a button of the page's main part; there must be one such name."""
    main = page.locator("main")
    target = main.get_by_role("link", name=name, exact=True).or_(
        main.get_by_role("button", name=name, exact=True)
    )
    target.first.click()


def menu(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Main", exact=True).get_by_role("link", name=name).click()


def upload(page: Page, name: str, content: str) -> None:
    file = {"name": name, "mimeType": "text/csv", "buffer": content.encode()}
    page.set_input_files("input[type=file]", files=[file])


def look_again_until(page: Page, done: Locator) -> None:
    """Reload by the page's own link until the job has brought what it was asked for."""
    again = page.get_by_role("link", name="Look again")
    for _ in range(240):
        expect(again.or_(done).first).to_be_visible()
        if again.count() == 0:
            return
        page.wait_for_timeout(500)
        again.click()
    raise AssertionError("the job never ended")


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def main_text(page: Page, text: str) -> Locator:
    return page.locator("main").get_by_text(text)


def test_a_new_organization_is_led_from_nothing_to_a_certified_month(page):
    page.goto("/")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    heading(page, "Overview")
    set_up_the_books(page)
    connect_the_bank(page)
    bring_in_the_ledger(page)
    open_october(page)
    match_what_is_left(page)
    certify(page)


def set_up_the_books(page: Page) -> None:
    press(page, "Set up the ledger")
    heading(page, "Ledger bank accounts")
    press(page, "Add the GL account")
    heading(page, "Chart of accounts")
    for number, name, kind in ACCOUNTS:
        page.get_by_label("Number").fill(number)
        page.get_by_label("Name").fill(name)
        page.get_by_label("Type").select_option(kind)
        press(page, "Add the account")
        expect(page.locator("#toasts")).to_contain_text(f"{number} {name} was added.")
    press(page, "Bank accounts")
    page.get_by_label("Name").fill("Larch checking")
    page.get_by_label("GL account").select_option(label="1000 Checking")
    press(page, "Add the bank account")
    expect(page.get_by_role("row", name="Larch checking")).to_contain_text("None mapped")


def connect_the_bank(page: Page) -> None:
    menu(page, "Bank reconciliation")
    press(page, "Map a bank account")
    heading(page, "Bank connections")
    press(page, "Add bank connection")
    press(page, "Upload files instead")
    page.locator("[name=institution_name]").fill("Tamarack Bank")
    page.get_by_label("Account name").fill("Business checking")
    page.get_by_label("In the books it is").select_option(index=1)
    press(page, "Add the account")
    upload(page, "october.csv", BANK_FILE)
    press(page, "Look at the file")
    expect(page.get_by_role("heading", name="How the file is read")).to_be_visible()
    page.get_by_label("Amounts are written").select_option(index=0)
    press(page, "Read it again")
    rows = page.get_by_role("table", name="The first transactions of the file")
    expect(rows.get_by_role("row", name="CHECK 1201")).to_contain_text("−310.40")
    press(page, "Import 4 transactions")
    look_again_until(page, main_text(page, "4 transactions imported."))


def bring_in_the_ledger(page: Page) -> None:
    menu(page, "Ledger")
    press(page, "Import a file")
    upload(page, "ledger.csv", LEDGER_FILE)
    press(page, "Preview")
    press(page, "Import 4 rows")
    look_again_until(page, main_text(page, "4 new, 0 changed"))


def open_october(page: Page) -> None:
    menu(page, "Bank reconciliation")
    press(page, "Open reconciliation")
    page.get_by_label("Statement ending date").fill("2026-10-31")
    page.get_by_label("Statement ending balance").fill(ENDING)
    page.get_by_label("Opening balance").fill(OPENING)
    press(page, "Open and match")
    heading(page, "Larch checking")
    look_again_until(page, page.get_by_role("heading", name="Review Queue"))


def match_what_is_left(page: Page) -> None:
    """Approve the first suggestion, reject the rest, and match all that is open by hand."""
    if page.get_by_role("button", name="Approve").count():
        decide_the_first(page, "Approve")
    while page.get_by_role("button", name="Reject").count():
        decide_the_first(page, "Reject")
    pairs = (("INV 301", "Invoice 301"), ("CHECK 1201", "Roof"), ("CARDWELL", "Paper"))
    for bank, ledger in pairs:
        line = page.locator("[data-rows=bank] tr", has_text=bank)
        if line.count():
            line.get_by_role("checkbox").check()
            page.locator("[data-rows=ledger] tr", has_text=ledger).get_by_role("checkbox").check()
            press(page, "Match")
            expect(line).to_have_count(0)
    page.locator("[data-rows=bank] tr", has_text="SERVICE FEE").get_by_role("checkbox").check()
    page.get_by_label("The rest goes to").select_option(label="6800 Bank fees")
    page.get_by_label("Memo").fill("Fee of October")
    press(page, "Match")
    expect(page.locator(".difference dd")).to_contain_text("Balanced")


def decide_the_first(page: Page, name: str) -> None:
    first = page.locator("[data-rows=review] tr[data-row]").first
    row = page.locator(f"#{first.get_attribute('id')}")
    row.get_by_role("button", name=name).click()
    expect(row).to_have_count(0)


def certify(page: Page) -> None:
    press(page, "Certify")
    page.get_by_label("Remarks").fill("First month.")
    press(page, "Certify")
    heading(page, "Bank reconciliation statement")
    expect(page.locator("#adjusted-bank")).to_have_text(ADJUSTED)
    expect(page.locator("#adjusted-books")).to_have_text(ADJUSTED)
    expect(page.locator("main")).to_contain_text("Quince Studio")
