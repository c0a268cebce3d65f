"""Login calls of simulated APIs: one POST with the right secrets gets a token, where the connection says that it stands.

Layer 2, no IO; reads the clock.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from connform.simulator.accepted import fits
from connform.simulator.clients import JSON, body_format
from connform.simulator.credentials import Credentials
from connform.simulator.endpoints import place_of
from connform.simulator.messages import Reply, Request, error_reply, json_reply, with_value

_REFUSED = error_reply(401, "login_refused", "The login is not valid.")


@dataclass(frozen=True, slots=True)
class SimulatedLogin:
    """The login of one connection. `repr` shows no secret."""

    url: str
    """Where it is sent, with its query."""
    body: str
    """The format of its body: `form` or `json`; empty for none."""
    content: Any = field(repr=False)
    """Its body, plain data."""
    token_at: str
    """The JSON Pointer of the token in the answer."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Header → its text, with `OBTAINED` where a JWT stands."""
    has_signed: Callable[[str], bool] = field(default=lambda _: False, repr=False)
    """Whether a text is a JWT of this connection."""
    lifetime_s: float | None = None
    """How long its tokens live; `None` for as long as those of grants."""
    seconds_at: str = ""
    """Where the answer says for how many seconds they do; empty for nowhere."""
    time_at: str = ""
    """Where it says when they end; likewise."""

    def is_made_by(self, request: Request) -> bool:
        """Return whether a request is this call."""
        if parse_qsl(urlsplit(self.url).query) != parse_qsl(request.query) or body_format(request) != self.body:
            return False
        if not all(
            fits(text, request.headers.get(name.lower()), self.has_signed) for name, text in self.headers.items()
        ):
            return False
        return bool(_content(request) == self.content)


class LoginCalls:
    """The logins of connections, by host and path."""

    def __init__(self, credentials: Credentials, token_lifetime_s: float) -> None:
        self._credentials = credentials
        self._token_lifetime_s = token_lifetime_s
        self._calls: dict[tuple[str, str], dict[str, SimulatedLogin]] = defaultdict(dict)

    def add(self, connection: str, call: SimulatedLogin) -> None:
        """Answer the login of a connection, in place of its former one at this address."""
        self._calls[place_of(call.url)][connection] = call

    def answer(self, request: Request) -> Reply | None:
        """Return the answer; `None` if no login goes to this address."""
        calls = self._calls.get((request.host, request.path))
        if not calls or request.method != "POST":
            return None
        call = next((one for one in list(calls.values()) if one.is_made_by(request)), None)
        return _REFUSED if call is None else json_reply(200, self._content(call))

    def _content(self, call: SimulatedLogin) -> Any:
        lifetime_s = self._token_lifetime_s if call.lifetime_s is None else call.lifetime_s
        content: Any = {}
        if call.seconds_at:
            content = with_value(content, call.seconds_at, lifetime_s)
        if call.time_at:
            ends_at = datetime.now(UTC) + timedelta(seconds=lifetime_s)
            content = with_value(content, call.time_at, ends_at.isoformat(timespec="seconds"))
        return with_value(content, call.token_at, self._credentials.issue_token("", lifetime_s))


def _content(request: Request) -> Any:
    if body_format(request) != JSON:
        return dict(parse_qsl(request.body.decode("latin-1"), keep_blank_values=True))
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError):
        return None
