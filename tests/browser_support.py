"""Drive the system's Chromium, headless, through Playwright's Python package; ask axe about a page."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from tests.servers import chromium_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

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
AXE: Final = Axe()
EVERY_RULE: Final = {"resultTypes": ["violations"]}
# Halfway through a change of colours a page shows what no reader sees; so does one half swapped.
AT_REST: Final = """
async () => {
  const moving = () => [
    ...document.getAnimations().map(each => each.animationName ?? each.transitionProperty),
    ...[...document.querySelectorAll(".htmx-request, .htmx-swapping, .htmx-settling")].map(each => each.className),
  ];
  await document.fonts.ready;
  const until = performance.now() + 30_000;
  for (let still = 0; still < 2; still = moving().length ? 0 : still + 1) {
    if (performance.now() > until) throw new Error(`never at rest: ${moving()}`);
    await new Promise(requestAnimationFrame);
  }
}
"""


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


def at_rest(page: Page) -> None:
    """Wait until what was pressed has been answered and shown, and nothing moves any more."""
    page.evaluate(AT_REST)


def axe_faults(page: Page, options: dict[str, object] = EVERY_RULE) -> list[str]:
    """Return what axe finds on a page at rest: rule, element, and what was measured there."""
    at_rest(page)
    return [
        f"{violation['id']}: {node['html'][:200]} {node['failureSummary']}"
        for violation in AXE.run(page, options=options).response["violations"]
        for node in violation["nodes"]
    ]
