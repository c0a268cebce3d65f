"""Auth methods that a provider's file describes: the definition in it, and what makes an auth method of that.

Layer 2, no IO.
"""

from __future__ import annotations

from connform.auth.described.definition import Method
from connform.auth.described.method import DescribedMethod
from connform.auth.interface import AuthMethod


def described_method(method: Method) -> AuthMethod:
    """Return the auth method of a definition."""
    return DescribedMethod(method)
