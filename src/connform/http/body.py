"""Decoder of response bodies (gzip, deflate) with a size limit and bounded memory.

Layer 1, no IO. httpx decodes a whole chunk at once, and 64 kB of gzip can become 64 MB.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from math import inf

from connform.http import failures

ACCEPT_ENCODING = b"gzip, deflate"
"""The `Accept-Encoding` of every request."""
_PIECE_BYTES = 64 * 1024
_EITHER_HEADER = 32 + zlib.MAX_WBITS  # zlib detects the header: gzip (RFC 1952) or zlib (RFC 1950)
_GZIP_MAGIC = b"\x1f\x8b"
_DECODED_BY_HTTPX = {"br", "deflate", "gzip", "zstd"}

Headers = list[tuple[bytes, bytes]]


class Body:
    """Decoder of the body of one answer."""

    def __init__(self, headers: Headers, host: str, max_bytes: int | None, *, is_empty: bool) -> None:
        """Select the decoding by the headers.

        Args:
            headers: the answer's headers.
            host: the host that answers, for messages.
            max_bytes: the largest body accepted, before as well as after decoding; `None` for any.
            is_empty: whether there is no body, whatever the headers declare (the answer to HEAD).

        Raises:
            RequestFailed: `http_too_large`, or `http_bad_reply` for a content coding that was not requested.
        """
        self._host = host
        self._max_bytes = inf if max_bytes is None else max_bytes
        self._raw_bytes = 0
        self._decoded_bytes = 0
        self._inflater: _Inflater | None = None
        if is_empty:
            return
        encodings = []
        for name, value in headers:
            lower = name.lower()
            if lower == b"content-encoding":
                encodings.append(value)
            elif lower == b"content-length" and value.isdigit() and int(value) > self._max_bytes:
                raise self._too_large()
        if encodings:
            self._select_decoder(_codings(b",".join(encodings)))

    def _select_decoder(self, codings: list[str]) -> None:
        if codings in (["gzip"], ["x-gzip"], ["deflate"]):
            self._inflater = _Inflater()
        elif _DECODED_BY_HTTPX.intersection(codings):  # httpx would decode it, without a limit
            message = f"the answer of {self._host} has a content coding that was not asked for"
            raise failures.RequestFailed("http_bad_reply", message)

    @property
    def received_bytes(self) -> int:
        """How many bytes were received so far, before decoding."""
        return self._raw_bytes

    def headers(self, headers: Headers) -> Headers:
        """Return the headers without those that describe the encoded body."""
        if self._inflater is None:
            return headers
        return [line for line in headers if line[0].lower() not in {b"content-encoding", b"content-length"}]

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the decoded pieces of the next bytes.

        Raises:
            RequestFailed: `http_too_large`, `http_bad_reply`.
        """
        self._raw_bytes += len(data)
        if self._raw_bytes > self._max_bytes:
            raise self._too_large()
        if self._inflater is None:
            yield data
            return
        try:
            for piece in self._inflater.feed(data):
                self._decoded_bytes += len(piece)
                if self._decoded_bytes > self._max_bytes:
                    raise self._too_large()
                yield piece
        except zlib.error:
            raise failures.RequestFailed(
                "http_bad_reply", f"the compressed answer of {self._host} is damaged"
            ) from None

    def end(self) -> None:
        """Check at the end of the stream that the body is complete.

        Raises:
            RequestFailed: `http_bad_reply`, the compressed body is incomplete.
        """
        if self._inflater is not None and not self._inflater.is_complete:
            raise failures.RequestFailed("http_bad_reply", f"the compressed answer of {self._host} is cut")

    def _too_large(self) -> failures.RequestFailed:
        return failures.RequestFailed(
            "http_too_large", f"the answer of {self._host} is larger than {self._max_bytes} bytes"
        )


class _Inflater:
    """Decompressor of gzip and deflate, in pieces of limited size."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(_EITHER_HEADER)
        self._started = False

    @property
    def is_complete(self) -> bool:
        return self._zlib.eof or not self._started

    def feed(self, data: bytes) -> Iterator[bytes]:
        has_more = False
        while data or has_more:
            if self._zlib.eof:  # RFC 1952 §2.2: several gzip members may follow each other; other bytes are padding
                if not data.startswith(_GZIP_MAGIC):
                    return
                self._zlib = zlib.decompressobj(_EITHER_HEADER)
            piece = self._decompress(data)
            self._started = True
            if piece:
                yield piece
            data = self._zlib.unused_data or self._zlib.unconsumed_tail
            has_more = len(piece) == _PIECE_BYTES and not self._zlib.eof  # zlib may still hold output

    def _decompress(self, data: bytes) -> bytes:
        try:
            return self._zlib.decompress(data, _PIECE_BYTES)
        except zlib.error:
            if self._started:
                raise
            # some servers send `deflate` without the header that RFC 9110 §8.4.1.2 requires
            self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)
            return self._zlib.decompress(data, _PIECE_BYTES)


def _codings(values: bytes) -> list[str]:
    codings = [coding.strip().lower() for coding in values.decode("latin-1").split(",")]
    return [coding for coding in codings if coding not in {"", "identity"}]
