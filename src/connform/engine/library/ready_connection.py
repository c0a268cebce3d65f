"""`ReadyConnection`: makes the clients of one connection. Layer 3; reads secrets; its clients use the network."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from connform.engine.load.catalog import provider_of
from connform.engine.run.client import client_settings, late_settings
from connform.engine.run.context import RunContext
from connform.http.credential import NO_LINES
from connform.manifest.model import Connection

if TYPE_CHECKING:
    import httpx

    from connform.http.limits import Holder
    from connform.origin import Origin


class ReadyConnection:
    """One connection of a manifest. Secrets are read when a client is made, and again when a server refuses them."""

    def __init__(self, connection: Connection, context: Callable[[], RunContext]) -> None:
        self._context = context
        self.declared = connection
        """The connection with its effective values."""
        self.name = connection.name
        """Its name."""
        self.base_url = provider_of(connection).instance(connection).base_url
        """The API root."""

    def client(self) -> httpx.Client:
        """Return an `httpx.Client` with the base URL, credential, time-outs and trusted certificates of this connection.

        It reads the secrets, and sends nothing: a token is obtained, and a grant is read, by the first request.

        Returns:
            The client. Its requests raise `RequestFailed`, an `httpx.TransportError`: for a failure of the network, and for a
            missing credential (a login is required, the token endpoint refused, a secret can't be read). One that has to do with
            a secret is a `SecretUnresolved` as well. A request to another origin raises `Refused`, an `httpx.RequestError`. An
            answer with an error status is returned, as httpx does.

        Raises:
            SecretUnresolved: a secret can't be resolved.
            ConnectionFailed: a setting or a file (certificate, private key) can't be used.
        """
        from connform.http.client import sync_client

        return sync_client(client_settings(self.declared, self._context(), rereads=True))

    def async_client(self) -> httpx.AsyncClient:
        """Return the same as `client`, as an `httpx.AsyncClient`.

        In an event loop it reads no secret but a proxy's password, since that would stop the other tasks: the first request does,
        and raises `RequestFailed`.

        Raises:
            SecretUnresolved: outside of an event loop, as for `client`.
            ConnectionFailed: as for `client`.
        """
        from connform.http.client import async_client

        context = self._context()
        if _runs_an_event_loop():
            return async_client(late_settings(self.declared, context))
        return async_client(client_settings(self.declared, context, rereads=True))

    async def build_async_client(self) -> httpx.AsyncClient:
        """Return the same as `async_client` with its secrets read, while other tasks go on.

        Raises:
            SecretUnresolved: as for `client`.
            ConnectionFailed: as for `client`.
        """
        import anyio.to_thread

        return await anyio.to_thread.run_sync(self.async_client)

    def rate_limits(self) -> dict[str, float]:
        """Return the paths for which the server asked this connection's credential to wait (429), each with the seconds left.

        Until then, no client of this process sends a request there. Errors as for `client`: it reads the secrets, unless they were read.
        """
        from connform.http import limits

        return limits.delays_s(*self._limited())

    def reset_rate_limits(self) -> None:
        """Let the next requests be sent at once, whatever the server asked for. Errors as for `rate_limits`."""
        from connform.http import limits

        limits.forget(*self._limited())

    def _limited(self) -> tuple[Origin, Holder]:
        """Return the origin and the credential for which rate limits are remembered."""
        from connform.http.origin import pinned_origin

        settings = client_settings(self.declared, self._context(), rereads=True)
        lines = settings.credential.headers() if settings.credential else NO_LINES
        return pinned_origin(settings.base_url), settings.account or lines

    def __repr__(self) -> str:
        return f"<ReadyConnection {self.name} {self.base_url}>"


def _runs_an_event_loop() -> bool:
    import anyio.lowlevel

    try:
        anyio.lowlevel.current_token()
    except RuntimeError:
        return False
    return True
