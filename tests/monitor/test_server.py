"""Who is answered by a monitor's server, how, and for how long: real sockets and real TLS, around pages of the test's own."""

from __future__ import annotations

import base64
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event

import pytest

from connform.servers.monitor import connection as connections
from connform.servers.monitor.app import Content, MonitorApp
from connform.servers.monitor.credentials import AdmittedCredentials, CredentialsUnreadable
from connform.servers.monitor.server import ListenFailed, Server, bind
from connform.servers.monitor.tls import CertificateUnreadable, ServerCertificate
from tests.canary import API_KEY
from tests.http.servers import Authority

TOKEN = "0123456789abcdef-a-token"
PASSWORD = "correct-horse-battery"


class Pages:
    """Pages of two sizes."""

    is_in_order = True

    def page(self, *, refresh: bool) -> Content:
        return Content("text/html", b"refreshed" if refresh else b"still")

    def report(self) -> Content:
        return Content("application/json", b"{}")

    def metrics(self, accept: str) -> Content:
        return Content("text/plain", bytes(50_000_000) if accept == "much" else accept.encode())

    def is_ready(self) -> bool:
        return self.is_in_order


class Running:
    """A server on loopback."""

    def __init__(self, port: int, log: list[str]) -> None:
        self.port = port
        self.log = log

    def connect(self, trusted: bytes = b"") -> socket.socket:
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        if not trusted:
            return plain
        return ssl.create_default_context(cadata=trusted.decode()).wrap_socket(plain, server_hostname="127.0.0.1")

    def ask(self, request: str, trusted: bytes = b"") -> str:
        """Send bytes as they are, and return what comes until the end."""
        with self.connect(trusted) as client:
            client.sendall(request.replace("\n", "\r\n").encode())
            with closing(client.makefile("rb")) as answer:
                return answer.read().decode()

    def get(self, path: str = "/", *lines: str, method: str = "GET", host: str = "localhost") -> str:
        return self.ask("\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", *lines, "", ""]))


@contextmanager
def running(
    credentials: AdmittedCredentials | None = None, certificate: ServerCertificate | None = None, *names: str
) -> Iterator[Running]:
    log: list[str] = []
    bound = bind("127.0.0.1", 0)
    with closing(Server(lambda: MonitorApp(Pages(), credentials, names, log.append), bound, certificate)) as server:
        server.start()
        yield Running(server.port, log)


@pytest.fixture
def server() -> Iterator[Running]:
    with running() as started:
        yield started


def status(answer: str) -> int:
    return int(answer.split(" ", 2)[1])


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost:9877", 200),
        ("LOCALHOST.", 200),
        ("127.0.0.1", 200),
        ("10.1.2.3:9877", 200),
        ("[::1]:9877", 200),
        ("monitor.acme.example", 200),
        ("Monitor.Acme.Example:443", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("127.0.0.1@evil.example", 421),
        ("", 421),
        ("localhost\nHost: evil.example", 400),
    ],
)
def test_only_addresses_and_known_names_are_answered(host: str, expected: int) -> None:
    with running(None, None, "monitor.acme.example") as server:
        assert [status(server.get(page, host=host)) for page in ("/", "/report.json", "/metrics")] == [expected] * 3
        if expected == 421:
            assert status(server.get("/livez", host=host)) == 200


@pytest.mark.parametrize(
    ("request_line", "lines", "expected"),
    [
        ("GET /", (), 200),
        ("HEAD /", (), 200),
        ("GET /?refresh=off", (), 200),
        ("GET /nothing", (), 404),
        ("GET /../livez", (), 404),
        ("GET //livez", (), 404),
        ("POST /", (), 405),
        ("OPTIONS /metrics", (), 405),
        ("DELETE /livez", (), 405),
        ("GET /", ("Content-Length: 3",), 413),
        ("GET /", ("Transfer-Encoding: chunked",), 413),
    ],
)
def test_only_small_requests_that_read_are_answered(
    server: Running, request_line: str, lines: tuple[str, ...], expected: int
) -> None:
    method, _, path = request_line.partition(" ")
    assert status(server.get(path, *lines, method=method)) == expected


def test_a_request_without_end_is_not_kept(server: Running) -> None:
    try:
        answer = server.get("/", f"X: {'x' * 2_000_000}")
    except ConnectionError:
        return
    assert status(answer) == 400


def test_a_page_comes_with_headers_that_keep_it_to_itself(server: Running) -> None:
    answer = server.get("/").lower()
    for header in (
        "content-security-policy: default-src 'none'; frame-ancestors 'none'",
        "cache-control: no-store",
        "referrer-policy: no-referrer",
        "x-content-type-options: nosniff",
        "x-frame-options: deny",
        "cross-origin-resource-policy: same-origin",
    ):
        assert f"\n{header}\r\n" in answer
    assert "\nserver:" not in answer
    assert server.get("/?refresh=off").endswith("still")
    assert server.get("/", method="HEAD").endswith("\r\n\r\n")


def test_probes_say_nothing_else_and_need_no_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(credentials(tmp_path)) as server:
        assert server.get("/livez").endswith("\r\n\r\nok\n")
        assert (status(server.get("/readyz")), status(server.get("/"))) == (200, 401)
        monkeypatch.setattr(Pages, "is_in_order", False)
        assert status(server.get("/livez")) == 200
        answer = server.get("/readyz")
        assert (status(answer), answer.endswith("\r\n\r\nnot ok\n")) == (503, True)


def credentials(folder: Path, text: str = f"# scrapers\n{TOKEN}\n\nprometheus:{PASSWORD}\n") -> AdmittedCredentials:
    file = folder / "auth"
    file.write_text(text)
    file.chmod(0o600)
    return AdmittedCredentials(str(file), print)


def basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer  {TOKEN}", 200),
        (basic("prometheus", PASSWORD), 200),
        (basic("someone", PASSWORD), 401),
        (basic("prometheus", TOKEN), 401),
        (basic(TOKEN, ""), 401),
        (f"Bearer prometheus:{PASSWORD}", 401),
        (f"Bearer {TOKEN[:-1]}", 401),
        ("Bearer # scrapers", 401),
        ("Bearer ", 401),
        ("Basic !!!", 401),
        (f"Token {TOKEN}", 401),
        ("", 401),
    ],
)
def test_page_report_and_metrics_need_one_of_the_credentials(tmp_path: Path, authorization: str, expected: int) -> None:
    with running(credentials(tmp_path)) as server:
        for path in ("/", "/report.json", "/metrics"):
            answer = server.get(path, f"Authorization: {authorization}", "Accept: x")
            assert status(answer) == expected
            assert ("www-authenticate: basic" in answer.lower()) == (expected == 401)


def test_credentials_are_read_anew_and_nobody_gets_in_while_they_cannot_be(tmp_path: Path) -> None:
    admitted = credentials(tmp_path)
    file = tmp_path / "auth"
    newer = tmp_path / "newer"
    newer.write_text("another-token-0123456789\n")
    newer.chmod(0o600)
    newer.replace(file)
    assert (admitted.admit(f"Bearer {TOKEN}"), admitted.admit("Bearer another-token-0123456789")) == (False, True)
    file.chmod(0o644)
    assert not admitted.admit("Bearer another-token-0123456789")
    file.chmod(0o440)  # as a secret that Kubernetes mounts
    assert admitted.admit("Bearer another-token-0123456789")
    file.unlink()
    assert not admitted.admit("Bearer another-token-0123456789")


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        (f"{API_KEY}\n", 0o604, "others may use it, its mode is 0604"),
        (f"{API_KEY}\n", 0o620, "others may use it"),
        ("# none\n", 0o600, "has no line"),
        (f"{API_KEY}\nshort\n", 0o600, ":2: a token or password needs 16 characters"),
        (f"user:{API_KEY[:5]}\n", 0o600, ":1: a token or password needs 16 characters"),
    ],
)
def test_a_file_of_credentials_that_is_unsafe_is_refused(
    tmp_path: Path, planted: set[Path], content: str, mode: int, said: str
) -> None:
    file = tmp_path / "auth"
    planted.add(file)
    file.write_text(content)
    file.chmod(mode)
    with pytest.raises(CredentialsUnreadable) as failure:
        AdmittedCredentials(str(file), print)
    assert said in str(failure.value)


def test_a_mounted_secret_may_be_readable_for_the_only_user_of_its_container(tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    mount.mkdir()
    credentials(mount)
    (mount / "auth").chmod(0o644)
    admit = f"from connform.servers.monitor.credentials import *; AdmittedCredentials({str(mount / 'auth')!r}, print)"
    bind_read_only = f"mount --bind {mount} {mount} && mount -o remount,bind,ro {mount}"
    script = f'{bind_read_only} || exit 42; exec "{sys.executable}" -c "{admit}"'
    ended = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", script], capture_output=True, check=False
    )
    if ended.returncode == 42 or b"unshare" in ended.stderr:
        pytest.skip("this machine permits no mount namespace")
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize("begin", ["", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: localhost\r\nX: "])
def test_a_client_that_does_not_finish_its_request_is_left(monkeypatch: pytest.MonkeyPatch, begin: str) -> None:
    monkeypatch.setattr(connections, "_HEAD_S", 0.1)
    with running() as server, server.connect() as client:
        client.sendall(begin.encode())
        assert ended(client)


def test_a_client_that_does_not_read_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_ANSWER_S", 0.2)
    with running() as server, server.connect() as client:
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: much\r\n\r\n")
        with running() as other:  # the first one isn't waited for
            assert status(other.get("/livez")) == 200
        assert not wait_for_rest(client)


def test_an_idle_client_is_left_and_a_used_connection_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IDLE_S", 0.2)
    with running() as server, server.connect() as client:
        for _ in range(3):
            probe(client)
        assert ended(client)


def test_so_many_connections_are_open_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 3)
    with running() as server:
        held = [server.connect() for _ in range(3)]
        with server.connect() as another:
            assert ended(another)
        held.pop().close()
        for client in held:
            probe(client)
            client.close()


def probe(client: socket.socket) -> None:
    """Ask on a connection that stays open."""
    client.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = b""
    while not answer.endswith(b"\r\n\r\nok\n"):
        data = client.recv(65536)
        assert data
        answer += data


def ended(client: socket.socket) -> bool:
    """Whether the server ends a connection without an answer, within the client's time limit."""
    try:
        return client.recv(65536) == b""
    except ConnectionResetError:
        return True


def test_a_renewed_certificate_is_used_and_a_bad_one_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connform.servers.monitor.server._CERTIFICATE_S", 0.02)
    first, second = Authority(), Authority()
    file, log = tmp_path / "tls.pem", list[str]()
    file.write_bytes(first.server_pem("127.0.0.1"))
    request = "GET /livez HTTP/1.1\nHost: x\nConnection: close\n\n"
    with running(None, ServerCertificate(str(file), str(file), log.append)) as server:
        assert status(server.ask(request, first.pem)) == 200
        (tmp_path / "bad").write_text("nonsense")
        (tmp_path / "bad").replace(file)
        wait_for(lambda: "the former certificate stays in use" in "".join(log))
        assert status(server.ask(request, first.pem)) == 200
        (tmp_path / "new").write_bytes(second.server_pem("127.0.0.1"))
        (tmp_path / "new").replace(file)
        wait_for(lambda: f"read {file} anew" in log)
        assert status(server.ask(request, second.pem)) == 200
        with pytest.raises(ssl.SSLError):
            server.ask(request, first.pem)


def wait_for_rest(client: socket.socket) -> bool:
    """Read slowly, and return whether all 50 MB come."""
    received = 0
    try:
        while data := client.recv(1_000_000):
            received += len(data)
            Event().wait(0.1)
    except ConnectionResetError:
        return False
    return received > 50_000_000


def wait_for(seen: Callable[[], bool]) -> None:
    for _ in range(1000):
        if seen():
            return
        Event().wait(0.01)
    raise AssertionError


def test_what_cannot_be_listened_on_or_served_is_refused(tmp_path: Path) -> None:
    with closing(bind("127.0.0.1", 0)) as taken:
        taken.listen()
        with pytest.raises(ListenFailed, match=r"can't listen on 127\.0\.0\.1:\d+: Address already in use"):
            bind("127.0.0.1", taken.getsockname()[1])
    missing = str(tmp_path / "missing.pem")
    with pytest.raises(CertificateUnreadable, match="No such file"):
        ServerCertificate(missing, missing, print)
    assert os.listdir(tmp_path) == []
