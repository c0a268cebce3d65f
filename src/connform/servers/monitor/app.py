"""The ASGI application of a monitor: `/`, `/report.json`, `/metrics`, `/livez`, `/readyz`. Layer 4, no IO of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from functools import partial
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from connform.servers.monitor.credentials import AdmittedCredentials
from connform.servers.monitor.hosts import is_allowed

Message = dict[str, Any]
Headers = Mapping[str, str]

_SECURITY = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_NO_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'"
_TEXT = "text/plain; charset=utf-8"
_LIVE = "/livez"
_PROBES = (_LIVE, "/readyz")


class Content(NamedTuple):
    """The content of an answer."""

    content_type: str
    """Its media type."""
    body: bytes
    """Its bytes."""
    policy: str = _NO_CONTENT_POLICY
    """The value of `Content-Security-Policy`."""


class Pages(Protocol):
    """What a monitor shows. Each method may take a while, and is called in a thread."""

    def page(self, *, refresh: bool) -> Content:
        """Return the page for people."""

    def report(self) -> Content:
        """Return the report as JSON."""

    def metrics(self, accept: str) -> Content:
        """Return the metrics, in a format that a header `Accept` names."""

    def is_ready(self) -> bool:
        """Whether manifest and state are in order."""


class _Refused(Exception):
    """A request is refused."""

    def __init__(self, status: HTTPStatus, text: str, headers: Headers = MappingProxyType({})) -> None:
        super().__init__(text)
        self.status = status
        self.content = Content(_TEXT, f"{text}\n".encode())
        self.headers = headers


class MonitorApp:
    """The application."""

    def __init__(
        self,
        pages: Pages,
        credentials: AdmittedCredentials | None,
        allowed_hosts: Collection[str],
        log: Callable[[str], None],
    ) -> None:
        """Take what is shown, to whom, and under which names besides addresses and those of loopback."""
        self._pages = pages
        self._credentials = credentials
        self._allowed_hosts = frozenset(name.lower().rstrip(".") for name in allowed_hosts)
        self._log = log
        self._one_thread = ThreadPoolExecutor(1)  # an answer takes memory, and a scraper more than one may ask

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Answer a request."""
        del receive  # no request has a body
        more: Headers = {}
        try:
            status, content = await self._answer(scope)
        except _Refused as refused:
            status, content, more = refused.status, refused.content, refused.headers
        except Exception as error:  # noqa: BLE001  (the server goes on; the message may hold what a client sent)
            self._log(f"internal error: {type(error).__name__} while a request was answered")
            status, content = HTTPStatus.INTERNAL_SERVER_ERROR, Content(_TEXT, b"internal error\n")
        fields = {
            "content-type": content.content_type,
            "content-length": str(len(content.body)),
            "content-security-policy": content.policy,
            "date": formatdate(usegmt=True),
            **_SECURITY,
            **more,
        }
        headers = [(name.encode(), value.encode()) for name, value in fields.items()]
        await send({"type": "http.response.start", "status": int(status), "headers": headers})
        await send({"type": "http.response.body", "body": content.body})

    async def _answer(self, scope: Message) -> tuple[HTTPStatus, Content]:
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        headers, path = dict(fields), scope["path"]
        if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
            too_large = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            raise _Refused(too_large, "no request has a body here", {"connection": "close"})
        if scope["method"] not in {"GET", "HEAD"}:
            raise _Refused(HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD", {"allow": "GET, HEAD"})
        if path in _PROBES:
            is_ok = path == _LIVE or self._pages.is_ready()
            status = HTTPStatus.OK if is_ok else HTTPStatus.SERVICE_UNAVAILABLE
            return status, Content(_TEXT, b"ok\n" if is_ok else b"not ok\n")
        self._require_admitted(headers, [value for name, value in fields if name == "host"])
        work = partial(self._content, path, scope["query_string"], headers)
        return HTTPStatus.OK, await asyncio.get_running_loop().run_in_executor(self._one_thread, work)

    def _require_admitted(self, headers: Headers, hosts: Sequence[str]) -> None:
        if not (len(hosts) == 1 and is_allowed(hosts[0], self._allowed_hosts)):
            raise _Refused(HTTPStatus.MISDIRECTED_REQUEST, "not under this name: --allowed-host permits it")
        if self._credentials and not self._credentials.admit(headers.get("authorization", "")):
            challenge = {"www-authenticate": 'Basic realm="connform", charset="UTF-8"'}
            raise _Refused(HTTPStatus.UNAUTHORIZED, "a credential of --auth-file is needed", challenge)

    def _content(self, path: str, query: bytes, headers: Headers) -> Content:
        match path:
            case "/":
                return self._pages.page(refresh=query != b"refresh=off")
            case "/report.json":
                return self._pages.report()
            case "/metrics":
                return self._pages.metrics(headers.get("accept", ""))
            case _:
                raise _Refused(HTTPStatus.NOT_FOUND, "not found")
