"""Errors of requests, which are httpx errors as well, and the translation of httpcore's errors.

Layer 1, no IO. No message holds a header's value, a query or text of a peer, except for names on certificates::

    Refused          ── OriginRefused     (an httpx.RequestError as well)
    ConnectionFailed ── RequestFailed     (an httpx.TransportError as well)
                        ├── RequestTimedOut     (an httpx.TimeoutException as well)
                        └── RequestLacksSecret  (a SecretUnresolved as well)
"""

from __future__ import annotations

from typing import Any

import httpcore
import httpx

from connform.errors import ConnectionFailed, Refused, SecretUnresolved
from connform.faults import Stage
from connform.http.net import deadline

WriteError = httpcore.WriteError
"""What a stream raises where a request can't be sent any more."""
LocalProtocolError = httpx.LocalProtocolError
"""What is raised for a request that is not HTTP, or that the client refuses."""
NOT_A_REQUEST = (httpx.InvalidURL, httpx.LocalProtocolError)
"""What a client raises for a request whose URL, method, parameters or headers can't be sent: a mistake of the caller."""
_BEFORE_THE_REQUEST = {Stage.CONFIG, Stage.SECRET, Stage.DNS, Stage.TCP, Stage.TLS}
_HEADER_FIELDS_TOO_LARGE = 431


class OriginRefused(Refused, httpx.RequestError):
    """The request is for another origin than the connection's; nothing was looked up or sent."""

    def __init__(self, wanted: str, pinned: str) -> None:
        super().__init__(
            f"refused to send a request to {wanted}: the credential belongs to {pinned} alone; "
            "use a plain httpx client, or declare a connection of its own"
        )
        self._origins = (wanted, pinned)

    def __reduce__(self) -> tuple[Any, ...]:  # without the request: users may have put secrets on it
        return type(self), self._origins


class RequestFailed(ConnectionFailed, httpx.TransportError):
    """A request failed; see `.fault`, `.message` and `.hint`."""

    def __init__(self, fault: str, message: str, hint: str = "", *, sent: bool | None = None) -> None:
        super().__init__(fault, message, hint)
        self.sent: bool = self.fault.stage not in _BEFORE_THE_REQUEST if sent is None else sent
        """Whether the server may have received bytes of the request. Then it may be repeated only if it is safe."""

    def __reduce__(self) -> tuple[Any, ...]:  # without the request: users may have put secrets on it
        return _rebuild, (type(self), self.fault.name, self.message, self.hint, self.sent)


class RequestTimedOut(RequestFailed, httpx.TimeoutException):
    """A request took too long."""


class RequestLacksSecret(RequestFailed, SecretUnresolved):
    """A request needs a secret that could not be resolved."""


def _rebuild(kind: type[RequestFailed], fault: str, message: str, hint: str, sent: bool) -> RequestFailed:  # noqa: FBT001  (called by pickle, by position)
    return kind(fault, message, hint, sent=sent)


def failure_of_request(failure: ConnectionFailed, *, sent: bool) -> RequestFailed:
    """Return the failure of a credential as that of the request that needs it.

    Args:
        failure: why there is no credential.
        sent: whether the server has refused the request with another credential before.
    """
    if isinstance(failure, SecretUnresolved):
        kind: type[RequestFailed] = RequestLacksSecret
    else:
        kind = RequestTimedOut if failure.fault.name == "http_deadline" else RequestFailed
    return kind(failure.fault.name, failure.message, failure.hint, sent=sent).with_traceback(failure.__traceback__)


def mistake_in(error: httpx.InvalidURL | httpx.LocalProtocolError) -> str:
    """Return what is wrong with the request. httpx's text about a URL quotes it, and is left out."""
    return str(error) if isinstance(error, httpx.LocalProtocolError) else "one of them holds what can't be sent"


HTTPCORE_ERRORS = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError)
"""What `translate` translates."""


def translate(error: Exception, host: str) -> httpx.RequestError:
    """Return connform's error for a time-out, network or protocol error of httpcore."""
    match error:
        case httpcore.PoolTimeout():
            fault = "http_deadline" if deadline.is_spent() else "http_timeout"
            return RequestTimedOut(fault, f"every connection of this client to {host} was busy", sent=False)
        case httpcore.LocalProtocolError():  # h11's text, which quotes the header's value, is dropped
            return illegal_request()
        case httpcore.RemoteProtocolError():
            return bad_reply(error.args[0] if error.args else None, host)
    return RequestFailed("http_bad_reply", f"{host} cut the connection before its answer was complete")


def illegal_request() -> httpx.LocalProtocolError:
    """Return the error for a request that is not HTTP; it quotes nothing of it."""
    text = "the request is not HTTP: an illegal header, or a body of another length than declared"
    return httpx.LocalProtocolError(text)


def bad_reply(cause: object, host: str) -> RequestFailed:
    """Return the failure for an answer that is not HTTP.

    Args:
        cause: h11's error, or httpcore's text.
        host: the host that answered.
    """
    message = f"the answer of {host} is not HTTP"
    if getattr(cause, "error_status_hint", 0) == _HEADER_FIELDS_TOO_LARGE:
        message = f"the headers of {host}'s answer are too large"
    elif "without" in str(
        cause
    ):  # `Server disconnected without sending a response.`, `peer closed connection without …`
        message = f"{host} closed the connection before its answer was complete"
    return RequestFailed("http_bad_reply", message)
