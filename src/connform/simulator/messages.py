"""Data types of the simulator: request, reply, and the record of a request.

Layer 2, no IO.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Delivery(Enum):
    """How a reply reaches the client."""

    WHOLE = "whole"
    TRUNCATED = "truncated"
    """Half of the body is sent, then the connection is closed."""
    NEVER = "never"
    """Nothing is sent, until the client gives up or the simulator stops."""
    LOST = "lost"
    """The request is carried out, and the connection is closed without an answer."""
    LATE = "late"
    """The request is carried out, and the answer is sent two seconds later."""


@dataclass(frozen=True, slots=True)
class Request:
    """A client's request. `repr` shows no headers, body and query: they may hold credentials and personal data."""

    method: str
    """Upper case, e.g. `POST`."""
    host: str
    """Lower case, from the Host header, without the port."""
    path: str
    """Starts with a slash, without the query."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By lower-case name."""
    body: bytes = field(default=b"", repr=False)
    """The whole body."""
    query: str = field(default="", repr=False)
    """Without the question mark."""
    authority: str = ""
    """The Host header, with the port if it has one; empty for `host` alone."""

    @property
    def origin(self) -> str:
        """Scheme, host and port of the server that the client addressed; in its answers, the server names itself so."""
        return f"https://{self.authority or self.host}"


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to a request."""

    status: int
    """HTTP status."""
    body: bytes = b""
    """The whole body."""
    content_type: str = "application/json"
    """Media type of the body."""
    headers: tuple[tuple[str, str], ...] = ()
    """Further header lines."""
    delivery: Delivery = Delivery.WHOLE
    """How it is sent."""


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """Record of one request, without headers, body and query."""

    method: str
    """Upper case, e.g. `POST`."""
    host: str
    """The host of the request."""
    path: str
    """Without the query."""
    status: int
    """The answer's HTTP status; 0 where none was sent."""
    grant_type: str = ""
    """The `grant_type` of a call of the token endpoint: `client_credentials`, `refresh_token`; else empty."""


def json_reply(status: int, content: Any) -> Reply:
    """Return a reply with plain data as JSON."""
    return Reply(status, json.dumps(content).encode())


def error_reply(status: int, error: str, message: str) -> Reply:
    """Return an error reply with the documented body `{"error", "message"}` [guides/errors]."""
    return json_reply(status, {"error": error, "message": message})


def with_value(document: Any, pointer: str, value: Any) -> Any:
    """Return a document of nested objects with a value at a JSON Pointer (RFC 6901)."""
    if not pointer:
        return value
    key, slash, rest = pointer[1:].partition("/")
    name = key.replace("~1", "/").replace("~0", "~")
    members = document if isinstance(document, dict) else {}
    return {**members, name: with_value(members.get(name), slash + rest, value)}


NO_STORE = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))
"""The header lines of answers that hold tokens (RFC 6749 §5.1)."""
