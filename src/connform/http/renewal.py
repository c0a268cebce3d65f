"""The renewal of a credential, which blocks: a step of its own thread on an event loop.

Layer 1, calls the credential.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from connform.http.credential import Credential, HeaderLines

if TYPE_CHECKING:
    import anyio
    from anyio.lowlevel import RunVar

_MAX_RENEWALS = 40
"""For all clients of an event loop. More threads would not renew faster: they would wait for the state database."""


class CredentialRenewal(NamedTuple):
    """Step: renew a credential. The result is its header lines."""

    credential: Credential
    """The credential."""
    refused: HeaderLines
    """As for `Credential.renew`."""

    def block(self) -> HeaderLines:
        """Renew; blocks the thread."""
        return self.credential.renew(self.refused)

    async def wait(self) -> HeaderLines:
        """Renew in a thread."""
        import anyio.to_thread

        return await anyio.to_thread.run_sync(self.block, limiter=_limiter())


def _limiter() -> anyio.CapacityLimiter:
    """Return the event loop's limit for renewals in threads; it is apart from the 40 threads of anyio's own limit."""
    import anyio

    variable = _limiter_variable()
    try:
        return variable.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(_MAX_RENEWALS)
        variable.set(limiter)
        return limiter


@cache
def _limiter_variable() -> RunVar[anyio.CapacityLimiter]:
    from anyio.lowlevel import RunVar

    return RunVar("connform renewals")
