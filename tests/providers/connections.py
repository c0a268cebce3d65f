"""Makes connections and answers for the tests of providers."""

from __future__ import annotations

import json as json_library
from pathlib import Path
from typing import Any

from connform.diagnostics import Span
from connform.manifest.model import Connection
from connform.providers.interface import Answer


def connection(provider: str = "iinked-sign", **settings: Any) -> Connection:
    return Connection(
        name="tested",
        provider=provider,
        settings=settings,
        base=Path("/manifests"),
        span=Span("connections.yaml", 1, 1, 1, 2),
    )


def answer(status: int, body: Any = None, *, received_at: Any = None, **headers: str) -> Answer:
    """Return an answer; `body` is JSON unless it is text or bytes."""
    is_json = body is not None and not isinstance(body, str | bytes)
    raw = json_library.dumps(body) if is_json else body or ""
    decoded = json_library.loads(raw) if is_json else None
    lower = {name.replace("_", "-"): value for name, value in headers.items()}
    content = raw if isinstance(raw, bytes) else raw.encode()
    return Answer(status, lower, decoded, is_json=is_json, received_at=received_at, body=content)
