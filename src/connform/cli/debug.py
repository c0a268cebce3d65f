"""`--debug` prints connform's log to standard error; `--debug-plugins` prints exceptions in plug-ins. Layer 5. IO: standard error.

Other loggers, as those of httpx and of vendors' libraries, are not printed: they log headers, URLs and answers.
"""

from __future__ import annotations

import logging
import ssl
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

from connform import __version__, debug_log
from connform.cli.options import Options
from connform.cli.output import write_stderr
from connform.environment import variable_if_set
from connform.plugin_guard import watched_errors
from connform.reporters.terminal import clean

_VARIABLES = (
    *("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "CONNFORM_STATE", "CONNFORM_STATE_KEY", "CONNFORM_REPOSITORY", "CONNFORM_ROOT"),
)
"""The variables that decide how servers are reached and where state lies. A value may hold a password: only names are printed."""


@contextmanager
def debugging(options: Options) -> Iterator[None]:
    """Print what the flags ask for during the block."""
    with ExitStack() as stack:
        if options.debug:
            stack.enter_context(_printed_log())
        if options.debug_plugins:
            stack.enter_context(watched_errors(write_stderr))
        yield


@contextmanager
def _printed_log() -> Iterator[None]:
    logger, handler = logging.getLogger(debug_log.ROOT), _LogPrinter()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        python, tls = sys.version.split()[0], ssl.OPENSSL_VERSION
        logger.debug("connform %s, Python %s, %s, %s", __version__, python, tls, sys.platform)
        names = [name for name in _VARIABLES if variable_if_set(name)]
        logger.debug("environment variables that are set: %s", ", ".join(names) or "none of those that connform reads")
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)


class _LogPrinter(logging.Handler):
    """Prints each record as a line: time in UTC, logger, message."""

    def emit(self, record: logging.LogRecord) -> None:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        write_stderr(f"{time} {record.name}: {clean(record.getMessage())}\n")
