"""Goals: a figure, its limit, and whether it is met. A goal whose peer isn't installed is missed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.kit.figures import Figures, ratio, shown


@dataclass(frozen=True)
class Goal:
    """One figure that has a limit."""

    text: str
    limit: float
    measured: float | None
    """None where the peer isn't installed."""
    unit: str = ""
    peer: str = "none"
    """What the figure is a ratio to, with its own figure in the same rounds."""
    is_least: bool = False
    """Whether the limit is the least that is wanted, not the most."""

    @property
    def is_met(self) -> bool:
        if self.measured is None:
            return False
        return self.measured >= self.limit if self.is_least else self.measured <= self.limit

    def row(self) -> str:
        """Return the row of the table."""
        limit = f"{'≥' if self.is_least else '≤'} {self.limit:.3g}{self.unit}"
        measured = "not measured" if self.measured is None else f"{_digits(self.measured)}{self.unit}"
        return f"| {self.text} | {limit} | {measured} | {self.peer} | {'met' if self.is_met else '**missed**'} |"


def beside(text: str, limit: float, figures: dict[str, Figures], tool: str, *peers: str) -> Goal:
    """Return the goal for a tool's time in terms of the first of the peers that ran in the same rounds."""
    peer = next((one for one in peers if one in figures), None)
    if peer is None:
        return Goal(text, limit, None, peer=f"{peers[0]} is not installed")
    times = f"{peer}: {shown(figures[peer].median_s)} ({tool}: {shown(figures[tool].median_s)})"
    return Goal(text, limit, ratio(figures, tool, peer), peer=times)


def table_of(goals: Iterable[Goal]) -> list[str]:
    """Return Markdown: goal, limit, measured, peer, met or missed; and how many are missed."""
    rows = list(goals)
    missed = sum(not goal.is_met for goal in rows)
    head = ["| goal | limit | measured | beside | |", "|---|---|---|---|---|"]
    return [*head, *(goal.row() for goal in rows), "", f"{len(rows) - missed} met, {missed} missed."]


def _digits(figure: float) -> str:
    """Return a figure so that it does not seem to be on the other side of a limit of three digits."""
    return f"{figure:.0f}" if figure >= 1000 else f"{figure:.4g}"
