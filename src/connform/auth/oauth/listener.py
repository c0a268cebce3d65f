"""An HTTP or HTTPS server on this machine that receives the redirect at the end of a login (RFC 8252 §7.3).

Layer 2; IO: loopback. For an https redirect, the person provides the certificate, which the browser must trust.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from queue import Empty, SimpleQueue
from socketserver import TCPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from connform.debug_log import TOKENS
from connform.errors import ConnectionFailed
from connform.http.net.certificate_files import load_own_certificate
from connform.http.net.tls_socket import TLSSocket
from connform.origin import DEFAULT_PORTS
from connform.secret import Secret

_PAGE = "<!doctype html><html lang=en><meta charset=utf-8><title>connform</title><h1>{title}</h1><p>{text}</p></html>"
_GRANTED = _PAGE.format(
    title="connform has the answer", text="You can close this page. The terminal says whether the login is complete."
)
_REFUSED = _PAGE.format(
    title="Access was not granted",
    text="The server answered with an error. You can close this page; the terminal says which one.",
)
_STRAY = _PAGE.format(
    title="This is not the answer that connform waits for",
    text="It belongs to another login, perhaps to an old tab. Open the address that the terminal shows.",
)
_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The pages load nothing, and no other page may show them (CSP level 3)."""
_IDLE_TIMEOUT_S = 10.0
_NO_SUCH_ADDRESS = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}
"""Errors of an address that this machine does not have: containers list `::1` in /etc/hosts and may have no IPv6."""


@contextmanager
def listen_for_redirect(
    redirect_uri: str, is_answer: Callable[[str], bool], certificate: Path | None, key: Path | None
) -> Iterator[Callable[[float], Secret]]:
    """Listen on the address of `redirect_uri`; yield a function that waits for the redirect, up to a number of seconds.

    The function returns the whole address of the redirect. Requests that are no answer to this login, such as that of an old tab,
    get a page that says so, and are waited past.

    Args:
        redirect_uri: an http or https address on this machine.
        is_answer: returns whether a query is that of the answer.
        certificate: PEM file with the certificate chain; `None` to listen in clear, for an http address.
        key: PEM file with its private key; `None` if `certificate` holds it.

    Raises:
        ConnectionFailed: `config_invalid` if it is not this machine or the port is in use; `config_file_unreadable`; from
            waiting, `login_timeout`.
    """
    url = urlsplit(redirect_uri)
    tls = _tls_context(certificate, key) if certificate else None
    callbacks: SimpleQueue[Secret] = SimpleQueue()

    def wait(timeout_s: float) -> Secret:
        try:
            return callbacks.get(timeout=timeout_s)
        except Empty:
            strays = sum(server.stray_count for server in servers)
            others = f"; requests without the `state` of this login: {strays}" if strays else ""
            message = f"nobody came back to {url.scheme}://{url.netloc}{url.path} within {timeout_s:g} s{others}"
            raise ConnectionFailed("login_timeout", message) from None

    with ExitStack() as stack:
        servers = _servers(tls, redirect_uri, is_answer, callbacks, stack)
        for server in servers:
            thread = Thread(target=server.serve_forever, name="connform login", daemon=True)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            TOKENS.write("listens on %s port %s for the end of the login", *server.server_address[:2])
        yield wait


def _servers(
    tls: ssl.SSLContext | None,
    redirect_uri: str,
    is_answer: Callable[[str], bool],
    callbacks: SimpleQueue[Secret],
    stack: ExitStack,
) -> list[_Server]:
    """Return a server for each address of `redirect_uri` that this machine has; the stack closes them."""
    servers: list[_Server] = []
    failures: list[ConnectionFailed] = []
    for family, address in _loopback_addresses(redirect_uri):
        try:
            servers.append(stack.enter_context(_Server(family, address, tls, redirect_uri, is_answer, callbacks)))
        except OSError as error:
            message = f"can't listen on {address[0]} port {address[1]}, where redirect_uri leads: {error.strerror}"
            hint = (
                "log in without --listen, and paste the address; or end the program that has the port "
                f"(`lsof -i :{address[1]}` names it), or register a redirect URL with another port"
                if error.errno == errno.EADDRINUSE
                else "register a redirect URL with another port, or log in without --listen"
            )
            failures.append(ConnectionFailed("config_invalid", message, hint))
            # another program may have the port, and the browser might connect to it
            if error.errno not in _NO_SUCH_ADDRESS:
                raise failures[-1] from None
    if not servers:
        raise failures[0]
    return servers


def _loopback_addresses(redirect_uri: str) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
    url = urlsplit(redirect_uri)
    try:
        found = socket.getaddrinfo(url.hostname, url.port or DEFAULT_PORTS[url.scheme], type=socket.SOCK_STREAM)
    except OSError:
        found = []
    addresses = {(family, (str(address[0]), int(address[1]))) for family, _, _, _, address in found}
    if not addresses or not all(ip_address(address[0]).is_loopback for _, address in addresses):
        message = f"redirect_uri leads to {url.hostname}, which is not this machine: nothing can listen there"
        raise ConnectionFailed("config_invalid", message, "log in without --listen, and paste the address")
    return sorted(addresses)


def _tls_context(certificate: Path, key: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslsocket_class = TLSSocket
    load_own_certificate(context, certificate, key)
    return context


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self,
        family: socket.AddressFamily,
        address: tuple[str, int],
        tls: ssl.SSLContext | None,
        redirect_uri: str,
        is_answer: Callable[[str], bool],
        callbacks: SimpleQueue[Secret],
    ) -> None:
        self.address_family = family
        self.tls = tls
        self.redirect_uri = redirect_uri
        self.is_answer = is_answer
        self.callbacks = callbacks
        self.stray_count = 0
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without the DNS look-up of the base class."""
        TCPServer.server_bind(self)

    def finish_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]  # the base class's stub has more kinds of request
        """Do the TLS handshake, if any, in the thread of the connection: browsers open connections and leave some idle."""
        request.settimeout(_IDLE_TIMEOUT_S)
        try:
            with self.tls.wrap_socket(request, server_side=True) if self.tls else nullcontext(request) as connection:
                _Handler(connection, client_address, self)
        except OSError:  # the browser does not trust the certificate, or closed the connection
            return


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "connform"
    sys_version = ""

    def do_GET(self) -> None:
        registered = urlsplit(self.server.redirect_uri)
        path, _, query = self.path.partition("?")
        is_callback = path == (registered.path or "/") and bool(query)
        is_answer = is_callback and self.server.is_answer(query)
        self.send_response(200 if is_answer else 400 if is_callback else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Content-Security-Policy", _POLICY)
        self.end_headers()
        TOKENS.write(
            "the browser sent %s", "the answer to this login" if is_answer else "what is no answer to this login"
        )
        if is_answer:
            page = _REFUSED if "error" in parse_qs(query) else _GRANTED
            self.wfile.write(page.encode())
            # A browser that loads the page again puts the same address: only the first one is read.
            self.server.callbacks.put(Secret(f"{registered.scheme}://{registered.netloc}{self.path}"))
        elif is_callback:
            self.wfile.write(_STRAY.encode())
            self.server.stray_count += 1

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (http.server's name)
        """Log nothing: the address contains the code."""
