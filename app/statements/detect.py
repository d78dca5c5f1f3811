"""Tells a bank file's format from its content, never from its name."""

from __future__ import annotations

import re
from typing import Final

_HEAD_CHARACTERS: Final = 8_192
_BAI2: Final = re.compile(r"\s*01,[^\n\r]*(?:/|[\n\r]|$)")
_BAI2_LATER: Final = re.compile(r"(?:^|/)[ \t]*(?:02|03|98|99),", re.MULTILINE)
_OTHERS: Final = (
    ("ofx", re.compile(r"\s*(?:OFXHEADER|<\?OFX|<OFX)", re.IGNORECASE), "an OFX or QFX file"),
    (
        "camt",
        re.compile(r"[^\0]{0,2000}urn:iso:std:iso:20022", re.IGNORECASE),
        "an ISO 20022 XML file",
    ),
    ("mt940", re.compile(r"\s*(?:\{1:|:20:|[^\n]{0,60}\r?\n:20:)"), "an MT940 file"),
    ("qif", re.compile(r"\s*!(?:Type|Account|Option)", re.IGNORECASE), "a QIF file"),
    ("html", re.compile(r"\s*<(?:!doctype html|html|table)", re.IGNORECASE), "a web page"),
    ("xml", re.compile(r"\s*<\?xml", re.IGNORECASE), "an XML file"),
    ("json", re.compile(r"\s*[\[{]\s*[\"{\[]"), "a JSON file"),
)
FORMATS: Final = ("csv", "bai2")
"""What can be read; the rest is recognized only to say so."""


def detect_format(text: str) -> str:
    """Return `bai2`, `csv`, or the name of a format that is not read."""
    head = text[:_HEAD_CHARACTERS]
    if _BAI2.match(head) and (_BAI2_LATER.search(head) or head.count("\n") < 2):  # noqa: PLR2004
        return "bai2"
    return next((name for name, pattern, _ in _OTHERS if pattern.match(head)), "csv")


def format_title(name: str) -> str:
    """Return what to call a format that is not read."""
    return next((title for other, _, title in _OTHERS if other == name), f"a {name} file")
