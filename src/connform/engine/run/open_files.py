"""How many checks can run at once by this process's limit of open files. Layer 3; asks the system."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

_OTHERS = 16
"""Files that a run opens beside its connections: modules, manifests, certificates, the state."""
_OF_A_CHECK = 2
"""Its connection, and one more that reads a refused certificate."""


def at_once(wanted: int) -> int:
    """Return how many checks can run at once, at most `wanted`; where none can be sure of its files, 1."""
    if sys.platform == "win32":
        return wanted
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return wanted
    opened = 0
    with suppress(OSError):
        opened = len(os.listdir("/dev/fd"))  # noqa: PTH208  (pathlib would open one too)
    return max(1, min(wanted, (limit - opened - _OTHERS) // _OF_A_CHECK))
