"""The interface of an auth method (`AuthMethod`), and what it makes a credential from (`AuthInputs`).

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from connform.grant import GrantStore
from connform.http.settings import ClientSettings, Credential
from connform.issued_token import TokenStore
from connform.manifest.rules import Finding
from connform.manifest.shape import Shape
from connform.secret import Secret

if TYPE_CHECKING:
    from connform.auth.oauth.server import AuthorizationServer


class AuthInputs(NamedTuple):
    """What an auth method gets to make the credential of one connection."""

    connection: str
    """The name of the connection."""
    settings: Mapping[str, Any]
    """The keys under `auth:` that are not secret references."""
    secrets: Mapping[str, Secret]
    """The resolved secrets, by their keys under `auth:`."""
    api_key_header: str
    """The header in which the provider expects an API key."""
    server: AuthorizationServer
    """The authorization server of the provider."""
    grants: Callable[[], GrantStore]
    """Opens the grant store of the connection; called only by methods that need a grant."""
    tokens: Callable[[], TokenStore]
    """Opens the store of the connection's issued token; called only by methods that obtain a token without a person."""
    client: ClientSettings
    """The client settings of the connection, without a credential."""


class AuthMethod(Protocol):
    """One way to authenticate. A class that inherits from it has the defaults of the members that have one."""

    uses_grant: bool = False
    """Whether it uses the grant of a person's login. Such a method has the keys of `oauth2`, which `login` and `apply` read."""

    @property
    def shape(self) -> Shape:
        """The keys under `auth:` that belong to this method."""

    def rules(self, auth: Mapping[str, Any]) -> Iterator[Finding]:  # noqa: ARG002  (the default needs none)
        """Yield findings about an effective `auth:` mapping that a JSON Schema can't express. The default yields none."""
        yield from ()

    def judge(self, key: str, secret: Secret) -> None:
        """Require that a secret is usable for one key of this method. `credential` requires the same.

        Raises:
            ConnectionFailed: `secret_malformed`; the message never contains the value.
        """

    def credential(self, inputs: AuthInputs) -> Credential:
        """Return the credential of a connection. No IO.

        Raises:
            ConnectionFailed: `secret_malformed`; the message never contains the value.
        """
