"""The program as `make run` starts it, with its demo, and a headless Chromium."""

import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from app.demo import PASSWORD
from tests.browser_support import chromium
from tests.launched import Launched

# How long to wait for what must come.  Playwright's own 5 s are for a machine with nothing else to do.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def launched(tmp_path_factory) -> Iterator[Launched]:
    """Start Tieout once for all tests, and see that nothing of it stays behind."""
    started = Launched(tmp_path_factory.mktemp("b")).wait_until_ready()
    yield started
    assert started.process.poll() is None, started.output
    assert started.stop(signal.SIGINT) == []


@pytest.fixture(scope="session")
def tieout(launched) -> str:
    """Return the address of the freshly started Tieout."""
    return f"http://127.0.0.1:{launched.port}"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser, tieout) -> Iterator[Page]:
    """A page that fails the test on any script error or refused resource."""
    context = browser.new_context(viewport={"width": 1440, "height": 960}, base_url=tieout)
    opened = context.new_page()
    troubles: list[str] = []
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on(
        "console",
        lambda message: troubles.append(message.text) if message.type == "error" else None,
    )
    yield opened
    context.close()
    assert [text for text in troubles if "status of 4" not in text] == []


def sign_in(page: Page, name: str) -> None:
    """Sign in to the demo as one of its people and go to the reconciliations, by keyboard."""
    page.goto("/sign-in")
    page.locator("[name=email]").focus()
    page.keyboard.type(f"{name}@northgate-demo.example")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.wait_for_url("**/reconciliations/")
