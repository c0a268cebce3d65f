"""The backend `vault` at a real OpenBao, KV versions 1 and 2, in the suite for all backends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

import pytest

from connform.secrets.kit.interface import StoreConfig
from connform.secrets.vault.backend import VAULT
from connform.testing.secrets import Bench, SecretBackendSuite
from tests.http.servers import Authority, Connection, Server
from tests.secrets.vault.fronts import forwarded, reply
from tests.secrets.vault.openbao import OpenBao
from tests.secrets.vault.stores import store_at


class Front:
    """Stands before an OpenBao, and answers the first requests that there are too many."""

    def __init__(self, bao: OpenBao, times: int, retry_after: str | None) -> None:
        self.authority = Authority()
        self._bao = bao
        header = [] if retry_after is None else [f"Retry-After: {retry_after}"]
        self._refusals = [reply({"errors": ["request path: rate limit quota exceeded"]}, 429, *header)] * times

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            connection.send(self._refusals.pop() if self._refusals else forwarded(self._bao, request))


class VaultBench(Bench):
    backend = VAULT
    lacks = {
        "binary": "its values are JSON, which is text",
        **dict.fromkeys(("documents", "twins"), "a secret is an object that the server decoded: no key stands twice"),
    }

    def __init__(self, bao: OpenBao, token: str) -> None:
        super().__init__(store_at(bao, token))
        self.bao = bao

    def put(self, name: str, value: bytes) -> str:
        return self.put_fields(name, {"value": value.decode()})

    def put_fields(self, name: str, fields: Mapping[str, str]) -> str:
        self.bao.call("POST", f"secret/data/bench/{name}", {"data": fields})
        return f"vault://secret/bench/{name}"

    def missing(self) -> str:
        return "vault://secret/bench/missing"

    def denied(self) -> str:
        return "vault://secret/forbidden"

    def expired(self) -> StoreConfig:
        token = self.bao.token("reader")
        self.bao.call("POST", "auth/token/revoke", {"token": token})
        return store_at(self.bao, token)

    def down(self) -> AbstractContextManager[object]:
        return self.bao.down()

    def slow(self) -> AbstractContextManager[object]:
        return self.bao.frozen()

    @contextmanager
    def rate_limited(self, times: int, retry_after: str | None) -> Iterator[None]:
        direct, front = self.place, Front(self.bao, times, retry_after)
        with Server(front, tls=front.authority.server("127.0.0.1")) as server:
            address, ca_file = f"https://127.0.0.1:{server.port}", self.bao.ca_file.with_name("front.pem")
            ca_file.write_bytes(front.authority.pem)
            self.place = direct._replace(settings={**direct.settings, "address": address, "ca_file": str(ca_file)})
            yield
        self.place = direct

    def sealed(self) -> AbstractContextManager[object]:
        return self.bao.sealed()


class TestVersion2(SecretBackendSuite):
    @pytest.fixture
    def bench(self, bao: OpenBao, reader: str) -> Bench:
        return VaultBench(bao, reader)


class Version1Bench(VaultBench):
    lacks = {**VaultBench.lacks, "versions": "KV version 1 overwrites what was there"}

    def put_fields(self, name: str, fields: Mapping[str, str]) -> str:
        self.bao.call("POST", f"old/bench/{name}", fields)
        return f"vault://old/bench/{name}"

    def missing(self) -> str:
        return "vault://old/bench/missing"

    def denied(self) -> str:
        return "vault://old/forbidden"


class TestVersion1(SecretBackendSuite):
    @pytest.fixture
    def bench(self, bao: OpenBao, reader: str) -> Bench:
        return Version1Bench(bao, reader)
