"""A WSGI application whose clients were made, and used, before its workers were forked. Asked for `/NAME` or `/NAME/short`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import connform
from tests.services.asking import ask

connections = connform.load("connections.yaml")
clients = {name: connection.client() for name, connection in connections.items()}
for name in connections:
    assert ask(connections[name], clients[name]) == "200"


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    name, _, way = environ["PATH_INFO"].strip("/").partition("/")
    content = ask(connections[name], None if way else clients[name]).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(content)))])
    return [content]
