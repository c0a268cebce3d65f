"""Waits at the end of a command for new grants that are only in memory. Layer 5. IO: standard error."""

from __future__ import annotations

from contextlib import suppress

from connform.auth.oauth.unsaved import END_S, unsaved_grants, wait_until_written
from connform.cli.failure import print_error
from connform.cli.output import write_stderr


def wait_for_unsaved_grants() -> int:
    """Wait until new grants are written, or until SIGINT; return the exit code of one that was not."""
    with suppress(KeyboardInterrupt):
        for grant in unsaved_grants():
            write_stderr(f"warning: {grant}; waiting {END_S:.0f} s at most until it is written\n")
        wait_until_written()
    return max((print_error(grant.give_up()) for grant in unsaved_grants()), default=0)
