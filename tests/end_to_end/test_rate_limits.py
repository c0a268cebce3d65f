"""A program asks which rate limits hold, and has them forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

import connform
from connform.errors import SecretUnresolved
from connform.http import RequestFailed, limits
from connform.simulator import Simulator
from tests.canary import API_KEY
from tests.end_to_end.conftest import Servers
from tests.end_to_end.running import KEY_VARIABLE, manifest
from tests.forking import forked
from tests.http.servers import Connection, Server, head

HOST = "sandbox.syngrafii.com"
LIST = "/api/v1/packages/list"


class Api:
    """An API with a rate limit of its path `/reports`."""

    def __init__(self) -> None:
        self.is_lifted = False
        self.asked = 0
        """How often."""

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            self.asked += 1
            is_limited = b"/reports" in request and not self.is_lifted
            lines = ["Content-Length: 0", "Retry-After: 3000"]
            connection.send(head(429 if is_limited else 200, lines))


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    limits._WAIT_UNTIL.clear()
    yield
    limits._WAIT_UNTIL.clear()


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def server(api: Api, servers: Servers) -> Server:
    return servers.tls(api)


def connections(
    server: Server, folder: Path, ca_file: Path, monkeypatch: pytest.MonkeyPatch, **timeouts: Any
) -> connform.Connections:
    """Return two connections with the same key, and one with another."""
    monkeypatch.setenv(KEY_VARIABLE, API_KEY)
    monkeypatch.setenv("ANOTHER", "another-key")
    shared: dict[str, Any] = {
        "base_url": f"https://localhost:{server.port}/api",
        "tls": {"ca_file": str(ca_file)},
        "timeouts": {"total_s": 20, **timeouts},
    }
    other: Mapping[str, Any] = {**shared, "auth": {"method": "api_key", "api_key": "env://ANOTHER"}}
    file = folder / "connections.yaml"
    file.write_text(manifest(first=shared, second=shared, other=other))
    return connform.load(file)


@pytest.mark.parametrize(("timeouts", "longest_s"), [({}, 60), ({"retry_after_max_s": 1800}, 1800)])
def test_a_program_sees_what_is_limited_until_when_and_sends_again_when_it_says_so(
    api: Api,
    server: Server,
    tmp_path: Path,
    ca_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    timeouts: dict[str, int],
    longest_s: int,
) -> None:
    loaded = connections(server, tmp_path, ca_file, monkeypatch, **timeouts)
    assert loaded["first"].rate_limits() == {}
    with loaded["first"].client() as client:
        assert client.get("/reports").status_code == 429
        assert client.get("/health").status_code == 200
        for name in ("first", "second"):
            ((path, left_s),) = loaded[name].rate_limits().items()
            assert path == "/api/reports"
            assert longest_s - 30 < left_s <= longest_s
        assert loaded["other"].rate_limits() == {}
        api.is_lifted = True
        loaded["other"].reset_rate_limits()
        with pytest.raises(RequestFailed, match="nothing is sent to this path"):
            client.get("/reports")
        asked = api.asked
        loaded["second"].reset_rate_limits()
        assert client.get("/reports").status_code == 200
        assert (loaded["first"].rate_limits(), api.asked) == ({}, asked + 1)


def test_a_limit_that_is_over_is_not_told(
    server: Server, tmp_path: Path, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = connections(server, tmp_path, ca_file, monkeypatch)["first"]
    with first.client() as client:
        client.get("/reports")
    now = monotonic() + 61
    monkeypatch.setattr(limits, "monotonic", lambda: now)
    assert first.rate_limits() == {}


def test_a_child_knows_what_its_parent_was_told(
    server: Server, tmp_path: Path, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = connections(server, tmp_path, ca_file, monkeypatch)["first"]
    with first.client() as client:
        client.get("/reports")

    def work() -> tuple[list[str], dict[str, float]]:
        inherited = list(first.rate_limits())
        first.reset_rate_limits()
        return inherited, first.rate_limits()

    with forked(work) as child:
        assert child.result() == (["/api/reports"], {})
    assert list(first.rate_limits()) == ["/api/reports"]


def test_what_cannot_be_read_is_an_error_as_for_a_client(
    server: Server, tmp_path: Path, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = connections(server, tmp_path, ca_file, monkeypatch)
    monkeypatch.delenv("ANOTHER")
    with pytest.raises(SecretUnresolved):
        loaded["other"].rate_limits()


@pytest.mark.parametrize("auth", ["api_key", "oauth2"])
def test_a_rehearsal_has_limits_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, auth: str) -> None:
    now = monotonic()
    monkeypatch.setattr(limits, "monotonic", lambda: now)  # its limits last a second
    file = tmp_path / "connections.yaml"
    methods: dict[str, dict[str, Any]] = {
        "api_key": {"method": "api_key", "api_key": "env://NO_SUCH_KEY"},
        "oauth2": {
            "method": "oauth2",
            "client_id": "acme",
            "client_secret": "env://NO_SUCH_KEY",
            "redirect_uri": "https://acme.example/callback",
        },
    }
    file.write_text(manifest(acme={"environment": "sandbox", "region": "us", "auth": methods[auth]}))
    with Simulator() as simulator:
        simulator.fail(HOST, "rate_limited", path=LIST)
        acme = connform.load(file, simulator=simulator)["acme"]
        with acme.client() as client:
            client.post("/packages/list", json={"take": 1, "skip": 0})
        assert list(acme.rate_limits()) == [LIST]
        acme.reset_rate_limits()
        assert acme.rate_limits() == {}
