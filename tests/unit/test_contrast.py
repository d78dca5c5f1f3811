"""Every pair of colours that carries text, in light and in dark: WCAG 2.2, 4.5:1 for text and 3:1 for lines."""

from __future__ import annotations

import re

import pytest

from tests.templates_alone import STATIC

TOKENS = {
    name: (light, dark)
    for name, light, dark in re.findall(
        r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)",
        (STATIC / "css" / "tokens.css").read_text(),
    )
}
SURFACES = ["sunk", "paper", "sheet", "raised", "hover", "accent-soft", "tick-soft"]
TEXT = [
    *[
        (ink, surface)
        for surface in SURFACES
        for ink in ("ink", "ink-2", "ink-3", "accent", "warn")
    ],
    *[(tone, surface) for surface in ("sheet", "paper", "raised") for tone in ("ok", "bad", "ai")],
    *[(tone, f"{tone}-soft") for tone in ("ok", "warn", "bad", "ai", "accent")],
    ("accent-ink", "accent"),
    ("accent-ink", "accent-2"),
    ("bad-fill-ink", "bad-fill"),
]
LINES = [
    *[("edge", surface) for surface in ("sheet", "paper", "raised", "sunk")],
    *[("focus", surface) for surface in SURFACES],
    ("accent", "rule"),
    ("ai", "rule"),
]


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(first: str, second: str) -> float:
    low, high = sorted([_luminance(first), _luminance(second)])
    return (high + 0.05) / (low + 0.05)


def test_black_on_white_is_21_to_1() -> None:
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "surface"), TEXT)
def test_text_can_be_read(ink: str, surface: str, scheme: int) -> None:
    assert _contrast(TOKENS[ink][scheme], TOKENS[surface][scheme]) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("line", "surface"), LINES)
def test_edges_and_the_focus_ring_can_be_seen(line: str, surface: str, scheme: int) -> None:
    assert _contrast(TOKENS[line][scheme], TOKENS[surface][scheme]) >= 3
