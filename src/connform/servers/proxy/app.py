"""The ASGI application of `connform proxy`: checks a request, passes it on with the credential, and passes on the answer.

Layer 4; IO: sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from hmac import compare_digest
from http import HTTPStatus
from traceback import walk_tb
from typing import Any

from connform.debug_log import HTTP
from connform.errors import ConnectionFailed
from connform.http.failures import NOT_A_REQUEST
from connform.http.forwarded import ForwardedRequest
from connform.manifest.request_path import BadPath, normalize
from connform.servers.proxy.access_log import AccessLog, LoggedRequest
from connform.servers.proxy.answers import Send, pass_on, send_refusal
from connform.servers.proxy.bodies import ClientGone, body_of
from connform.servers.proxy.headers import Places, answer_headers, request_headers
from connform.servers.proxy.refusal import CLOSE, Refusal, refusal_of
from connform.servers.proxy.request_checks import check_form, check_overrides
from connform.servers.proxy.route import Route

_OTHER_USER = "only programs of the user who runs it may use it; where the system doesn't tell who connects, it has to listen on a unix socket"


class ProxyApp:
    """The application."""

    def __init__(
        self, routes: Mapping[str, Route], secret_path: str, hosts: frozenset[bytes], log: AccessLog | None
    ) -> None:
        """Take what it serves.

        Args:
            routes: the connections by name.
            secret_path: the random first part of each path.
            hosts: the values of `Host` that are accepted, in lower case.
            log: where each request is noted.
        """
        self._routes = {name.encode("ascii"): route for name, route in routes.items()}
        self._secret_path = secret_path.encode("ascii")
        self._hosts = hosts
        self._log = log

    async def __call__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Send) -> None:
        connection = scope["state"]["connection"]
        connection.task = asyncio.current_task()
        entry = LoggedRequest(scope["method"])
        try:
            await self._answer(scope, receive, send, entry)
        except Refusal as refusal:
            await send_refusal(refusal, send, entry, expects=_expects(scope))
        except (ClientGone, asyncio.CancelledError):  # nobody waits for an answer
            return
        except Exception as error:
            entry.code = "internal_error"
            if HTTP.is_on:  # uvicorn answers 500, and its own log could quote a header
                lines = [f"{frame.f_code.co_filename}:{line}" for frame, line in walk_tb(error.__traceback__)]
                HTTP.write("a bug of connform: %s at %s", type(error).__qualname__, ", ".join(lines))
            raise
        finally:
            connection.task = None
            if self._log:
                self._log.write(entry)

    def log_malformed(self, refusal: Refusal) -> None:
        """Note a request that wasn't parsed."""
        if self._log:
            logged = LoggedRequest("")
            logged.status, logged.code = refusal.status, refusal.code
            self._log.write(logged)

    async def _answer(
        self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Send, entry: LoggedRequest
    ) -> None:
        route, path = self._checked(scope, entry)
        headers, raw_query = scope["headers"], scope["query_string"]
        api_path = (route.root_path + path) or "/"
        body, framing = await body_of(headers, receive)
        request = ForwardedRequest(
            scope["method"],
            api_path,
            route.target(api_path, raw_query),
            [*request_headers(headers, route.default_headers, self._secret_path), *framing],
            body,
        )
        try:
            answer = await route.forwarder.forward(request)
        except ConnectionFailed as failure:
            raise refusal_of(failure) from None
        except NOT_A_REQUEST:
            message = "a header of the request holds characters that no header may hold"
            raise Refusal(HTTPStatus.BAD_REQUEST, "request_malformed", message) from None
        try:
            host = next(value for name, value in headers if name == b"host").decode("latin-1")
            places = Places(route.api_root, f"http://{host}/{self._secret_path.decode()}/{route.name}")
            await pass_on(answer, answer_headers(answer.headers, places, api_path), send, entry)
        finally:
            await answer.aclose()

    def _checked(self, scope: Any, entry: LoggedRequest) -> tuple[Route, str]:
        """Return the connection of a request that may be sent, and the path below its root; raises `Refusal`."""
        method, headers = scope["method"], scope["headers"]
        if not scope["state"]["connection"].is_own_user:
            raise Refusal(HTTPStatus.FORBIDDEN, "user_refused", _OTHER_USER, CLOSE)
        check_form(method, scope["raw_path"], headers, self._hosts)
        secret_path, _, rest = scope["raw_path"][1:].partition(b"/")
        name, slash, path = rest.partition(b"/")
        route = self._routes.get(name)
        if not compare_digest(secret_path, self._secret_path) or route is None:
            raise Refusal(HTTPStatus.NOT_FOUND, "path_unknown", "no base URL that was printed begins like this")
        entry.connection = route.name
        try:
            normal = normalize((slash + path).decode("ascii")) if path else slash.decode()
        except BadPath as error:
            raise Refusal(HTTPStatus.BAD_REQUEST, "path_ambiguous", f"the path is refused: {error}") from None
        entry.path = normal
        if route.tables:
            if not all(table.allows(method, normal or "/") for table in route.tables):
                message = f"`allow` of {route.name} has no rule for {method} and this path"
                raise Refusal(HTTPStatus.FORBIDDEN, "not_allowed", message)
            check_overrides(scope["query_string"], headers)
        if b"#" in scope["query_string"]:
            raise Refusal(HTTPStatus.BAD_REQUEST, "path_ambiguous", "the query is refused: it holds `#`")
        return route, normal


def _expects(scope: Any) -> bool:
    return any(name == b"expect" for name, _ in scope["headers"])
