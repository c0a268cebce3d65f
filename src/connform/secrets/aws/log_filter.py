"""A log filter that drops what botocore logs of connform's calls.

Layer 2, no IO. At DEBUG, botocore logs answers, which hold secrets. Calls by other code of this process are still logged.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import ModuleType

_IS_OUR_CALL: ContextVar[bool] = ContextVar("connform_aws_call", default=False)


class _DropOurRecords(logging.Filter):
    """Drops records that are logged while one of connform's calls runs."""

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002  (all records)
        return not _IS_OUR_CALL.get()


_FILTER = _DropOurRecords()


@contextmanager
def unlogged() -> Iterator[None]:
    """Drop what botocore and urllib3 log in this thread inside of the block."""
    _add_filter()
    token = _IS_OUR_CALL.set(True)
    try:
        yield
    finally:
        _IS_OUR_CALL.reset(token)


@cache
def _add_filter() -> None:
    import botocore
    import urllib3

    for package in (botocore, urllib3):
        for name in _logger_names(package):
            logging.getLogger(name).addFilter(_FILTER)


def _logger_names(package: ModuleType) -> Iterator[str]:
    """Yield the names of a package's modules, which its loggers have. Child loggers don't inherit a filter."""
    from pkgutil import iter_modules

    yield package.__name__
    waiting = [(package.__name__, list(package.__path__))]
    while waiting:
        parent, folders = waiting.pop()
        for _, name, is_package in iter_modules(folders):
            yield f"{parent}.{name}"
            if is_package:
                waiting.append((f"{parent}.{name}", [f"{folder}/{name}" for folder in folders]))
