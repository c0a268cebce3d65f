"""Auth methods that send their secrets as they are: in headers, in the query, as a Basic pair; or that send nothing.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from connform.auth.described.definition import NO_VALUES
from connform.auth.interface import AuthInputs, MethodKind, SecretUse
from connform.auth.kit.placement import Placement
from connform.http.credential import Credential, HeaderLines
from connform.http.header import require_password
from connform.secret import Secret

if TYPE_CHECKING:
    from connform.auth.oauth.server import AuthorizationServer


class SentSecrets(MethodKind):
    """Methods whose settings say where their secrets are sent: `headers`, `query`, `basic`."""

    uses_by_keys = True

    def uses(self, auth: Mapping[str, Any], server: AuthorizationServer) -> Iterator[SecretUse]:  # noqa: ARG002  (no token comes from elsewhere)
        """Yield the place of each secret."""
        placement = placement_of(auth)
        for key in auth:
            if place := placement.place(key):
                yield SecretUse(key, place=place)

    def judge(self, key: str, secret: Secret) -> None:
        """Require a secret of one line. `credential` requires what its place needs as well."""
        require_password(secret, key=key)

    def credential(self, inputs: AuthInputs) -> Credential:
        """Return the credential that sends the secrets; a header whose secret isn't given isn't sent."""
        placement = placement_of(inputs.settings)
        for key, secret in inputs.secrets.items():
            placement.judge(key, secret)
        return SentSecretsCredential(placement.scheme, placement.lines(inputs.secrets, inputs.values))


class SentSecretsCredential(Credential):
    """Secrets that are sent as they are. No output shows it."""

    __slots__ = ("_lines", "scheme")
    is_renewable = False  # a plain attribute, because each request reads it
    scheme: str

    def __init__(self, scheme: str, lines: HeaderLines) -> None:
        self.scheme = scheme
        self._lines = lines

    def headers(self) -> HeaderLines:
        """Return what carries the credential."""
        return self._lines

    def __repr__(self) -> str:
        return "<credential>"


def placement_of(auth: Mapping[str, Any]) -> Placement:
    """Return the placement that the keys under `auth:` say."""
    texts = [auth.get(key, NO_VALUES) for key in ("headers", "query", "basic")]
    return _placement(*[tuple(one.items()) for one in texts])


@lru_cache(maxsize=256)  # thousands of connections have the same method
def _placement(*texts: tuple[tuple[str, str], ...]) -> Placement:
    return Placement(*map(dict, texts))


SENT_SECRETS = SentSecrets()
