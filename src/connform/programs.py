"""Finds programs in the absolute parts of PATH. Layer 0; looks for files, starts nothing.

A relative or empty part of PATH is searched in the working directory. If that is a checkout, its author would choose
the program.
"""

# ruff: noqa: PTH113, PTH118  (pathlib would cost a third of bare Python's start-up)

from __future__ import annotations

import os


def absolute_parts(path: str) -> str:
    """Return a PATH without its relative and empty parts; the system's default PATH where nothing is left."""
    return os.pathsep.join(filter(os.path.isabs, path.split(os.pathsep))) or os.defpath


def find_program(name: str, path: str) -> str:
    """Return the absolute path of a program; empty where no absolute part of the PATH has it."""
    candidates = (os.path.join(folder, name) for folder in absolute_parts(path).split(os.pathsep))
    return next((file for file in candidates if os.path.isfile(file) and os.access(file, os.X_OK)), "")
