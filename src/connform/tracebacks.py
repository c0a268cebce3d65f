"""Removes frames that may hold a secret from the tracebacks of exceptions.

Layer 0, no IO. Error collectors send the local variables of every frame in a traceback: Sentry by default, others by
option.
"""

from __future__ import annotations

import sys
from types import TracebackType

from connform.errors import ConnformError

NOTE_START = "frames that may hold a secret are left out:"
"""Start of the note on an exception whose frames were removed."""


class hidden_frames:  # noqa: N801  (used as a function; a generator takes three times as long)
    """Context manager: removes the traceback of an exception that leaves the block, and the exceptions behind it.

    The frame of the function around the block is removed as well.

    The exception that the caller was handling stays behind it. So do exceptions that are no `Exception`, as cancellations,
    for which anyio looks; their tracebacks are removed too.
    """

    __slots__ = ("_handled", "_shown")

    def __init__(self, shown: object = None) -> None:
        """Set an object whose methods hold no secret: the frames of an exception that comes from them stay."""
        self._shown = shown

    def __enter__(self) -> None:
        self._handled = sys.exception()

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            return
        shown_frames = None if self._shown is None else _frames_from(trace, self._shown)
        if shown_frames is None and error is not self._handled:
            _add_note(error, self._handled)
            _remove_frames(error, self._handled)
        error.__traceback__ = shown_frames


def _frames_from(trace: TracebackType | None, owner: object) -> TracebackType | None:
    """Return the part of a traceback from the first frame in a method of `owner` on; `None` if there is none."""
    while trace is not None and trace.tb_frame.f_locals.get("self") is not owner:
        trace = trace.tb_next
    return trace


def _exceptions_behind(error: BaseException, handled: BaseException | None) -> list[BaseException]:
    """Return the causes and contexts of an exception, up to the one that the caller was handling."""
    links = [error]
    while (link := links[-1].__cause__ or links[-1].__context__) and link is not handled and link not in links:
        links.append(link)
    return links[1:]


def _remove_frames(error: BaseException, handled: BaseException | None) -> None:
    """Remove an exception's traceback and the exceptions behind it, except for the ones that `hidden_frames` keeps."""
    remaining = [error, *(link for link in _exceptions_behind(error, handled) if not isinstance(link, Exception))]
    for link, context in zip(remaining, [*remaining[1:], handled], strict=True):
        if link.__cause__ is not None:
            link.__cause__ = None
            link.__suppress_context__ = False
        link.__context__ = context
        link.__traceback__ = None
        for member in link.exceptions if isinstance(link, BaseExceptionGroup) else ():
            _remove_frames(member, handled)


def _add_note(error: BaseException, handled: BaseException | None) -> None:
    """Note on a possible programming error which lines were removed, and the types of the exceptions behind it."""
    if not isinstance(error, Exception) or isinstance(error, ConnformError):
        return
    lines = [NOTE_START, *_frame_lines(error)]
    for link in _exceptions_behind(error, handled):
        lines += [f"behind it {type(link).__module__}.{type(link).__qualname__}", *_frame_lines(link)]
    error.add_note("\n    ".join(lines))


def _frame_lines(error: BaseException) -> list[str]:
    from traceback import walk_tb  # imported here to keep the start-up fast

    return [
        f"{frame.f_code.co_filename}:{line} in {frame.f_code.co_name}" for frame, line in walk_tb(error.__traceback__)
    ]
