"""How an OAuth client authenticates at the endpoints of its server: what it adds to a request.

Layer 2, no IO. RFC 6749 §2.3; RFC 7523 §2.2 (`private_key_jwt`); RFC 8705 §2 (`tls_client_auth`).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote_plus

from connform.http.header import HeaderCredential
from connform.secret import Secret

if TYPE_CHECKING:
    from connform.auth.kit.jwt_signer import JwtSigner

CLIENT_AUTH = ("basic", "body", "private_key_jwt", "tls_client_auth", "none")
"""The ways: in a header, in the body, by a signed JWT, by the connection's client certificate, or by the name alone."""
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class App(NamedTuple):
    """The OAuth client: the app as it is registered at the vendor (RFC 6749 §2)."""

    client_id: str
    """The public name of the app; empty where a request names no client (RFC 7523 §2.1)."""
    client_secret: Secret | None
    """The secret of the app; `None` for a public client (RFC 6749 §2.1) and for one that authenticates by a key."""
    authentication: str = "basic"
    """One of `CLIENT_AUTH`. The first two are `none` without a secret."""
    assertion: JwtSigner | None = None
    """Signs the assertions of `private_key_jwt`: `iss` and `sub` are the client id (RFC 7523 §3)."""


class ClientProof(NamedTuple):
    """What a client adds to one request. It holds secrets: call `prove` inside of `hidden_frames`."""

    credential: HeaderCredential | None
    """The header; `None` for none."""
    parameters: Mapping[str, str | Secret]
    """Parameters of the body."""


def prove(app: App) -> ClientProof:
    """Return what the client adds to a request; a JWT is signed anew for each."""
    if app.assertion is not None and app.authentication == "private_key_jwt":
        return ClientProof(
            None,
            {
                "client_id": app.client_id,
                "client_assertion_type": _ASSERTION_TYPE,
                "client_assertion": app.assertion.sign(),
            },
        )
    if app.client_secret is not None and app.authentication == "basic":
        return ClientProof(_basic(app.client_id, app.client_secret), {})
    named = {"client_id": app.client_id} if app.client_id else {}
    if app.client_secret is not None and app.authentication == "body":
        return ClientProof(None, {**named, "client_secret": app.client_secret})
    return ClientProof(None, named)


def _basic(client_id: str, secret: Secret) -> HeaderCredential:
    """Return the `Basic` credential; both parts are form-encoded first (RFC 6749 §2.3.1), because of colons and percent signs."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret.reveal())}"
    value = Secret(b64encode(pair.encode("ascii")).decode("ascii"))
    return HeaderCredential("Authorization", value, key="client_secret", scheme="Basic")
