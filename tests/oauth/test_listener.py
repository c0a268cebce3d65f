"""Where the listener of a login listens, and what it answers to a browser."""

from __future__ import annotations

import errno
import socket
import ssl
import time
from pathlib import Path
from socketserver import TCPServer

import httpx
import pytest

from connform.auth.oauth import listener
from connform.auth.oauth.listener import listen_for_redirect
from connform.errors import ConnectionFailed
from tests.end_to_end.conftest import Issuer
from tests.ports import free_ports


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture
def browser(authority: Issuer) -> httpx.Client:
    return httpx.Client(verify=ssl.create_default_context(cadata=authority.pem.decode()))


def is_answer(query: str) -> bool:
    return "state=mine" in query


@pytest.mark.parametrize("path", ["/auth/back", ""])
def test_the_answer_is_handed_over_and_nothing_else(
    port: int, certificate: Path, browser: httpx.Client, path: str
) -> None:
    address = f"https://localhost:{port}{path}"
    callback = f"https://localhost:{port}{path or '/'}"
    asked = {
        f"{callback}x?state=mine": (404, ""),
        callback: (404, ""),
        f"{callback}?state=another": (400, "not the answer"),
        f"{callback}?code=x&state=mine": (200, "connform has the answer"),
        f"{callback}?error=access_denied&state=mine": (200, "Access was not granted"),
    }
    nobody_came = f"nobody came back to {address} within 0.01 s"
    with listen_for_redirect(address, is_answer, certificate, None) as wait, browser:
        with pytest.raises(ConnectionFailed, match=f"{nobody_came}$"):
            wait(0.01)
        for url, (status, words) in asked.items():
            got = browser.get(url)
            assert (got.status_code, words in got.text, bool(got.text)) == (status, True, bool(words))
            assert (got.headers["cache-control"], got.headers["referrer-policy"]) == ("no-store", "no-referrer")
            assert got.headers["content-security-policy"].startswith("default-src 'none'; ")
            assert got.headers["server"].strip() == "connform"
        assert wait(5).reveal() == f"{callback}?code=x&state=mine"
        assert wait(5).reveal() == f"{callback}?error=access_denied&state=mine"
        with pytest.raises(ConnectionFailed, match=f"{nobody_came}; requests without .* of this login: 1$"):
            wait(0.01)


def test_an_http_address_is_listened_to_in_clear(port: int) -> None:
    address = f"http://127.0.0.1:{port}/back"
    with listen_for_redirect(address, is_answer, None, None) as wait, httpx.Client() as browser:
        assert browser.get(f"{address}?state=another").status_code == 400
        assert browser.get(f"{address}?code=x&state=mine").status_code == 200
        assert wait(5).reveal() == f"{address}?code=x&state=mine"


def test_a_connection_that_is_left_idle_holds_nothing_up(port: int, certificate: Path, browser: httpx.Client) -> None:
    address = f"https://127.0.0.1:{port}/back"
    with socket.socket() as idle:
        with listen_for_redirect(address, is_answer, certificate, None) as wait, browser:
            idle.connect(("127.0.0.1", port))
            browser.get(f"https://localhost:{port}/back?state=mine")
            wait(5)
            left_at = time.monotonic()
        assert time.monotonic() - left_at < 5


Asked = list[tuple[str, int]]


def resolve(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> Asked:
    """Give every name these addresses; return what is looked up."""
    asked: Asked = []

    def look_up(host: str, port: int, **_: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        asked.append((host, port))
        if not addresses:
            raise socket.gaierror
        return [(family_of(one), socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (one, port)) for one in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def family_of(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def test_a_connection_that_is_left_idle_is_closed(
    monkeypatch: pytest.MonkeyPatch, port: int, certificate: Path
) -> None:
    monkeypatch.setattr(listener, "_IDLE_TIMEOUT_S", 0.1)
    with (
        listen_for_redirect(f"https://127.0.0.1:{port}/back", is_answer, certificate, None),
        socket.create_connection(("127.0.0.1", port), timeout=5) as idle,
    ):
        assert idle.recv(1) == b""


def test_each_address_of_the_name_is_listened_on(monkeypatch: pytest.MonkeyPatch, port: int, certificate: Path) -> None:
    addresses = ("127.0.0.1", "127.0.0.2", "::1")
    resolve(monkeypatch, *addresses)
    with listen_for_redirect(f"https://localhost:{port}/back", is_answer, certificate, None):
        for address in addresses:
            with socket.socket(family_of(address)) as client:
                client.connect((address, port))


def test_a_port_that_is_taken_on_one_of_the_addresses_is_refused(
    monkeypatch: pytest.MonkeyPatch, port: int, certificate: Path
) -> None:
    """The browser might connect to the other program."""
    resolve(monkeypatch, "127.0.0.1", "::1")
    with socket.socket(socket.AF_INET6) as taken:
        taken.bind(("::1", port))
        taken.listen()
        with (
            pytest.raises(ConnectionFailed, match=f"can't listen on ::1 port {port}.*: Address already in use"),
            listen_for_redirect(f"https://localhost:{port}/back", is_answer, certificate, None),
        ):
            pass


def test_a_machine_that_has_none_of_the_addresses_is_said(
    monkeypatch: pytest.MonkeyPatch, port: int, certificate: Path
) -> None:
    def bind(server: TCPServer) -> None:
        raise OSError(errno.EADDRNOTAVAIL, "no such address here")

    resolve(monkeypatch, "127.0.0.1", "::1")
    monkeypatch.setattr(TCPServer, "server_bind", bind)
    with (
        pytest.raises(ConnectionFailed, match=rf"can't listen on 127\.0\.0\.1 port {port}, .*: no such address here"),
        listen_for_redirect(f"https://localhost:{port}/back", is_answer, certificate, None),
    ):
        pass


@pytest.mark.parametrize(
    "addresses",
    [(), ("192.0.2.1",), ("0.0.0.0",), ("127.0.0.1", "192.0.2.1"), ("fe80::1%eth0",)],
    ids=["none", "another machine", "any", "this machine and another", "a neighbour"],
)
def test_an_address_that_is_not_this_machine_is_refused(
    monkeypatch: pytest.MonkeyPatch, certificate: Path, addresses: tuple[str, ...]
) -> None:
    asked = resolve(monkeypatch, *addresses)
    with (
        pytest.raises(ConnectionFailed, match=r"leads to acme\.example, which is not this machine") as caught,
        listen_for_redirect("https://acme.example/back", is_answer, certificate, None),
    ):
        pass
    assert caught.value.fault.name == "config_invalid"
    assert asked == [("acme.example", 443)]
