"""Take the pictures of the README from the running program: `make screenshots`.

A fresh Tieout is started in a folder of its own, so the pictures show the demo as it is on the
first day.
"""

from __future__ import annotations

import re
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.demo import PASSWORD
from tests.browser_support import chromium
from tests.launched import Launched

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

FOLDER: Final = Path(__file__).parent / "images"
VIEWPORT: Final = {"width": 1440, "height": 900}
REPORT_WIDTH: Final = 1280


def take_pictures(browser: Browser, address: str, folder: Path) -> None:
    """Write `workspace.png` and `report.png`; the demo's open month must still be open."""
    context = browser.new_context(viewport=VIEWPORT, base_url=address)  # type: ignore[arg-type]
    page = context.new_page()
    sign_in(page)
    operating = page.get_by_role("row", name=re.compile("Operating checking"))
    page.goto(address_of(operating, "Continue"))
    page.get_by_role("heading", name="Review Queue").wait_for()
    page.screenshot(path=folder / "workspace.png")
    page.goto("/reconciliations/")
    page.goto(address_of(operating, "History"))
    page.goto(address_of(page.get_by_role("row", name=re.compile("September")), "Report"))
    page.locator("#adjusted-books").wait_for()
    page.set_viewport_size({"width": REPORT_WIDTH, "height": VIEWPORT["height"]})
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": REPORT_WIDTH, "height": height})
    page.screenshot(path=folder / "report.png")
    context.close()


def sign_in(page: Page) -> None:
    page.goto("/sign-in")
    page.locator("[name=email]").fill("dana@northgate-demo.example")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    page.goto("/reconciliations/")


def address_of(row: Locator, link: str) -> str:
    address = row.get_by_role("link", name=link).get_attribute("href")
    assert address is not None
    return address


def main() -> None:
    with tempfile.TemporaryDirectory() as instance, chromium() as browser:
        launched = Launched(Path(instance)).wait_until_ready()
        try:
            take_pictures(browser, f"http://127.0.0.1:{launched.port}", FOLDER)
        finally:
            launched.stop(signal.SIGINT)


if __name__ == "__main__":
    main()
