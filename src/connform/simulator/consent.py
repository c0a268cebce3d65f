"""The authorization endpoint of the simulated server: the page on which a person consents, and the redirect back.

Layer 2, no IO. RFC 6749 §4.1.1 and §4.1.2; RFC 7636; RFC 9207.
"""

from __future__ import annotations

import html
from urllib.parse import parse_qsl, urlencode, urlsplit

from connform.origin import is_loopback
from connform.simulator.grants import Consent, IssuedGrants
from connform.simulator.messages import NO_STORE, Reply, Request

_PAGE = (
    "<!doctype html><title>Log in (simulated)</title><h1>This is a simulator</h1>"
    "<p>{client} wants: {scopes}</p><form method=post>"
    "<button name=decision value=allow>Allow</button> <button name=decision value=deny>Deny</button></form>"
)


def authorize(request: Request, server: str, grants: IssuedGrants) -> Reply:
    """Return the page, or what the person's decision leads to; `server` is the host of the token endpoint."""
    query = dict(parse_qsl(request.query))
    client_id, redirect_uri = query.get("client_id", ""), query.get("redirect_uri", "")
    if not (client_id and _is_safe(redirect_uri)):  # answered here, without a redirect (RFC 6749 §4.1.2.1)
        return Reply(400, b"<!doctype html><h1>client_id and an https redirect_uri are required</h1>", "text/html")
    error = _request_error(query)
    if not error and request.method == "GET":
        page = _PAGE.format(client=html.escape(client_id), scopes=html.escape(query.get("scope", "")))
        return Reply(200, page.encode(), "text/html", NO_STORE)
    if not error and dict(parse_qsl(request.body.decode("latin-1"))).get("decision") != "allow":
        error = "access_denied"
    scopes = tuple(query.get("scope", "").split())
    consent = Consent(server, client_id, scopes, redirect_uri, query.get("code_challenge", ""))
    parameters = {"error": error} if error else {"code": grants.code(consent)}
    parameters |= {"state": query["state"]} if "state" in query else {}
    separator = "&" if urlsplit(redirect_uri).query else "?"
    location = f"{redirect_uri}{separator}{urlencode(parameters | {'iss': request.origin})}"
    return Reply(302, headers=(("Location", location), *NO_STORE))


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
