from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from app.reports import document_pdf
from tests.templates_alone import STATIC, TEMPLATES

VENDOR = STATIC / "vendor"
SUMS = [line.split("  ") for line in (VENDOR / "SHA256SUMS").read_text().splitlines()]


FONTS = Path(document_pdf.__file__).parent / "fonts"
FONT_SUMS = [line.split("  ") for line in (FONTS / "SHA256SUMS").read_text().splitlines()]


@pytest.mark.parametrize(("digest", "name"), FONT_SUMS)
def test_a_vendored_font_is_the_released_one(digest: str, name: str) -> None:
    assert hashlib.sha256((FONTS / name).read_bytes()).hexdigest() == digest


def test_every_font_has_its_sum() -> None:
    assert {path.name for path in FONTS.glob("*.ttf")} == {name for _, name in FONT_SUMS}


@pytest.mark.parametrize(("digest", "name"), SUMS)
def test_a_vendored_file_is_the_released_one(digest: str, name: str) -> None:
    assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest


def test_every_vendored_script_has_its_sum_and_is_described_and_used() -> None:
    names = {path.name for path in VENDOR.glob("*.js")}
    described = (VENDOR / "VENDORED.md").read_text()
    linked = (TEMPLATES / "_macros" / "head.html").read_text()

    assert names == {name for _, name in SUMS}
    assert all(f"`{name}`" in described for name in names)
    assert all(name.removesuffix(".min.js") in linked for name in names)
