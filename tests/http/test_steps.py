"""Steps that wait for sockets, and the drivers that carry them out."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from functools import partial
from time import monotonic

import anyio
import pytest

from connform.http.net.steps import BLOCK, WAIT, Ready, Steps, run, run_async
from tests.http.exchanging import Mode
from tests.http.many import result_of

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    pairs = [socket.socketpair() for _ in range(3)]
    yield pairs
    for one, other in pairs:
        one.close()
        other.close()


def carry_out(mode: Mode, steps: Steps[object]) -> object:
    if mode == "sync":
        return run(steps, BLOCK)
    if mode == "check":
        return result_of(steps)
    return anyio.run(partial(run_async, steps, WAIT), backend="trio" if mode == "trio" else "asyncio")


def once(sockets: list[socket.socket], allowed_s: float, *, for_writing: bool = False) -> Steps[object]:
    return (yield Ready(sockets, monotonic() + allowed_s, for_writing=for_writing))


def test_one_of_several_sockets_is_ready(mode: Mode, pairs: list[Pair]) -> None:
    pairs[1][1].send(b"x")
    assert carry_out(mode, once([one for one, _ in pairs], 10)) == [pairs[1][0]]
    assert carry_out(mode, once([pairs[0][0]], 10, for_writing=True)) == [pairs[0][0]]


@pytest.mark.parametrize("count", [1, 3])
def test_none_is_ready_in_time(mode: Mode, pairs: list[Pair], count: int) -> None:
    assert carry_out(mode, once([one for one, _ in pairs[:count]], 0.05)) == []


def test_a_socket_that_another_thread_has_closed(pairs: list[Pair]) -> None:
    pairs[0][0].close()
    with pytest.raises(ConnectionAbortedError):
        run(once([pairs[0][0]], 10), BLOCK)


def test_what_a_step_raises_is_raised_inside_of_the_generator(mode: Mode) -> None:
    class Failing:
        def block(self) -> None:
            raise LookupError

        async def wait(self) -> None:
            raise LookupError

    def steps() -> Steps[object]:
        try:
            yield Failing()
        except LookupError:
            return "caught"
        return "not raised"

    assert carry_out(mode, steps()) == "caught"
