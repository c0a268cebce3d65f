"""The authorization request of a login, and the check of the redirect that answers it.

Layer 2, no IO. RFC 6749 §4.1, with PKCE (RFC 7636, S256; a server that refuses it can go without) and the issuer's name (RFC 9207).
"""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from threading import Lock
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from connform.errors import ConnectionFailed
from connform.origin import Origin
from connform.secret import Secret

_ENTROPY_BYTES = 32
_ERRORS = {  # RFC 6749 §4.1.2.1
    "invalid_request": "login_bad_callback",
    "unauthorized_client": "client_credentials_rejected",
    "access_denied": "login_denied",
    "unsupported_response_type": "login_bad_callback",
    "invalid_scope": "login_denied",
    "server_error": "token_endpoint_unavailable",
    "temporarily_unavailable": "token_endpoint_unavailable",
}


class AuthorizationRequest(NamedTuple):
    """The authorization request of one login, and what is needed to check its answer."""

    url: str
    """The address that the person opens."""
    redirect_uri: str
    """The address to which the server redirects the person."""
    issuer: str
    """The issuer that must answer. If it is unknown (empty), the answer must come from the origin of `url`."""
    state: Secret
    """Identifies this login in the answer; accepted once (RFC 6749 §10.12)."""
    verifier: Secret
    """The PKCE code verifier (RFC 7636 §4.1); empty without PKCE."""
    is_issuer_required: bool
    """Whether the server says that its answers name it (RFC 9207 §3): one that doesn't is refused."""
    answered: Lock
    """Acquired by the first answer with the right state, and never released."""


def start(
    authorize_url: str,
    client_id: str,
    redirect_uri: str,
    scopes: Sequence[str],
    issuer: str = "",
    *,
    is_issuer_required: bool = False,
    has_pkce: bool = True,
) -> AuthorizationRequest:
    """Return a new authorization request with a random state and verifier.

    Args:
        authorize_url: the authorization endpoint. Its query stays (RFC 6749 §3.1).
        client_id: the client id of the app.
        redirect_uri: exactly as registered with the vendor.
        scopes: the requested scopes; without any, the server decides (RFC 6749 §3.3).
        issuer: the issuer of the server; empty if unknown.
        is_issuer_required: whether an answer without the issuer is refused.
        has_pkce: false for a server that refuses PKCE; never for a public client, whose code nothing else protects.
    """
    state, verifier = (secrets.token_urlsafe(_ENTROPY_BYTES) for _ in range(2))
    challenge = urlsafe_b64encode(sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode("ascii")
    parameters = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "state": state,
    }
    if has_pkce:
        parameters |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    if scopes:
        parameters["scope"] = " ".join(scopes)
    parts = urlsplit(authorize_url)
    query = "&".join(filter(None, (parts.query, urlencode(parameters))))
    url = urlunsplit(parts._replace(query=query, fragment=""))
    kept = Secret(verifier if has_pkce else "")
    return AuthorizationRequest(url, redirect_uri, issuer, Secret(state), kept, is_issuer_required, Lock())


def is_answer(request: AuthorizationRequest, query: str) -> bool:
    """Return whether the query of an address holds the state of this login."""
    state = dict(parse_qsl(query)).get("state", "")
    return hmac.compare_digest(state.encode(), request.state.reveal().encode())


def names_its_server(request: AuthorizationRequest, query: str) -> bool:
    """Return whether the query of an address doesn't contradict that it comes from the server of the request (RFC 9207 §2.4)."""
    named = dict(parse_qsl(query, keep_blank_values=True)).get("iss")
    if named is None:
        return not request.is_issuer_required
    return named == request.issuer if request.issuer else _origin(named) == _origin(request.url)


def read_callback(request: AuthorizationRequest, address: str) -> Secret:
    """Return the code in the address to which the browser was redirected. Only the first answer is accepted.

    An answer holds the right state, and a code or an error: an address that was cut off isn't one.

    Raises:
        ConnectionFailed: `login_bad_callback`, `login_state_mismatch`, `login_issuer_mismatch`, `login_denied`, or the fault of
            another error of RFC 6749 §4.1.2.1. Messages contain nothing of the address.
    """
    url = _split(address)
    parameters = _parameters(request.redirect_uri, url)
    if not is_answer(request, url.query):
        raise ConnectionFailed("login_state_mismatch", "the address holds the `state` of another login, or none")
    if not (parameters.get("code") or "error" in parameters):
        raise ConnectionFailed("login_bad_callback", "the address holds no `code`: perhaps it was cut off")
    if not request.answered.acquire(blocking=False):
        raise ConnectionFailed("login_state_mismatch", "this login has had its answer: its `state` is good once")
    if not names_its_server(request, url.query):
        raise _issuer_mismatch(request, is_named="iss" in parameters)
    if "error" in parameters:
        error = parameters["error"] if parameters["error"] in _ERRORS else "an error without a known name"
        fault = _ERRORS.get(parameters["error"], "login_denied")
        raise ConnectionFailed(fault, f"the server answered the login with {error}")
    return Secret(parameters["code"])


def _issuer_mismatch(request: AuthorizationRequest, *, is_named: bool) -> ConnectionFailed:
    if not is_named:
        message = "the answer doesn't name its server, which says that it always does"
    elif request.issuer:
        message = f"the answer names another server than {request.issuer}"
    else:
        message = "the answer names a server on another origin than that of `authorize_url`"
        hint = (
            "do not go on, and ask the vendor; where it rightly has another name, write that as `issuer` under `auth:`"
        )
        return ConnectionFailed("login_issuer_mismatch", message, hint)
    return ConnectionFailed("login_issuer_mismatch", message)


def _origin(url: str) -> tuple[str, str, int] | None:
    try:
        return _split_address(urlsplit(url))[:3]
    except ValueError:
        return None


def _split(address: str) -> SplitResult:
    try:
        if re.fullmatch(r"https?://[!-~]+", address, re.IGNORECASE):
            return urlsplit(address)
    except ValueError:
        pass
    raise ConnectionFailed("login_bad_callback", "that is not the address of a page")


def _parameters(redirect_uri: str, received: SplitResult) -> dict[str, str]:
    registered = urlsplit(redirect_uri)
    try:
        is_redirect_uri = _split_address(registered) == _split_address(received)
    except ValueError:
        is_redirect_uri = False
    if not is_redirect_uri:
        message = f"the address does not start with {redirect_uri}, where the server sends people back to"
        raise ConnectionFailed("login_bad_callback", message)
    pairs = parse_qsl(received.query, keep_blank_values=True)
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ConnectionFailed("login_bad_callback", "the address holds a parameter twice")
    if not set(parse_qsl(registered.query, keep_blank_values=True)) <= set(pairs):
        raise ConnectionFailed(
            "login_bad_callback", "the address lacks what the registered redirect URL has in its query"
        )
    return dict(pairs)


def _split_address(url: SplitResult) -> tuple[str, str, int, str]:
    if url.username is not None:
        raise ValueError
    return *Origin.of(url), url.path or "/"
