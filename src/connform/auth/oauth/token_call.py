"""One POST to a server that issues tokens; it is never repeated.

Layer 2; uses the network, without user hooks, retries, redirects and proxies from the environment.
Call it inside of `hidden_frames`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from time import monotonic
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from connform.auth.oauth.server import settings_for
from connform.auth.oauth.token_answer import AnswerLost, TokenAnswer
from connform.errors import ConnectionFailed
from connform.http import failures
from connform.http.credential import Credential
from connform.http.net import deadline
from connform.http.net.steps import BLOCK, run
from connform.http.settings import ClientSettings
from connform.secret import Secret

CALL_S = 60.0
"""The limit of a call. The deadline of the caller does not shorten it: a call that is cut off loses the tokens of its answer."""
FORM, JSON = "form", "json"
"""The formats of a body."""
_MEDIA_TYPES = {FORM: "application/x-www-form-urlencoded", JSON: "application/json"}


def post(
    url: str,
    content: Mapping[str, Any],
    settings: ClientSettings,
    ends_at: float | None = None,
    *,
    body: str = FORM,
    credential: Credential | None = None,
) -> TokenAnswer:
    """Send one POST, and return its answer, whatever its status.

    Args:
        url: where to; its query is sent.
        content: what the body holds: texts and `Secret`s; in JSON also numbers, lists and mappings with them.
        settings: TLS, proxy and connect time-out of the connection; `CALL_S` limits the call.
        ends_at: the end of the call, on the monotonic clock; nothing is sent after it. The default is `CALL_S` from now.
        body: `FORM` or `JSON`; empty for none.
        credential: what the headers carry.

    Raises:
        AnswerLost: the request was sent, and its answer was lost.
        ConnectionFailed: a fault of the network before that.
    """
    from connform.http.plain_request import plain_request  # imported here for start-up, as are the others
    from connform.http.single_request import send_once

    parts = urlsplit(url)
    headers = {"Accept": "application/json", **({"Content-Type": _MEDIA_TYPES[body]} if body else {})}
    settings = settings_for(url, settings)._replace(
        credential=credential, headers=headers, attempts=1, read_s=CALL_S, write_s=CALL_S, total_s=CALL_S
    )
    clear = _reveal(content)
    encoded = (json.dumps(clear) if body == JSON else urlencode(clear)).encode("ascii") if body else b""
    path = urlunsplit(parts._replace(scheme="", netloc="", fragment=""))
    request = plain_request(settings, "POST", path, encoded)
    with deadline.until(monotonic() + CALL_S if ends_at is None else ends_at):
        try:
            answer = run(send_once(settings, None, request, settings.max_body_bytes), BLOCK)
        except failures.RequestFailed as failure:  # `from None`: the failure holds the request with its secrets
            if failure.sent:
                raise AnswerLost(failure.message) from None
            raise ConnectionFailed(failure.fault.name, failure.message, failure.hint) from None
    if answer.body is None:
        raise AnswerLost(f"the answer of {parts.hostname} is larger than {settings.max_body_bytes} bytes")
    return TokenAnswer(answer.status, answer.headers.get("retry-after", ""), answer.body)


def _reveal(value: Any) -> Any:
    """Return plain data with its secrets in clear."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Mapping):
        return {key: _reveal(one) for key, one in value.items()}
    return [_reveal(one) for one in value] if isinstance(value, list | tuple) else value
