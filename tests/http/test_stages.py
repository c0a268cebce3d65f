"""Every way in which a server can fail has its class, its stage and its end in time."""

from __future__ import annotations

import gc
import gzip
import select
import socket
import ssl
import struct
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from connform.auth.oauth import listener
from connform.http import ClientSettings, RequestFailed, RequestTimedOut
from connform.http.net import tls
from connform.simulator.certificates import Certificates
from tests.http import servers
from tests.http.exchanging import BUSY_S, SHORT, Mode, exchange, settings_for
from tests.http.servers import HOST, Authority, Behaviour, Server, answer, drip, endless, head, raw
from tests.ports import silent_port

DAY = timedelta(days=1)

BELOW_TLS = {
    "ssh": (servers.banner(b"SSH-2.0-OpenSSH_9.9\r\n"), "tls_not_tls"),
    "smtp": (servers.banner(b"220 mail.example.test ESMTP\r\n"), "tls_not_tls"),
    "http": (servers.plain_http, "tls_not_tls"),
    "greets and closes": (lambda connection: connection.send(b"220 busy\r\n"), "tls_not_tls"),
    "hangs": (servers.silent, "tls_timeout"),
    "resets at once": (servers.reset, "tls_reset"),
    "resets": (servers.reset_in_handshake, "tls_reset"),
    "closes": (servers.close_in_handshake, "tls_reset"),
}

REPLIES = {
    "slow-loris in the headers": (drip(b"HTTP/1.1 200 OK\r\nX-Slow: "), "http_deadline"),
    "slow-loris in the body": (drip(head(200, ["Content-Length: 1000"])), "http_deadline"),
    "silence": (servers.silent, "http_timeout"),
    "silence in the body": (raw(head(200, ["Content-Length: 9"]), then=servers.silent), "http_timeout"),
    "closes": (raw(), "http_bad_reply"),
    "resets": (raw(then=servers.reset), "http_bad_reply"),
    "truncated headers": (raw(b"HTTP/1.1 200 OK\r\nContent-Le"), "http_bad_reply"),
    "truncated body": (raw(head(200, ["Content-Length: 9"]), b"four"), "http_bad_reply"),
    "truncated chunks": (raw(head(200, ["Transfer-Encoding: chunked"]), b"9\r\nfour"), "http_bad_reply"),
    "truncated gzip": (
        answer(gzip.compress(bytes(9999))[:-9], "Content-Encoding: gzip"),
        "http_bad_reply",
    ),
    "damaged gzip": (answer(b"this is no gzip", "Content-Encoding: gzip"), "http_bad_reply"),
    "a coding not asked for": (answer(b"\x8b", "Content-Encoding: br"), "http_bad_reply"),
    "two codings": (answer(b"\x8b", "Content-Encoding: gzip, gzip"), "http_bad_reply"),
    "reset in the body": (raw(head(200, ["Content-Length: 9"]), b"four", then=servers.reset), "http_bad_reply"),
    "not HTTP": (raw(b"* OK IMAP4rev1 ready\r\n"), "http_bad_reply"),
    "200 kB header": (raw(head(200, ["X-Large: " + "a" * 200_000])), "http_bad_reply"),
    "endless headers": (endless(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n" * 100), "http_bad_reply"),
    "declared too large": (raw(head(200, ["Content-Length: 99999999999"])), "http_too_large"),
    "endless body": (endless(head(200), bytes(65536)), "http_too_large"),
    "endless chunks": (
        endless(head(200, ["Transfer-Encoding: chunked"]), b"1000\r\n" + bytes(4096) + b"\r\n"),
        "http_too_large",
    ),
    "gzip bomb": (
        answer(servers.gzip_of_zeros(50), "Content-Encoding: gzip"),
        "http_too_large",
    ),
}


def failed_in_time(mode: Mode, settings: ClientSettings, fault: str) -> RequestFailed:
    ended = exchange(mode, settings)

    assert isinstance(ended.error, RequestFailed), (ended.error, ended.response)
    assert ended.fault == fault, ended.error
    assert ended.elapsed_s < settings.total_s + BUSY_S
    assert isinstance(ended.error, RequestTimedOut) == fault.endswith(("timeout", "deadline"))
    assert str(ended.error.request.url).startswith(settings.base_url)
    stages = ["tcp", "tls", "http"]  # an address needs no look-up
    assert list(ended.notes.stages) == stages[: stages.index(ended.error.fault.stage)]
    return ended.error


@pytest.mark.parametrize("case", BELOW_TLS)
def test_no_tls(mode: Mode, case: str) -> None:
    behaviour, fault = BELOW_TLS[case]
    with Server(behaviour) as server:
        failed_in_time(mode, settings_for(server, **SHORT.get(fault, {})), fault)


@pytest.mark.parametrize("case", REPLIES)
def test_bad_reply(mode: Mode, case: str, authority: Authority) -> None:
    behaviour, fault = REPLIES[case]
    with Server(behaviour, tls=authority.server(), ca_pem=authority.pem) as server:
        error = failed_in_time(mode, settings_for(server, max_body_bytes=1_000_000, **SHORT.get(fault, {})), fault)

    assert error.sent


@pytest.mark.parametrize(
    ("starts_in", "ends_in", "fault"),
    [
        pytest.param(-9 * DAY, -DAY, "tls_cert_expired", id="expired"),
        pytest.param(DAY, 9 * DAY, "tls_cert_not_yet_valid", id="not-yet-valid"),
    ],
)
def test_certificate_dates(
    mode: Mode, authority: Authority, starts_in: timedelta, ends_in: timedelta, fault: str
) -> None:
    context = authority.server(starts_in=starts_in, ends_in=ends_in)
    with Server(answer(), tls=context, ca_pem=authority.pem) as server:
        error = failed_in_time(mode, settings_for(server), fault)

    assert HOST in str(error)
    assert not error.sent
    assert server.requests == []


def test_wrong_host_names_the_hosts(mode: Mode, authority: Authority) -> None:
    context = authority.server("other.example.test", "*.example.org", "127.0.0.1")
    with Server(answer(), tls=context, ca_pem=authority.pem) as server:
        error = failed_in_time(mode, settings_for(server), "tls_wrong_host")

    assert "other.example.test, *.example.org, 127.0.0.1" in str(error)
    assert server.requests == []


def test_untrusted_issuer_is_named(mode: Mode, authority: Authority, stranger: Authority) -> None:
    with Server(answer(), tls=stranger.server(), ca_pem=authority.pem) as server:
        error = failed_in_time(mode, settings_for(server), "tls_untrusted_issuer")

    assert "Intercepting Proxies Ltd" in str(error)
    assert server.requests == []


def test_untrusted_issuer_of_a_server_that_answers_once(mode: Mode, authority: Authority, stranger: Authority) -> None:
    def once(connection: servers.Connection) -> None:
        if connection.server.connections == 1:
            connection.secure(stranger.server())
        else:
            connection.pause()

    with Server(once, ca_pem=authority.pem) as server:
        failed_in_time(mode, settings_for(server, connect_s=1.0), "tls_untrusted_issuer")


def test_tls_1_1(mode: Mode, authority: Authority) -> None:
    with Server(answer(), tls=servers.only_tls_1_1(authority.server()), ca_pem=authority.pem) as server:
        failed_in_time(mode, settings_for(server), "tls_protocol")


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_client_certificate(mode: Mode, authority: Authority, tmp_path: Path, version: str) -> None:
    context = authority.trust(authority.server())
    if version == "1.2":
        context.maximum_version = context.maximum_version.TLSv1_2
    ca_file, client_cert = tmp_path / "ca.pem", tmp_path / "client.pem"
    ca_file.write_bytes(authority.pem)
    client_cert.write_bytes(authority.client_certificate())
    with Server(answer(), tls=context) as server:
        settings = settings_for(server, ca_file=ca_file)
        without = exchange(mode, settings)
        with_it = exchange(mode, settings_for(server, ca_file=ca_file, client_cert=client_cert))

    assert without.fault == "tls_protocol", without.error
    assert with_it.response is not None, with_it.error


def test_refused(mode: Mode) -> None:
    with Server(answer()) as server:
        settings = settings_for(server)
    error = failed_in_time(mode, settings, "tcp_refused")

    assert error.message == f"{HOST} (127.0.0.1:{server.port}) refused the connection"
    assert not error.sent


def test_connect_timeout(mode: Mode) -> None:
    with silent_port() as port:
        error = failed_in_time(
            mode, ClientSettings(f"https://127.0.0.1:{port}", connect_s=0.4, attempts=1), "tcp_timeout"
        )

    assert isinstance(error, httpx.TimeoutException)
    assert error.message == f"127.0.0.1 (127.0.0.1:{port}) did not answer in time"


def test_a_behaviour_is_no_fault(mode: Mode, authority: Authority) -> None:
    behaviour: Behaviour = answer(b'{"a": 1}')
    with Server(behaviour, tls=authority.server(), ca_pem=authority.pem) as server:
        ended = exchange(mode, settings_for(server))

    assert ended.response is not None, ended.error
    assert ended.response.json() == {"a": 1}
    assert list(ended.notes.stages) == ["tcp", "tls"]
    assert ended.notes.stages["tls"]["tls_version"] == "TLSv1.3"
    assert ended.notes.stages["tls"]["cert_issuer"] == "connform tests"
    assert str(ended.notes.stages["tls"]["cert_expires_at"]).endswith("+00:00")
    assert ended.notes.stages["tcp"] == {"address": f"127.0.0.1:{server.port}"}


@pytest.mark.parametrize("side", ["client", "simulator", "login"])
@pytest.mark.parametrize("said", [b"", b"220 busy\r\n"], ids=["silent", "with a greeting"])
def test_a_connection_that_was_reset_before_its_handshake_leaves_no_socket_open(
    said: bytes, side: str, authority: Authority, tmp_path: Path
) -> None:
    certificate = tmp_path / "server.pem"
    certificate.write_bytes(authority.server_pem(HOST))
    contexts: dict[str, Callable[[], ssl.SSLContext]] = {
        "client": tls.unverified_context,
        "simulator": Certificates().listening_context,
        "login": lambda: listener._tls_context(certificate, None),
    }
    context = contexts[side]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()  # what tests before this one left is not what it looks for
    with socket.create_server(("127.0.0.1", 0)) as place:
        sock = socket.create_connection(place.getsockname())
        peer = place.accept()[0]
        peer.sendall(said)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close with a reset
        peer.close()
        select.select([sock], [], [], 1)
        with pytest.raises(OSError):  # noqa: PT011  (which one is the kernel's choice)
            context.wrap_socket(sock, server_side=side != "client", do_handshake_on_connect=False)
    assert sock.fileno() == -1
    gc.collect()  # a socket left open would warn here
