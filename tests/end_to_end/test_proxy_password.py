"""A proxy whose password lies in a secret store: asked with it by every request, and shown by nothing."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import connform
from connform.errors import ConnectionFailed
from connform.reporters import FORMATS
from connform.simulator import Simulator
from tests.canary import API_KEY, AWKWARD
from tests.conftest import Plant
from tests.end_to_end.conftest import Servers
from tests.end_to_end.running import KEY, run
from tests.http.servers import Connection, Server, head
from tests.http.test_proxy import tunnel_to
from tests.oauth.setting import RENEWS
from tests.oauth.test_verdicts import ENVIRONMENT, prepare

MANIFEST = """\
version: 1
stores:
  mounted: {{type: file, path: secrets}}
connections:
  acme:
    environment: private
    base_url: https://localhost:{port}/api/v1
    tls: {{ca_file: "{ca_file}"}}
    proxy: {proxy}
    auth: {{method: api_key, api_key: env://ACME_KEY}}
"""
PROXY = '{{url: "http://localhost:{port}", username: "ci user", password: "{reference}"}}'


class AskingForPassword:
    """A proxy that opens a tunnel for one user with one password (RFC 7617)."""

    def __init__(self, target: Server, password: str) -> None:
        self._open = tunnel_to(target)
        credentials = base64.b64encode(f"ci user:{password}".encode())
        self._line = b"\r\nProxy-Authorization: Basic " + credentials + b"\r\n"
        self.opened = 0
        """How many tunnels were opened."""

    def __call__(self, connection: Connection) -> None:
        request = connection.read_request()
        if self._line not in request:
            connection.send(head(407, ['Proxy-Authenticate: Basic realm="acme"', "Content-Length: 0"]))
            return
        self.opened += 1
        connection.read_request = lambda: request  # type: ignore[method-assign]  # it was read
        self._open(connection)


@pytest.fixture
def api(servers: Servers) -> Server:
    return servers.iinked_sign()


@pytest.fixture
def asking(api: Server) -> AskingForPassword:
    return AskingForPassword(api, AWKWARD)


@pytest.fixture
def proxy(asking: AskingForPassword) -> Iterator[Server]:
    with Server(asking) as server:
        yield server


@pytest.fixture
def declare(api: Server, proxy: Server, ca_file: Path, tmp_path: Path, plant: Plant) -> Callable[..., Path]:
    """Return what writes the manifest, and the password into its file."""

    def write(password: str = AWKWARD, reference: str = "mounted://proxy") -> Path:
        plant("secrets/proxy", password + "\n")
        file = tmp_path / "connections.yaml"
        spoken = PROXY.format(port=proxy.port, reference=reference)
        file.write_text(MANIFEST.format(port=api.port, ca_file=ca_file, proxy=spoken))
        return file

    return write


@pytest.mark.parametrize("form", FORMATS)
def test_a_check_goes_through_the_proxy_and_no_format_shows_the_password(
    form: str, asking: AskingForPassword, api: Server, declare: Callable[..., Path], tmp_path: Path
) -> None:
    ended = run("check", "-f", declare(), "--format", form, cwd=tmp_path, env=KEY)
    assert (ended.code, asking.opened, len(api.requests)) == (0, 1, 1), ended
    assert b"proxy-authorization" not in api.requests[0].lower()


@pytest.mark.parametrize("reference", ["mounted://proxy", "file://secrets/proxy"])
def test_apply_records_where_the_password_lies_and_no_part_of_it(
    reference: str, asking: AskingForPassword, declare: Callable[..., Path], tmp_path: Path
) -> None:
    file = declare(reference=reference)
    assert run("apply", "--yes", "-f", file, cwd=tmp_path, env=KEY).code == 0
    assert asking.opened == 1
    shown = run("state", "history", "acme", "-f", file, "--format", "json", cwd=tmp_path)
    used = shown.connection["history"][0]["secrets"]
    assert [(one["key"], one["reference"]) for one in used] == [
        ("api_key", "env://ACME_KEY"),
        ("proxy.password", reference),
    ]
    assert used[1]["version"]


def test_secrets_check_reads_it(declare: Callable[..., Path], tmp_path: Path) -> None:
    file = declare()
    command = ("secrets", "check", "-f", file, "--format", "json")
    ended = run(*command, cwd=tmp_path, env=KEY)
    secrets = ended.connection["secrets"]
    assert [(one["key"], one["store"]) for one in secrets] == [("api_key", ""), ("proxy.password", "mounted")]
    (tmp_path / "secrets" / "proxy").unlink()
    for verb in (command, ("check", "-f", file, "--format", "json")):
        ended = run(*verb, cwd=tmp_path, env=KEY)
        assert (ended.code, ended.connection["class"]) == (5, "secret_not_found")
        line, column = ended.connection["line"], ended.connection["column"]
        assert file.read_text().splitlines()[line - 1][column - 1 :].startswith('"mounted://proxy"')


def test_what_can_be_no_password_is_not_sent(proxy: Server, declare: Callable[..., Path], tmp_path: Path) -> None:
    file = declare(f"{API_KEY}\nmore")
    for verb in ("check", "secrets check"):
        ended = run(*verb.split(), "-f", file, "--format", "json", cwd=tmp_path, env=KEY)
        assert (ended.code, ended.connection["class"]) == (5, "secret_malformed")
        assert "`proxy.password` holds a line break or control character" in ended.connection["message"]
    assert proxy.requests == []


def test_a_wrong_password_is_told_by_the_proxy(
    api: Server, proxy: Server, declare: Callable[..., Path], tmp_path: Path
) -> None:
    ended = run("check", "-f", declare(API_KEY), "--format", "json", cwd=tmp_path, env=KEY)
    connection = ended.connection
    assert (connection["class"], len(proxy.requests), api.connections) == ("proxy_refused", 1, 0)
    assert "answered 407" in connection["message"]
    assert "user name and password" in connection["hint"]


def test_exec_masks_it(declare: Callable[..., Path], tmp_path: Path) -> None:
    file = declare()
    ended = run("exec", "acme", "-f", file, "--", "cat", str(tmp_path / "secrets" / "proxy"), cwd=tmp_path, env=KEY)
    assert ended.code == 0
    assert "***" in ended.out
    assert AWKWARD not in ended.out


def test_a_program_reads_a_new_password_for_its_next_client(
    asking: AskingForPassword, declare: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_KEY", API_KEY)
    connections = connform.load(declare("old"))
    with connections["acme"].client() as client, pytest.raises(ConnectionFailed, match="407"):
        client.get("/packages/list")
    declare()
    connections.refresh()
    with connections["acme"].client() as client:
        assert client.get("/packages/list").status_code == 200
    assert asking.opened == 1


def test_the_login_server_is_asked_through_the_proxy_as_well(
    servers: Servers, ca_file: Path, tmp_path: Path, plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    plant("proxy", AWKWARD)
    target = servers.tls(RENEWS)
    asking = AskingForPassword(target, AWKWARD)
    proxy = servers.plain(asking)
    long_ago = datetime.now(UTC) - timedelta(days=1)
    prepare(tmp_path, target, ca_file, obtained_at=long_ago, expires_at=long_ago)
    manifest = tmp_path / "connections.yaml"
    spoken = PROXY.format(port=proxy.port, reference="file://proxy")
    manifest.write_text(manifest.read_text().replace("    auth:\n", f"    proxy: {spoken}\n    auth:\n"))
    with connform.connect("customer", manifest) as client:
        assert client.post("/packages/list").status_code == 200
    assert asking.opened == 2
    assert [request.split()[1] for request in target.requests] == [b"/connect/token", b"/api/v1/packages/list"]


def test_a_rehearsal_asks_no_proxy_and_reads_no_password(
    proxy: Server, declare: Callable[..., Path], tmp_path: Path
) -> None:
    file = declare(reference="env://NO_SUCH_PASSWORD")
    with Simulator() as simulator, connform.connect("acme", file, simulator=simulator) as client:
        assert client.post("/packages/list", json={"take": 1, "skip": 0}).status_code == 200
    assert proxy.requests == []
