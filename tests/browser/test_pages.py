"""Every page of the running demo: axe, both colour schemes, a phone, the console, the policy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.bank_news import bank_news
from tests.browser.conftest import sign_in
from tests.browser_support import EVERY_RULE, axe_faults

pytestmark = pytest.mark.browser

ID = re.compile(r"[0-9a-f]{32}")
VISITED_OF_EACH = 4
"""Addresses of one kind of page that are followed: not every account has a file, say."""
NOT_PAGES = re.compile(r"^/(ops|static)/|\.(csv|pdf|json)$|/file$")
EXPECTED = {
    "/",
    "/account",
    "/account/second-factor/",
    "/audit/",
    "/api-keys/",
    "/api/docs",
    "/audit/verification",
    "/connections/",
    "/connections/*",
    "/connections/*/delete",
    "/connections/accounts/*",
    "/connections/new",
    "/connections/new/connectors/folder",
    "/connections/new/connectors/sftp",
    "/connections/new/connectors/simplefin",
    "/connections/new/files",
    "/connections/requests",
    "/connections/uploads/*",
    "/exceptions/",
    "/exceptions/settled",
    "/ledger/",
    "/ledger/accounts",
    "/ledger/accounts/*/name",
    "/ledger/bank-accounts",
    "/ledger/imports",
    "/ledger/imports/*",
    "/ledger/journals/*",
    "/ledger/journals/new",
    "/people/",
    "/people/*/remove",
    "/reconciliations/",
    "/reconciliations/*",
    "/reconciliations/*/audit",
    "/reconciliations/*/certify",
    "/reconciliations/*/discard",
    "/reconciliations/*/matched",
    "/reconciliations/*/reopen",
    "/reconciliations/*/report",
    "/reconciliations/*/statement",
    "/reconciliations/accounts/*",
    "/reconciliations/accounts/*/new",
    "/reports/adjustments",
    "/reports/exceptions",
    "/reports/outstanding",
    "/reports/statements",
    "/rules/",
    "/rules/*",
    "/rules/new",
    "/settings/bank-data/",
    "/settings/bank-match-ai",
    "/settings/bank-match-ai/performance",
    "/settings/closing/",
    "/transactions/",
}
BANK_FILE = (
    "Posted,What,Money\n10/05/2026,COFFEE OF THE TEST,-5.00\n10/06/2026,INTEREST PAYMENT,4.00\n"
)
# Of all rules this is the one that the colour scheme can break.
COLOURS = {**EVERY_RULE, "runOnly": ["color-contrast"]}
CLIPPED = """
() => [...document.querySelectorAll('.sheet, .page-head, .balance, .notice, .tab-row, .dock')]
  .filter(each => each.scrollWidth > each.clientWidth + 1)
  .map(each => `${each.tagName}.${each.className} ${each.scrollWidth} > ${each.clientWidth}`)
"""
SIDEWAYS = """
() => document.documentElement.scrollWidth - document.documentElement.clientWidth
"""


def shape(address: str) -> str:
    return ID.sub("*", address.partition("?")[0].partition("#")[0])


def without_fragment(link: str) -> str:
    return link.partition("#")[0]


@contextmanager
def window(browser: Browser, address: str, **options) -> Iterator[tuple[Page, list[str]]]:
    """Open a page, and collect what the console calls an error: refusals of the policy too."""
    context = browser.new_context(base_url=address, reduced_motion="reduce", **options)
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on(
        "console",
        lambda message: (
            troubles.append(message.text)
            if message.type == "error" and "status of 404" not in message.text
            else None
        ),
    )
    yield page, troubles
    context.close()


def links(page: Page) -> list[str]:
    return page.evaluate(
        "() => [...document.querySelectorAll('a[href^=\"/\"]')].map(a => a.getAttribute('href'))"
    )


@pytest.fixture(scope="module")
def visit(browser, launched, tieout) -> Iterator[tuple[dict[str, str], dict]]:
    """Give one address for each kind of page, found by following links, and the session."""
    with bank_news(launched), window(browser, tieout) as (page, troubles):
        sign_in(page, "marisol")
        found = {shape(page.url.removeprefix(tieout)): "/reconciliations/"}
        queue = list(found.values())
        for address in queue:
            page.goto(address)
            for link in dict.fromkeys(map(without_fragment, links(page))):
                kind = shape(link)
                if NOT_PAGES.search(kind) or link == "/" or link in queue:
                    continue
                found.setdefault(kind, link)
                if sum(shape(queued) == kind for queued in queue) < VISITED_OF_EACH:
                    queue.append(link)
        opened = found["/reconciliations/*"]
        found["/reconciliations/*/certify"] = f"{opened}/certify"
        found["/"] = "/"
        found["/nowhere"] = "/nowhere"
        found["nothing found"] = "/transactions/?q=nothing+like+it"
        found["a line ranked"] = ranked(page, opened)
        found["/connections/uploads/* waiting"] = uploaded(page, found["/connections/accounts/*"])
        page.goto("/exceptions/")
        found["a statement changed by the bank"] = next(
            link for link in links(page) if link.endswith("/report")
        )
        found["matches to check again"] = f"{opened}/matched"
        assert troubles == []
        yield found, page.context.storage_state()


def ranked(page: Page, opened: str) -> str:
    page.goto(opened)
    return next(link for link in links(page) if "line=" in link)


def uploaded(page: Page, account: str) -> str:
    """Upload a file without importing it, and return the address of its preview."""
    page.goto(account)
    file = {"name": "pages.csv", "mimeType": "text/csv", "buffer": BANK_FILE.encode()}
    page.set_input_files("input[type=file]", files=[file])
    page.get_by_role("button", name="Look at the file").click()
    page.wait_for_url("**/uploads/*")
    return page.url


def test_every_page_is_found_by_following_links(visit):
    addresses, _ = visit
    assert EXPECTED - addresses.keys() == set()


@pytest.mark.parametrize(
    ("width", "height", "scheme", "options"),
    [
        (1440, 900, "light", EVERY_RULE),
        (1440, 900, "dark", COLOURS),
        (390, 844, "light", EVERY_RULE),
    ],
    ids=["wide", "dark", "phone"],
)
def test_axe_finds_nothing_nothing_is_cut_off_and_the_console_is_silent(
    visit, browser, tieout, width, height, scheme, options
):
    addresses, session = visit
    size = {"width": width, "height": height}
    found = {}
    with window(browser, tieout, viewport=size, color_scheme=scheme, storage_state=session) as (
        page,
        troubles,
    ):
        for name, address in addresses.items():
            page.goto(address)
            found[name] = faults(page, options) + troubles
            troubles.clear()
    assert {name: each for name, each in found.items() if each} == {}


def test_nothing_is_cut_off_on_a_tablet(visit, browser, tieout):
    addresses, session = visit
    size = {"width": 820, "height": 1180}
    found = {}
    with window(browser, tieout, viewport=size, storage_state=session) as (page, _):
        for name, address in addresses.items():
            page.goto(address)
            found[name] = cut_off(page)
    assert {name: each for name, each in found.items() if each} == {}


def faults(page: Page, options: dict = EVERY_RULE) -> list[str]:
    return [*axe_faults(page, options), *cut_off(page)]


def cut_off(page: Page) -> list[str]:
    sideways = page.evaluate(SIDEWAYS)
    return [
        *([f"scrolls sideways by {sideways}"] if sideways > 0 else []),
        *page.evaluate(CLIPPED),
    ]


def test_the_sign_in_page_passes_too(browser, tieout):
    with window(browser, tieout) as (page, troubles):
        page.goto("/")
        assert faults(page) == []
        page.get_by_label("E-mail address").fill("nobody@northgate-demo.example")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        assert page.get_by_role("alert").is_visible()
        assert faults(page) == []
    assert [text for text in troubles if "status of 422" not in text] == []
