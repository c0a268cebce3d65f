"""The thread of a renewal, and how a program that ends waits for those that run.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

from connform.process_local import ProcessLocal


class RenewalThread(Thread):
    """A thread that is not a daemon: it completes even if all callers give up or the process is ending."""

    def __init__(self, connection: str, work: Callable[[], object]) -> None:
        """Take the name of the connection, and what renews its token."""
        super().__init__(target=work, name=f"connform renews {connection}", daemon=False)
        self.connection = connection
        """The name of the connection."""

    def run(self) -> None:
        running = _RUNNING.own
        running.add(self)
        try:
            super().run()
        finally:
            running.discard(self)


_RUNNING: ProcessLocal[set[RenewalThread]] = ProcessLocal(set)


def renewals() -> list[RenewalThread]:
    """Return the renewals that run in this process."""
    return list(_RUNNING.own)


def wait_for_renewals() -> None:
    """Wait for the renewals that run in this process. Some servers end a worker without waiting for its threads."""
    for thread in renewals():
        thread.join()
