from __future__ import annotations

import pytest

from tests.browser_support import chromium

pytestmark = pytest.mark.browser


def test_the_systems_chromium_renders_a_page_and_runs_its_script():
    with chromium() as browser:
        page = browser.new_page()
        page.set_content("<p id=difference></p><script>difference.textContent = 6 * 7</script>")
        assert page.locator("#difference").inner_text() == "42"
