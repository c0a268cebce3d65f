"""Performs steps of requests as a check does, and returns the results."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from connform.http.net.multiplex import run_many
from connform.http.net.steps import Steps

A = TypeVar("A")
T = TypeVar("T")


def results_of(work: Callable[[A], Steps[T]], arguments: Iterable[A], at_once: int) -> list[tuple[A, T]]:
    """Return the arguments with the results of their steps, in the order of their ends."""
    found: list[tuple[A, T]] = []
    run_many(work, arguments, at_once, lambda argument, result: found.append((argument, result)))
    return found


def result_of(steps: Steps[T]) -> T:
    """Return the result of one generator of steps."""
    ((_, result),) = results_of(lambda _: steps, [""], 1)
    return result
