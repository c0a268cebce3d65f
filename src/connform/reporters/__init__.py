"""The table of report formats, and the protocol of a format's module. Layer 4, no IO.

A new format is one module with `render` and one line here.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol, cast

if TYPE_CHECKING:
    from connform.reporters.view import View


class Reporter(Protocol):
    """A format: a module with this function."""

    def render(self, view: View, *, color: bool, width: int, verbosity: int) -> str:
        """Return the whole output, which ends with a newline unless it is empty.

        Args:
            view: A report, as `view.build` returns it.
            color: Whether ANSI colours may be used; formats for machines ignore the last three arguments.
            width: Columns of the terminal.
            verbosity: -1 for errors and failures only, 0, 1 and more for more facts.
        """


FORMATS: Final = {
    "text": "connform.reporters.text",
    "concise": "connform.reporters.concise",
    "json": "connform.reporters.json",
    "jsonl": "connform.reporters.jsonl",
    "github": "connform.reporters.github",
    "gitlab": "connform.reporters.gitlab",
    "sarif": "connform.reporters.sarif",
    "junit": "connform.reporters.junit",
    "markdown": "connform.reporters.markdown",
}
"""Name on the command line → module; only the module of a requested format is imported."""

REPOSITORY_PATH_FORMATS: Final = frozenset({"github", "gitlab", "sarif", "junit", "markdown"})
"""Formats in which a file is named by its path in the repository."""


def reporter(name: str) -> Reporter:
    """Return the reporter of a format that is in the table."""
    return cast("Reporter", import_module(FORMATS[name]))
