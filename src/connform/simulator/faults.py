"""The faults that the simulator can show: the table of their replies, and which of them it shows where.

Layer 2, no IO. The names are those of `connform.faults`: a check of a host with that fault reports it. Only
`slow_token` is no fault of that table: the answer is right, and two seconds late.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from connform.errors import ConnformError
from connform.simulator.messages import Delivery, Reply, Request, error_reply, json_reply

DENIED = error_reply(403, "user_not_authorized", "The user or API key does not have permission.")
"""A missing or unknown credential; the vendor lists no 401 [guides/errors]."""
TOKEN_ENDED = Reply(
    401,
    error_reply(401, "user_not_authenticated", "The credential is not valid.").body,
    headers=(("WWW-Authenticate", 'Bearer error="invalid_token"'),),
)
"""A token that has expired or was revoked (RFC 6750 §3.1)."""

_NGINX = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr>nginx</body></html>"


def _html(status: int, title: str) -> Reply:
    return Reply(status, _NGINX.format(title).encode(), "text/html")


REPLIES: Mapping[str, Reply] = {
    "auth_denied": DENIED,
    "auth_rejected": error_reply(401, "user_not_authenticated", "The credential is not valid."),
    "feature_missing": error_reply(403, "package_feature_list", "The subscription does not include this feature."),
    "denied_by_intermediary": _html(403, "403 Forbidden"),
    "rate_limited": Reply(
        429,
        error_reply(429, "request_exception_rate_limit", "Too many requests.").body,
        headers=(("Retry-After", "1"),),
    ),
    "server_error": error_reply(500, "server_exception_unknown", "An unexpected error occurred."),
    "server_unavailable": _html(503, "503 Service Temporarily Unavailable"),
    "http_not_this_api": _html(200, "Welcome"),
    "http_redirect_refused": Reply(302, headers=(("Location", "https://elsewhere.example/"),)),
    "token_endpoint_unavailable": _html(503, "503 Service Temporarily Unavailable"),
    "client_credentials_rejected": json_reply(401, {"error": "invalid_client"}),
    "login_required": json_reply(400, {"error": "invalid_grant"}),
    "refresh_interrupted": Reply(0, delivery=Delivery.LOST),
    "slow_token": Reply(0, delivery=Delivery.LATE),
    "http_timeout": Reply(0, delivery=Delivery.NEVER),
    "http_bad_reply": Reply(
        200, json_reply(200, {"items": [], "total": 0, "take": 1, "skip": 0}).body, delivery=Delivery.TRUNCATED
    ),
}
"""The reply to any request, by the fault's name."""


class ShownFaults:
    """The faults of hosts and paths."""

    def __init__(self) -> None:
        self._faults: dict[tuple[str, str], tuple[str, float]] = {}
        """By host and path (empty for every path): the fault, and how often it will still be shown."""
        self.replies: dict[tuple[str, str], Reply] = {}
        """Host and fault → how that host shows it; `REPLIES` has how all others do."""

    def show(self, host: str, path: str, fault: str, times: float) -> None:
        """Show a fault from now on, so many times; an empty one ends it.

        Raises:
            ConnformError: there is no such fault.
        """
        key = host.lower(), path
        if not fault:
            self._faults.pop(key, None)
        elif fault in REPLIES:
            self._faults[key] = fault, times
        else:
            raise ConnformError(f"the simulator has no fault {fault!r}; it has: {', '.join(sorted(REPLIES))}")

    def reply(self, request: Request, answer: Callable[[Request], Reply]) -> Reply:
        """Return the reply to a request: that of its fault, or what `answer` returns."""
        fault = self._fault_of(request)
        if not fault:
            return answer(request)
        reply = self.replies.get((request.host, fault)) or REPLIES[fault]
        match reply.delivery:
            case Delivery.LATE:
                return replace(answer(request), delivery=Delivery.LATE)
            case Delivery.LOST:
                answer(request)
        return reply

    def _fault_of(self, request: Request) -> str:
        for key in ((request.host, request.path), (request.host, "")):
            fault, times = self._faults.get(key, ("", 0))
            if times > 0:
                self._faults[key] = fault, times - 1
                return fault
        return ""
