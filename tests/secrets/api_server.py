"""An HTTP server on loopback, with or without TLS, whose answers a function makes: for APIs whose real servers can't run here."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qs, urlsplit

from connform.secrets.kit.interface import StoreConfig
from connform.testing.secrets import Bench


class Request(NamedTuple):
    method: str
    path: str
    query: dict[str, str]
    authorization: str
    form: dict[str, str]
    headers: dict[str, str]
    """By their names in lower case."""


class Handle(Protocol):
    """Returns status, JSON (a text is sent as it is), and headers if there are more."""

    def __call__(self, request: Request) -> tuple[int, Any] | tuple[int, Any, Mapping[str, str]]: ...


_UNLIMITED = "unlimited"


def _limited(retry_after: str | None) -> tuple[int, Any, dict[str, str]]:
    return 429, {}, {} if retry_after is None else {"Retry-After": retry_after}


class ApiServer:
    """A running server; `requests` holds what it was asked."""

    def __init__(self, handle: Handle, tls: ssl.SSLContext | None) -> None:
        self.handle = handle
        self.requests: list[Request] = []
        self._limits: Iterator[str | None] = iter(())
        self._freed = threading.Event()
        self._freed.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                request = Request(
                    self.command,
                    parts.path,
                    {name: value for name, (value, *_) in parse_qs(parts.query).items()},
                    self.headers.get("Authorization", ""),
                    {name: value for name, (value, *_) in parse_qs(body).items()},
                    {name.lower(): value for name, value in self.headers.items()},
                )
                outer.requests.append(request)
                outer._freed.wait(30)
                retry_after = next(outer._limits, _UNLIMITED) if self.command == "GET" else _UNLIMITED
                status, content, *more = outer.handle(request) if retry_after == _UNLIMITED else _limited(retry_after)
                data = (content if isinstance(content, str) else json.dumps(content)).encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/plain" if isinstance(content, str) else "application/json")
                self.send_header("Content-Length", str(len(data)))
                for name, value in (more[0] if more else {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = answer  # noqa: N815  (http.server calls them so)

            def log_message(self, *_: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # a client that has given up

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.address = f"http{'s' if tls else ''}://localhost:{self.port}"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @contextmanager
    def slow(self) -> Iterator[None]:
        """Let nobody have an answer meanwhile."""
        self._freed.clear()
        try:
            yield
        finally:
            self._freed.set()

    def limit_rate(self, times: int, retry_after: str | None) -> None:
        """Answer the next GET requests, which are no logins, that there are too many."""
        self._limits = iter([retry_after] * times)

    def stop(self) -> None:
        self._freed.set()
        self._server.shutdown()
        self._server.server_close()


class ServedBench(Bench):
    """A bench whose store is such a server."""

    def __init__(self, store: StoreConfig, server: ApiServer) -> None:
        super().__init__(store)
        self._server = server

    @contextmanager
    def down(self) -> Iterator[None]:
        self._server.stop()
        yield

    def slow(self) -> Any:
        return self._server.slow()

    @contextmanager
    def rate_limited(self, times: int, retry_after: str | None) -> Iterator[None]:
        self._server.limit_rate(times, retry_after)
        try:
            yield
        finally:
            self._server.limit_rate(0, None)
