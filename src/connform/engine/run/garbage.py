"""The garbage collector of a command that checks thousands of connections: what it has read is not scanned again and again.

Layer 3, no IO.
"""

from __future__ import annotations

import gc

_THRESHOLDS = 10_000, 10, 14
"""After how many new objects the young ones are scanned, by default 700; after how many such scans the middle generation; after how many of
those all, which is after some 1,400,000 new objects."""


class _ThisProcess:
    """This process."""

    is_command = False


def begin_command() -> None:
    """Turn on garbage collection in the process of a command, whose `main` turned it off; imported objects stay: they are not scanned."""
    _ThisProcess.is_command = True
    gc.freeze()
    gc.enable()


def keep_what_exists() -> None:
    """Leave all objects of now out of later collections, if the process is a command.

    Manifest and plan stay until the end of the command. To scan them took a fifth of the time of 3,000 checks, and grew with
    their number. Full collections become rare, because they took a twentieth of 10,000 checks, and the peak of memory is the same without them.
    So do the others, which took a fortieth: a check leaves no garbage, or some twenty small objects where it fails.
    A program that uses the library decides itself.
    """
    if _ThisProcess.is_command:
        gc.freeze()
        gc.set_threshold(*_THRESHOLDS)
