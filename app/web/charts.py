"""Line charts as points for an SVG: computed here, drawn by `_macros/charts.html`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 640
HEIGHT: Final = 200
LEFT: Final = 44
RIGHT: Final = 12
TOP: Final = 12
BOTTOM: Final = 28
_LABELS_MAX: Final = 8


@dataclass(frozen=True, slots=True)
class Line:
    """One series; `tone` is a class of the style sheet, which never is colour alone."""

    name: str
    tone: str
    dots: tuple[tuple[float, float], ...]

    @property
    def points(self) -> str:
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in self.dots)


@dataclass(frozen=True, slots=True)
class Chart:
    title: str
    description: str
    lines: tuple[Line, ...]
    labels: tuple[tuple[float, str], ...]
    """Places along the bottom and what stands there."""
    rulers: tuple[tuple[float, str], ...]
    """Heights and what they stand for."""


def share_chart(
    title: str,
    description: str,
    labels: Sequence[str],
    series: Sequence[tuple[str, str, Sequence[float | None]]],
) -> Chart:
    """Return the chart of shares from 0 to 1, left to right.

    Args:
        labels: One for each place.
        series: Name, tone, and a share for each place; None leaves a gap.
    """
    step = (WIDTH - LEFT - RIGHT) / max(len(labels) - 1, 1)
    every = -(-len(labels) // _LABELS_MAX)

    def x(place: int) -> float:
        return LEFT + place * step

    def y(share: float) -> float:
        return TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)

    return Chart(
        title=title,
        description=description,
        lines=tuple(
            Line(
                name,
                tone,
                tuple((x(n), y(share)) for n, share in enumerate(shares) if share is not None),
            )
            for name, tone, shares in series
        ),
        labels=tuple((x(n), text) for n, text in enumerate(labels) if n % every == 0),
        rulers=tuple((y(share), f"{share:.0%}") for share in (0, 0.25, 0.5, 0.75, 1)),
    )
