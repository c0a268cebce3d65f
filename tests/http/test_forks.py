"""A client that was used before a fork: each process has connections of its own, and its own answers."""

from __future__ import annotations

import gc
import multiprocessing
import os
import socket
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from connform.http import REAL, ClientSettings, RequestFailed, async_client, limits, sync_client, transport_base
from connform.http.net import descriptors, resolver, tls, tls_socket
from connform.http.net.resolver import look_up
from connform.http.net.steps import BLOCK, run
from connform.http.origin import pinned_origin
from connform.secret import Secret
from tests.forking import all_locks_held, forked, unmeasured
from tests.http.exchanging import CLIENTS, Mode, settings_for
from tests.http.servers import Authority, Behaviour, Connection, Server, head
from tests.http.test_proxy import tunnel_to

WAYS = ("http", "https", "http proxy", "https proxy")
CHILDREN = 4
REQUESTS = 10
FORKING = multiprocessing.get_context("fork")
"""Several children ask only when all are forked: the server, in threads here, holds locks of OpenSSL during a handshake, and
a child that is forked meanwhile would wait for them for ever."""


@pytest.fixture(autouse=True)
def without_coverage() -> Iterator[None]:
    """Let no tracer of coverage stand between threads and forks."""
    with unmeasured():
        yield


def echo(connection: Connection) -> None:
    """Answer each request with its path, a little late, and with the number of its connection."""
    while request := connection.read_request():
        path = request.split(b" ")[1]
        connection.pause(0.02)
        connection.send(head(200, [f"Content-Length: {len(path)}", f"X-Connection: {id(connection)}"]) + path)


def halves(ready: threading.Event) -> Behaviour:
    """Answer each request with its path: a half at once, and the other half when that is wanted."""

    def behave(connection: Connection) -> None:
        while request := connection.read_request():
            path = request.split(b" ")[1]
            connection.send(head(200, [f"Content-Length: {2 * len(path)}", f"X-Connection: {id(connection)}"]) + path)
            ready.wait(20)
            connection.send(path)

    return behave


@contextmanager
def reached(
    way: str, authority: Authority, folder: Path, behaviour: Behaviour = echo
) -> Iterator[tuple[ClientSettings, Server]]:
    """Yield a server, and the settings of a client that reaches it directly or through a proxy."""
    (ca_file := folder / "ca.pem").write_bytes(authority.pem)
    patient = {"network": REAL, "connect_s": 20.0, "read_s": 20.0, "pool_s": 20.0, "total_s": 20.0}
    with ExitStack() as servers:
        server = servers.enter_context(
            Server(behaviour, tls=None if way == "http" else authority.server(), ca_pem=authority.pem)
        )
        settings = settings_for(server, **patient, ca_file=ca_file)
        match way.split():
            case ["http"]:
                settings = settings._replace(base_url=f"http://localhost:{server.port}", ca_file=None)
            case ["https"]:
                settings = settings._replace(network=server.network)
            case [scheme, "proxy"]:
                tls = authority.server("localhost") if scheme == "https" else None
                proxy = servers.enter_context(Server(tunnel_to(server), tls=tls))
                settings = settings._replace(proxy=Secret(f"{scheme}://localhost:{proxy.port}"))
        yield settings, server


class Client:
    """A client of any kind, asked from outside of event loops."""

    def __init__(self, mode: Mode, settings: ClientSettings) -> None:
        self._run = partial(anyio.run, backend="trio" if mode == "trio" else "asyncio")
        self.httpx: Any = (sync_client if mode == "sync" else async_client)(settings)

    def ask(self, *paths: str) -> list[tuple[str, str]]:
        """Return each answer with the number of the connection on which it came."""
        if isinstance(self.httpx, httpx.Client):
            return [_shown(self.httpx.get(path)) for path in paths]
        return self._run(self._ask, paths)

    def close(self) -> None:
        if isinstance(self.httpx, httpx.Client):
            self.httpx.close()
        else:
            self._run(self.httpx.aclose)

    async def _ask(self, paths: Sequence[str]) -> list[tuple[str, str]]:
        return [_shown(await self.httpx.get(path)) for path in paths]


def in_thread(work: Callable[[], object]) -> object:
    """Return what `work` returns in a thread of its own: the first one of a child is in the event loop of its parent."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(work).result()


def _shown(answer: httpx.Response) -> tuple[str, str]:
    return answer.text, answer.headers["X-Connection"]


@pytest.fixture(autouse=True)
def patient_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine does not make idle connections end."""
    monkeypatch.setattr(transport_base, "_IDLE_S", 60.0)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", CLIENTS)
def test_forked_workers_get_their_own_answers(mode: Mode, way: str, authority: Authority, tmp_path: Path) -> None:
    with reached(way, authority, tmp_path) as (settings, server), ExitStack() as children:
        client = Client(mode, settings)
        ((_, before),) = client.ask("/before")

        def paths(who: object) -> list[str]:
            return [f"/{who}/{number}" for number in range(REQUESTS)]

        def work() -> list[tuple[str, str]]:
            all_are_forked.wait(20)
            return client.ask(*paths(os.getpid()))

        all_are_forked = FORKING.Event()
        workers = [children.enter_context(forked(work)) for _ in range(CHILDREN)]
        all_are_forked.set()
        answers = client.ask(*paths("parent"))
        of_children = {worker.pid: worker.result() for worker in workers}
        assert client.ask("/after") == [("/after", before)], "the parent keeps its connection"
        client.close()

    assert answers == [(path, before) for path in paths("parent")]
    for pid, got in of_children.items():
        assert [path for path, _ in got] == paths(pid)
    connections = [{number for _, number in got} for got in of_children.values()]
    assert [len(own) for own in connections] == [1] * CHILDREN, "each child has a connection of its own, and keeps it"
    assert server.connections == 1 + CHILDREN


@pytest.mark.parametrize("way", ["http", "https", "https proxy"])
def test_a_stream_that_is_read_during_a_fork_stays_the_parents(way: str, authority: Authority, tmp_path: Path) -> None:
    ready = threading.Event()
    with reached(way, authority, tmp_path, halves(ready)) as (settings, server), sync_client(settings) as client:
        answer = client.send(client.build_request("GET", "/parent"), stream=True)
        reading = [answer.iter_text()]
        assert next(reading[0]) == "/parent"

        def read() -> tuple[str, str]:
            with pytest.raises(RequestFailed) as refused:
                next(reading[0])
            answer.close()
            return refused.value.message, client.get("/child").text

        def drop() -> str:
            reading.clear()
            gc.collect()
            return client.get("/child").text

        with forked(read) as reader, forked(drop) as dropper:
            ready.set()
            message, text = reader.result()
            assert text == dropper.result() == "/child/child"
            assert "belongs to the process that this one was forked from" in message
            assert "".join(reading[0]) == "/parent"
        assert client.get("/parent").headers["X-Connection"] == answer.headers["X-Connection"]
        assert server.connections == 3


@pytest.mark.parametrize("mode", ["async", "trio"])
def test_an_async_stream_that_is_read_during_a_fork_stays_the_parents(
    mode: Mode, authority: Authority, tmp_path: Path
) -> None:
    if mode not in CLIENTS:
        pytest.skip("trio is not installed")
    backend = "trio" if mode == "trio" else "asyncio"
    ready = threading.Event()

    async def main(settings: ClientSettings) -> None:
        async with async_client(settings) as client:
            async with client.stream("GET", "/parent") as answer:
                pieces = answer.aiter_text()
                assert await anext(pieces) == "/parent"
                with forked(lambda: in_thread(partial(anyio.run, in_child, client, pieces, backend=backend))) as child:
                    ready.set()
                    message, text = child.result()
                    assert "".join([piece async for piece in pieces]) == "/parent"
            assert "belongs to the process" in message
            assert text == "/child/child"
            again = await client.get("/parent")
            assert again.headers["X-Connection"] == answer.headers["X-Connection"]

    async def in_child(client: httpx.AsyncClient, pieces: Any) -> tuple[str, str]:
        with pytest.raises(RequestFailed) as refused:
            await anext(pieces)
        return refused.value.message, (await client.get("/child")).text

    with reached("https", authority, tmp_path, halves(ready)) as (settings, _):
        anyio.run(main, settings, backend=backend)


@pytest.mark.parametrize("mode", CLIENTS)
def test_a_request_that_is_under_way_at_a_fork_ends_well(mode: Mode, authority: Authority, tmp_path: Path) -> None:
    ready = threading.Event()

    def late(connection: Connection) -> None:
        while request := connection.read_request():
            path = request.split(b" ")[1]
            if path == b"/slow":
                asked.set()
                ready.wait(20)
            connection.send(head(200, [f"Content-Length: {len(path)}", f"X-Connection: {id(connection)}"]) + path)

    with reached("https", authority, tmp_path, late) as (settings, server), ThreadPoolExecutor(1) as threads:
        client, asked = Client(mode, settings), threading.Event()
        ((_, before),) = client.ask("/before")
        slow = threads.submit(client.ask, "/slow", "/then")
        assert asked.wait(20)
        with forked(lambda: client.ask("/child")) as child:
            ((text, of_child),) = child.result()
            ready.set()
            assert slow.result(20) == [("/slow", before), ("/then", before)]
        client.close()
    assert text == "/child"
    assert of_child != before
    assert server.connections == 2


def test_a_child_closes_inherited_connections_and_frees_no_tls_object(authority: Authority, tmp_path: Path) -> None:
    """OpenSSL takes locks to free one, which another thread of the parent may hold at the fork."""

    def state(sock: tls_socket.TLSSocket) -> tuple[int, bool]:
        return sock.fileno(), sock._sslobj is not None  # type: ignore[attr-defined]  # of ssl.SSLSocket

    with reached("https", authority, tmp_path) as (settings, _), sync_client(settings) as client:
        assert client.get("/before").text == "/before"
        open_sockets = [one for one in descriptors._OPEN_SOCKETS if one.fileno() >= 0]
        (sock,) = [one for one in open_sockets if isinstance(one, tls_socket.TLSSocket)]
        with forked(lambda: state(sock)) as child:
            assert child.result() == (-1, True)
        assert client.get("/after").text == "/after"


def test_a_fork_waits_for_a_tls_context_that_a_thread_builds() -> None:
    """In the child, the locks that OpenSSL has taken for it would never be free again."""
    builds, built = threading.Event(), []

    def build() -> None:
        with tls._LOCK.own:
            builds.set()
            time.sleep(0.3)
            built.append("whole")

    builder = threading.Thread(target=build)
    builder.start()
    assert builds.wait(20)
    with forked(lambda: built) as child:
        assert child.result() == ["whole"]
    builder.join()


def test_children_of_children_get_their_own_answers(authority: Authority, tmp_path: Path) -> None:
    with reached("https", authority, tmp_path) as (settings, server), sync_client(settings) as client:

        def descend(generations: int) -> list[tuple[str, str]]:
            own = [_shown(client.get(f"/{generations}"))]
            if not generations:
                return own
            with forked(partial(descend, generations - 1)) as child:
                return [*own, _shown(client.get(f"/{generations}")), *child.result()]

        got = descend(3)

    assert [path for path, _ in got] == ["/3", "/3", "/2", "/2", "/1", "/1", "/0"]
    assert len({number for _, number in got}) == server.connections == 4


def test_multiprocessing_may_fork(authority: Authority, tmp_path: Path) -> None:
    all_are_forked = FORKING.Event()

    def work(path: str) -> None:
        all_are_forked.wait(20)
        says.send(client.get(path).text)

    with reached("https", authority, tmp_path) as (settings, _), sync_client(settings) as client:
        assert client.get("/before").text == "/before"
        said, says = FORKING.Pipe(duplex=False)
        workers = [FORKING.Process(target=work, args=(path,), daemon=True) for path in ("/0", "/1", "/2")]
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*use of fork", DeprecationWarning)
            for worker in workers:
                worker.start()
        all_are_forked.set()
        got = {said.recv() for _ in workers if said.poll(20)}
        for worker in workers:
            worker.join(20)
            worker.kill()
            worker.close()
    assert got == {"/0", "/1", "/2"}


def test_a_connection_ends_with_the_parent_although_a_child_lives_on(authority: Authority, tmp_path: Path) -> None:
    """Nobody else could end it, and the server would keep it for as long as the child lives."""
    is_over = threading.Event()

    def last(connection: Connection) -> None:
        echo(connection)
        is_over.set()

    with reached("https", authority, tmp_path, last) as (settings, _):
        client = sync_client(settings)
        client.get("/")
        with forked(lambda: "lives") as child:
            assert child.result() == "lives"
            client.close()
            assert is_over.wait(20)


BY_C = """
    import ctypes, os, signal, sys
    from connform.http import ClientSettings, sync_client

    fork = ctypes.PyDLL(None).fork  # as uWSGI does: Python is not told, and runs no hook
    with sync_client(ClientSettings(sys.argv[1])) as client:
        assert client.get("/before").text == "/before"
        children = []
        for _ in range(4):
            if not (child := fork()):
                signal.alarm(20)
                paths = [f"/{os.getpid()}/{number}" for number in range(10)]
                os._exit([client.get(path).text for path in paths] != paths)
            children.append(child)
        ended = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        print(ended, client.get("/after").text)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_server_that_forks_in_c_gets_its_own_answers(authority: Authority, tmp_path: Path) -> None:
    with reached("http", authority, tmp_path) as (settings, server):
        program = [sys.executable, "-c", textwrap.dedent(BY_C), settings.base_url]
        ran = subprocess.run(program, capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "[0, 0, 0, 0] /after\n"
    assert server.connections == 5


@pytest.mark.parametrize("mode", CLIENTS)
def test_no_lock_of_the_parents_threads_stops_a_child(
    mode: Mode, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever they are in the midst of: they hold every lock that the client knows of."""
    monkeypatch.setattr(tls, "_MAX_FORK_WAIT_S", 0.1)
    with reached("https", authority, tmp_path) as (settings, _):
        client = Client(mode, settings)

        def work() -> list[str]:
            ((text, _),) = client.ask("/path")
            with sync_client(settings) as another:
                texts = [text, another.get("/path").text]
            origin = pinned_origin(settings.base_url)
            limits.remember(origin, "/", "account", 1)
            assert list(limits.delays_s(origin, "account")) == ["/"]
            limits.forget(origin, "account")
            return [
                *texts,
                str(*run(look_up("127.1", 443, 10), BLOCK)),
            ]  # a form of 127.0.0.1 that only the system's resolver knows

        work()
        with all_locks_held(client.httpx, limits, tls, resolver), forked(work) as child:
            assert child.result() == ["/path", "/path", "127.0.0.1:443"]
        client.close()


def test_look_ups_of_the_parent_take_no_slot_of_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, answers = threading.Semaphore(0), threading.Event()

    def getaddrinfo(host: bytes, *_arguments: object, **_options: object) -> object:
        if host.startswith(b"slow"):
            begun.release()
            answers.wait(20)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 443))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with ThreadPoolExecutor(40) as threads:
        slow = [threads.submit(run, look_up(f"slow{number}.example.test", 443, 20), BLOCK) for number in range(40)]
        assert all(begun.acquire(timeout=20) for _ in range(32)), "as many as may be under way at once"
        with forked(lambda: str(*run(look_up("quick.example.test", 443, 10), BLOCK))) as child:
            assert child.result() == "192.0.2.1:443"
        answers.set()
        assert {str(*one.result(20)) for one in slow} == {"192.0.2.1:443"}
