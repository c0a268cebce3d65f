"""A request that the proxy refuses, and the answer that says why. Layer 4, no IO."""

from __future__ import annotations

import json
from http import HTTPStatus

from connform.errors import ConnectionFailed
from connform.http.failures import RequestTimedOut

Headers = list[tuple[bytes, bytes]]


class Refusal(Exception):
    """A request isn't passed on, or the API gave no answer."""

    def __init__(self, status: HTTPStatus, code: str, message: str, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(message)
        self.status = status
        """The status of the answer."""
        self.code = code
        """What a program may compare: `path_not_allowed`; or the class of a fault."""
        self.message = message
        """For people; nothing secret."""
        self._headers = headers

    @property
    def headers(self) -> Headers:
        """The header lines of the answer. `Proxy-Status` (RFC 9209) tells it from an answer of the API."""
        return [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(self.body)).encode()),
            (b"cache-control", b"no-store"),
            (b"proxy-status", f'connform; details="{self.code}"'.encode("ascii")),
            *self._headers,
        ]

    @property
    def body(self) -> bytes:
        """The answer's body."""
        return json.dumps({"error": self.code, "message": f"connform proxy: {self.message}"}).encode() + b"\n"


CLOSE = (b"connection", b"close")
"""Ends the connection: where its next request would begin is in doubt."""


def refusal_of(failure: ConnectionFailed) -> Refusal:
    """Return the answer for a request that got none from the API."""
    code, message = failure.fault.name, failure.message
    if failure.hint:
        message = f"{message}; {failure.hint}"
    if code == "rate_limited":
        return Refusal(HTTPStatus.TOO_MANY_REQUESTS, code, message)
    timed_out = isinstance(failure, RequestTimedOut)
    return Refusal(HTTPStatus.GATEWAY_TIMEOUT if timed_out else HTTPStatus.BAD_GATEWAY, code, message)
