"""A picture of the time of each stage of one check, as SVG. Layer 4, no IO."""

from __future__ import annotations

from collections.abc import Iterable

from connform.faults import Stage
from connform.reporters.html.markup import Markup, element, picture
from connform.reporters.html.parts import milliseconds
from connform.reporters.view import View

TIMED_STAGES = (Stage.SECRET, Stage.DNS, Stage.TCP, Stage.TLS, Stage.HTTP)
"""The stages that a picture shows, in their order; `latency` is a part of `http`, and the others take no time."""
_WIDTH, _HEIGHT = 150, 12
_NARROWEST = 0.5
"""The width of a stage that took nearly no time."""


def stage_bars(item: View, longest_ms: float) -> Markup:
    """Return the times of the stages behind each other; the whole width stands for `longest_ms`."""
    times = {stage["name"]: stage["elapsed_ms"] for stage in item["stages"] if stage["status"] == "ok"}
    shapes, words, left = [], [], 0.0
    for name in TIMED_STAGES:
        if elapsed := times.get(name, 0):
            width = max(elapsed / longest_ms * _WIDTH, _NARROWEST)
            shapes.append(
                element("rect", x=round(left, 1), y=0, width=round(width, 1), height=_HEIGHT, class_=f"s-{name}")
            )
            words.append(f"{name} {milliseconds(elapsed)}")
            left += width
    return picture(_WIDTH, _HEIGHT, ", ".join(words), shapes) if shapes else Markup()


def longest_ms(items: Iterable[View]) -> float:
    """Return the time of the longest check that was answered, 1 if there is none: a time-out would leave the others no width."""
    totals = (_total_ms(item) for item in items if item["verdict"] not in {"failed", "unknown"})
    return max(totals, default=0.0) or 1.0


def _total_ms(item: View) -> float:
    return sum(float(stage["elapsed_ms"]) for stage in item["stages"] if stage["name"] in TIMED_STAGES)


def stages_key() -> Markup:
    """Return what the colours of stages mean."""
    square = {"width": _HEIGHT, "height": _HEIGHT}
    swatches = [
        element("span", picture(_HEIGHT, _HEIGHT, "", [element("rect", **square, class_=f"s-{name}")]), str(name))
        for name in TIMED_STAGES
    ]
    return element("p", *swatches, class_="key muted")
