"""What a session with a PostgreSQL server demands by itself: TLS to the right server, and no password in clear."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread

import psycopg
import pytest
import trustme

from connform.database import open_state
from connform.database.postgres_tls import security_parameters
from connform.errors import ConnectionFailed
from tests.database.postgres import PASSWORD, Postgres

HOST = "db.acme.example"
HERE = Path("unused")
SCRAM = "scram-sha-256,gss,sspi"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(file)
    return file


@pytest.fixture
def tls_port(postgres: Postgres, authority: trustme.CA) -> Iterator[int]:
    """The port of a server that speaks TLS, and has the name of another machine."""
    postgres.fresh()
    with postgres.speaking_tls(authority.issue_cert(HOST).private_key_and_cert_chain_pem.bytes()):
        yield postgres.port


def url(port: int, query: str = "", host: str = HOST) -> str:
    return f"postgresql://connform:{PASSWORD}@{host}:{port}/grants?hostaddr=127.0.0.1&{query}"


def read(where: str) -> None:
    with closing(open_state(where, HERE)) as states:
        assert states.read() == {}


def refusal(where: str) -> ConnectionFailed:
    with pytest.raises(ConnectionFailed) as caught:
        read(where)
    assert caught.value.fault.name == "store_unavailable"
    assert PASSWORD not in caught.value.message + caught.value.hint
    return caught.value


@pytest.mark.parametrize("named", ["in the URL", "as the system's", "as this user's"])
def test_a_server_is_reached_by_tls_where_its_authority_is_known(
    tls_port: int, ca_file: Path, home: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    query = f"sslrootcert={ca_file}" if named == "in the URL" else ""
    if named == "as the system's":
        monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    if named == "as this user's":
        (home / ".postgresql").mkdir()
        (home / ".postgresql" / "root.crt").write_bytes(ca_file.read_bytes())
    read(url(tls_port, query))
    added = security_parameters(psycopg.conninfo.conninfo_to_dict(url(tls_port, query)))
    with psycopg.connect(psycopg.conninfo.make_conninfo(url(tls_port, query), **added)) as session:
        assert session.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchall() == [(True,)]


def test_a_server_of_another_authority_is_refused(tls_port: int) -> None:
    refused = refusal(url(tls_port))
    assert "certificate verify failed" in refused.message
    assert "sslrootcert" in refused.hint


def test_a_server_of_another_name_is_refused(tls_port: int, ca_file: Path) -> None:
    assert "does not match host name" in refusal(url(tls_port, f"sslrootcert={ca_file}", "other.acme.example")).message


def test_a_server_without_tls_is_refused_unless_the_url_says_otherwise(postgres: Postgres) -> None:
    postgres.fresh()
    refused = refusal(url(postgres.port))
    assert "does not support SSL" in refused.message
    assert "sslmode=disable" in refused.hint
    read(url(postgres.port, "sslmode=disable"))


def test_loopback_is_as_it_was(postgres: Postgres) -> None:
    read(postgres.fresh())
    read(postgres.fresh().replace("127.0.0.1", "localhost") + "?hostaddr=127.0.0.1")


class FakeServer:
    """Asks for the password as it wants to; holds what it was sent."""

    def __init__(self, request: bytes, tls: ssl.SSLContext | None) -> None:
        self._request = request
        self._tls = tls
        self.started = 0
        self.answers: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(20)
        self.port = self._listener.getsockname()[1]

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(20)
            try:
                self._session(connection)
            except OSError:  # the client has left
                pass
            finally:
                connection.close()

    def _session(self, connection: socket.socket) -> None:
        packet = self._packet(connection)
        if packet[4:] == struct.pack("!I", 80877103):  # SSLRequest
            connection.sendall(b"S" if self._tls else b"N")
            if self._tls:
                with self._tls.wrap_socket(connection, server_side=True) as inside:
                    self._ask(inside, self._packet(inside))
                return
            packet = self._packet(connection)
        self._ask(connection, packet)

    def _ask(self, connection: socket.socket, packet: bytes) -> None:
        if not packet:
            return
        self.started += 1
        connection.sendall(self._request)
        answer = connection.recv(1000)
        if answer:
            self.answers.append(answer)

    @staticmethod
    def _packet(connection: socket.socket) -> bytes:
        head = connection.recv(4)
        return head + connection.recv(struct.unpack("!I", head)[0] - 4) if len(head) == 4 else b""

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextmanager
def faking(request: bytes, tls: ssl.SSLContext | None = None) -> Iterator[FakeServer]:
    server = FakeServer(request, tls)
    thread = Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(30)


CLEARTEXT = b"R" + struct.pack("!II", 8, 3)
MD5 = b"R" + struct.pack("!II4s", 12, 5, b"salt")


@pytest.mark.parametrize("request_of", [CLEARTEXT, MD5], ids=["cleartext", "md5"])
def test_no_password_is_handed_to_who_declines_tls(request_of: bytes) -> None:
    with faking(request_of) as server:
        assert "does not support SSL" in refusal(url(server.port)).message
    assert (server.started, server.answers) == (0, [])


@pytest.mark.parametrize("request_of", [CLEARTEXT, MD5], ids=["cleartext", "md5"])
@pytest.mark.parametrize("with_tls", [True, False])
def test_no_password_is_handed_to_who_asks_for_it(
    authority: trustme.CA, ca_file: Path, request_of: bytes, with_tls: bool
) -> None:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    query = f"sslrootcert={ca_file}" if with_tls else "sslmode=disable"
    with faking(request_of, context if with_tls else None) as server:
        refused = refusal(url(server.port, query))
        assert "authentication method requirement" in refused.message
        assert "require_auth" in refused.hint
        assert (server.started, server.answers) == (1, [])
        refusal(url(server.port, f"{query}&require_auth=password,md5"))
        assert len(server.answers) == 1, "what the URL says is obeyed"


FULL = {"sslmode": "verify-full", "sslrootcert": "/ca.pem", "require_auth": SCRAM}
PARAMETERS = [
    ("postgresql://db.acme.example/x?sslrootcert=/ca.pem", {"sslmode": "verify-full", "require_auth": SCRAM}),
    ("postgresql://db.acme.example/x?sslmode=require", {"require_auth": SCRAM}),
    ("postgresql://db.acme.example/x?sslmode=disable&require_auth=md5", {}),
    ("postgresql://db.acme.example/x?sslmode=require&sslcert=/me.pem", {"require_auth": f"{SCRAM},none"}),
    ("postgresql://127.0.0.1,db.acme.example/x", FULL),
    ("postgresql://localhost/x?hostaddr=10.0.0.1", FULL),
    ("postgresql://db.acme.example/x?hostaddr=127.0.0.1", FULL),
    ("postgresql://0.0.0.0/x", FULL),
    ("postgresql://127.1/x", FULL),
    ("postgresql://localhost.acme.example/x", FULL),
    ("postgresql://10.0.0.1/x", FULL),
    ("postgresql:///x?service=team", FULL),
    ("postgresql://127.0.0.1/x", {}),
    ("postgresql://127.8.9.1/x", {}),
    ("postgresql://[::1]/x", {}),
    ("postgresql://LOCALHOST/x", {}),
    ("postgresql:///x", {}),
    ("postgresql:///x?host=/var/run/postgresql", {}),
    ("postgresql:///x?host=@abstract", {}),
    ("postgresql://localhost,127.0.0.1/x", {}),
]


@pytest.mark.parametrize(("where", "added"), PARAMETERS)
def test_a_session_is_protected_unless_its_server_is_here_or_the_url_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, where: str, added: dict[str, str]
) -> None:
    monkeypatch.setattr("connform.database.postgres_tls._system_roots", lambda _: {"sslrootcert": "/ca.pem"})
    assert security_parameters(psycopg.conninfo.conninfo_to_dict(where)) == added


@pytest.mark.parametrize(
    ("variables", "added"),
    [
        ({"PGHOST": "db.acme.example"}, FULL),
        ({"PGHOSTADDR": "10.0.0.1"}, FULL),
        ({"PGHOST": "db.acme.example", "PGSSLMODE": "require", "PGREQUIREAUTH": "md5"}, {}),
        ({"PGHOST": "/run/postgresql"}, {}),
    ],
)
def test_what_libpq_s_own_variables_say_counts_too(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], added: dict[str, str]
) -> None:
    monkeypatch.setattr("connform.database.postgres_tls._system_roots", lambda _: {"sslrootcert": "/ca.pem"})
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert security_parameters(psycopg.conninfo.conninfo_to_dict("postgresql:///x")) == added
