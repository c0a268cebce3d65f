"""Credentials in the query of a request (`HeaderLines.parameters`): added to its target, removed from what the server echoes.

Layer 1, no IO. httpx sees neither the target nor the echo. Call these functions inside of `hidden_frames`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import quote, unquote_to_bytes, urlencode

from connform.http import failures
from connform.http.credential import HeaderLines
from connform.http.exchange import Answered

A = TypeVar("A", bound=Answered)
_PRINTABLE = re.compile(rb"[\x20-\x7e]+")
_URL_HEADERS = {b"location", b"content-location", b"link", b"refresh"}
"""Headers of answers that hold URLs (RFC 9110 §10.2.2 and §8.7, RFC 8288, HTML)."""
_END = rb'(?=[&#<>"\s]|$)'
"""The end of a parameter, in a URL or in a text around it."""
_MIN_SECRET_BYTES = 8
"""Shorter values are not searched for outside of their parameter: they are found in any URL."""


def with_credential(target: bytes, credential: HeaderLines) -> bytes:
    """Return the target of a request with the parameters of its credential, percent-encoded (RFC 3986 §2.1), at its end.

    Raises:
        RequestFailed: `secret_malformed`, a value is not printable ASCII.
        httpx.LocalProtocolError: the target has a parameter of that name already.
    """
    path, _, query = target.partition(b"?")
    parameters = credential.reveal_parameters()
    if not all(_PRINTABLE.fullmatch(value) for _, value in parameters):
        raise failures.RequestFailed(
            "secret_malformed", "the credential is empty, or holds characters other than printable ASCII"
        )
    names = {unquote_to_bytes(pair.partition(b"=")[0].replace(b"+", b" ")) for pair in query.split(b"&")}
    for name, _ in parameters:
        if name in names:
            message = (
                f"the request has the parameter `{name.decode()}`, which the client adds: it carries the credential"
            )
            raise failures.LocalProtocolError(message)
    added = [f"{quote(name, safe='')}={quote(value, safe='')}".encode() for name, value in parameters]
    return path + b"?" + b"&".join([query, *added] if query else added)


def without_parameters(target: bytes, credential: HeaderLines) -> bytes:
    """Return the target of a request without parameters that have the name of one of the credential's.

    They are removed however they are spelled: servers differ in case, and in `;` as a separator.
    """
    path, mark, query = target.partition(b"?")
    names = {name.lower() for name, _ in credential.reveal_parameters()}
    parts = re.split(rb"([&;])", query)
    kept = [
        (separator, pair)
        for separator, pair in zip([b"", *parts[1::2]], parts[::2], strict=True)
        if unquote_to_bytes(pair.partition(b"=")[0].replace(b"+", b" ")).lower() not in names
    ]
    rest = b"".join([pair if at == 0 else separator + pair for at, (separator, pair) in enumerate(kept)])
    return path + mark + rest if rest else path


def with_defaults(query: bytes, defaults: Mapping[str, str]) -> bytes:
    """Return a query with the plain parameters of a connection that it lacks."""
    names = {unquote_to_bytes(pair.partition(b"=")[0].replace(b"+", b" ")) for pair in query.split(b"&")}
    lacking = {name: value for name, value in defaults.items() if name.encode() not in names}
    return b"&".join(filter(None, [query, urlencode(lacking, quote_via=quote).encode("ascii")]))


def without_echo(answer: A, credential: HeaderLines) -> A:
    """Return the answer without the parameters of the request's credential in the URLs of its headers.

    A header is left out if it holds the value elsewhere, as in the encoded URL of a page to return to.
    """
    if not _URL_HEADERS.isdisjoint([name.lower() for name, _ in answer.headers]):
        parameters = credential.reveal_parameters()
        answer.headers = [
            (name, shown)
            for name, text in answer.headers
            if (shown := _without_echo(name, text, parameters)) is not None
        ]
    return answer


def _without_echo(header: bytes, text: bytes, parameters: list[tuple[bytes, bytes]]) -> bytes | None:
    """Return the text of a header without parameters; `None` if it is to be left out."""
    if header.lower() not in _URL_HEADERS:
        return text
    for name, value in parameters:
        text = re.sub(_pattern(name, value), b"", text)
    secrets = [value for _, value in parameters if len(value) >= _MIN_SECRET_BYTES]
    return None if any(re.search(_any_form(value), text) for value in secrets) else text


def _pattern(name: bytes, value: bytes) -> bytes:
    """Return the pattern of parameters of that name with one separator. It is matched without steps back."""
    # The value comes first: one with `&` or `#` may be echoed as it is.
    pair = rb'(?>%b(?:=(?:%b%b|[^&#<>"\s]*+))?)' % (_any_form(name), _any_form(value), _END)
    return rb"[?&](?:%b&)*+%b%b|(?<=[?&])(?:%b&)++" % (pair, pair, _END, pair)


def _any_form(text: bytes) -> bytes:
    """Return the pattern of a text of which each character stands as it is or is percent-encoded, also several times."""
    return b"".join(map(_any_form_of_byte, text))


def _any_form_of_byte(byte: int) -> bytes:
    forms = [re.escape(bytes([byte])), b"%%(?:25)*(?i:%02x)" % byte]
    if byte == ord(" "):
        forms += [rb"\+", b"%(?:25)*(?i:2b)"]
    return b"(?:" + b"|".join(forms) + b")"
