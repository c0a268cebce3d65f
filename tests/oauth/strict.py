"""An OAuth server that rotates refresh tokens, ends a grant whose refresh token comes twice, and answers at once."""

from __future__ import annotations

import json
import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from tests.end_to_end.conftest import Issuer
from tests.http.servers import Connection, Server, head, silent
from tests.oauth.provider import Provider

_PAGE = {"items": [], "total": 0, "take": 1, "skip": 0}


@dataclass
class _Grant:
    """What a customer has granted."""

    refresh_tokens: list[str] = field(default_factory=list)
    access_tokens: dict[str, float] = field(default_factory=dict)
    """Each with its end, by the monotonic clock."""
    is_revoked: bool = False


class StrictProvider(Provider):
    """A running server of this module; counts as `Provider` does."""

    def __init__(self, server: Server, ca_file: Path, redirect_uri: str, client_secret: str, lifetime_s: int) -> None:
        super().__init__(server.port, ca_file, redirect_uri, client_secret, ())
        self._lifetime_s = lifetime_s
        self._codes: dict[str, str] = {}
        self._grants: list[_Grant] = []
        self._lock = Lock()
        self._refreshed_at: list[float] = []
        self._counts = dict.fromkeys(("code", "refresh", "refused", "unread", "revoked", "api", "rejected"), 0)
        server.behaviour = self

    @property
    def counts(self) -> dict[str, int]:
        return dict(self._counts)

    @property
    def refreshed_at(self) -> list[float]:
        return list(self._refreshed_at)

    def consent(self, url: str) -> str:
        asked = dict(parse_qsl(urlsplit(url).query))
        code = secrets.token_urlsafe()
        self._codes[code] = asked["code_challenge"]
        return f"{self.redirect_uri}?{urlencode({'code': code, 'state': asked['state']})}"

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request().decode():
            lines, _, body = request.partition("\r\n\r\n")
            headers = {
                name.lower(): value for name, _, value in (line.partition(": ") for line in lines.split("\r\n")[1:])
            }
            if len(body) < int(headers.get("content-length", 0)):  # whoever asked was killed
                self._counts["unread"] += 1
                return
            with self._lock:
                status, content = self._answer(request.split()[1], headers, body)
            text = json.dumps(content).encode()
            connection.send(head(status, [f"Content-Length: {len(text)}", "Content-Type: application/json"]) + text)

    def _answer(self, path: str, headers: dict[str, str], body: str) -> tuple[int, dict[str, Any]]:
        credential = headers.get("authorization", "").partition(" ")[2]
        if path.startswith("/connect/"):
            user, _, password = b64decode(credential).decode().partition(":")
            if (unquote_plus(user), unquote_plus(password)) != ("acme-basic", self.client_secret):
                return 401, {"error": "invalid_client"}
            return self._answer_app(path, dict(parse_qsl(body)))
        is_good = any(
            time.monotonic() < grant.access_tokens.get(credential, 0) for grant in self._grants if not grant.is_revoked
        )
        self._counts["api" if is_good else "rejected"] += 1
        return (200, _PAGE) if is_good else (401, {"error": "user_not_authenticated"})

    def _answer_app(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if path == "/connect/revocation":
            for grant in self._grants:
                if form["token"] in (*grant.refresh_tokens, *grant.access_tokens):
                    self._revoke(grant)
            return 200, {}
        if form["grant_type"] == "authorization_code":
            challenge = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
            if self._codes.pop(form["code"], "") != challenge:
                return self._refuse()
            self._grants.append(_Grant())
            self._counts["code"] += 1
            return self._issue(self._grants[-1])
        token = form["refresh_token"]
        for grant in self._grants:
            if token == grant.refresh_tokens[-1] and not grant.is_revoked:
                self._counts["refresh"] += 1
                self._refreshed_at.append(time.time())
                return self._issue(grant)
            if token in grant.refresh_tokens:
                self._revoke(grant)
        return self._refuse()

    def _issue(self, grant: _Grant) -> tuple[int, dict[str, Any]]:
        access, refresh = secrets.token_urlsafe(), secrets.token_urlsafe()
        grant.access_tokens[access] = time.monotonic() + self._lifetime_s
        grant.refresh_tokens.append(refresh)
        tokens = {"access_token": access, "refresh_token": refresh, "expires_in": self._lifetime_s}
        return 200, {**tokens, "token_type": "Bearer"}

    def _refuse(self) -> tuple[int, dict[str, Any]]:
        self._counts["refused"] += 1
        return 400, {"error": "invalid_grant"}

    def _revoke(self, grant: _Grant) -> None:
        self._counts["revoked"] += not grant.is_revoked
        grant.is_revoked = True


@contextmanager
def running_strict_provider(
    authority: Issuer, ca_file: Path, *, redirect_uri: str, client_secret: str, lifetime_s: int
) -> Iterator[StrictProvider]:
    """Run one in this process."""
    with Server(silent, tls=authority.loopback()) as server:
        yield StrictProvider(server, ca_file, redirect_uri, client_secret, lifetime_s)
