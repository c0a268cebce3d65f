"""Waits at the end of a command for grants that would be lost: renewals under way, and new grants that are only in memory.

Layer 5. IO: standard error.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from connform.auth.oauth.renewal_thread import RenewalThread, renewals
from connform.auth.oauth.token_call import CALL_S
from connform.auth.oauth.unsaved import END_S, unsaved_grants, wait_until_written
from connform.cli.failure import print_error
from connform.cli.output import write_stderr

_MOMENT_S = 0.1
"""How long a renewal may take before a person is told of it."""


def wait_for_grants(code: int) -> int:
    """Wait until renewals have ended and new grants are written, or until SIGINT; return the exit code of the command.

    Args:
        code: that of its verb; a grant that is lost has one of its own, unless the verb failed.
    """
    is_interrupted = False
    try:
        _wait_for_renewals()
        for grant in unsaved_grants():
            write_stderr(f"warning: {grant}; waiting {END_S:.0f} s at most until it is written\n")
        wait_until_written()
    except KeyboardInterrupt:
        is_interrupted = True
    lost = max((print_error(grant.give_up()) for grant in unsaved_grants()), default=0)
    if is_interrupted and renewals():  # the interpreter would wait for them
        with suppress(OSError):
            sys.stdout.flush()
        os._exit(code or lost)
    return code or lost


def _wait_for_renewals() -> None:
    running: list[RenewalThread] = renewals()
    for thread in running:
        thread.join(_MOMENT_S / len(running))
    names = ", ".join(sorted({thread.connection for thread in renewals()}))
    if names:
        write_stderr(
            f"waiting {CALL_S:.0f} s at most until the grant of {names} is renewed; "
            "Ctrl-C ends at once, and the next use of the grant says whether it was lost\n"
        )
    for thread in renewals():
        thread.join()
