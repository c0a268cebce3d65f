"""`--debug`: prints the messages and tracebacks of exceptions in plug-ins, which may hold a secret. Layer 5. IO: standard error."""

from __future__ import annotations

from contextlib import AbstractContextManager

from connform.cli.output import write_stderr
from connform.plugin_guard import watched_errors


def debugging() -> AbstractContextManager[None]:
    """Return the context in which exceptions in plug-ins are printed."""
    return watched_errors(write_stderr)
