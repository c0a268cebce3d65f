"""A program that runs for long: keys that rotate under its ready clients, stores that come up late, and what it can ask for."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import httpx
import pytest

import connform
from connform.engine.library.ready_connection import ReadyConnection
from connform.errors import SecretUnresolved
from tests.canary import API_KEY
from tests.conftest import Plant
from tests.end_to_end.conftest import Issuer
from tests.forking import forked
from tests.http.exchanging import asking
from tests.http.servers import Connection, Server, head
from tests.oauth.setting import APP_SECRET, RENEWS
from tests.oauth.test_verdicts import prepare

NEW_KEY = f"{API_KEY}-2"
MANIFEST = """\
version: 1
connections:
  acme: {{environment: private, base_url: "https://localhost:{port}/api/v1", tls: {{ca_file: "{ca_file}"}}, auth: {auth}}}
"""
REFERENCES = {
    "a key in a file": ('{method: api_key, api_key: "file://key"}', "key", "{}"),
    "a token in a file": ('{method: bearer, token: "file://key"}', "key", "{}"),
    "a dotenv file": ('{method: bearer, token: "dotenv://.env#KEY"}', ".env", "KEY={}\n"),
}


class Api:
    """An API that takes one key."""

    def __init__(self) -> None:
        self.key = API_KEY
        self.asked_with: list[bool] = []
        """For each request, whether it had the key."""
        self.receives: Callable[[], None] = lambda: None
        """Called with each request, before its key is looked at."""

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            self.receives()
            self.asked_with.append(f"{self.key}\r\n".encode() in request)
            connection.send(head(200 if self.asked_with[-1] else 401, ["Content-Length: 0"]))


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def server(api: Api, authority: Issuer) -> Iterator[Server]:
    with Server(api, tls=authority.loopback()) as server:
        yield server


class Setting:
    """A manifest with one secret, which can be replaced."""

    def __init__(self, api: Api, folder: Path, name: str, form: str, plant: Plant) -> None:
        self._api, self._file, self._form, self._plant = api, folder / name, form, plant
        self.manifest = folder / "connections.yaml"
        self.write(API_KEY)

    def write(self, key: str) -> None:
        self._plant(self._file, self._form.format(key))

    def remove(self) -> None:
        self._file.unlink()

    def rotate(self) -> None:
        """Replace the key, and take the old one no more."""
        self.write(NEW_KEY)
        self._api.key = NEW_KEY


@pytest.fixture
def setting(
    request: pytest.FixtureRequest, api: Api, server: Server, tmp_path: Path, ca_file: Path, plant: Plant
) -> Setting:
    auth, name, form = REFERENCES[getattr(request, "param", "a key in a file")]
    (tmp_path / "connections.yaml").write_text(MANIFEST.format(port=server.port, ca_file=ca_file, auth=auth))
    return Setting(api, tmp_path, name, form, plant)


def slow_open(read: list[str], pause_s: float) -> Callable[..., int]:
    """Return an `os.open` that notes when the key is read, and takes its time."""
    original = os.open

    def opened(path: str, *arguments: int, **options: int) -> int:
        if os.path.basename(path) == "key":
            read.append(path)
            time.sleep(pause_s)
        return original(path, *arguments, **options)

    return opened


@pytest.mark.parametrize("setting", REFERENCES, indirect=True)
@pytest.mark.parametrize("make", [connform.ReadyConnection.client, connform.ReadyConnection.async_client])
def test_a_ready_client_reads_a_key_again_that_was_refused(
    api: Api, setting: Setting, make: Callable[[connform.ReadyConnection], httpx.Client | httpx.AsyncClient]
) -> None:
    with connform.load(setting.manifest) as connections, asking(make(connections["acme"])) as ask:
        assert ask() == 200
        setting.rotate()
        assert [ask(), ask()] == [200, 200]
        assert api.asked_with == [True, False, True, True]
        with connections["acme"].client() as another:
            assert another.get("/x").status_code == 200
        assert api.asked_with[-1:] == [True]


def test_a_key_is_read_once_more_that_was_replaced_again_while_a_child_read_it(api: Api, setting: Setting) -> None:
    """As in a worker that begins with the key of its parent, which is old, just when the key is replaced."""

    def replace_again() -> None:
        if api.asked_with == [True, False]:
            setting.write("newest")
            api.key = "newest"

    with connform.load(setting.manifest)["acme"].client() as client:
        assert client.get("/x").status_code == 200
        setting.rotate()
        api.receives = replace_again
        with forked(lambda: client.get("/x").status_code) as child:
            assert child.result() == 200
    assert api.asked_with == [True, False, False, True]


def test_a_key_that_stays_refused_is_read_once_a_second_and_no_request_is_repeated(api: Api, setting: Setting) -> None:
    with connform.load(setting.manifest)["acme"].client() as client:
        api.key = NEW_KEY
        assert [client.get("/x").status_code for _ in range(5)] == [401] * 5
        assert len(api.asked_with) == 5
        time.sleep(1.1)
        setting.rotate()
        assert client.get("/x").status_code == 200


def test_a_refusal_is_the_answer_where_the_key_cannot_be_read_any_more(api: Api, setting: Setting) -> None:
    with connform.load(setting.manifest)["acme"].client() as client:
        api.key = NEW_KEY
        setting.remove()
        assert client.get("/x").status_code == 401
        setting.write(NEW_KEY)
        time.sleep(1.1)
        assert client.get("/x").status_code == 200


def test_a_hundred_threads_that_are_refused_read_the_key_once(
    api: Api, setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    monkeypatch.setattr(os, "open", slow_open(read, 0.05))
    with connform.load(setting.manifest)["acme"].client() as client:
        client.get("/x")
        setting.rotate()
        read.clear()
        seen: list[int] = []
        threads = [threading.Thread(target=lambda: seen.append(client.get("/x").status_code)) for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert seen == [200] * 100
    assert len(read) == 1


def test_a_file_that_is_mounted_later_is_found_by_the_next_client(setting: Setting) -> None:
    setting.remove()
    connections = connform.load(setting.manifest)
    for _ in range(2):
        with pytest.raises(SecretUnresolved, match="there is no file"):
            connections["acme"].client()
    setting.write(API_KEY)
    with connections["acme"].client() as client:
        assert client.get("/x").status_code == 200


def test_refresh_reads_a_key_that_is_not_yet_refused(api: Api, setting: Setting) -> None:
    connections = connform.load(setting.manifest)
    with connections["acme"].client() as client:
        assert client.get("/x").status_code == 200
        setting.rotate()
        connections.refresh()
        assert client.get("/x").status_code == 200
        setting.remove()
        connections.refresh()
        assert client.get("/x").status_code == 200, "a secret that can't be read stays as it was"
        assert api.asked_with == [True] * 3


def test_a_rotated_client_secret_is_read_again(authority: Issuer, ca_file: Path, tmp_path: Path, plant: Plant) -> None:
    refusals: list[bytes] = []

    def behave(connection: Connection) -> None:
        if not refusals and b"/connect/token" in (request := connection.read_request()):
            refusals.append(request)
            content = b'{"error": "invalid_client"}'
            connection.send(head(401, [f"Content-Length: {len(content)}"]) + content)
            (tmp_path / "secret").write_text(f"{APP_SECRET}-2")
        RENEWS(connection)

    plant("secret", APP_SECRET)
    with Server(behave, tls=authority.loopback()) as server:
        long_ago = datetime.now(UTC) - timedelta(days=1)
        prepare(tmp_path, server, ca_file, obtained_at=long_ago, expires_at=long_ago)
        manifest = tmp_path / "connections.yaml"
        manifest.write_text(manifest.read_text().replace("env://PORTAL_SECRET", "file://secret"))
        with connform.connect("customer", manifest) as client:
            (tmp_path / "secret").write_text(f"{APP_SECRET}-2")
            assert client.post("/packages/list").status_code == 200
    assert len(refusals) == 1


async def made_at_once(connection: ReadyConnection) -> httpx.AsyncClient:
    return connection.async_client()


@pytest.mark.parametrize("make", [made_at_once, ReadyConnection.build_async_client])
@pytest.mark.parametrize("library", ["asyncio", "trio"])
def test_secrets_of_an_async_client_are_read_while_other_tasks_go_on(
    setting: Setting,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[ReadyConnection], Awaitable[httpx.AsyncClient]],
    library: str,
) -> None:
    monkeypatch.setattr(os, "open", slow_open([], 0.5))

    async def use() -> tuple[int, int]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await anyio.sleep(0.01)
                ticks += 1

        async with anyio.create_task_group() as group:
            group.start_soon(tick)
            async with await make(connform.load(setting.manifest)["acme"]) as client:
                answer = await client.get("/x")
            group.cancel_scope.cancel()
        return answer.status_code, ticks

    status, ticks = anyio.run(use, backend=library)
    assert status == 200
    assert ticks > 10


def test_a_client_made_in_an_event_loop_reads_its_secret_at_the_first_request_and_after_a_rotation(
    setting: Setting,
) -> None:
    setting.remove()

    async def use() -> None:
        async with connform.load(setting.manifest)["acme"].async_client() as client:
            for _ in range(2):
                with pytest.raises(SecretUnresolved):
                    await client.get("/x")
            setting.write(API_KEY)
            assert (await client.get("/x")).status_code == 200
            setting.rotate()
            assert (await client.get("/x")).status_code == 200

    anyio.run(use)


def test_a_mapping_shows_its_names(setting: Setting) -> None:
    assert repr(connform.load(setting.manifest)) == "<Connections acme>"
    entry = "{environment: sandbox, region: us, auth: {method: api_key, api_key: 'env://KEY'}}"
    names = "".join(f"  c{number}: {entry}\n" for number in range(9))
    setting.manifest.write_text(f"version: 1\nconnections:\n{names}")
    assert repr(connform.load(setting.manifest)) == "<Connections c0, c1, c2, c3, c4 and 4 more>"


def test_refresh_in_a_signal_handler_does_not_wait_for_the_read_that_it_interrupts(
    api: Api, setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python runs the handler in the main thread, which would wait for itself for ever."""
    read: list[str] = []
    monkeypatch.setattr(os, "open", slow_open(read, 0.3))
    with connform.load(setting.manifest) as connections:
        monkeypatch.setattr(time, "sleep", send_signal_first(time.sleep))
        former = signal.signal(signal.SIGHUP, lambda *_: connections.refresh())
        try:
            with connections["acme"].client() as client:
                setting.rotate()
                assert client.get("/x").status_code == 200
        finally:
            signal.signal(signal.SIGHUP, former)
    assert api.asked_with == [True]
    assert len(read) == 2


def send_signal_first(sleep: Callable[[float], None]) -> Callable[[float], None]:
    """Return a `sleep` before which SIGHUP interrupts the main thread, the first time."""
    pending = [signal.SIGHUP]

    def slept(seconds: float) -> None:
        if pending:
            os.kill(os.getpid(), pending.pop())
        sleep(seconds)

    return slept
