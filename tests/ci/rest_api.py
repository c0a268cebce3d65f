"""A server on loopback that stands for the REST API of a code host."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Answer = Callable[[str, str, bytes, Mapping[str, str]], Any]
"""Of method, URL, body and headers, returns what is sent as JSON, or bytes as they are; `None` for a 404."""


@contextmanager
def serving(answer: Answer) -> Iterator[int]:
    """Serve an API, and yield the port."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        found = answer(handler.command, handler.path, body, dict(handler.headers.items()))
        sent = found if isinstance(found, bytes) else json.dumps(found).encode()
        handler.send_response(404 if found is None else 200)
        handler.send_header("Content-Type", "application/zip" if sent is found else "application/json")
        handler.send_header("Content-Length", str(len(sent)))
        handler.end_headers()
        handler.wfile.write(sent)

    methods = {f"do_{name}": respond for name in ("GET", "POST", "PUT", "PATCH")}
    made = type("Handler", (BaseHTTPRequestHandler,), {**methods, "log_message": lambda *_: None})
    with ThreadingHTTPServer(("127.0.0.1", 0), made) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
