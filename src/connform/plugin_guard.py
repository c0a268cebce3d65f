"""Guards of third-party plug-ins: an exception that one raises becomes the fault `plugin_error`, which names the plug-in.

Layer 0, no IO. The message of such an exception may hold a secret: it is given only to `watched_errors`, for `--debug`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from traceback import walk_tb
from typing import TYPE_CHECKING, Any, Final

from connform.errors import ConnformError

if TYPE_CHECKING:
    from collections.abc import Callable

    from connform.errors import ConnectionFailed
    from connform.registry import PluginKind

_PACKAGE: Final = "connform"
_watchers: Final[list[Callable[[str], None]]] = []


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
        return self._call(name, lambda: getattr(self._plugin, name), AttributeError)

    def _guarded_method(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def call(*arguments: Any, **named: Any) -> Any:
            result = self._call(name, lambda: method(*arguments, **named))
            if isinstance(result, Iterator):
                return self._guarded_iterator(name, result)
            if not isinstance(result, self._kind.results.get(name, object)):
                what = f"`{name}` returned {type(result).__name__}, and {self._kind.results[name].__name__} is needed"
                raise self._failure(what)
            is_plug_in = name in self._kind.makers
            return GuardedPlugin(result, self._origin, self._kind) if is_plug_in else result

        return call

    def _guarded_iterator(self, name: str, items: Iterator[Any]) -> Iterator[Any]:
        end = object()
        while (item := self._call(name, lambda: next(items, end))) is not end:
            yield item

    def _call(self, name: str, work: Callable[[], Any], *passed: type[Exception]) -> Any:
        try:
            return work()
        except (*self._passed, *passed):  # type: ignore[misc]  # it is a tuple of classes
            raise
        except Exception as error:  # noqa: BLE001  (a plug-in may raise anything)
            what = f"{type(error).__name__} in `{name}`{_position(error)}"
            _show(self._origin, error)
        # Outside of the block, because the context of an exception is collected with it, and may hold a secret.
        raise self._failure(what)

    def _failure(self, what: str) -> ConnectionFailed:
        return self._kind.failure("plugin_error", f"a bug of the plug-in {self._origin}: {what}")


def _position(error: Exception) -> str:
    """Return the file and line of the innermost frame in the plug-in's own package; empty if there is none."""
    package = position = ""
    for frame, line in walk_tb(error.__traceback__):
        root = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        package = package or (root if root != _PACKAGE else "")
        if package and root == package:
            position = f" ({frame.f_code.co_filename}:{line})"
    return position


def _show(origin: str, error: Exception) -> None:
    if _watchers:
        from traceback import format_exception

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
