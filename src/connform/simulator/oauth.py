"""The simulated authorization server, with the paths of .NET's IdentityServer below `/connect/`.

Layer 2, no IO. RFC 6749 §4.1, §5 and §6; RFC 7009; RFC 9207. The vendor documents authorize and token [oauth].
"""

from __future__ import annotations

import base64
import binascii
import html
from collections.abc import Callable
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from connform.origin import is_loopback
from connform.simulator.grants import Consent, Issued, IssuedGrants
from connform.simulator.messages import Reply, Request, json_reply

_PAGE = (
    "<!doctype html><title>Log in (simulated)</title><h1>This is a simulator</h1>"
    "<p>{client} wants: {scopes}</p><form method=post>"
    "<button name=decision value=allow>Allow</button> <button name=decision value=deny>Deny</button></form>"
)
_NO_STORE = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))
_CHALLENGE = ("WWW-Authenticate", 'Basic realm="simulator"')


class OAuth:
    """One authorization server per host name."""

    def __init__(self, grants: IssuedGrants) -> None:
        self._grants = grants
        self._secrets: dict[str, str] = {}

    def register(self, client_id: str, client_secret: str) -> None:
        """Accept only this secret for the client from now on; a client that isn't registered may use any secret, or none."""
        self._secrets[client_id] = client_secret

    def answer(self, request: Request) -> Reply | None:
        """Return the answer; `None` if the request is for none of the endpoints."""
        if request.path == "/connect/authorize" and request.method in {"GET", "POST"}:
            return self._authorize(request)
        if request.method == "POST" and request.path == "/connect/revocation":
            return self._with_client(request, self._revoke)
        if request.method == "POST" and request.path == "/connect/token":
            return self._with_client(request, self._token)
        return None

    def _authorize(self, request: Request) -> Reply:
        query = dict(parse_qsl(request.query))
        client_id, redirect_uri = query.get("client_id", ""), query.get("redirect_uri", "")
        if not (client_id and _is_safe(redirect_uri)):  # answered here, without a redirect (RFC 6749 §4.1.2.1)
            return Reply(400, b"<!doctype html><h1>client_id and an https redirect_uri are required</h1>", "text/html")
        error = _request_error(query)
        if not error and request.method == "GET":
            page = _PAGE.format(client=html.escape(client_id), scopes=html.escape(query.get("scope", "")))
            return Reply(200, page.encode(), "text/html", _NO_STORE)
        if not error and dict(parse_qsl(request.body.decode("latin-1"))).get("decision") != "allow":
            error = "access_denied"
        scopes = tuple(query.get("scope", "").split())
        consent = Consent(request.host, client_id, scopes, redirect_uri, query.get("code_challenge", ""))
        parameters = {"error": error} if error else {"code": self._grants.code(consent)}
        parameters |= {"state": query["state"]} if "state" in query else {}
        separator = "&" if urlsplit(redirect_uri).query else "?"
        location = f"{redirect_uri}{separator}{urlencode(parameters | {'iss': f'https://{request.host}'})}"
        return Reply(302, headers=(("Location", location), *_NO_STORE))

    def _with_client(self, request: Request, endpoint: Callable[[str, str, dict[str, str]], Reply]) -> Reply:
        form = dict(parse_qsl(request.body.decode("latin-1"), keep_blank_values=True))
        client_id, secret = _basic_credentials(request.headers.get("authorization", ""))
        client_id, secret = client_id or form.get("client_id", ""), secret or form.get("client_secret", "")
        if not client_id or self._secrets.get(client_id, secret) != secret:
            return Reply(401, _error("invalid_client").body, headers=(_CHALLENGE, *_NO_STORE))
        return endpoint(request.host, client_id, form)

    def _token(self, host: str, client_id: str, form: dict[str, str]) -> Reply:
        match form.get("grant_type"):
            case "authorization_code":
                verifier = form.get("code_verifier", "")
                issued = self._grants.redeem(
                    form.get("code", ""), host, client_id, form.get("redirect_uri", ""), verifier
                )
            case "refresh_token":
                issued = self._grants.refresh(form.get("refresh_token", ""), host, client_id)
            case _:
                return _error("unsupported_grant_type")
        return self._tokens(issued) if issued else _error("invalid_grant")

    def _tokens(self, issued: Issued) -> Reply:
        content = {
            "access_token": issued.access_token,
            "token_type": "Bearer",
            "expires_in": self._grants.token_lifetime_s,
            "scope": " ".join(issued.scopes),
        }
        if issued.refresh_token:
            content["refresh_token"] = issued.refresh_token
        return Reply(200, json_reply(200, content).body, headers=_NO_STORE)

    def _revoke(self, _host: str, _client_id: str, form: dict[str, str]) -> Reply:
        self._grants.revoke(form.get("token", ""))
        return Reply(200)


def _is_safe(redirect_uri: str) -> bool:
    """Whether a redirect goes by https, or by http to the person's own machine (RFC 8252 §7.3)."""
    url = urlsplit(redirect_uri)
    return url.scheme == "https" or (url.scheme == "http" and is_loopback(url.hostname or ""))


def _request_error(query: dict[str, str]) -> str:
    if query.get("response_type") != "code":
        return "unsupported_response_type"
    if "code_challenge" in query and query.get("code_challenge_method") != "S256":
        return "invalid_request"
    return ""


def _basic_credentials(header: str) -> tuple[str, str]:
    """Return client id and secret, each form-decoded (RFC 6749 §2.3.1)."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return unquote_plus(name), unquote_plus(secret)


def _error(name: str) -> Reply:
    return Reply(400, json_reply(400, {"error": name}).body, headers=_NO_STORE)
