"""What an auth method is: how resolved secrets become request headers.

Layer 2, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from connform.manifest.rules import Finding
    from connform.manifest.shape import Shape
    from connform.secret import Secret


class Credential(Protocol):
    """What the transport adds to a request, below everything that a user can see."""

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the header lines that carry the credential."""


class AuthMethod(Protocol):
    """One way to authenticate."""

    @property
    def shape(self) -> Shape:
        """The keys under `auth:` that belong to this method."""

    def rules(self, auth: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield what a schema can't say of one effective `auth:` mapping."""

    def credential(self, secrets: Mapping[str, Secret], api_key_header: str) -> Credential:
        """Turn resolved secrets, by their key under `auth:`, into a credential.

        Raises:
            ConnectionFailed: `secret_malformed` (never echoing the value) or `login_required`.
        """
