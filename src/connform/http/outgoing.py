"""Builds the requests that go on the wire: for the pinned origin only, with the credential.

Layer 1, no IO. The credential is on httpcore's request and never on httpx's, so that no `repr`, hook, log or
exception can show it. Call `build` inside of `hidden_frames`.
"""

from __future__ import annotations

import re
from typing import Any

import httpcore
import httpx

from connform.http import body, query
from connform.http.failures import OriginRefused, RequestFailed
from connform.http.origin import origin_of
from connform.http.settings import HeaderLines
from connform.origin import Origin

_SAFE_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
_SAFE_VALUE = re.compile(rb"[\x21-\x7e]+(?: [\x21-\x7e]+)*")  # printable ASCII, single spaces inside
_LEGAL_LINES = re.compile(  # what h11 accepts, each line ended by NUL: one match for all of them
    rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:(?:[^\x00\s]+(?:[ \t]+[^\x00\s]+)*)?\x00)*"
)
_ACCEPT_ENCODING = (b"Accept-Encoding", body.ACCEPT_ENCODING)


class RequestBuilder:
    """Builds the requests of one connection."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._scheme, self._host = origin.scheme.encode("ascii"), origin.host.encode("ascii")
        # with another name, a shared server could select another customer
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
            headers: its header lines; `Host` and those of the credential are replaced.
            stream: its body.
            credential: what is added.
            timeouts: in seconds, by the names of httpcore.
        """
        credential_headers = credential.reveal()
        if not all(_SAFE_NAME.fullmatch(name) and _SAFE_VALUE.fullmatch(value) for name, value in credential_headers):
            raise RequestFailed("secret_malformed", "the credential holds characters that no header may hold")
        lines = b"".join([b"%b:%b\0" % line for line in headers])
        if lines.count(0) != len(headers) or not _LEGAL_LINES.fullmatch(lines):
            raise httpx.LocalProtocolError("a header of the request holds characters that no header may hold")
        if credential.parameters:
            target = query.with_credential(target, credential)
        replaced = {b"host", *[name.lower() for name, _ in credential_headers]}
        return httpcore.Request(
            method=method,
            url=httpcore.URL(scheme=self._scheme, host=self._host, port=self._origin.port, target=target),
            headers=[
                self._host_line,
                *[line for line in headers if line[0].lower() not in replaced],
                *credential_headers,
            ],
            content=stream,
            extensions={"timeout": timeouts},
        )
