"""No credential is in the traceback of what interrupts a request: signals, cancellations, at every stage."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import trio

from connform.http import REAL, ClientSettings, async_client, sync_client
from connform.secret import Secret
from tests.canary import API_KEY, VARIABLE
from tests.http import servers
from tests.http.exchanging import settings_for
from tests.http.servers import Authority, Behaviour, Connection, Server, head, raw
from tests.http.test_proxy import tunnel_to
from tests.ports import silent_port
from tests.tracebacks.requests import credential
from tests.tracebacks.walk import assert_hidden

AFTER_S = 0.15
LARGE = bytes(16 * 1024 * 1024)
"""More than the buffers of two sockets hold."""


LEFT_TO_THE_COLLECTOR = pytest.mark.filterwarnings(
    r"ignore:[\s\S]*(unclosed <[\w.]*[sS]ocket|WeakSet):pytest.PytestUnraisableExceptionWarning"
)
"""The signal may arrive between any two instructions of httpcore, and elsewhere on a busy machine: a socket without an owner yet."""


class Interruption(BaseException):
    """As `KeyboardInterrupt` and `SystemExit`."""


class TimeLimit(Exception):
    """As Celery's `SoftTimeLimitExceeded`."""


def _takes_nothing(connection: Connection) -> None:
    connection.sock.recv(1)
    connection.pause()


_HALF = raw(head(200, ["Content-Length: 9"]), b"four", then=servers.silent)
STAGES: dict[str, Behaviour] = {
    "write": _takes_nothing,
    "read": raw(then=servers.silent),
    "read of the body": _HALF,
}
WAYS = ("plain", "TLS", "http proxy", "https proxy")
PLACES = [
    "connect",
    "handshake",
    "CONNECT",
    "handshake in a tunnel",
    *(f"{stage}, {way}" for stage in STAGES for way in WAYS),
]


@contextmanager
def stalled(place: str, authority: Authority, folder: Path) -> Iterator[ClientSettings]:
    """Yield settings of a connection that goes no further than a place."""
    with ExitStack() as stack:

        def server(behaviour: Behaviour, tls: bool = False, host: str = servers.HOST) -> Server:  # noqa: FBT002  (a shorthand)
            context = authority.server(host) if tls else None
            return stack.enter_context(Server(behaviour, tls=context, ca_pem=authority.pem))

        def through(scheme: str, behaviour: Behaviour) -> ClientSettings:
            (folder / "ca.pem").write_bytes(authority.pem)
            proxy = server(behaviour, scheme == "https", "localhost")
            url = f"{scheme}://user:{API_KEY}@localhost:{proxy.port}"
            return settings_for(proxy, network=REAL, proxy=Secret(url), ca_file=folder / "ca.pem")

        stage, _, way = place.partition(", ")
        match way or stage:
            case "connect":
                settings = ClientSettings(f"https://127.0.0.1:{stack.enter_context(silent_port())}")
            case "handshake":
                settings = settings_for(server(servers.silent))
            case "CONNECT":
                settings = through("http", raw(then=servers.silent))
            case "handshake in a tunnel":
                target = Server(servers.silent)
                settings = through("https", tunnel_to(target))
                stack.enter_context(target)  # ends first: the proxy waits for it
            case "plain":
                settings = ClientSettings(f"http://127.0.0.1:{server(STAGES[stage]).port}")
            case "TLS":
                settings = settings_for(server(STAGES[stage], tls=True))
            case _:
                target = Server(STAGES[stage], tls=authority.server())
                settings = through(way.split()[0], tunnel_to(target))
                stack.enter_context(target)  # ends first: the proxy waits for it
        yield settings._replace(credential=credential("bearer", settings))


def _content(place: str) -> bytes:
    return LARGE if place.startswith("write") else b"{}"


@contextmanager
def interrupted_by(kind: type[BaseException]) -> Iterator[None]:
    def interrupt(_number: int, _frame: object) -> None:
        raise kind

    collects = gc.isenabled()
    gc.disable()  # hypothesis is told of collections: what is raised in a callback of the collector is ignored as well
    before = signal.signal(signal.SIGALRM, interrupt)
    # once more a second later: Python ignores what is raised in the callback of a weak reference, and in a finalizer
    limit = signal.setitimer(signal.ITIMER_REAL, AFTER_S, 1.0)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *limit)  # that of the test
        if collects:
            gc.enable()


@LEFT_TO_THE_COLLECTOR
@pytest.mark.parametrize("place", PLACES)
def test_a_signal_shows_no_credential(place: str, authority: Authority, tmp_path: Path) -> None:
    for kind in (Interruption, TimeLimit):
        with stalled(place, authority, tmp_path) as settings, sync_client(settings) as client:
            with pytest.raises(kind) as raised, interrupted_by(kind):
                client.post("/x", content=_content(place))
            assert_hidden(raised.value, place)


def _cancelled_by_asyncio(ask: Callable[[], object]) -> None:
    async def run() -> None:
        async with asyncio.timeout(AFTER_S):
            await ask()  # type: ignore[misc]  # a coroutine function, of either library

    with pytest.raises(TimeoutError):
        asyncio.run(run())


def _cancelled_by_trio(ask: Callable[[], object]) -> None:
    async def run() -> bool:
        with trio.move_on_after(AFTER_S) as scope:
            await ask()  # type: ignore[misc]  # a coroutine function, of either library
        return scope.cancelled_caught

    assert trio.run(run)


def _stopped_by_ctrl_c(ask: Callable[[], object]) -> None:
    async def run() -> None:
        asyncio.get_running_loop().call_later(AFTER_S, os.kill, os.getpid(), signal.SIGINT)
        await ask()  # type: ignore[misc]  # a coroutine function, of either library

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(run())


ENDINGS = {"asyncio": _cancelled_by_asyncio, "trio": _cancelled_by_trio, "Ctrl-C": _stopped_by_ctrl_c}
SOME = ("handshake", "read, TLS", "read of the body, https proxy")
"""Not where httpcore leaves the generator of a large body to the collector of garbage, of which trio warns."""
CANCELLED = [
    *(("asyncio", place) for place in PLACES),
    *((how, place) for how in ("trio", "Ctrl-C") for place in SOME),
]


@pytest.mark.parametrize(("how", "place"), CANCELLED)
def test_a_cancellation_shows_no_credential(how: str, place: str, authority: Authority, tmp_path: Path) -> None:
    seen: list[BaseException] = []
    with stalled(place, authority, tmp_path) as settings:

        async def ask() -> None:
            async with async_client(settings) as client:
                try:
                    await client.post("/x", content=_content(place))
                except BaseException as error:
                    seen.append(error)
                    raise

        ENDINGS[how](ask)
    (error,) = seen
    assert type(error).__name__ in {"CancelledError", "Cancelled"}
    assert_hidden(error, place)


@pytest.mark.timeout(110)  # a thousand requests, one after the other
def test_no_line_of_a_request_shows_a_credential_when_it_is_interrupted() -> None:
    """Where a signal comes is chance: all lines are tried, by a trace function, in a process that nobody else traces."""
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.tracebacks.every_line"],
        cwd=Path(__file__).parents[2],
        env={"PATH": os.environ["PATH"], VARIABLE: os.environ[VARIABLE]},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-20_000:]  # where every thread stands, if it hangs
    assert int(ran.stdout.split()[0]) > 500
