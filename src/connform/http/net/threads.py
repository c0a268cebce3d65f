"""`in_thread`: calls a function in a thread of its own, or in this one where the system starts no more. Layer 1, no IO."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread


def in_thread(work: Callable[..., object], *arguments: object, name: str | None = None) -> None:
    """Call a function in a daemon thread. Where a limit of processes permits none, as in a container, this thread does the work."""
    try:
        Thread(target=work, args=arguments, name=name, daemon=True).start()
    except RuntimeError:
        work(*arguments)
