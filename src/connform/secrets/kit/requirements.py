"""Turns the name of a library or program into how to get it, where it is missing here.

Layer 2; looks for files, starts nothing and imports nothing.
"""

from __future__ import annotations

from connform.environment import variable
from connform.programs import find_program


def missing_library(name: str, to_install: str) -> str:
    """Return how to install a library; empty where it is here.

    Args:
        name: of its module: `google.auth`.
        to_install: the command, `pip install google-auth`.
    """
    from importlib.util import find_spec

    try:
        found = find_spec(name)
    except ModuleNotFoundError:  # not even what it lies in
        found = None
    return "" if found else to_install


def missing_program(name: str) -> str:
    """Return that a program is missing; empty where it is on PATH."""
    return "" if find_program(name, variable("PATH")) else f"the program {name}"
