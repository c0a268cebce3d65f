"""Hides the memory and the environment of this process from other programs of the same user, as ssh-agent does.

Layer 4; IO: prctl(2). Linux only. A process that isn't dumpable can't be traced, `/proc/PID/mem` and `/proc/PID/environ` can't be read,
and it leaves no core file. Programs that it starts are not affected, since execve(2) makes a process dumpable again.
"""

from __future__ import annotations

import ctypes
import sys

_PR_SET_DUMPABLE = 4


def hide() -> None:
    """Hide them, where the system can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
