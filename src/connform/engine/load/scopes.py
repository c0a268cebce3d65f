"""The scopes of an OAuth connection: those that a login requests, and those that the customer did not grant.

Layer 3, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from connform.engine.load.catalog import DEFAULT_PROVIDER, Definition, own_methods, provider, uses_grant
from connform.manifest.rules import Finding

if TYPE_CHECKING:
    from connform.grant import GrantFacts

_OFFLINE_ACCESS = "offline_access"
"""The scope that brings a refresh token (OpenID Connect Core 1.0 §11). Some servers don't name it among the granted ones."""


def requested_scopes(connection: Mapping[str, Any], definition: Definition = None) -> tuple[str, ...]:
    """Return the scopes that an effective connection names, otherwise the default ones of its provider (RFC 6749 §3.3).

    They are empty for none, for an auth method without a grant, and for a recorded connection whose provider is not installed.
    """
    auth, name = connection["auth"], connection.get("provider", DEFAULT_PROVIDER)
    if not uses_grant(connection, definition):
        return ()
    if "scopes" in auth:
        return tuple(auth["scopes"])
    try:
        own = own_methods(name, definition).get(auth["method"])
        return tuple(getattr(own or provider(name, definition), "default_scopes", ()))
    except LookupError:
        return ()


def missing_scopes(requested: Sequence[str], facts: GrantFacts) -> tuple[str, ...]:
    """Return the requested scopes that a grant lacks; a refresh token shows that `offline_access` is granted."""
    granted = {*facts.scopes, _OFFLINE_ACCESS} if facts.is_renewable else {*facts.scopes}
    return tuple(scope for scope in requested if scope not in granted)


def ungranted(requested: Sequence[str], facts: GrantFacts) -> str:
    """Return a warning about the requested scopes that a grant lacks; empty if it has all of them."""
    missing = " ".join(missing_scopes(requested, facts))
    return f"the customer did not grant {missing}: where it is needed, have them log in again" if missing else ""


def findings(connection: Mapping[str, Any], refresh_scope: str, definition: Definition) -> Iterator[Finding]:
    """Yield a finding if an effective OAuth connection lacks the scope with which its provider issues refresh tokens."""
    if refresh_scope not in requested_scopes(connection, definition):
        lack = f"without the scope `{refresh_scope}` there is no refresh token"
        detail = f"{lack}: the login must be repeated when the token ends"
        yield Finding("no-refresh-token", ("auth", "scopes"), detail, f"add {refresh_scope}")
