"""What the log `connform.http` says of one request: what is sent, over which connection, what comes back and when.

Layer 1, no IO, reads the clock. No header, body or query is written, and no part of a path that may be a key or a token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar, Token
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, Any

from connform.debug_log import HTTP
from connform.errors import ConnectionFailed, ConnformError
from connform.faults import Stage
from connform.http.shown_url import shown_path, shown_url
from connform.secret import looks_generated

if TYPE_CHECKING:
    import httpcore
    import httpx

_STAGES: Mapping[Stage, Callable[[Mapping[str, Any]], str]] = {
    Stage.DNS: lambda facts: f"the host has the addresses {', '.join(facts['addresses'])}",
    Stage.TCP: lambda facts: (
        f"connected to {facts['address']}" + (f", the proxy {facts['proxy']}" if "proxy" in facts else "")
    ),
    Stage.TLS: lambda facts: (
        f"{facts['tls_version']}; certificate of {facts['cert_issuer']}, ends at {facts['cert_expires_at']}"
    ),
}
"""What is written of a stage that succeeded, by its facts."""
_NUMBERS = count(1)


class RequestLog:
    """Writes the lines of one request; each names the client and the number of the request."""

    __slots__ = ("_began_at", "_failure", "_is_new", "_name", "_sent_at", "_token", "_url", "number")

    def __init__(self, name: str, request: httpx.Request) -> None:
        """Begin; until `end`, it is what `current` returns in this thread or task.

        Args:
            name: of the client: a connection, or a secret store.
            request: the request.
        """
        self.number = next(_NUMBERS)
        self._name = name or request.url.host
        self._url = request.url
        self._began_at = self._sent_at = monotonic()
        self._is_new = False
        self._failure: ConnformError | None = None
        self._token: Token[RequestLog | None] = _CURRENT.set(self)
        self.write("%s %s", shown_path(request.method), shown_url(request.url))

    def end(self) -> None:
        """End: an outer request, such as one that needs a new token, is the current one again."""
        with suppress(ValueError):  # closed by a collection of garbage, which runs in any thread
            _CURRENT.reset(self._token)

    def write(self, message: str, *arguments: object) -> None:
        """Write a line."""
        fields = {"connection": self._name, "request": self.number}
        HTTP.write(f"%s #%d: {message}", self._name, self.number, *arguments, **fields)

    def sends(self) -> None:
        """Note that the request is sent now."""
        self._sent_at, self._is_new = monotonic(), False

    def stage(self, stage: Stage, elapsed_s: float, facts: Mapping[str, object]) -> None:
        """Write that a stage of a new connection succeeded; arguments as for `Observer.stage`."""
        self._is_new = True
        self.write("%s (%s)", _STAGES[stage](facts), _ms(elapsed_s))

    def answered(self, answer: httpcore.Response) -> None:
        """Write the status of an answer, and the connection over which it came."""
        version = answer.extensions.get("http_version", b"HTTP").decode("ascii", "replace")
        over = f"{'a new' if self._is_new else 'a reused'} connection{_peer(answer)}"
        self.write("%d %s after %s, over %s", answer.status, version, _ms(monotonic() - self._sent_at), over)

    def redirects(self, location: str) -> None:
        """Write where an answer redirects to; a client that follows sends another request."""
        self.write("redirects to %s", _target(self._url, location))

    def failed(self, failure: ConnformError) -> None:
        """Write that the request failed."""
        if failure is not self._failure:  # an attempt that is the last one fails the request as well
            self._failure = failure
            fault = f" ({failure.fault.name})" if isinstance(failure, ConnectionFailed) else ""
            self.write("failed%s after %s: %s", fault, _ms(monotonic() - self._began_at), failure)

    def received(self, size: int) -> None:
        """Write that the body is complete."""
        self.write("received a body of %s bytes; %s in all", f"{size:,}", _ms(monotonic() - self._began_at))


_CURRENT: ContextVar[RequestLog | None] = ContextVar("connform_request_log", default=None)


def current() -> RequestLog | None:
    """Return the log of the request that this thread or task sends; `None` where nobody listens."""
    return _CURRENT.get()


def _target(url: httpx.URL, location: str) -> str:
    """Return the address of a redirect as a log shows it; a server may have put a credential into its host."""
    import httpx

    try:
        target = url.join(location)
    except (httpx.InvalidURL, ValueError):
        return "what is no address"
    return "a host that may be a secret" if looks_generated(target.host) else shown_url(target)


def _peer(answer: httpcore.Response) -> str:
    try:
        host, port = answer.extensions["network_stream"].get_extra_info("server_addr")[:2]
    except (OSError, LookupError):  # the server has answered and cut the connection
        return ""
    return f" to [{host}]:{port}" if ":" in host else f" to {host}:{port}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
