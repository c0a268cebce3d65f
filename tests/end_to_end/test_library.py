"""connform in a program: ready clients, reports, one tree of errors, nothing loaded that isn't used."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import connform
from connform.faults import ExitCode, Verdict
from tests.canary import API_KEY
from tests.end_to_end.conftest import Servers
from tests.end_to_end.running import KEY_VARIABLE, manifest, run_program
from tests.http import servers as raw_servers
from tests.http.servers import Server, raw

LIST: dict[str, Any] = {"url": "/packages/list", "json": {"take": 1, "skip": 0}}
LINE = b"api_key: " + API_KEY.encode()


@pytest.fixture
def server(servers: Servers) -> Server:
    return servers.iinked_sign()


@pytest.fixture
def file(server: Server, tmp_path: Path, ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A manifest of two connections, of which the second has no secret."""
    monkeypatch.setenv(KEY_VARIABLE, API_KEY)
    settings = {"base_url": f"https://localhost:{server.port}/api/v1", "tls": {"ca_file": str(ca_file)}}
    keyless = settings | {"auth": {"method": "api_key", "api_key": "env://NO_SUCH_KEY"}}
    path = tmp_path / "connections.yaml"
    path.write_text(manifest(acme=settings, keyless=keyless))
    return path


def test_connect_gives_a_ready_client(server: Server, file: Path) -> None:
    with connform.connect("acme", file) as client:
        assert isinstance(client, httpx.Client)
        assert client.post(**LIST).json()["total"] == 0
    assert server.requests[0].startswith(b"POST /api/v1/packages/list HTTP/1.1\r\n")
    assert LINE in server.requests[0]


def test_connect_finds_the_manifest_beside_the_program(
    server: Server, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    with connform.connect("acme") as client:
        client.post(**LIST).raise_for_status()
    assert len(server.requests) == 1


def test_load_resolves_nothing(server: Server, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE)
    connections = connform.load(file)
    assert list(connections) == ["acme", "keyless"]
    assert connections["acme"].base_url == f"https://localhost:{server.port}/api/v1"
    assert server.connections == 0
    monkeypatch.setenv(KEY_VARIABLE, API_KEY)
    with connections["acme"].client() as client:
        client.post(**LIST).raise_for_status()


def test_a_mapping_says_whether_it_has_a_name(file: Path) -> None:
    connections = connform.load(file)
    assert "acme" in connections
    assert "acne" not in connections
    assert connections.get("acne") is None


def test_the_async_client_is_ready_as_well(server: Server, file: Path) -> None:
    async def both() -> list[httpx.Response]:
        async with connform.load(file)["acme"].async_client() as client:
            return list(await asyncio.gather(client.post(**LIST), client.post(**LIST)))

    assert [answer.status_code for answer in asyncio.run(both())] == [200, 200]
    assert all(LINE in request for request in server.requests)


@pytest.mark.parametrize("verb", [connform.check, connform.apply])
def test_a_report_says_what_the_command_would(verb: Callable[..., connform.Report], file: Path) -> None:
    report = verb(file)
    assert [connection.verdict for connection in report.connections] == [Verdict.READY, Verdict.FAILED]
    assert report.connections[1].fault == "secret_not_found"
    assert report.exit_code is ExitCode.SECRET_UNRESOLVED
    assert verb(file, ["acme"]).exit_code is ExitCode.OK
    assert verb(file, exclude="keyless").exit_code is ExitCode.OK


def test_a_plan_says_what_apply_would_do(file: Path) -> None:
    assert [one.action for one in connform.plan(file).connections] == ["create", "create"]
    connform.apply(file, "acme")
    planned = connform.plan(file, "acme", refresh=True)
    assert ([one.action for one in planned.connections], planned.exit_code) == (["none"], ExitCode.OK)
    assert [one.action for one in connform.plan(file, "acme", simulate=True).connections] == ["create"]


@pytest.mark.parametrize("verb", [connform.validate, connform.check, connform.plan, connform.apply])
def test_every_verb_takes_the_same_selection(verb: Callable[..., connform.Report], file: Path) -> None:
    for selection in ({"connections": ["acme", "nobody"]}, {"tags": "ci"}, {"exclude": "nobody"}):
        with pytest.raises(connform.UnknownConnection):
            verb(files=file, policies=(), **selection)


def test_a_check_inside_a_running_event_loop(file: Path) -> None:
    """As in a notebook."""

    async def notebook() -> list[connform.Report]:
        return [connform.check(file, ["acme"]), await asyncio.to_thread(connform.check, file, ["acme"])]

    assert [report.exit_code for report in asyncio.run(notebook())] == [ExitCode.OK, ExitCode.OK]


def test_validate_tells_every_error(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(manifest(a={"environment": "sandbox", "region": "ca"}, b={"environment": "lab"}))
    assert [one.code for one in connform.validate(wrong).diagnostics] == ["unknown-region", "unknown-environment"]


# Errors


def manifest_invalid(file: Path, _: Servers, __: Path) -> None:
    file.write_text("version: 1\nconnections: []\n")
    connform.load(file)


def unknown(file: Path, _: Servers, __: Path) -> None:
    connform.connect("acne", file)


def no_secret(file: Path, _: Servers, __: Path) -> None:
    connform.connect("keyless", file)


def elsewhere(file: Path, _: Servers, __: Path) -> None:
    with connform.connect("acme", file) as client:
        client.get("https://other.example/")


def ask(file: Path, server: Server, ca_file: Path) -> None:
    base_url = f"https://localhost:{server.port}"
    timeouts = {"read_s": 0.2, "connect_s": 0.5}
    file.write_text(manifest(acme={"base_url": base_url, "tls": {"ca_file": str(ca_file)}, "timeouts": timeouts}))
    with connform.connect("acme", file) as client:
        client.post(**LIST)


def no_server(file: Path, servers: Servers, ca_file: Path) -> None:
    with raw_servers.Server(raw_servers.silent) as server:
        pass
    ask(file, server, ca_file)


def no_tls(file: Path, servers: Servers, ca_file: Path) -> None:
    ask(file, servers.plain(raw_servers.plain_http), ca_file)


def cut(file: Path, servers: Servers, ca_file: Path) -> None:
    ask(file, servers.tls(raw()), ca_file)


def silent(file: Path, servers: Servers, ca_file: Path) -> None:
    ask(file, servers.tls(raw_servers.silent), ca_file)


def no_login(file: Path, _: Servers, __: Path) -> None:
    auth = {"method": "oauth2", "client_id": "acme", "client_secret": f"env://{KEY_VARIABLE}"}
    auth |= {"redirect_uri": "https://acme.example/callback"}
    file.write_text(manifest(acme={"environment": "sandbox", "region": "eu", "auth": auth}))
    client = connform.connect("acme", file)  # the grant is read when it is needed
    client.post(**LIST)


def no_token(file: Path, servers: Servers, ca_file: Path) -> None:
    server = servers.tls(raw(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"))
    url = f"https://localhost:{server.port}"
    auth = {"method": "client_credentials", "token_url": f"{url}/token", "client_id": "acme"}
    auth |= {"client_secret": f"env://{KEY_VARIABLE}"}
    settings = {"provider": "http", "base_url": url, "tls": {"ca_file": str(ca_file)}, "auth": auth}
    file.write_text(manifest(acme=settings))
    with connform.connect("acme", file) as client:
        client.get("/me")


def no_secret_in_a_loop(file: Path, _: Servers, __: Path) -> None:
    async def ask() -> None:
        async with connform.load(file)["keyless"].async_client() as client:
            await client.post(**LIST)

    asyncio.run(ask())


ERRORS: dict[Callable[[Path, Any, Path], None], tuple[tuple[type[Exception], ...], ExitCode]] = {
    manifest_invalid: ((connform.ManifestInvalid,), ExitCode.INVALID),
    unknown: ((connform.UnknownConnection, KeyError), ExitCode.USAGE),
    no_secret: ((connform.SecretUnresolved, connform.ConnectionFailed), ExitCode.SECRET_UNRESOLVED),
    no_secret_in_a_loop: (
        (connform.SecretUnresolved, connform.RequestFailed, httpx.HTTPError, httpx.TransportError),
        ExitCode.SECRET_UNRESOLVED,
    ),
    no_login: ((connform.RequestFailed, httpx.HTTPError, httpx.TransportError), ExitCode.CREDENTIAL_REJECTED),
    no_token: ((connform.RequestFailed, httpx.HTTPError, httpx.TransportError), ExitCode.COULD_NOT_VERIFY),
    elsewhere: ((connform.Refused, httpx.HTTPError, httpx.RequestError), ExitCode.REFUSED),
    no_server: ((connform.ConnectionFailed, httpx.HTTPError, httpx.TransportError), ExitCode.COULD_NOT_VERIFY),
    no_tls: ((connform.ConnectionFailed, httpx.HTTPError, httpx.TransportError), ExitCode.COULD_NOT_VERIFY),
    cut: ((connform.ConnectionFailed, httpx.HTTPError, httpx.TransportError), ExitCode.COULD_NOT_VERIFY),
    silent: ((connform.ConnectionFailed, httpx.HTTPError, httpx.TimeoutException), ExitCode.COULD_NOT_VERIFY),
}


@pytest.mark.parametrize("provoke", ERRORS, ids=lambda provoke: str(provoke.__name__))
def test_every_error_is_of_one_tree_and_of_httpx_where_a_request_failed(
    provoke: Callable[[Path, Any, Path], None], file: Path, servers: Servers, ca_file: Path
) -> None:
    kinds, code = ERRORS[provoke]
    with pytest.raises(connform.ConnformError) as raised:
        provoke(file, servers, ca_file)
    assert all(isinstance(raised.value, kind) for kind in kinds), type(raised.value).__mro__
    assert raised.value.exit_code is code
    assert str(raised.value)


def test_every_public_error_is_of_the_tree() -> None:
    public = [getattr(connform, name) for name in connform.__all__]
    errors = [thing for thing in public if inspect.isclass(thing) and issubclass(thing, Exception)]
    assert len(errors) > 4
    assert all(issubclass(error, connform.ConnformError) for error in errors)


def test_a_missing_manifest_is_told_in_words_for_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(connform.ManifestInvalid, match="no such file: name another one"):
        connform.load(tmp_path / "absent.yaml")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(connform.ManifestInvalid, match="`files` in a program"):
        connform.load()


def test_a_repr_fits_a_line_and_says_what_the_object_is(server: Server, file: Path) -> None:
    connections = connform.load(file)
    url = f"https://localhost:{server.port}/api/v1"
    assert repr(connections) == "<Connections acme, keyless>"
    assert repr(connections["acme"]) == f"<ReadyConnection acme {url}>"
    assert repr(connections["acme"].declared) == "<Connection acme: iinked-sign private api_key>"
    with connections["acme"].client() as client:
        assert repr(client) == f"<Client URL('{url}/')>"
    report = connform.check(file)
    assert repr(report) == "<Report check: 2 connections, 1 ready, 1 failed (keyless), exit code 5>"
    assert repr(report.connections[0]) == "<ConnectionReport acme ready>"
    assert repr(report.connections[1]).startswith("<ConnectionReport keyless failed secret_not_found 'environment")
    file.write_text(manifest(a={"environment": "sandbox", "region": "ca"}))
    report = connform.validate(file)
    assert repr(report) == "<Report validate: 1 connection, 1 error, exit code 1>"
    assert repr(report.diagnostics[0]).startswith(f"<Diagnostic '{file}:")


# Cost


def test_importing_connform_loads_nothing_heavy(tmp_path: Path) -> None:
    program = "import sys; before = set(sys.modules); import connform; print(*sorted(set(sys.modules) - before))"
    ended = run_program(sys.executable, "-I", "-c", program, cwd=tmp_path)
    loaded = {name.partition(".")[0] for name in ended.out.split()}
    assert "connform" in loaded
    assert not loaded & {
        "httpx",
        "httpcore",
        "yaml",
        "jsonschema",
        "ssl",
        "asyncio",
        "click",
        "cryptography",
        "trustme",
    }


def test_a_thousand_clients_share_one_tls_context(file: Path) -> None:
    connections = connform.load(file)
    clients: list[Any] = [connections["acme"].client() for _ in range(1_000)]
    contexts = {id(client._transport._pools.own._ssl_context) for client in clients}
    for client in clients:
        client.close()
    assert len(contexts) == 1
