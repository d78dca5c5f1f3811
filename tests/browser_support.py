"""Drive the system's Chromium, headless, through Playwright's Python package."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright

from tests.servers import chromium_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

# Without these Chromium looks for updates and its maker's services, on a machine where a test
# must reach nothing but the server that it started.
QUIET_FLAGS: Final = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run one headless browser for as long as the context lasts."""
    # Chromium refuses to start its sandbox as root, which is what containers and CI run as.
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), headless=True, args=[*QUIET_FLAGS, *sandbox]
        )
        try:
            yield browser
        finally:
            browser.close()
