"""Builds the requests for httpcore: for the pinned origin only, with the credential.

Layer 1, no IO. Call `build` inside of `hidden_frames`.
"""

from __future__ import annotations

from typing import Any

import httpcore
import httpx

from connform.http import body
from connform.http.credential import HeaderLines
from connform.http.failures import OriginRefused
from connform.http.origin import origin_of
from connform.http.wire import WireRequest, with_credential
from connform.origin import Origin

_ACCEPT_ENCODING = (b"Accept-Encoding", body.ACCEPT_ENCODING)


class RequestBuilder:
    """Builds the requests of one connection."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._scheme, self._host = origin.scheme.encode("ascii"), origin.host.encode("ascii")
        self._host_line = (b"Host", origin.host_header.encode("ascii"))

    def build(self, request: httpx.Request, credential: HeaderLines) -> httpcore.Request:
        """Return the request for httpcore, with the header lines and parameters of the credential.

        Raises:
            OriginRefused: `request` is for another origin.
            RequestFailed: `secret_malformed`, the credential is no legal header or parameter.
            httpx.LocalProtocolError: another header is illegal: h11 and httpcore would quote it in exceptions and logs. Or
                the request has a parameter of the credential's name.
        """
        requested = origin_of(request.url)
        if requested != self._origin:
            raise OriginRefused(str(requested), str(self._origin))
        return self.wire_request(
            request.method,
            request.url.raw_path,
            [_ACCEPT_ENCODING, *[line for line in request.headers.raw if line[0].lower() != b"accept-encoding"]],
            request.stream,
            credential,
            # Not `trace`, which shows the credential to a callback; nor `sni_hostname` and `target`, which redirect.
            request.extensions.get("timeout", {}),
        )

    def wire_request(
        self,
        method: str,
        target: bytes,
        headers: list[tuple[bytes, bytes]],
        stream: Any,
        credential: HeaderLines,
        timeouts: dict[str, float | None],
    ) -> httpcore.Request:
        """Return a request to the pinned origin; errors as for `build`.

        Args:
            method: its method.
            target: path and query.
            headers: its header lines.
            stream: its body.
            credential: what is added.
            timeouts: in seconds, by the names of httpcore.
        """
        wire = with_credential(WireRequest(method, target, headers), self._host_line, credential)
        return httpcore.Request(
            method=method,
            url=httpcore.URL(scheme=self._scheme, host=self._host, port=self._origin.port, target=wire.target),
            headers=wire.headers,
            content=stream,
            extensions={"timeout": timeouts},
        )
