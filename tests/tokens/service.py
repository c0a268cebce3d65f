"""A vendor's API and its token endpoint, over plain http on loopback: counts the calls, and can hold or refuse them."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any


class Service:
    """What the handlers of the running server share."""

    def __init__(self, port: int, lifetime_s: float | None) -> None:
        self.port = port
        self.lifetime_s = lifetime_s
        """How long tokens live; `None`: until they are revoked, and nothing is said of it."""
        self.called_at: list[float] = []
        """When a token was asked for."""
        self.bodies: list[bytes] = []
        """What was sent with it."""
        self.issued: list[str] = []
        """The tokens, in their order."""
        self.statuses: list[int] = []
        """What the API answered."""
        self.refusals: list[tuple[int, dict[str, str]]] = []
        """What the next calls get instead of a token."""
        self.arrived, self.may_answer = Event(), Event()
        self.may_answer.set()
        self._lock = Lock()
        self._ends_at: dict[str, float] = {}

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def token_url(self) -> str:
        return f"{self.origin}/token"

    def answer_call(self, body: bytes) -> tuple[int, dict[str, Any]]:
        with self._lock:
            self.called_at.append(time.monotonic())
            self.bodies.append(body)
            refusal = self.refusals.pop(0) if self.refusals else None
        self.arrived.set()
        self.may_answer.wait(120)
        if refusal:
            return refusal
        token = f"issued-{secrets.token_hex(16)}"
        with self._lock:
            self.issued.append(token)
            self._ends_at[token] = time.monotonic() + (self.lifetime_s or 10_000)
        lifetime = {"expires_in": self.lifetime_s} if self.lifetime_s else {}
        return 200, {"access_token": token, "token_type": "Bearer", "scope": "orders", **lifetime}

    def answer_request(self, authorization: str) -> tuple[int, dict[str, Any]]:
        is_good = self._ends_at.get(authorization.removeprefix("Bearer "), 0) > time.monotonic()
        with self._lock:
            self.statuses.append(200 if is_good else 401)
        return (200, {"id": 1}) if is_good else (401, {"error": "invalid_token"})

    def revoke_all(self) -> None:
        self._ends_at.clear()


@contextmanager
def running_service(lifetime_s: float | None = 3600) -> Iterator[Service]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(*service.answer_call(body))

        def do_GET(self) -> None:
            self._answer(*service.answer_request(self.headers.get("Authorization", "")))

        def _answer(self, status: int, content: dict[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    class Listener(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *_: Any) -> None:
            pass  # a client that was killed

    with Listener(("127.0.0.1", 0), Handler) as listener:
        service = Service(listener.server_address[1], lifetime_s)
        thread = Thread(target=listener.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield service
        finally:
            service.may_answer.set()
            listener.shutdown()
            thread.join()
