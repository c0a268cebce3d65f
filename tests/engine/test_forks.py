"""What a forked child makes of the stores of its parent: it reads what is missing for itself, and waits for no thread that is not there."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from connform.engine.run.secret_resolver import SecretResolver
from connform.manifest.model import Store
from connform.secret import SecretReference
from tests.conftest import require_library
from tests.forking import all_locks_held, forked, unmeasured
from tests.http.servers import Connection, Server, head
from tests.long import forks


@pytest.fixture(autouse=True)
def without_coverage() -> Iterator[None]:
    """Let no tracer of coverage stand between threads and forks."""
    with unmeasured():
        yield


class Vault:
    """Has a secret for each name, its name, a little late; a login and a secret can be held up."""

    def __init__(self) -> None:
        self.holds = 0
        """Which request waits, counted from 1; 0 for none."""
        self.holding, self.goes_on = threading.Event(), threading.Event()

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            if len(connection.server.requests) == self.holds:
                self.holding.set()
                self.goes_on.wait(20)
            connection.pause(0.01)
            path = request.split(b" ")[1].decode()
            content: dict[str, Any] = {"auth": {"client_token": "token-of-the-store"}}
            if path.startswith("/v1/mount/data/"):
                version = {
                    "version": 1,
                    "created_time": "2026-01-01T00:00:00Z",
                    "destroyed": False,
                    "deletion_time": "",
                }
                content = {"data": {"data": {"key": path.rpartition("/")[2]}, "metadata": version}}
            body = json.dumps(content).encode()
            connection.send(head(200, [f"Content-Length: {len(body)}"]) + body)


def ssm(connection: Connection) -> None:
    """Have a parameter for each name, its name, a little late."""
    while request := connection.read_request():
        names = json.loads(request.partition(b"\r\n\r\n")[2])["Names"]
        connection.pause(0.01)
        found = [{"Name": name, "Type": "SecureString", "Value": name, "Version": 1} for name in names]
        body = json.dumps({"Parameters": found, "InvalidParameters": []}).encode()
        kind = "Content-Type: application/x-amz-json-1.1"
        connection.send(head(200, [f"Content-Length: {len(body)}", kind]) + body)


@contextmanager
def opened(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[SecretResolver, Server]]:
    """Yield what reads a store, and its server."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "SECRET_ID"):
        monkeypatch.setenv(name, "synthetic")
    with Server(ssm if kind == "awsssm" else Vault()) as server:
        settings: dict[str, Any] = {"endpoint_url": f"http://127.0.0.1:{server.port}", "region": "eu-central-1"}
        references = {}
        if kind == "vault":
            where = {"address": f"http://127.0.0.1:{server.port}", "mount": "mount", "kv_version": 2}
            settings = {**where, "auth": {"method": "approle", "role_id": "role"}}
            references = {"auth.secret_id": SecretReference.parse("env://SECRET_ID")}
        stores = SecretResolver({"corp": Store("corp", kind, (), settings, tmp_path, 20.0, references)})
        yield stores, server
        stores.close()


def read(stores: SecretResolver, *names: object) -> list[str]:
    """Return the secrets of these names, read one by one."""
    texts = [f"corp://{name}#key" if "vault" in str(name) else f"corp://{name}" for name in names]
    return [stores.fetch([SecretReference.parse(text)], Path())[0].reveal() for text in texts]


@pytest.mark.parametrize("kind", ["vault", "awsssm"])
def test_processes_read_a_store_over_connections_of_their_own(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "awsssm":
        require_library("botocore")
    with opened(kind, tmp_path, monkeypatch) as (stores, server), ExitStack() as children:

        def names(who: object) -> list[str]:
            return [f"{kind}-{who}-{number}" for number in range(5)]

        assert read(stores, *names("before")) == names("before")

        def work() -> list[str]:
            found = read(stores, *names("before"), *names(os.getpid()))
            stores.close()
            return found

        workers = [children.enter_context(forked(work)) for _ in range(4)]
        found = read(stores, *names("parent"))
        of_children = {worker.pid: worker.result() for worker in workers}
        logins_ended = [request for request in server.requests if b"revoke-self" in request]
        assert read(stores, *names("after")) == names("after")

    assert found == names("parent")
    assert of_children == {pid: names("before") + names(pid) for pid in of_children}
    connections = 2 if kind == "vault" else 1  # a login has its own
    assert server.connections == 5 * connections, "each process has its own"
    assert len(logins_ended) == (4 if kind == "vault" else 0), "each child ends the login of its own"


def test_no_lock_of_the_parents_threads_stops_a_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened("vault", tmp_path, monkeypatch) as (stores, _):
        read(stores, "vault-before")
        with all_locks_held(stores) as held:
            assert held
            with forked(partial(read, stores, "vault-before", "vault-child")) as child:
                assert child.result() == ["vault-before", "vault-child"]


@pytest.mark.parametrize("stage", [1, 2, 3], ids=["login", "first secret", "second secret"])
def test_a_child_that_is_forked_during_a_read_reads_for_itself(
    stage: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened("vault", tmp_path, monkeypatch) as (stores, server), ThreadPoolExecutor(1) as threads:
        server.behaviour = store = Vault()
        store.holds = stage
        reading = threads.submit(read, stores, "vault-1", "vault-2")
        assert store.holding.wait(20)
        with forked(partial(read, stores, "vault-1", "vault-2")) as child:
            assert child.result() == ["vault-1", "vault-2"]
            assert not reading.done()
            store.goes_on.set()
            assert reading.result(20) == ["vault-1", "vault-2"]


@pytest.mark.parametrize("work", forks.WORKS, ids=lambda work: work.__name__)
def test_children_that_are_forked_at_random_moments_do_not_hang(work: Any) -> None:
    assert forks.failures(work, 8) == []
