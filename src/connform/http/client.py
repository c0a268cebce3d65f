"""Constructors of ready httpx clients, sync and async.

Layer 1; building a client reads certificate files and does no other IO. It takes 0.2 ms at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from connform.http.settings import ClientSettings, Observer
from connform.http.transport import PinnedTransport
from connform.http.transport_async import AsyncPinnedTransport
from connform.http.transport_base import STREAMED

_EMPTY = CookieJar()
"""Saves httpx the making of another jar, which a client then replaces."""
_SLASHES_BEFORE_HOST = 2


def sync_client(settings: ClientSettings, observer: Observer | None = None) -> httpx.Client:
    """Return a client that sends the credential to the base URL's origin alone.

    The transport adds it, so that no httpx object shows it. Requests raise `RequestFailed` (httpx.TransportError), also where
    there is no credential, or `OriginRefused` (httpx.RequestError). Redirects are not followed; with `follow_redirects=True`,
    those to the same origin are.

    Raises:
        ConnectionFailed: `config_invalid` or `config_file_unreadable`.
    """
    return _Client(settings, PinnedTransport(settings, observer))


def async_client(settings: ClientSettings, observer: Observer | None = None) -> httpx.AsyncClient:
    """Return the same as `sync_client` for asyncio and trio."""
    return _AsyncClient(settings, AsyncPinnedTransport(settings, observer))


class _NoCookies(httpx.Cookies):
    """Cookies that no answer adds to: a session cookie is a credential, and all users of the client would share it."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Do nothing. The jar's lock is not acquired either: a child that is forked meanwhile would wait for it."""


class _Ready:
    """Base of both clients, before httpx's own: what they have of the settings."""

    base_url: httpx.URL
    headers: httpx.Headers
    _cookies: httpx.Cookies

    def __init__(self, settings: ClientSettings, transport: httpx.BaseTransport | httpx.AsyncBaseTransport) -> None:
        timeout = httpx.Timeout(
            connect=settings.connect_s, read=settings.read_s, write=settings.write_s, pool=settings.pool_s
        )
        super().__init__(
            transport=transport, base_url=_root(settings.base_url), timeout=timeout, cookies=_EMPTY, trust_env=False
        )  # type: ignore[call-arg]  # httpx's
        self.headers["User-Agent"] = settings.user_agent
        if settings.headers:
            self.headers.update(settings.headers)  # a `user-agent` of theirs replaces it
        self._query = settings.query
        self._cookies = _NoCookies()  # the argument `cookies` would be copied into an httpx.Cookies

    def build_request(self, *arguments: Any, **keywords: Any) -> httpx.Request:
        request: httpx.Request = super().build_request(*arguments, **keywords)  # type: ignore[misc]  # httpx's
        if self._query:
            request.url = _with_defaults(request.url, self._query)
        return request


class _Client(_Ready, httpx.Client):
    def send(self, request: httpx.Request, *, stream: bool = False, **arguments: Any) -> httpx.Response:
        request.extensions = {**request.extensions, STREAMED: stream}
        return super().send(request, stream=stream, **arguments)

    def __repr__(self) -> str:
        return f"<Client {self.base_url!r}>"


class _AsyncClient(_Ready, httpx.AsyncClient):
    async def send(self, request: httpx.Request, *, stream: bool = False, **arguments: Any) -> httpx.Response:
        request.extensions = {**request.extensions, STREAMED: stream}
        return await super().send(request, stream=stream, **arguments)

    def __repr__(self) -> str:
        return f"<AsyncClient {self.base_url!r}>"


def _with_defaults(url: httpx.URL, query: Mapping[str, str]) -> httpx.URL:
    """Return a URL with the parameters that it lacks; in place of `params` of httpx 0.28, which drops the URL's own query."""
    lacking = urlencode({name: value for name, value in query.items() if name not in url.params}, quote_via=quote)
    return url.copy_with(query=b"&".join(filter(None, [url.query, lacking.encode()]))) if lacking else url


@lru_cache(maxsize=1024)  # the connections of many customers have one root
def _root(base_url: str) -> httpx.URL:
    """Return a base URL with a slash at the end of its path; httpx would add that by parsing the URL once more."""
    has_path = base_url.count("/") > _SLASHES_BEFORE_HOST
    return httpx.URL(f"{base_url}/" if has_path and not base_url.endswith("/") else base_url)
