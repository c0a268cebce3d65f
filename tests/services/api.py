"""The API of a service under trouble, with its token endpoint."""

from __future__ import annotations

import json
from base64 import b64encode
from threading import Lock
from typing import Any
from urllib.parse import parse_qs

from tests.http.servers import Connection, head


class Api:
    """The API with its token endpoint, which ends the grant where a refresh token is used twice."""

    def __init__(self) -> None:
        self.good = {"key": "key-0", "token": "token-0", "client secret": "client-secret-0"}
        self.is_down = self.is_stalled = False
        self.token_s: float = 10
        """How long an access token lasts: so late a replaced client secret shows."""
        self.refreshes = self.reused = self.refused = 0
        self._refresh_token = "refresh-0"
        self._lock = Lock()

    def __call__(self, connection: Connection) -> None:
        while not self.is_down and (request := connection.read_request()):
            while self.is_stalled:
                connection.pause(0.05)
            status, body = self._answer(request.decode())
            content = json.dumps(body).encode()
            connection.send(
                head(status, [f"Content-Length: {len(content)}", "Content-Type: application/json"]) + content
            )

    def _answer(self, request: str) -> tuple[int, dict[str, Any]]:
        if request.startswith("POST /token "):
            with self._lock:
                return self._issue(request)
        access_tokens = [
            f"access-{self.refreshes}",
            f"access-{self.refreshes - 1}",
        ]  # the one before may not have ended
        accepted = [f"Bearer {token}" for token in (self.good["token"], *access_tokens)]
        lines = [f"api_key: {self.good['key']}", *(f"Authorization: {credential}" for credential in accepted)]
        return (200 if any(f"{line}\r\n" in request for line in lines) else 401), {}

    def _issue(self, request: str) -> tuple[int, dict[str, Any]]:
        basic = b64encode(f"app:{self.good['client secret']}".encode()).decode()
        if f"Basic {basic}\r\n" not in request:
            self.refused += 1
            return 401, {"error": "invalid_client"}
        if parse_qs(request.partition("\r\n\r\n")[2])["refresh_token"] != [self._refresh_token]:
            self.reused += 1
            return 400, {"error": "invalid_grant"}
        self.refreshes += 1
        self._refresh_token = f"refresh-{self.refreshes}"
        tokens = {"access_token": f"access-{self.refreshes}", "refresh_token": self._refresh_token}
        return 200, {**tokens, "token_type": "Bearer", "expires_in": self.token_s}
