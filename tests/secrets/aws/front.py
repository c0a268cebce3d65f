"""A proxy in front of moto: it counts calls, and gives answers of AWS that moto can't give."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic
from typing import Any, NamedTuple
from urllib.parse import parse_qs

EXPIRED_KEY = "ASIAEXPIREDEXPIRED00"
"""An access key whose session has ended."""


class Error(NamedTuple):
    """An error as AWS answers it."""

    code: str
    message: str = ""
    status: int = 400


class Front:
    """A server on loopback, from `running_front`."""

    def __init__(self, port: int) -> None:
        self.calls: list[str] = []
        """The operations that were asked for, in their order."""
        self.regions: set[str] = set()
        """The regions that calls were signed for."""
        self.disabled: set[str] = set()
        """The regions that know no key."""
        self.denied: set[str] = set()
        """The names that nobody may read."""
        self.errors: dict[str, Error] = {}
        """Operation → what every call of it is answered."""
        self.next_errors: list[Error] = []
        """What the next calls are answered, whatever they ask for."""
        self.raw: bytes | None = None
        """What every call is answered, with status 200."""
        self.rate = 0
        """How many calls a second are permitted; 0 for all."""
        self._second, self._calls_in_second = 0, 0
        self._behind = port
        self._bind(0)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._port}"

    @contextmanager
    def down(self) -> Iterator[None]:
        """Let nobody listen at its port."""
        self.close()
        try:
            yield
        finally:
            self._bind(self._port)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, operation: str, request: dict[str, Any], authorization: str) -> Error | None:
        """Return the error that a call is answered, if it is."""
        self.calls.append(operation)
        region = authorization.split("/")[2]
        self.regions.add(region)
        if region in self.disabled:
            return Error("UnrecognizedClientException", "The security token included in the request is invalid.")
        if EXPIRED_KEY in authorization:
            return Error("ExpiredTokenException", "The security token included in the request is expired")
        if self.rate and self._is_throttled():
            return Error("ThrottlingException", "Rate exceeded")
        if self.next_errors:
            return self.next_errors.pop(0)
        names = {name.rpartition("/")[2] for name in (*request.get("Names", ()), request.get("SecretId", ""))}
        if names & self.denied:
            return Error(
                "AccessDeniedException",
                f"User: arn:aws:iam::123456789012:user/reader is not authorized to perform: {operation}",
            )
        return self.errors.get(operation)

    def _is_throttled(self) -> bool:
        if int(monotonic()) != self._second:
            self._second, self._calls_in_second = int(monotonic()), 0
        self._calls_in_second += 1
        return self._calls_in_second > self.rate

    def forward(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes, str]:
        """Return what moto answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self._behind, timeout=30)
        try:
            connection.request("POST", handler.path, body, dict(handler.headers.items()))
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers.get("Content-Type", "")
        finally:
            connection.close()

    def _bind(self, port: int) -> None:
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.front = self
        self._port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()


class _Server(ThreadingHTTPServer):
    front: Front
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 30

    def do_POST(self) -> None:
        front = self.server.front
        body = self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        request = json.loads(body) if operation else {}
        if not operation:
            operation = parse_qs(body.decode())["Action"][0]
        error = front.answer(operation, request, self.headers.get("Authorization", ""))
        with suppress(OSError):  # whoever asked has gone
            if front.raw is not None:
                self._send(200, front.raw, "text/html")
            elif error is not None:
                self._send(error.status, _error(error, operation), "application/x-amz-json-1.1")
            elif operation == "BatchGetSecretValue" and front.denied & set(request["SecretIdList"]):
                self._send(*self._partly_denied(request["SecretIdList"]))
            else:
                self._send(*front.forward(self, body))

    def _partly_denied(self, names: list[str]) -> tuple[int, bytes, str]:
        front = self.server.front
        body = json.dumps({"SecretIdList": [name for name in names if name not in front.denied]}).encode()
        self.headers.replace_header("Content-Length", str(len(body)))
        status, content, kind = front.forward(self, body)
        answer = json.loads(content)
        answer["Errors"] += [
            {"SecretId": name, "ErrorCode": "AccessDeniedException", "Message": "not authorized"}
            for name in names
            if name in front.denied
        ]
        return status, json.dumps(answer).encode(), kind

    def _send(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        pass


def _error(error: Error, operation: str) -> bytes:
    if operation == "AssumeRole":  # STS speaks XML
        code, message = error.code, error.message
        return f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>".encode()
    return json.dumps({"__type": error.code, "message": error.message}).encode()


@contextmanager
def running_front(port: int) -> Iterator[Front]:
    """Start a server that passes on to a port, and end it."""
    front = Front(port)
    try:
        yield front
    finally:
        front.close()
