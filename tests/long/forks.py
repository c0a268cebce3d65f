"""Forks children while threads are in the midst of something: `python -m tests.long.forks --forks 200`.

Each child does the same work with what it inherited; one that takes 20 seconds hangs, says where, and is ended. Prints a line for each
kind of work, and ends with 1 where a child hung or failed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

import connform
from connform.http import REAL, ClientSettings, limits, sync_client
from connform.http.credential import HeaderLines
from connform.http.net import tls
from connform.http.net.resolver import look_up
from connform.http.net.steps import BLOCK, run
from connform.http.origin import pinned_origin
from connform.secret import Secret
from tests.forking import forked
from tests.http.exchanging import settings_for
from tests.http.servers import Authority, Connection, Server, answer, head
from tests.oauth.setting import RENEWS, Setting

_THREADS = 4
_LONGEST_PAUSE_S = 0.02
_ENOUGH = 3
"""Failures, after which a kind of work is given up."""


class Work(NamedTuple):
    """What threads do all the time."""

    busy: Callable[[], object]
    """What each thread does, over and over."""
    use: Callable[[], object]
    """What a child does with what it inherited."""


def echo(connection: Connection) -> None:
    """Answer each request with its path, a little late."""
    while request := connection.read_request():
        path = request.split(b" ")[1]
        connection.pause(0.005)
        connection.send(head(200, [f"Content-Length: {len(path)}"]) + path)


def vault(connection: Connection) -> None:
    """Have a secret, a little late."""
    version = {"version": 1, "created_time": "2026-01-01T00:00:00Z", "destroyed": False, "deletion_time": ""}
    body = json.dumps({"data": {"data": {"key": "value"}, "metadata": version}}).encode()
    while connection.read_request():
        connection.pause(0.01)
        connection.send(head(200, [f"Content-Length: {len(body)}"]) + body)


@contextmanager
def requests() -> Iterator[Work]:
    """Threads and children use one client, and each gets its own answers."""
    authority = Authority()
    with Server(echo, tls=authority.server(), ca_pem=authority.pem) as server, sync_client(_patient(server)) as client:

        def ask() -> None:
            for number in range(5):
                path = f"/{os.getpid()}/{threading.get_ident()}/{number}"
                assert client.get(path).text == path

        yield Work(ask, ask)


@contextmanager
def store_reads() -> Iterator[Work]:
    """Threads and children make clients of connections whose secret lies in a store."""
    with Server(vault) as store, Server(answer(b"hello")) as api, tempfile.TemporaryDirectory() as folder:
        (file := Path(folder) / "connections.yaml").write_text(f"""\
            version: 1
            stores:
              corp: {{type: vault, address: "http://127.0.0.1:{store.port}", mount: secret, kv_version: 2, auth: {{method: token, token: "file://token"}}}}
            connections:
              api: {{provider: http, base_url: "http://localhost:{api.port}", check: {{path: /, expect: {{text: hello}}}}, auth: {{method: api_key, api_key: "corp://x#key"}}}}
            """)
        (Path(folder) / "token").write_text("token")
        newest = [connform.load(file)]

        def read() -> None:
            newest[0] = connections = connform.load(file)
            with closing(connections._context().source), connections["api"].client() as client:
                assert client.get("/").text == "hello"

        def use() -> None:
            with closing(newest[0]._context().source), newest[0]["api"].client() as client:
                assert client.get("/").text == "hello"

        yield Work(read, use)


@contextmanager
def look_ups() -> Iterator[Work]:
    """Threads and children look a name up: an address in a form that only the system's resolver knows."""

    def ask() -> None:
        assert run(look_up("127.1", 443, 10), BLOCK)[0].address == ("127.0.0.1", 443)

    yield Work(ask, ask)


@contextmanager
def contexts() -> Iterator[Work]:
    """Threads build TLS contexts, and children as well, for a handshake.

    The threads shake no hands: OpenSSL holds a lock for moments of a handshake, and a child that is forked then would wait for
    ever to build a context.
    """
    authority = Authority()
    with Server(echo, tls=authority.server(), ca_pem=authority.pem) as server:

        def build() -> None:
            tls._latest_context.cache_clear()
            tls.context_for(_patient(server))

        def use() -> None:
            tls._latest_context.cache_clear()
            with sync_client(_patient(server)) as client:
                assert client.get("/path").text == "/path"

        yield Work(build, use)


@contextmanager
def rate_limits() -> Iterator[Work]:
    """Threads take note of rate limits, and children wait for one."""
    with Server(answer(b"hello")) as server, sync_client(_plain(server)) as client:
        origin = pinned_origin(str(client.base_url))

        def note() -> None:
            limits.remember(origin, "/", HeaderLines(("api_key", Secret(os.urandom(4).hex()))), 0.05)
            time.sleep(0.001)

        def wait() -> None:
            note()
            assert client.get("/").text == "hello"

        yield Work(note, wait)


@contextmanager
def renewals() -> Iterator[Work]:
    """Threads and children renew a grant whose token nobody accepts."""
    authority = Authority()
    with Server(RENEWS, tls=authority.server(), ca_pem=authority.pem) as server:
        credential = Setting(server).credential(connect_s=20.0, read_s=20.0, total_s=20.0)

        def renew() -> None:
            assert credential.renew(credential.headers())

        yield Work(renew, renew)


WORKS = (requests, store_reads, look_ups, contexts, rate_limits, renewals)


def failures(work: Callable[[], AbstractContextManager[Work]], forks: int, seed: int = 0) -> list[str]:
    """Fork so many children at random moments, and return what failed."""
    random, failed = Random(seed), list[str]()
    is_over = threading.Event()

    def keep_on() -> None:
        while not is_over.is_set():
            try:
                busy()
            except Exception as error:  # noqa: BLE001  (told at the end)
                failed.append(f"in the parent: {error!r}")
                return

    with work() as (busy, use), ExitStack() as at_the_end:
        use()
        threads = [threading.Thread(target=keep_on, daemon=True) for _ in range(_THREADS)]
        for thread in threads:
            thread.start()
            at_the_end.callback(thread.join)
        at_the_end.callback(is_over.set)
        for _ in range(forks):
            time.sleep(random.uniform(0, _LONGEST_PAUSE_S))
            try:
                with forked(use) as child:
                    child.result()
            except pytest.fail.Exception as error:
                failed.append(str(error))
            if len(failed) >= _ENOUGH:
                break
    return failed


def _patient(server: Server) -> ClientSettings:
    return settings_for(server, connect_s=20.0, read_s=20.0, pool_s=20.0, total_s=20.0)


def _plain(server: Server) -> ClientSettings:
    return _patient(server)._replace(base_url=f"http://localhost:{server.port}", network=REAL, attempts=3)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--forks", type=int, default=200, help="children of each kind of work (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments at which they are forked")
    arguments = parser.parse_args()
    all_failed = []
    for work in WORKS:
        started_at = time.monotonic()
        failed = failures(work, arguments.forks, arguments.seed)
        print(
            f"{work.__name__}: {arguments.forks} forks in {time.monotonic() - started_at:.1f} s, {len(failed)} failed"
        )
        print(*failed, sep="\n", end="\n" if failed else "")
        all_failed += failed
    return bool(all_failed)


if __name__ == "__main__":
    sys.exit(main())
