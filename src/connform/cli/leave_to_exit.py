"""`leave_to_exit`: leaves memory to the end of the process, which frees all of it at once. Layer 5, no IO."""

from __future__ import annotations


def leave_to_exit(value: object) -> None:
    """Keep a value that a command no longer needs: to free its objects one by one takes up to a twentieth of a large plan's time.

    A reference cycle holds it. As `main` turns the collector off, nothing looks for cycles in a command; in a process that goes
    on, the collector frees it.
    """
    kept: list[object] = [value]
    kept.append(kept)
