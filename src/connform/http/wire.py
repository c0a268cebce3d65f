"""A request as it is sent: for the pinned origin, with the credential. Layer 1, no IO.

The credential is added here, and to no object of httpx, so that no `repr`, hook, log or exception can show it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from connform.http import failures, query
from connform.http.credential import HeaderLines

_SAFE_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
_SAFE_VALUE = re.compile(rb"[\x21-\x7e]+(?: [\x21-\x7e]+)*")  # printable ASCII, single spaces inside
_LEGAL_LINES = re.compile(  # what h11 accepts, each line ended by NUL: one match for all of them
    rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:(?:[^\x00\s]+(?:[ \t]+[^\x00\s]+)*)?\x00)*"
)


class WireRequest(NamedTuple):
    """A request as it is sent."""

    method: str
    """Its method."""
    target: bytes
    """Path and query."""
    headers: list[tuple[bytes, bytes]]
    """Its header lines."""
    content: bytes = b""
    """Its body, where it is known at once."""


def with_credential(request: WireRequest, host_line: tuple[bytes, bytes], credential: HeaderLines) -> WireRequest:
    """Return a request with a credential. Call it inside of `hidden_frames`.

    Args:
        request: its header lines `Host` and those of the credential are replaced.
        host_line: that of the pinned origin; with another name, a shared server could select another customer.
        credential: what is added.

    Raises:
        RequestFailed: `secret_malformed`, the credential is no legal header or parameter.
        httpx.LocalProtocolError: another header is illegal: h11 and httpcore would quote it in exceptions and logs. Or
            the request has a parameter of the credential's name.
    """
    target, headers = request.target, request.headers
    credential_headers = credential.reveal()
    if not all(_SAFE_NAME.fullmatch(name) and _SAFE_VALUE.fullmatch(value) for name, value in credential_headers):
        message = "the credential holds characters that no header may hold"
        raise failures.RequestFailed("secret_malformed", message)
    lines = b"".join([b"%b:%b\0" % line for line in headers])
    if lines.count(0) != len(headers) or not _LEGAL_LINES.fullmatch(lines):
        raise failures.LocalProtocolError("a header of the request holds characters that no header may hold")
    if credential.parameters:
        target = query.with_credential(target, credential)
    replaced = {b"host", *[name.lower() for name, _ in credential_headers]}
    kept = [line for line in headers if line[0].lower() not in replaced]
    return request._replace(target=target, headers=[host_line, *kept, *credential_headers])
