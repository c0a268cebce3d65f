"""How often a test that looks for a rare failure repeats what it does: seldom in the suite, often in `tests/long/`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn, TypeVar

T = TypeVar("T")
_VARIABLE = "CONNFORM_TEST_LONG"


def repeated(few: T, many: T) -> T:
    """Return `few` in the suite and `many` in a long run."""
    return many if os.environ.get(_VARIABLE) else few


def given(name: str, few: int) -> int:
    """Return `few` in the suite, and the number of that name of `run_long` in a long run."""
    return int(os.environ.get(f"{_VARIABLE}_{name.upper()}", str(few)))


def run_long(*selection: str, arguments: Sequence[str] | None = None, **numbers: int) -> NoReturn:
    """Replace this process by pytest in a long run, which shows what passing tests print, such as counts.

    Args:
        selection: which tests.
        arguments: more for pytest; by default those of this process.
        numbers: what `given` returns.
    """
    argv = [sys.executable, "-m", "pytest", "-rP", "--timeout=0", "-o", "faulthandler_timeout=0", *selection]
    more = sys.argv[1:] if arguments is None else arguments
    variables = {f"{_VARIABLE}_{name.upper()}": str(number) for name, number in numbers.items()}
    os.execve(sys.executable, [*argv, *more], {**os.environ, _VARIABLE: "1", **variables})
