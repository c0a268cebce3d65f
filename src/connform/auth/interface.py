"""The interface of an auth method (`AuthMethod`), and what it makes a credential from (`AuthInputs`).

Layer 2, no IO.
"""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from connform.manifest.rules import Finding
from connform.manifest.shape import Shape
from connform.secret import Secret

if TYPE_CHECKING:
    from connform.auth.oauth.server import AuthorizationServer
    from connform.grant import GrantStore
    from connform.http.credential import Credential
    from connform.http.settings import ClientSettings
    from connform.issued_token import TokenStore


class SecretUse(NamedTuple):
    """One secret of a connection, and one place where it is sent."""

    key: str
    """Its key under `auth:`; empty for what is obtained by the others: a token."""
    url: str = ""
    """Where it is sent; empty for the API itself."""
    use: str = ""
    """What that is: `token_url`, `login_url`; empty for the API itself."""
    place: str = ""
    """What carries it: `header X-Api-Key`; empty if that is the usual header."""


class AuthInputs(NamedTuple):
    """What an auth method gets to make the credential of one connection."""

    connection: str
    """The name of the connection."""
    settings: Mapping[str, Any]
    """The keys under `auth:` that are not secret references, with the method's `defaults` for missing ones."""
    secrets: Mapping[str, Secret]
    """The resolved secrets, by their keys under `auth:`."""
    api_key_header: str
    """The header in which the provider expects an API key."""
    server: "AuthorizationServer"
    """The authorization server of the provider."""
    grants: "Callable[[], GrantStore]"
    """Opens the grant store of the connection; called only by methods that need a grant."""
    tokens: "Callable[[], TokenStore]"
    """Opens the store of the connection's issued token; called only by methods that obtain a token without a person."""
    client: "ClientSettings"
    """The client settings of the connection, without a credential."""
    values: Mapping[str, str] = MappingProxyType({})
    """What `{name}` stands for in the texts of the method: values of the provider, and settings of the connection."""
    references: Mapping[str, str] = MappingProxyType({})
    """The secret references, by their keys under `auth:`."""


class AuthMethod(Protocol):
    """One way to authenticate. A class that inherits from it has the defaults of the members that have one."""

    uses_grant: bool = False
    """Whether it uses the grant of a person's login. Such a method has the keys of `oauth2`, which `login` and `apply` read."""
    default_scopes: tuple[str, ...] = ()
    """The scopes that are requested if the manifest names none (RFC 6749 §3.3)."""
    refresh_scope: str = ""
    """The scope with which the server issues refresh tokens; empty where none is needed."""
    obtains_token: bool = False
    """Whether it obtains a token without a person."""
    endpoints: tuple[str, ...] = ()
    """The URLs of its server that the connection gives, unless its provider does, or `issuer` says where they are."""
    defaults: Mapping[str, Any] = MappingProxyType({})
    """The keys that a connection doesn't give, such as those of a provider's definition."""

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

    def credential(self, inputs: AuthInputs) -> "Credential":
        """Return the credential of a connection. No IO.

        Raises:
            ConnectionFailed: `secret_malformed`; the message never contains the value.
        """


class HasUses(Protocol):
    """An auth method that says where its secrets are sent. Those of a method without `uses` are sent to the API."""

    def uses(self, auth: Mapping[str, Any], server: "AuthorizationServer") -> Iterator[SecretUse]:
        """Yield where each secret is sent.

        Args:
            auth: the keys under `auth:`, secret references included, with `defaults` for missing ones.
            server: where tokens come from.
        """


class MethodKind(HasUses, Protocol):
    """What the auth methods of one kind have in common; a provider's file or a connection describes the rest."""

    uses_grant: bool = False
    """As for `AuthMethod`."""
    obtains_token: bool = False
    """As for `AuthMethod`."""
    uses_by_keys: bool = False
    """Whether the places of `uses` depend on which keys there are, and on the content of `headers`, `query` and `basic` alone."""

    def rules(self, auth: Mapping[str, Any]) -> Iterator[Finding]:  # noqa: ARG002  (the default needs none)
        """Yield findings as `AuthMethod.rules` does. The default yields none."""
        yield from ()

    def judge(self, key: str, secret: Secret) -> None:
        """Require that a secret is usable; as for `AuthMethod`."""

    def credential(self, inputs: AuthInputs) -> "Credential":
        """Return the credential of a connection; as for `AuthMethod`."""
