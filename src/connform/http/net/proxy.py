"""HTTP proxies: the CONNECT request that opens a tunnel, and the parser of the proxy's answer.

Layer 1, no IO. httpcore's own tunnels are not used: when the TLS handshake inside fails, they occupy a connection of
the pool for ever (httpcore 1.0.9). Here the network backend opens the tunnel, and httpcore knows of no proxy.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple, Self

from connform.environment import ENVIRONMENT_PROXY
from connform.errors import ConnectionFailed
from connform.http import failures
from connform.http.net import tls
from connform.http.net.environment_proxy import environment_proxy
from connform.http.origin import LEGAL_HOST, origin_of
from connform.http.settings import BasicAuth, ClientSettings
from connform.origin import Origin
from connform.secret import Secret
from connform.tracebacks import hidden_frames

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")
_MAX_ANSWER_BYTES = 64 * 1024
_WANTS_PASSWORD = "407"  # noqa: S105  (an HTTP status)
_PASSWORD_HINT = "see user name and password: `proxy: {url: …, username: …, password: env://NAME}`"  # noqa: S105  (a hint)


class Proxy(NamedTuple):
    """An HTTP proxy that opens tunnels, RFC 9110 §9.3.6."""

    host: str
    """Its host."""
    port: int
    """Its port."""
    context: tls.RenewedContext | None
    """For TLS to the proxy itself; `None` for an `http://` proxy."""
    headers: Secret
    """Header lines of each CONNECT request; may hold the password."""
    variable: str = ""
    """The environment variable that names it; empty where the manifest does."""

    @classmethod
    def of(cls, settings: ClientSettings, target: Origin) -> Self | None:
        """Return the proxy of the settings; `None` where the environment decides, and names none for the target.

        Raises:
            ConnectionFailed: `config_invalid`; the text of the URL, which may hold a password, is not repeated.
        """
        declared, name, variable = settings.proxy.reveal(), "the proxy", ""
        if declared == ENVIRONMENT_PROXY:
            declared, variable = environment_proxy(target)
            if not declared:
                return None
            name = variable
        import httpx  # few connections have a proxy

        try:
            url = httpx.URL(declared)
        except (httpx.InvalidURL, ValueError):
            url = httpx.URL("")
        origin = origin_of(url)
        if url.scheme not in {"http", "https"} or not LEGAL_HOST.fullmatch(origin.host):
            raise ConnectionFailed("config_invalid", f"{name} must be a URL that starts with http:// or https://")
        make_context = partial(tls.context_for_proxy, settings)
        context = tls.RenewedContext(make_context) if url.scheme == "https" else None
        inside = BasicAuth(url.username, Secret(url.password)) if url.username or url.password else None
        with hidden_frames():
            headers = Secret(f"User-Agent: {settings.user_agent}\r\n{_authorization(settings.proxy_auth or inside)}")
        return cls(origin.host, origin.port, context, headers, variable)

    def __str__(self) -> str:
        scheme = "http" if self.context is None else "https"
        return f"{scheme}://{self.host}:{self.port}" + (f" ({self.variable})" if self.variable else "")

    def request(self, host: str, port: int) -> bytes:
        """Return the bytes of the CONNECT request."""
        target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return (
            f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n".encode("ascii")
            + self.headers.reveal().encode()
            + b"\r\n"
        )

    @contextmanager
    def opening_tunnel(self, host: str) -> Iterator[ProxyAnswer]:
        """Raise `proxy_refused` for every failure inside; `host` is the target of the tunnel."""
        try:
            yield ProxyAnswer(host)
        except failures.RequestTimedOut:
            raise failures.RequestTimedOut(
                "proxy_refused", f"the proxy {self.host} did not open the tunnel in time"
            ) from None
        except (failures.RequestFailed, failures.WriteError) as error:
            if isinstance(error, failures.RequestFailed) and error.fault.name == "proxy_refused":
                raise
            raise _cut_failure() from None


def _authorization(auth: BasicAuth | None) -> str:
    """Return the header line of Basic authentication (RFC 7617 §2), in UTF-8; empty without credentials."""
    if auth is None:
        return ""
    credentials = f"{auth.username}:{auth.password.reveal()}".encode(errors="surrogatepass")
    return f"Proxy-Authorization: Basic {base64.b64encode(credentials).decode('ascii')}\r\n"


class ProxyAnswer:
    """Parser of a proxy's answer to CONNECT."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._received = b""

    def feed(self, data: bytes) -> bool:
        """Parse the next bytes (empty at the end of the stream); return whether the tunnel is open.

        Raises:
            RequestFailed: `proxy_refused`.
        """
        self._received += data
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not data or len(head) > _MAX_ANSWER_BYTES:
            raise _cut_failure()
        if not end:
            return False
        status = _STATUS_LINE.match(head)
        if status and not status[1].startswith(b"2"):
            number = status[1].decode("ascii")  # the rest of the line and the page are the proxy's own text
            hint = _PASSWORD_HINT if number == _WANTS_PASSWORD else ""
            raise failures.RequestFailed(
                "proxy_refused", f"the proxy answered {number} when asked for {self._host}", hint
            )
        if status is None or rest:  # a TLS server sends nothing first, so these bytes are not from the target
            raise failures.RequestFailed("proxy_refused", "what is named as the proxy does not speak like one")
        return True


def _cut_failure() -> failures.RequestFailed:
    return failures.RequestFailed("proxy_refused", "the proxy cut the connection instead of opening the tunnel")
