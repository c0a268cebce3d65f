"""A log filter that drops what libraries log of connform's calls.

Layer 2, no IO. Libraries log answers, which hold secrets (botocore at DEBUG), or what a login said (azure-identity at WARNING).
Calls by other code of this process are still logged.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

_IS_OUR_CALL: ContextVar[bool] = ContextVar("connform_library_call", default=False)


class _DropOurRecords(logging.Filter):
    """Drops records that are logged while one of connform's calls runs."""

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002  (all records)
        return not _IS_OUR_CALL.get()


_FILTER = _DropOurRecords()


@contextmanager
def unlogged(*names: str) -> Iterator[None]:
    """Drop what libraries log in this thread inside of the block.

    Args:
        names: the packages of the libraries, such as `botocore`: the loggers of all their modules. A name that is no package is
            that of one logger.
    """
    for name in names:
        _add_filter(name)
    token = _IS_OUR_CALL.set(True)
    try:
        yield
    finally:
        _IS_OUR_CALL.reset(token)


@cache
def _add_filter(name: str) -> None:
    for logger_name in _logger_names(name):
        logging.getLogger(logger_name).addFilter(_FILTER)


def _logger_names(package: str) -> Iterator[str]:
    """Yield the names of a package's modules, which its loggers have. Child loggers don't inherit a filter."""
    from importlib.util import find_spec
    from pkgutil import iter_modules

    yield package
    spec = find_spec(package)
    waiting = [(package, list(spec.submodule_search_locations or ()))] if spec else []
    while waiting:
        parent, folders = waiting.pop()
        for _, name, is_package in iter_modules(folders):
            yield f"{parent}.{name}"
            if is_package:
                waiting.append((f"{parent}.{name}", [f"{folder}/{name}" for folder in folders]))
