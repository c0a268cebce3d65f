"""What the rounds of a job gave: medians, ratios to another tool in the same rounds, and the table of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median


@dataclass
class Figures:
    """What the rounds of one job gave, in their order."""

    seconds: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)
    stdouts: list[str] = field(default_factory=list)

    @property
    def median_s(self) -> float:
        return median(self.seconds)

    @property
    def median_mb(self) -> float:
        return median(self.peak_mb)


def ratio(figures: dict[str, Figures], tool: str, peer: str) -> float:
    """Return the median of one tool's time in terms of another's, over the rounds in which both ran.

    Raises:
        KeyError: one of them did not run.
    """
    return median(a / b for a, b in zip(figures[tool].seconds, figures[peer].seconds, strict=False))


def table(figures: dict[str, Figures], base: str) -> list[str]:
    """Return Markdown: median, least and most, ratio to `base`, peak memory."""
    lines = [f"| tool | median | least and most | ratio to {base} | peak memory |", "|---|---|---|---|---|"]
    for tool, one in figures.items():
        times = f"{shown(one.median_s)} | {shown(min(one.seconds))}, {shown(max(one.seconds))}"
        lines.append(f"| {tool} | {times} | {ratio(figures, tool, base):.2f} | {one.median_mb:.0f} MB |")
    return lines


def shown(seconds: float) -> str:
    """Return a time with the digits that count."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    milliseconds = seconds * 1000
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.2f} ms"
