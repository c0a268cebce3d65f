"""What leaves a block of hidden frames: the exception, whole, and nothing of where it was raised."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import pytest

from connform.errors import ConnectionFailed
from connform.http.credential import NO_LINES, HeaderLines
from connform.secret import Secret
from connform.tracebacks import NOTE_START, hidden_frames
from tests.canary import API_KEY, assert_no_canary
from tests.tracebacks.walk import assert_hidden


def names(error: BaseException) -> list[str]:
    """Return the functions in the traceback of an error, without those of this module's tests."""
    trace, found = error.__traceback__, []
    while isinstance(trace, TracebackType):
        found.append(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    return [name for name in found if not name.startswith("test_")]


def clear(error: BaseException) -> None:
    secret = API_KEY  # noqa: F841  (in the locals of the frame)
    raise error


def behind_another(error: BaseException) -> None:
    try:
        clear(ValueError(API_KEY))
    except ValueError:
        clear(error)


def caused(error: BaseException) -> None:
    try:
        clear(ValueError(API_KEY))
    except ValueError as cause:
        raise error from cause


def in_a_group(error: BaseException) -> None:
    with pytest.raises(type(error)) as raised:
        clear(error)
    message = "several"
    raise BaseExceptionGroup(message, [raised.value])


@pytest.mark.parametrize("raises", [clear, behind_another, caused, in_a_group])
@pytest.mark.parametrize("kind", [KeyError, KeyboardInterrupt, asyncio.CancelledError, GeneratorExit])
def test_no_exception_takes_a_frame_along(kind: type[BaseException], raises: Callable[[BaseException], None]) -> None:
    error = kind()

    def inside() -> None:
        secret = API_KEY  # noqa: F841  (in the locals of the frame)
        with hidden_frames():
            raises(error)

    with pytest.raises(BaseException) as raised:  # noqa: PT011  (of every kind)
        inside()
    links: list[BaseException] = [raised.value, *getattr(raised.value, "exceptions", ())]
    assert error in links
    assert [names(link) for link in links] == [[]] * len(links)
    assert [link.__cause__ or link.__context__ for link in links] == [None] * len(links)


def test_another_interruption_stays_behind_an_interruption_for_who_looks_for_it() -> None:
    first, second = asyncio.CancelledError("Cancelled via cancel scope 1"), asyncio.CancelledError()

    def inside() -> None:
        try:
            clear(first)
        except asyncio.CancelledError:
            clear(second)

    with pytest.raises(asyncio.CancelledError) as raised, hidden_frames():
        inside()
    assert raised.value.__context__ is first
    assert names(first) == []


def test_what_was_handled_around_the_block_stays_as_it_was() -> None:
    with pytest.raises(LookupError) as handled:
        clear(LookupError())
    before = names(handled.value)
    try:
        raise handled.value
    except LookupError:
        with pytest.raises(KeyError) as raised, hidden_frames():
            behind_another(KeyError())
    assert raised.value.__context__ is handled.value
    assert not raised.value.__suppress_context__
    assert names(handled.value)[-len(before) :] == before == ["clear"]


def test_a_mistake_says_where_it_was_and_a_failure_says_it_in_words() -> None:
    with pytest.raises(KeyError) as mistake, hidden_frames():
        caused(KeyError())
    with pytest.raises(ConnectionFailed) as failure, hidden_frames():
        clear(ConnectionFailed("tcp_refused", "nobody listens"))
    (note,) = mistake.value.__notes__
    assert note.startswith(NOTE_START)
    assert f"{__file__}:" in note
    assert "behind it builtins.ValueError" in note
    assert_no_canary(note)
    assert not hasattr(failure.value, "__notes__")


class Callers:
    """An object of the caller's own."""

    def __iter__(self) -> Iterator[bytes]:
        yield b""
        clear(KeyError())


def test_the_frames_of_the_callers_own_object_stay() -> None:
    own = Callers()

    def reads() -> None:
        for _ in own:
            pass

    with pytest.raises(KeyError) as raised, hidden_frames(own):
        reads()
    assert names(raised.value) == ["__iter__", "clear"]


def test_header_lines_show_nothing_and_can_be_compared() -> None:
    lines = HeaderLines(("X-Api-Key", Secret(API_KEY)))
    assert (bool(lines), len(lines), bool(NO_LINES)) == (True, 1, False)
    assert lines == HeaderLines(("X-Api-Key", Secret(API_KEY)))
    assert lines != HeaderLines(("X-Api-Key", Secret("another")))
    assert lines != [("X-Api-Key", API_KEY)]
    assert lines.reveal() == [(b"X-Api-Key", API_KEY.encode())]
    assert_no_canary(repr(lines), str(lines), f"{lines}", repr([lines]))
    assert not hasattr(lines, "__dict__")
    attempts: list[Callable[[Any], object]] = [iter, hash, dict, vars]
    for attempt in attempts:
        with pytest.raises(TypeError):
            attempt(lines)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError) as raised:
            pickle.dumps(lines, protocol)
        assert_hidden(raised.value, "pickling")
