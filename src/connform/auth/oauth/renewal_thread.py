"""The thread of a renewal, and how a program that ends waits for those that run.

Layer 2, no IO.
"""

from __future__ import annotations

from threading import Thread

from connform.process_local import ProcessLocal

_RUNNING: ProcessLocal[set[Thread]] = ProcessLocal(set)


class RenewalThread(Thread):
    """A thread that is not a daemon: it completes even if all callers give up or the process is ending."""

    def run(self) -> None:
        running = _RUNNING.own
        running.add(self)
        try:
            super().run()
        finally:
            running.discard(self)


def wait_for_renewals() -> None:
    """Wait for the renewals that run in this process. Some servers end a worker without waiting for its threads."""
    for thread in list(_RUNNING.own):
        thread.join()
