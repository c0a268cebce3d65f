"""Draws curves as SVG: panels one below the other, both axes logarithmic, each curve with its name at its end.

The picture has its own background, in light or dark as the reader prefers, so that it is legible on every page.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LEFT, RIGHT, TOP, HEIGHT, GAP = 480, 64, 128, 44, 236, 84
"""Of the picture, the margins, and each panel, in pixels."""
LINE = 15
MOST_POWERS = 3
LIGHT = ("#0b5cad", "#a13d00", "#106b3c", "#7a2ea0", "#9a1c4b")
DARK = ("#7ab8ff", "#ffab73", "#6fd89c", "#d29bff", "#ff8fb4")
STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
.page { fill: #ffffff }
.grid { stroke: #d5d9de; stroke-width: 1 }
.curve { fill: none; stroke-width: 2 }
%s
@media (prefers-color-scheme: dark) {
text { fill: #e6e8eb }
.page { fill: #16191d }
.grid { stroke: #3a4048 }
%s
}"""


@dataclass(frozen=True)
class Panel:
    """One quantity of every curve: its values at the sizes, by the curve's name."""

    title: str
    unit: str
    curves: dict[str, list[float]]


def drawn(sizes: Sequence[int], panels: Sequence[Panel]) -> str:
    """Return the SVG."""
    height = TOP + len(panels) * (HEIGHT + GAP) - GAP // 4
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(' and '.join(panel.title for panel in panels))} by the number of connections</title>",
        f"<style>{STYLE % (_colours(LIGHT), _colours(DARK))}</style>",
        f'<rect class="page" width="{WIDTH}" height="{height}" rx="8"/>',
    ]
    for number, panel in enumerate(panels):
        parts += _panel(sizes, panel, TOP + number * (HEIGHT + GAP))
    return "\n".join((*parts, "</svg>", ""))


def _colours(colours: Sequence[str]) -> str:
    return "\n".join(f".c{at} {{ stroke: {one} }} .n{at} {{ fill: {one} }}" for at, one in enumerate(colours))


def _panel(sizes: Sequence[int], panel: Panel, top: int) -> list[str]:
    right, bottom = WIDTH - RIGHT, top + HEIGHT
    ticks = _ticks([value for curve in panel.curves.values() for value in curve])
    least, most = math.log10(ticks[0]), math.log10(ticks[-1])

    def x(size: float) -> float:
        return LEFT + (right - LEFT) * math.log10(size / sizes[0]) / math.log10(sizes[-1] / sizes[0])

    def y(value: float) -> float:
        return bottom - HEIGHT * (math.log10(value) - least) / (most - least)

    parts = [f'<text class="title" x="{LEFT}" y="{top - 18}">{panel.title} ({panel.unit}) by connections</text>']
    for tick in ticks:
        at = y(tick)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{tick:,.10g}</text>')
    for size in sizes:
        at = x(size)
        parts.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{top}" y2="{bottom}"/>')
        parts.append(f'<text x="{at:.1f}" y="{bottom + 20}" text-anchor="middle">{size:,}</text>')
    names = _apart({name: y(curve[-1]) for name, curve in panel.curves.items()})
    for number, (name, curve) in enumerate(panel.curves.items()):
        points = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in zip(sizes, curve, strict=True))
        parts.append(f'<polyline class="curve c{number}" points="{points}"/>')
        parts.append(f'<text class="n{number}" x="{right + 8}" y="{names[name] + 4:.1f}">{escape(name)}</text>')
    return parts


def _ticks(values: Sequence[float]) -> list[float]:
    """Return 1, 2 and 5 of each power of ten, from below the values to above them; the powers alone, where that is much."""
    powers = range(math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))) + 1)
    steps = (1, 2, 5) if len(powers) <= MOST_POWERS else (1,)
    ticks = [step * 10.0**power for power in powers for step in steps]
    below = max(tick for tick in ticks if tick <= min(values))
    above = min((tick for tick in ticks if tick >= max(values)), default=ticks[-1])
    return [tick for tick in ticks if below <= tick <= above]


def _apart(heights: dict[str, float]) -> dict[str, float]:
    """Return the heights so that no name covers another: those too near to the one below move up."""
    moved: dict[str, float] = {}
    below = math.inf
    for name, height in sorted(heights.items(), key=lambda one: -one[1]):
        below = moved[name] = min(height, below - LINE)
    return moved
