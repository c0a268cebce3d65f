"""Data types of the simulator: request, reply, and the record of a request.

Layer 2, no IO.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Delivery(Enum):
    """How a reply reaches the client."""

    WHOLE = "whole"
    TRUNCATED = "truncated"
    """Half of the body, then the connection closes."""
    NEVER = "never"
    """Silence, until the client gives up or the simulator stops."""
    LOST = "lost"
    """What was asked is done, and the connection closes without an answer."""
    LATE = "late"
    """What was asked is done, and the answer comes two seconds later."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked. Headers and body stay out of `repr`: they may hold credentials and personal data."""

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


@dataclass(frozen=True, slots=True)
class Reply:
    """What the client gets."""

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
    """One request that the simulator saw: neither headers nor body nor query."""

    method: str
    """Upper case, e.g. `POST`."""
    host: str
    """The host that the client meant."""
    path: str
    """Without the query."""
    status: int
    """The answer's HTTP status; 0 where none was given."""
    grant_type: str = ""
    """What a call of a token endpoint asked for: `authorization_code`, `refresh_token`."""


def json_reply(status: int, content: Any) -> Reply:
    """Turn plain data into a JSON reply."""
    return Reply(status, json.dumps(content).encode())


def error_reply(status: int, error: str, message: str) -> Reply:
    """Return an error in the documented form `{"error", "message"}` [guides/errors]."""
    return json_reply(status, {"error": error, "message": message})
