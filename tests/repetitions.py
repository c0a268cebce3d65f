"""How often a test that looks for a rare failure repeats what it does: seldom in the suite, often in `tests/long/`."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

_VARIABLE = "CONNFORM_TEST_LONG"


def repeated(few: int, many: int) -> int:
    """Return `few` in the suite and `many` in a long run."""
    return many if os.environ.get(_VARIABLE) else few


def run_long(*selection: str) -> NoReturn:
    """Replace this process by pytest in a long run, which shows what passing tests print, such as counts.

    Args:
        selection: which tests; arguments of this process are added.
    """
    argv = [sys.executable, "-m", "pytest", "-rP", "--timeout=0", "-o", "faulthandler_timeout=0", *selection]
    os.execve(sys.executable, [*argv, *sys.argv[1:]], {**os.environ, _VARIABLE: "1"})
