from __future__ import annotations

import pytest

from tests.browser_support import axe_faults

pytestmark = pytest.mark.browser


def test_the_systems_chromium_renders_a_page_and_runs_its_script(browser):
    page = browser.new_page()
    page.set_content("<p id=difference></p><script>difference.textContent = 6 * 7</script>")
    assert page.locator("#difference").inner_text() == "42"
    page.close()


def test_axe_says_what_it_measured(browser):
    page = browser.new_page()
    page.set_content("<html lang=en><title>t</title><main><h1 style='color: #999'>Pale</h1></main>")
    [found] = axe_faults(page)
    page.close()
    assert found.startswith("color-contrast: <h1")
    assert "#999999" in found
    assert "#ffffff" in found


def test_axe_waits_until_nothing_moves(browser):
    page = browser.new_page()
    page.set_content(
        """<html lang=en><title>t</title><style>
        h1 { animation: appear 700ms } @keyframes appear { from { opacity: 0 } }
        </style><main><h1>Slow</h1></main>"""
    )
    assert axe_faults(page) == []
    page.close()
