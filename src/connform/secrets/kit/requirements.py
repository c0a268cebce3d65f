"""How to install a library or program that a backend needs, if it is missing.

Layer 2; looks for files and starts nothing. Of a library in a package, `google.auth`, the package `google` is imported.
"""

from __future__ import annotations

from connform.environment import variable
from connform.programs import find_program


def missing_library(name: str, to_install: str) -> str:
    """Return how to install a library; empty if it is installed.

    Args:
        name: its module: `google.auth`.
        to_install: the command, `pip install google-auth`.
    """
    from importlib.util import find_spec

    try:
        found = find_spec(name)
    except ModuleNotFoundError:  # not even the package above it is installed
        found = None
    return "" if found else to_install


def missing_program(name: str) -> str:
    """Return the name of a missing program, as `the program op`; empty if it is on PATH."""
    return "" if find_program(name, variable("PATH")) else f"the program {name}"
