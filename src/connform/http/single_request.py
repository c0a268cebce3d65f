"""One request on a connection of its own, as steps: what a check sends, and what a token endpoint is sent.

Layer 1, uses the network. Dialing, TLS, credential, deadline and faults are those of the ready clients; there is no pool, no redirect
and no cookie. Requests and buffers below hold the credential in clear, so exceptions leave here without the frames of h11.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import unquote

import h11

from connform.debug_log import HTTP
from connform.errors import ConnformError
from connform.http import failures, query
from connform.http.body import Body
from connform.http.client_log import log_client
from connform.http.credential import HeaderLines
from connform.http.exchange import Close, Operation, Renew, SendRequest, Wait, exchange
from connform.http.exchange_log import logged
from connform.http.http1 import HTTP1Exchange
from connform.http.net import deadline, tls
from connform.http.net.dial import dial
from connform.http.net.dial_context import DialContext
from connform.http.net.steps import Steps, relay
from connform.http.origin import pinned_origin
from connform.http.renewal import CredentialRenewal
from connform.http.request_log import RequestLog
from connform.http.settings import ClientSettings, Observer
from connform.http.wire import WireRequest, with_credential
from connform.tracebacks import hidden_frames


class SingleAnswer(NamedTuple):
    """An answer that was read to its end."""

    status: int
    """HTTP status."""
    headers: dict[str, str]
    """Header lines, names in lower case; the values of lines with one name are joined by a comma."""
    body: bytes | None
    """The decoded body; `None` for one that is larger than what is read."""


def send_once(
    settings: ClientSettings, observer: Observer | None, request: WireRequest, max_body_bytes: int
) -> Steps[SingleAnswer]:
    """Send a request with the credential of the settings, and return its answer.

    Args:
        settings: of the client.
        observer: gets a report of each stage of the connection, if there is one.
        request: as `plain_request` makes it.
        max_body_bytes: a larger body isn't read.

    Raises:
        RequestFailed: there is no credential, or no answer.
        httpx.LocalProtocolError: the request is illegal.
        ConnectionFailed: `config_invalid` or `config_file_unreadable`.
    """
    exchanger = _Exchanger(settings, observer, request)
    ends_at = deadline.end_of(settings.total_s)
    with deadline.until(ends_at), exchanger.logging() as log:
        answer = yield from relay(exchanger.steps(ends_at, log), exchanger.perform)
        try:
            with hidden_frames():
                decoder = Body(answer.headers, exchanger.host, None, is_empty=request.method == "HEAD")
                body = None
                if request.method == "HEAD" or not _declares_more(answer.headers, max_body_bytes):
                    body = yield from _read(answer, decoder, max_body_bytes)
                if log:
                    log.received(decoder.received_bytes)
        finally:
            answer.stream.close()
    return SingleAnswer(answer.status, _joined(decoder.headers(answer.headers)), body)


class _Exchanger:
    """Carries out the steps of one exchange."""

    def __init__(self, settings: ClientSettings, observer: Observer | None, request: WireRequest) -> None:
        self._settings = settings
        self._request = request
        self._origin = pinned_origin(settings.base_url)
        self.host = self._origin.host
        self._dial_context = DialContext.of(settings, self._origin, observer)
        self._tls_context = tls.context_for(settings) if self._origin.scheme == "https" else None
        if HTTP.is_on:
            log_client(settings, self._dial_context.proxy, uses_tls=self._tls_context is not None)

    @contextmanager
    def logging(self) -> Iterator[RequestLog | None]:
        """Yield the log of the exchange; `None` where nobody listens."""
        if not HTTP.is_on:
            yield None
            return
        import httpx

        url = f"{self._origin}{self._request.target.decode('ascii')}"
        log = RequestLog(self._settings.name, httpx.Request(self._request.method, url))
        try:
            yield log
        except ConnformError as failure:
            log.failed(failure)
            raise
        finally:
            log.end()

    def steps(self, ends_at: float, log: RequestLog | None) -> Any:
        """Yield the steps of the exchange, and return its answer, whose body is still to be read."""
        operation = Operation(
            self._origin,
            unquote(self._request.target.partition(b"?")[0].decode("ascii")),
            is_safe=True,
            can_repeat=True,
            attempts=1,
            ends_at=ends_at,
            retry_after_max_s=self._settings.retry_after_max_s,
            account=self._settings.account,
        )
        steps = exchange(self._settings.credential, operation)
        return logged(steps, log) if log else steps

    def perform(self, step: Renew | SendRequest | Close | Wait) -> Steps[Any]:
        """Carry out a step; with one attempt, there is nothing to wait for."""
        match step:
            case SendRequest():
                return (yield from self._send(step.credential))
            case Renew():
                return (yield CredentialRenewal(step.credential, step.refused))
            case Close():
                step.answer.stream.close()
        return None

    def _send(self, credential: HeaderLines) -> Steps[HTTP1Exchange | failures.RequestFailed]:
        try:
            with hidden_frames():
                try:
                    host_line = (b"Host", self._origin.host_header.encode("ascii"))
                    request = with_credential(self._request, host_line, credential)
                    answer = yield from self._connect_and_send(request)
                except h11.LocalProtocolError:
                    raise failures.illegal_request() from None
                return query.without_echo(answer, credential) if credential.parameters else answer
        except failures.RequestFailed as failure:
            return failure

    def _connect_and_send(self, request: WireRequest) -> Steps[HTTP1Exchange]:
        settings, host = self._settings, self.host
        if deadline.left_s() <= 0:  # the credential took all of it
            raise failures.RequestTimedOut("http_deadline", f"no time was left to ask {host}", sent=False)
        stream: Any = yield from dial(self._dial_context, host, self._origin.port, settings.connect_s)
        if self._tls_context is not None:
            stream = yield from stream.start_tls(self._tls_context, host, settings.connect_s)
        answer = HTTP1Exchange(stream, host, settings.read_s, settings.write_s)
        try:
            yield from answer.send(request)
        except BaseException:
            stream.close()
            raise
        return answer


def _declares_more(headers: list[tuple[bytes, bytes]], max_bytes: int) -> bool:
    declared = next((value for name, value in headers if name.lower() == b"content-length"), b"")
    return declared.isdigit() and int(declared) > max_bytes


def _read(answer: HTTP1Exchange, decoder: Body, max_bytes: int) -> Steps[bytes | None]:
    """Return the decoded body; `None` for a large one, of which the status may be enough."""
    body = b""
    while piece := (yield from answer.next_piece()):
        for decoded in decoder.feed(piece):
            body += decoded
            if len(body) > max_bytes:
                return None
    decoder.end()
    return body


def _joined(lines: list[tuple[bytes, bytes]]) -> dict[str, str]:
    try:
        texts = [value.decode() for _, value in lines]
    except UnicodeDecodeError:
        texts = [value.decode("latin-1") for _, value in lines]
    headers: dict[str, str] = {}
    for (name, _), text in zip(lines, texts, strict=True):
        key = name.decode("ascii").lower()
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers
