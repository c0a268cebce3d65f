"""The interface of an auth method (`AuthMethod`), and what it makes a credential from (`AuthInputs`).

Layer 2, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from connform.auth.oauth.server import AuthorizationServer
    from connform.grant import GrantStore
    from connform.http.settings import ClientSettings, Credential
    from connform.manifest.rules import Finding
    from connform.manifest.shape import Shape
    from connform.secret import Secret


class AuthInputs(NamedTuple):
    """What one connection gives to its auth method."""

    connection: str
    """Its name."""
    settings: Mapping[str, Any]
    """The plain keys under `auth:`."""
    secrets: Mapping[str, Secret]
    """The resolved ones."""
    api_key_header: str
    """The header in which the provider expects a key."""
    server: AuthorizationServer
    """The provider's own."""
    grants: Callable[[], GrantStore]
    """Returns where its grant lies; only a method that needs one asks."""
    client: ClientSettings
    """How the connection's network is reached; its credential is still missing."""


class AuthMethod(Protocol):
    """One way to authenticate."""

    @property
    def shape(self) -> Shape:
        """The keys under `auth:` that belong to this method."""

    def rules(self, auth: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield what a schema can't say of one effective `auth:` mapping."""

    def judge(self, key: str, secret: Secret) -> None:
        """Let a secret pass that can be what stands behind a key of this method; `credential` lets no other pass.

        Raises:
            ConnectionFailed: `secret_malformed`, never echoing the value.
        """

    def credential(self, inputs: AuthInputs) -> Credential:
        """Turn what a connection gives into a credential. No IO.

        Raises:
            ConnectionFailed: `secret_malformed`, never echoing the value.
        """
