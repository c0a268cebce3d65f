"""Clients of the simulated authorization server, and how they authenticate at its endpoints.

Layer 2, no IO. RFC 6749 §2.3; RFC 7523 §2.2 and §3; RFC 8705 §2, of which the name alone is checked: the simulator asks for no certificate.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote_plus

from connform.simulator.messages import Request

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FORM, JSON = "form", "json"


@dataclass(frozen=True, slots=True)
class Client:
    """One client as its server knows it. `repr` shows no secret."""

    client_id: str
    """Its name; empty where its requests name none (RFC 7523 §2.1)."""
    grant_types: frozenset[str]
    """What it may ask the token endpoint for."""
    authentication: str = "none"
    """`basic`, `body`, `private_key_jwt`, `tls_client_auth` or `none`."""
    secret: str = field(default="", repr=False)
    """Its secret, for the first two."""
    has_signed: Callable[[str], bool] | None = field(default=None, repr=False)
    """Whether a text is a JWT of this client: for `private_key_jwt`, and for the JWT bearer grant."""
    body: str = FORM
    """The format of its token requests: `form` or `json`."""
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Further parameters that each of its token requests has."""

    def authenticates(self, request: Request, form: Mapping[str, str], secret: str) -> bool:
        """Return whether a request is from this client; `secret` is the one that is right now."""
        named, shown = basic_credentials(request)
        if (named or form.get("client_id", "")) != self.client_id:
            return False
        match self.authentication:
            case "basic":
                return bool(named) and shown == secret and "client_secret" not in form  # one way alone (RFC 6749 §2.3)
            case "body":
                return not named and form.get("client_secret") == secret
            case "private_key_jwt":
                is_jwt = form.get("client_assertion_type") == _ASSERTION_TYPE
                return is_jwt and self.signed(form.get("client_assertion", ""))
        return not named and not secret and "client_secret" not in form

    def signed(self, token: str) -> bool:
        """Return whether a text is a JWT of this client."""
        return self.has_signed is not None and self.has_signed(token)


def body_format(request: Request) -> str:
    """Return the format of a request's body: `form` or `json`, or an empty text for another."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return {"application/x-www-form-urlencoded": FORM, "application/json": JSON}.get(media_type, "")


def parameters_of(request: Request) -> dict[str, str]:
    """Return the parameters in the body of a request, form or JSON; empty for what is neither."""
    if body_format(request) != JSON:
        return dict(parse_qsl(request.body.decode("latin-1"), keep_blank_values=True))
    try:
        content = json.loads(request.body)
    except (ValueError, RecursionError):
        return {}
    return (
        {name: value for name, value in content.items() if isinstance(value, str)} if isinstance(content, dict) else {}
    )


def basic_credentials(request: Request) -> tuple[str, str]:
    """Return client id and secret of the header `Authorization`, each form-decoded (RFC 6749 §2.3.1); empty where there are none."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return unquote_plus(name), unquote_plus(secret)
