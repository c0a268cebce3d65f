"""A vendor on loopback, as docs/reference/auth.md quotes its documentation: an API, a token endpoint, a login, a consent page, device codes.

Real sockets; each method of authentication accepts what the vendor issued, and nothing else.
"""

from __future__ import annotations

import json
import secrets
import ssl
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, cached_property
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.private_keys import pem_of

_TEXTS = ("ACME_KEY", "ACME_TOKEN", "ACME_APP_KEY", "ACME_PASSWORD", "ACME_SECRET")
Parameters = Mapping[str, str]
_VENDORS = count()


@cache
def _account_key(number: int) -> rsa.RSAPrivateKey:
    """Return one of two keys, so that each vendor has another than the one before it: to make one takes 70 ms."""
    return rsa.generate_private_key(65537, 2048)


class Vendor:
    """What the vendor issued; its answers are statuses with JSON."""

    def __init__(self) -> None:
        self.origin = ""
        """Its address."""
        self._issued = {name: secrets.token_hex(12) for name in _TEXTS}
        self._signing, self._account = ec.generate_private_key(ec.SECP256R1()), _account_key(next(_VENDORS) % 2)
        self._tokens: set[str] = set()
        self._codes: dict[str, str] = {}
        self._refresh_tokens: set[str] = set()

    @cached_property
    def secrets(self) -> dict[str, str]:
        """What a customer got, by the variables of the page."""
        account = json.dumps({"type": "service_account", "private_key": pem_of(self._account)})
        return {**self._issued, "ACME_PRIVATE_KEY": pem_of(self._signing), "ACME_ACCOUNT_FILE": account}

    def refuse_tokens(self) -> None:
        """End all that was issued."""
        self._tokens.clear()
        self._refresh_tokens.clear()

    def me(self, headers: Parameters, query: Parameters) -> tuple[int, Any]:
        """Answer `GET /v1/me`: whoever shows a credential of one of the methods is known."""
        return (200, {"id": 7}) if any(accepts(headers, query) for accepts in self._methods()) else (401, {})

    def _methods(self) -> Iterator[Callable[[Parameters, Parameters], bool]]:
        authorization = "Authorization"
        yield lambda headers, _: headers.get("X-Acme-Key") == self._issued["ACME_KEY"]
        yield lambda headers, _: headers.get(authorization) == f"Bearer {self._issued['ACME_TOKEN']}"
        yield (
            lambda headers, _: (
                (headers.get(authorization), headers.get("X-Acme-App"))
                == (f"Token token={self._issued['ACME_KEY']}", self._issued["ACME_APP_KEY"])
            )
        )
        yield (
            lambda headers, _: (
                _pair(headers) in (("bot@acme.example", self._issued["ACME_PASSWORD"]), (self._issued["ACME_KEY"], ""))
            )
        )
        yield lambda _, query: query.get("apikey") == self._issued["ACME_KEY"]
        yield lambda headers, _: headers.get("X-Client-Certificate") == "verified"
        yield lambda headers, _: headers.get(authorization, "").removeprefix("Bearer ") in self._tokens
        yield lambda headers, _: headers.get("X-Session") in self._tokens
        yield lambda headers, _: self._is_signed(
            headers.get(authorization, "").removeprefix("Bearer "), "acme-sync", "acme-api"
        )

    def token(self, headers: Parameters, form: Parameters) -> tuple[int, Any]:
        """Answer a token request (RFC 6749 §3.2)."""
        grant = form.get("grant_type", "").rpartition(":")[2]
        if grant == "client_credentials":
            by_secret = (form.get("client_id"), form.get("client_secret")) == ("acme-sync", self._issued["ACME_SECRET"])
            is_client = by_secret and (form.get("audience"), form.get("scope")) == (
                "https://api.acme.example",
                "orders",
            )
            is_client = is_client or self._is_signed(form.get("client_assertion", ""), "acme-sync", self.token_url)
            return self._tokens_for(is_client, "invalid_client", 401)
        if grant == "jwt-bearer":
            return self._tokens_for(self._is_account(form.get("assertion", "")), "invalid_grant", 400)
        confidential = _pair(headers) == ("acme-portal", self._issued["ACME_SECRET"])
        if not confidential and form.get("client_id") not in ("acme-cli", "acme-kiosk"):
            return 401, {"error": "invalid_client"}
        if grant == "device_code":
            is_good = form.get("device_code") == "device"
        elif grant == "refresh_token":
            is_good = form.get("refresh_token") in self._refresh_tokens
        else:
            challenge = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
            is_good = self._codes.pop(form.get("code", ""), None) == challenge
        return self._tokens_for(is_good, "invalid_grant", 400, refresh=True)

    @property
    def token_url(self) -> str:
        return f"{self.origin}/token"

    def login(self, body: Any) -> tuple[int, Any]:
        """Answer the vendor's own login."""
        status, answer = self._tokens_for(
            body == {"user": "bot", "password": self._issued["ACME_PASSWORD"]}, "wrong", 401
        )
        return status, {"data": {"token": answer.get("access_token"), "expires_in": 900}}

    def consent(self, query: Parameters) -> str:
        """Return where the browser of somebody who consents is sent (RFC 6749 §4.1.2)."""
        code = secrets.token_hex(8)
        self._codes[code] = query["code_challenge"]
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def device(self) -> tuple[int, Any]:
        """Answer the first request of a device (RFC 8628 §3.2); the person has consented when it asks for the token."""
        codes = {"device_code": "device", "user_code": "WDJB-MJHT", "verification_uri": "https://acme.example/device"}
        return 200, {**codes, "expires_in": 60, "interval": 1}

    def _tokens_for(self, is_good: bool, error: str, status: int, *, refresh: bool = False) -> tuple[int, Any]:
        if not is_good:
            return status, {"error": error}
        token, refresh_token = secrets.token_hex(16), secrets.token_hex(16)
        self._tokens.add(token)
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": 900}
        if refresh:
            self._refresh_tokens.add(refresh_token)
            answer["refresh_token"] = refresh_token
        return 200, answer

    def _is_signed(self, token: str, issuer: str, audience: str) -> bool:
        try:
            jwt.decode(token, self._signing.public_key(), ["ES256"], audience=audience, issuer=issuer)
        except jwt.InvalidTokenError:
            return False
        return bool(jwt.get_unverified_header(token)["kid"] == "acme-2026")

    def _is_account(self, token: str) -> bool:
        try:
            claims = jwt.decode(token, self._account.public_key(), ["RS256"], audience=self.token_url)
        except jwt.InvalidTokenError:
            return False
        names = (claims["iss"], claims["sub"], claims["scope"])
        return names == ("sync@project.acme.example", "user@acme.example", "orders")


def _pair(headers: Parameters) -> tuple[str, str]:
    """Return the Basic pair of a request; empty for none."""
    scheme, _, encoded = headers.get("Authorization", "").partition(" ")
    name, _, password = b64decode(encoded).decode().partition(":") if scheme == "Basic" else ("", "", "")
    return name, password


@contextmanager
def running_vendor(tls: ssl.SSLContext | None = None) -> Iterator[Vendor]:
    """Run a vendor; with TLS, it demands a certificate of its customers and knows them by that."""
    vendor = Vendor()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = dict(parse_qsl(url.query))
            if url.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", vendor.consent(query))
                self.end_headers()
            else:
                shown = {"X-Client-Certificate": "verified"} if tls else {}
                self._answer(*vendor.me({**dict(self.headers.items()), **shown}, query))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if self.path == "/token":
                self._answer(*vendor.token(dict(self.headers.items()), dict(parse_qsl(body))))
            else:
                self._answer(*(vendor.device() if self.path == "/device" else vendor.login(json.loads(body))))

        def _answer(self, status: int, content: Any) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    class Listener(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass  # a client whose certificate was refused

    with Listener(("127.0.0.1", 0), Handler) as listener:
        if tls:
            listener.socket = tls.wrap_socket(listener.socket, server_side=True, do_handshake_on_connect=False)
        vendor.origin = f"{'https' if tls else 'http'}://127.0.0.1:{listener.server_port}"
        thread = Thread(target=listener.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield vendor
        finally:
            listener.shutdown()
            thread.join()
