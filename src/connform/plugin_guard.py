"""Guards of third-party plug-ins: an exception or a wrong result becomes the fault `plugin_error`, which names the plug-in.

Layer 0, no IO. The message of such an exception may hold a secret: it is given only to `watched_errors`, for `--debug-plugins`.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from traceback import walk_tb
from types import UnionType
from typing import Any, Final

from connform.errors import ConnectionFailed, ConnformError, InterfaceMisused
from connform.registry import PLUGIN_ERROR, PluginKind, type_name

_PACKAGE = "connform"
_watchers: Final[list[Callable[[str], None]]] = []
_shown: Final[dict[tuple[str, str, str], object]] = {}


class GuardedPlugin:
    """An object of a plug-in. It has the attributes of that object; its methods raise no exception but connform's own."""

    def __init__(self, plugin: object, origin: str, kind: PluginKind) -> None:
        """Wrap the methods of an object.

        Args:
            plugin: the object.
            origin: the entry point and its package, for messages.
            kind: its kind.
        """
        self._plugin = plugin
        self._origin = origin
        self._kind = kind
        self._passed = (ConnformError, *kind.passed)
        for name in dir(plugin):
            member = inspect.getattr_static(plugin, name, None)  # a property is not computed
            if not name.startswith("_") and (callable(member) or isinstance(member, classmethod)):
                # In `__dict__`, because a check for an optional method may not call `__getattr__`.
                self.__dict__[name] = self._guarded_method(name, getattr(plugin, name))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        value = self._call(name, lambda: getattr(self._plugin, name), AttributeError)
        needed, is_method = self._kind.results.get(name, object), name in self._kind.checks
        if not (callable(value) if is_method else isinstance(value, needed)):
            wanted = "a method" if is_method else type_name(needed)
            what = f"`{name}` is {type(value).__name__}, and {wanted} is needed"
            raise self._failure(what)
        return value

    def _guarded_method(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def call(*arguments: Any, **named: Any) -> Any:
            result = self._call(name, lambda: method(*arguments, **named))
            needed = self._kind.results.get(name, object)
            problem = "" if isinstance(result, needed) else _returned(result, needed)
            if not problem and (check := self._kind.checks.get(name)):
                problem = self._call(name, lambda: check(result, *arguments, **named))
            if problem:
                what = f"`{name}` {problem}{_position_of(method)}"
                raise self._failure(what)
            if isinstance(result, Iterator) or name in self._kind.item_checks:
                return self._guarded_iterator(name, result, _position_of(method))
            is_plug_in = name in self._kind.makers
            return GuardedPlugin(result, self._origin, self._kind) if is_plug_in else result

        return call

    def _guarded_iterator(self, name: str, iterable: Iterable[Any], position: str) -> Iterator[Any]:
        items, end = self._call(name, lambda: iter(iterable)), object()
        check = self._kind.item_checks.get(name, lambda _: "")
        while (item := self._call(name, lambda: next(items, end))) is not end:
            if problem := self._call(name, lambda: check(item)):
                what = f"`{name}` {problem}{position}"
                raise self._failure(what)
            yield item

    def _call(self, name: str, work: Callable[[], Any], *passed: type[Exception]) -> Any:
        try:
            return work()
        except (*self._passed, *passed):  # type: ignore[misc]  # it is a tuple of classes
            raise
        except Exception as error:  # noqa: BLE001  (a plug-in may raise anything)
            what = f"{_type_and_message(error)} in `{name}`{_position(error)}"
            show_error(self._origin, error)
        # Outside of the block, because the context of an exception is collected with it, and may hold a secret.
        raise self._failure(what)

    def _failure(self, what: str) -> ConnectionFailed:
        return self._kind.failure(PLUGIN_ERROR, f"a bug of the plug-in {self._origin}: {what}")


def _returned(result: object, needed: type | UnionType) -> str:
    return f"returned {type(result).__name__}, and {type_name(needed)} is needed"


def _type_and_message(error: Exception) -> str:
    return f"wrong value: {error};" if isinstance(error, InterfaceMisused) else type(error).__name__


def _position_of(method: Callable[..., Any]) -> str:
    """Return the file and line of a method of the plug-in's own package; empty for others."""
    code = getattr(method, "__code__", None)
    root = str(getattr(method, "__module__", "")).partition(".")[0]
    return f" ({code.co_filename}:{code.co_firstlineno})" if code and root != _PACKAGE else ""


def _position(error: Exception) -> str:
    """Return the file and line of the innermost frame in the plug-in's own package; empty if there is none."""
    package = position = ""
    for frame, line in walk_tb(error.__traceback__):
        root = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        package = package or (root if root != _PACKAGE else "")
        if package and root == package:
            position = f" ({frame.f_code.co_filename}:{line})"
    return position


def show_error(origin: str, error: BaseException) -> None:
    """Call the watchers, unless they had the same exception from the same line: a method may be called several times."""
    if _watchers:
        from traceback import format_exception

        last = deque(walk_tb(error.__traceback__), maxlen=1)
        lines = [(frame.f_code.co_filename, line) for frame, line in last]
        identity = (origin, str(lines), "".join(format_exception(type(error), error, None, chain=False)))
        mine = object()
        if _shown.setdefault(identity, mine) is not mine:  # one step, because threads may be here at once
            return
        text = f"an exception in the plug-in {origin}:\n{''.join(format_exception(error))}"
        for watcher in _watchers:
            watcher(text)


@contextmanager
def watched_errors(watcher: Callable[[str], None]) -> Iterator[None]:
    """Call `watcher` inside of the block with the message and the traceback of each exception in a plug-in."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)
        if not _watchers:
            _shown.clear()
