"""An HTTPS server on loopback whose answers a function makes: for APIs whose real servers can't run here."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
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


class Handle(Protocol):
    """Returns status and JSON."""

    def __call__(self, request: Request) -> tuple[int, Any]: ...


class ApiServer:
    """A running server; `requests` holds what it was asked."""

    def __init__(self, handle: Handle, tls: ssl.SSLContext) -> None:
        self.requests: list[Request] = []
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
                )
                outer.requests.append(request)
                outer._freed.wait(30)
                status, content = handle(request)
                data = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
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
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.address = f"https://localhost:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @contextmanager
    def slow(self) -> Iterator[None]:
        """Let nobody have an answer meanwhile."""
        self._freed.clear()
        try:
            yield
        finally:
            self._freed.set()

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
