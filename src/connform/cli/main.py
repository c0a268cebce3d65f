"""The entry point of the command line: runs it, reports every error, returns the exit code. Layer 5, no IO of its own.

For a fast start-up, the rest of connform, and with it click, is imported when the garbage collector is off.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import warnings

from connform import WINDOWS_UNSUPPORTED

TYPE_CHECKING = False  # that of `typing`, which would be imported with the collector on
if TYPE_CHECKING:
    from collections.abc import Sequence

_USAGE, _INTERRUPTED = 64, 130
_OF_GRANTS = {"connform.auth.oauth.renewal_thread", "connform.auth.oauth.unsaved"}
"""Modules that are imported where a grant may be renewed or obtained."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code; every error is printed here."""
    # A command ends before garbage matters: collecting costs more than the parse of a large manifest
    # (measured 1,995 → 842 ms at 10,000 connections), and 3 ms of the imports. Verbs that use the network turn it on again.
    gc.disable()
    from connform.cli.interruption import INTERRUPTION
    from connform.programs import absolute_parts

    # Programs that libraries start (`az`, `gcloud`, a browser), and the command of `exec`, are looked for on this PATH too.
    os.environ["PATH"] = absolute_parts(os.environ.get("PATH", ""))
    if os.name != "posix":
        sys.stderr.write(f"error: {WINDOWS_UNSUPPORTED}\n")
        return _USAGE
    code = _run(argv)
    if _OF_GRANTS & sys.modules.keys():
        from connform.cli.unsaved import wait_for_grants

        code = wait_for_grants(code)
    if argv is None:
        INTERRUPTION.end_with(code)
    return code


def _run(argv: Sequence[str] | None) -> int:
    """Run a command line, and return the exit code of its verb."""
    from connform.cli.interruption import INTERRUPTION
    from connform.cli.streams import restore_streams

    if argv is None:
        restore_streams()
        if not sys.warnoptions:  # what libraries of vendors warn of is not for users: it would stand on standard error
            warnings.simplefilter("ignore")
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where it is ignored, programs that fail seem to end with 0
        INTERRUPTION.watch()
    try:
        from connform.cli.group import cli, run

        if "_CONNFORM_COMPLETE" in os.environ and argv is None:
            from connform.cli.completion import print_completions

            return print_completions(cli)
        return run(sys.argv[1:] if argv is None else argv)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  (nothing above could report it)
        from connform.cli.failure import print_error

        code = print_error(error)
        return INTERRUPTION.exit_code if code == _INTERRUPTED else int(code)
    finally:
        if argv is None:
            INTERRUPTION.stop_watching()
            gc.freeze()  # the last collection would walk all that was imported: 6 ms, a tenth of a small command
