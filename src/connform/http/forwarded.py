"""A request of another program that is sent with the credential, and its answer. Layer 1; reading the answer uses the network."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from typing import NamedTuple

import httpcore

from connform.http.failures import HTTPCORE_ERRORS, translate
from connform.tracebacks import hidden_frames


class ForwardedRequest(NamedTuple):
    """A request of another program, checked, and without the headers that belong to its own connection."""

    method: str
    """Upper case."""
    path: str
    """The path at the API, percent-encoded."""
    target: bytes
    """The same with the query."""
    headers: list[tuple[bytes, bytes]]
    """Header lines, names in lower case; `Content-Length` or `Transfer-Encoding` says how the body is sent."""
    stream: bytes | AsyncIterable[bytes]
    """The body. One that isn't `bytes` is sent once, whatever the answer."""


class ForwardedAnswer:
    """The answer of the API: its headers have been read, its body hasn't."""

    def __init__(self, answer: httpcore.Response, host: str) -> None:
        self._answer = answer
        self._host = host
        self.status = answer.status
        """HTTP status."""
        self.headers: list[tuple[bytes, bytes]] = answer.headers
        """Header lines as they came; parameters of the credential are removed from URLs."""

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes, encoded as it was sent.

        Raises:
            RequestFailed: the API cut the connection, or was silent for too long.
        """
        chunks = self._answer.aiter_stream()
        while True:
            with hidden_frames():
                try:
                    chunk = await anext(chunks, None)
                except HTTPCORE_ERRORS as error:
                    raise translate(error, self._host) from None
            if chunk is None:
                return
            yield chunk

    async def aclose(self) -> None:
        """Give the connection back; one with an unread body is closed."""
        with hidden_frames():
            await self._answer.aclose()
