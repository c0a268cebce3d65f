"""The endpoints of an authorization server, and their discovery (RFC 8414, OpenID Connect Discovery 1.0).

Layer 2; `discover` uses the network. Discovered endpoints must be on the origin of the issuer.
"""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from connform.errors import ConnectionFailed
from connform.origin import Origin
from connform.secret import Secret

if TYPE_CHECKING:
    from connform.http.settings import ClientSettings

_MAX_BODY_BYTES = 1024 * 1024
_NOT_FOUND = 404
_METADATA = {
    "authorize_url": "authorization_endpoint",
    "token_url": "token_endpoint",
    "revoke_url": "revocation_endpoint",
    "device_authorization_url": "device_authorization_endpoint",
}
"""Endpoint → its name in the metadata of an issuer (RFC 8414 §2, RFC 8628 §4)."""


class TokenOptions(NamedTuple):
    """What a server wants of each token request besides the parameters of its grant."""

    parameters: Mapping[str, str | Secret] = MappingProxyType({})
    """Further parameters, such as `audience` or `resource`; those of the grant replace them."""
    body: str = "form"
    """`form`, as RFC 6749 says, or `json`."""


class AuthorizationServer(NamedTuple):
    """The endpoints of one authorization server; an empty URL is unknown."""

    authorize_url: str = ""
    """The authorization endpoint (RFC 6749 §3.1)."""
    token_url: str = ""
    """The token endpoint (RFC 6749 §3.2)."""
    revoke_url: str = ""
    """The revocation endpoint (RFC 7009)."""
    issuer: str = ""
    """Its issuer identifier (RFC 8414 §2), if the manifest declares one."""
    is_named_in_answers: bool = False
    """Whether its metadata say that every authorization response names it (RFC 9207 §3)."""
    device_authorization_url: str = ""
    """The device authorization endpoint (RFC 8628 §3.1)."""
    refresh_url: str = ""
    """Where refresh tokens are sent, if not to the token endpoint."""
    has_pkce: bool = True
    """Whether it takes PKCE (RFC 7636)."""
    options: TokenOptions = TokenOptions()
    """What it wants of each token request."""
    login_url: str = ""
    """Where one login call gets a token, without OAuth."""

    def may_renew(self, token_url: str) -> bool:
        """Whether a token endpoint belongs to this server. Only then may the refresh token of its grant be sent there."""
        if self.token_url:
            return token_url == self.token_url
        return same_origin(token_url, self.issuer)


def discover(
    server: AuthorizationServer, settings: "ClientSettings", needed: Sequence[str] = ("authorize_url", "token_url")
) -> AuthorizationServer:
    """Return the server with unknown endpoints added from the metadata of its issuer.

    Args:
        server: the endpoints that the manifest and the provider declare.
        settings: time-outs, TLS and proxy of the connection.
        needed: the endpoints without which there is no login; the revocation endpoint is added where there is one.

    Raises:
        ConnectionFailed: `login_issuer_mismatch`, `token_endpoint_unavailable`, `config_invalid`, a fault of the network.
    """
    if all(getattr(server, key) for key in needed):
        return server
    if not server.issuer:
        message = "neither the provider nor the manifest says where the authorization server is"
        hint = f"write {' and '.join(f'`{key}`' for key in needed)}, or `issuer`, under `auth:`"
        raise ConnectionFailed("config_invalid", message, hint)
    metadata = _fetch_metadata(server.issuer, settings)
    if metadata.get("issuer") != server.issuer:
        raise ConnectionFailed("login_issuer_mismatch", f"the metadata of {server.issuer} name another issuer")
    found: dict[str, Any] = {
        key: getattr(server, key) or _endpoint(metadata, _METADATA[key], server.issuer, is_optional=key not in needed)
        for key in (*needed, "revoke_url")
    }
    is_named_in_answers = metadata.get("authorization_response_iss_parameter_supported") is True
    return server._replace(**found, is_named_in_answers=is_named_in_answers)


def settings_for(url: str, client: "ClientSettings") -> "ClientSettings":
    """Return the client settings for one call of an authorization server.

    `ca_file` is that of the API. The usual layout of a company is an API of its own with a public login server: another server
    than the API's may also have a certificate that the system trusts.

    Args:
        url: an endpoint or the issuer; its origin is the base URL.
        client: the settings of the connection.
    """
    parts = urlsplit(url)
    return client._replace(
        base_url=f"{parts.scheme}://{parts.netloc}",
        credential=None,
        headers={},  # those of the API
        query={},
        trusts_system=not same_origin(url, client.base_url),
        max_body_bytes=_MAX_BODY_BYTES,
    )


def _fetch_metadata(issuer: str, settings: "ClientSettings") -> dict[str, Any]:
    from connform.http import sync_client

    settings = settings_for(issuer, settings)
    origin, path = settings.base_url, urlsplit(issuer).path.rstrip("/")
    urls = (
        f"{origin}{path}/.well-known/openid-configuration",
        f"{origin}/.well-known/oauth-authorization-server{path}",
    )
    with sync_client(settings) as client:
        for url in urls:
            answer = client.get(url, headers={"Accept": "application/json"})
            if answer.is_success:
                return _json_object(answer.content, url)
            if answer.status_code != _NOT_FOUND:
                raise ConnectionFailed("token_endpoint_unavailable", f"{url} answered {answer.status_code}")
    hint = "correct `issuer`, or write `authorize_url` and `token_url` instead"
    raise ConnectionFailed("token_endpoint_unavailable", f"{issuer} publishes no metadata (RFC 8414)", hint)


def _json_object(body: bytes, url: str) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise ConnectionFailed("token_endpoint_unavailable", f"{url} answered without a JSON object")
    return content


def _endpoint(metadata: dict[str, Any], name: str, issuer: str, *, is_optional: bool = False) -> str:
    url = metadata.get(name)
    if url is None and is_optional:
        return ""
    if not isinstance(url, str) or not same_origin(url, issuer):
        message = f"the metadata of {issuer} name no `{name}` on its own origin"
        hint = "if it rightly lies elsewhere, write it under `auth:`: what the manifest says is taken as it stands"
        raise ConnectionFailed("login_issuer_mismatch", message, hint)
    return url


def same_origin(one: str, other: str) -> bool:
    """Return whether two URLs lead to the same scheme, host and port (RFC 6454 §5)."""
    try:
        return Origin.of(one) == Origin.of(other)
    except ValueError:
        return False
