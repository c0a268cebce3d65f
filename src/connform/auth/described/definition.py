"""The definition of an auth method: what a provider's file, or a connection itself, says of it.

Layer 2, no IO.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from connform.auth.described.kinds import kind_of

NO_VALUES: Mapping[str, Any] = MappingProxyType({})


class Method(NamedTuple):
    """One way to authenticate, as it is written; its keys are those of `entry_auth.METHOD`."""

    use: str = ""
    """When to choose it."""
    secrets: Mapping[str, Mapping[str, Any]] = NO_VALUES
    """The keys under `auth:` that take secret references, each with `optional` and `variables`."""
    headers: Mapping[str, str] = NO_VALUES
    """Header → its text, with at most one secret at its end."""
    query: Mapping[str, str] = NO_VALUES
    """Query parameter → its text, likewise."""
    basic: Mapping[str, str] = NO_VALUES
    """`username` and `password` of Basic authentication (RFC 7617), each a constant, a setting or a secret."""
    none: bool = False
    """Whether it sends nothing."""
    root: str = ""
    """The API root of its connections, if that is another one."""
    flow: str = ""
    """An OAuth 2.0 flow: how it obtains its token; empty for a method without one."""
    authorize_url: str = ""
    """OAuth 2.0 authorization endpoint (RFC 6749 §3.1)."""
    token_url: str = ""
    """OAuth 2.0 token endpoint (RFC 6749 §3.2)."""
    refresh_url: str = ""
    """Where refresh tokens are sent, if that is another endpoint."""
    device_authorization_url: str = ""
    """Device authorization endpoint (RFC 8628 §3.1)."""
    revoke_url: str = ""
    """OAuth 2.0 revocation endpoint (RFC 7009); empty where none is known."""
    scopes: tuple[str, ...] = ()
    """What is requested if the manifest names no scopes (RFC 6749 §3.3)."""
    refresh_scope: str = ""
    """The scope with which the server issues refresh tokens; empty where none is needed."""
    redirect: str = "loopback"
    """Where a login may come back to by plain http: `loopback`, or nowhere (`https`)."""
    pkce: bool = True
    """Whether the server takes PKCE (RFC 7636)."""
    client_auth: str = ""
    """How a client authenticates at the token endpoint, if the manifest doesn't say it."""
    token_format: str = "form"  # noqa: S105  (the name of a format)
    """The format of token requests: `form` or `json`."""
    token_params: Mapping[str, str] = NO_VALUES
    """Further parameters of token requests, with settings in them."""
    jwt: Mapping[str, Any] = NO_VALUES
    """How its JWT is signed (`entry_auth.JWT`); empty for none."""
    login: Mapping[str, Any] = NO_VALUES
    """The call that returns its token (`entry_auth.LOGIN`); empty for none."""

    @property
    def login_url(self) -> str:
        """The URL of the login call; empty for none."""
        url: str = self.login.get("url", "")
        return url

    @property
    def kind(self) -> str:
        """Its kind (`kinds.KEYS`)."""
        return kind_of({key: value for key, value in self._asdict().items() if value})


def frozen(node: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping with tuples for lists."""
    return {
        key: tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
        for key, value in node.items()
    }
