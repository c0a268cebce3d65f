"""One request of a worker: with the client that it has for ever, or with one for this request alone, as a job would."""

from __future__ import annotations

from typing import Any

import httpx

import connform


def ask(connection: connform.ReadyConnection, lasting: httpx.Client | None) -> str:
    """Return the status of an answer, or why there is none."""
    try:
        if lasting is not None:
            return outcome(lasting.get("/x"))
        with connection.client() as short:
            return outcome(short.get("/x"))
    except Exception as error:  # noqa: BLE001  (whatever comes is noted)
        return outcome(error)


def outcome(result: Any) -> str:
    """Return a status or an error as a line of text."""
    return f"{type(result).__name__}: {result}" if isinstance(result, Exception) else str(result.status_code)
