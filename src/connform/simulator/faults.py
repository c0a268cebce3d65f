"""Table of the faults that the simulator can show: fault name and reply.

Layer 2, no IO. The names are those of `connform.faults`: a check of a host with that fault reports it. Only
`slow_token` is no fault of that table: the answer is right, and two seconds late.
"""

from __future__ import annotations

from collections.abc import Mapping

from connform.simulator.messages import Delivery, Reply, error_reply, json_reply

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
