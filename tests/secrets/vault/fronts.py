"""What servers answer that stand before an OpenBao, or in its place."""

from __future__ import annotations

import json

from tests.http.servers import head
from tests.secrets.vault.openbao import OpenBao


def reply(content: object, status: int = 200, *headers: str) -> bytes:
    """Return an answer."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return head(status, [f"Content-Length: {len(body)}", *headers]) + body


def forwarded(bao: OpenBao, request: bytes) -> bytes:
    """Return what an OpenBao answers to a GET request."""
    lines = request.split(b"\r\n")
    token = next(line[15:].decode() for line in lines if line.lower().startswith(b"x-vault-token: "))
    status, body = bao.ask("GET", path_of(request), token=token)
    return reply(body, status)


def path_of(request: bytes) -> str:
    """Return the path of a request below `/v1/`."""
    return request.split(b" ")[1].decode().removeprefix("/v1/")
