"""Access tokens that no person consented to (RFC 6749 §4.4, RFC 7523 §2.1): a token, its facts, and the protocol of where it is stored.

Layer 0, no IO: `database/` stores issued tokens, `auth/tokens/` obtains and uses them. They can be obtained again at any time: no grant is lost
with one.
"""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import NamedTuple, Protocol

from connform.secret import Secret


class TokenFacts(NamedTuple):
    """The facts of an issued token that may be shown; none is secret."""

    obtained_at: datetime
    """When it was issued, aware UTC."""
    expires_at: datetime | None
    """When it expires, aware UTC; `None` if the server sent no lifetime: it is used until the API refuses it."""
    scopes: tuple[str, ...]
    """The scopes that the server says it has; empty if it says nothing."""


class IssuedToken(NamedTuple):
    """One access token, with what it was issued for."""

    connection: str
    """The name of its connection."""
    binding: str
    """What it was issued for, as canonical JSON (`auth.tokens.interface.TokenRequest.binding`). For another binding it is never used."""
    access_token: Secret
    """The token."""
    facts: TokenFacts
    """The facts that may be shown."""
    obtained_with: Secret = Secret("")
    """A digest of the secrets that obtained it, sealed with it. With other secrets it is never used."""


class TokenStore(Protocol):
    """Storage of issued tokens, one for each connection. Safe to share between threads."""

    def read(self, connection: str) -> IssuedToken | None:
        """Return the token of a connection, without locking it; `None` if there is none.

        Raises:
            ConnectionFailed: a fault of the state database.
        """

    def lock(self, connection: str, timeout_s: float) -> AbstractContextManager[None]:
        """Return a context in which no other thread, process or machine obtains the token of a connection; entering waits for it.

        Raises:
            ConnectionFailed: `store_locked`, not free within `timeout_s`; another fault of the state database.
        """

    def write(self, token: IssuedToken) -> None:
        """Replace the token of its connection; errors as for `read`."""

    def delete(self, connection: str) -> bool:
        """Delete the token of a connection, and return whether there was one; needs no key. Errors as for `read`."""
