"""Turns an exception into all that a collector of errors may show of it: locals of every frame, however deep, and what stands behind it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any

from tests.canary import assert_no_canary

_TESTS = os.path.dirname(os.path.dirname(__file__)) + os.sep
_CONTAINERS = (list, tuple, set, frozenset)
_BYTES = (bytes, bytearray, memoryview)


def shown(error: BaseException) -> Iterator[tuple[str, bytes]]:
    """Yield where something stands, and its bytes; links that are suppressed are followed as well."""
    yield from _of_error(error, set())


def _of_error(error: BaseException, seen: set[int]) -> Iterator[tuple[str, bytes]]:
    if id(error) in seen:
        return
    seen.add(id(error))
    where = type(error).__name__
    yield where, f"{error!r} {error}".encode(errors="replace")
    yield from _of_value(f"{where}.args", error.args, seen)
    yield from _of_value(f"vars({where})", vars(error), seen)
    yield from _of_trace(error.__traceback__, seen)
    for link in (error.__cause__, error.__context__, *getattr(error, "exceptions", ())):
        if link is not None:
            yield from _of_error(link, seen)


def _of_trace(trace: TracebackType | None, seen: set[int]) -> Iterator[tuple[str, bytes]]:
    while trace is not None:
        code = trace.tb_frame.f_code
        if not code.co_filename.startswith(_TESTS):  # a test's own secrets are its own
            for name, value in dict(trace.tb_frame.f_locals).items():
                yield from _of_value(f"{name} in {code.co_qualname} ({code.co_filename})", value, seen)
        trace = trace.tb_next


def _of_value(where: str, value: Any, seen: set[int]) -> Iterator[tuple[str, bytes]]:
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, BaseException):
        yield from _of_error(value, seen)
    elif isinstance(value, TracebackType):
        yield from _of_trace(value, seen)
    elif (items := _items(value)) is not None:
        for item in items:
            yield from _of_value(where, item, seen)
    elif isinstance(value, _BYTES):
        yield where, bytes(value)
    else:
        with suppress(AttributeError):  # it is not yet made
            yield where, (value if isinstance(value, str) else repr(value)).encode(errors="replace")


def _items(value: Any) -> list[Any] | None:
    """Return what collectors expand in a value; `None` where they show its `repr`."""
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    if isinstance(value, _CONTAINERS):
        return list(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name, None) for field in dataclasses.fields(value)]
    return None


def assert_hidden(error: BaseException, name: str) -> None:
    """Fail where an exception shows the canary to anybody who looks at it."""
    for where, data in shown(error):
        assert_no_canary(data, where=f"{where}, after {name},")
