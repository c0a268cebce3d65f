"""The public functions of `import connform`: `load`, `connect`, `validate`, `check` and `apply`.

Layer 3; reads manifests. `check`, `apply` and the ready clients use the network.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Self, TypeAlias

from connform.engine import apply as _apply
from connform.engine import check as _check
from connform.engine import validate as _validate
from connform.engine.changes.approval import Approval
from connform.engine.load.catalog import provider_of
from connform.engine.load.manifest import load_manifest
from connform.engine.load.selection import Selection, unknown_connection
from connform.engine.report import Report
from connform.engine.run.actor import actor
from connform.engine.run.client import client_settings, late_settings
from connform.engine.run.context import RunContext, real_context, simulated_context, simulation
from connform.engine.run.state_location import StateLocation
from connform.errors import UnknownConnection
from connform.http.settings import NO_LINES
from connform.manifest.decode import Manifest
from connform.manifest.model import Connection
from connform.simulator import Simulator

if TYPE_CHECKING:
    import httpx

    from connform.http.limits import Holder
    from connform.origin import Origin


Files: TypeAlias = "str | os.PathLike[str] | Iterable[str | os.PathLike[str]]"
"""One manifest or folder, or several. Empty: `connections.yaml`, or else the folder `connections/`."""


_SHOWN = 5
"""How many names `repr` shows."""


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

        Raises:
            ConnectionFailed: a secret can't be resolved, a file can't be read, or a login is required.
        """
        from connform.http.client import sync_client

        return sync_client(client_settings(self.declared, self._context(), rereads=True))

    def async_client(self) -> httpx.AsyncClient:
        """Return the same as an `httpx.AsyncClient`.

        In an event loop it reads no secret but a proxy's password, since that would stop the other tasks: the first request does,
        and raises what `client` raises. Elsewhere errors as for `client`.
        """
        from connform.http.client import async_client

        context = self._context()
        if _runs_an_event_loop():
            return async_client(late_settings(self.declared, context))
        return async_client(client_settings(self.declared, context, rereads=True))

    async def build_async_client(self) -> httpx.AsyncClient:
        """Return the same with its secrets read, while other tasks go on; errors as for `client`."""
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


class Connections(Mapping[str, ReadyConnection]):
    """The connections of a manifest, by name, in the order of the manifest. Threads may share it.

    A program keeps it for as long as it runs: `docs/guides/library.md` says how long secrets and failures are remembered.
    """

    def __init__(self, manifest: Manifest, context: Callable[[], RunContext]) -> None:
        self._manifest = manifest
        self._context = context

    def __getitem__(self, name: str) -> ReadyConnection:
        if name not in self._manifest:
            raise UnknownConnection(unknown_connection(name, self._manifest))
        return ReadyConnection(self._manifest[name], self._context)

    def __iter__(self) -> Iterator[str]:
        return iter(self._manifest)

    def __len__(self) -> int:
        return len(self._manifest)

    def refresh(self) -> None:
        """Let all clients read their secrets again before their next request, ready ones too, from stores that are opened anew.

        A secret that can't be read then stays as it was, and is tried again. The call waits for nothing: a signal handler may make it.
        """
        context = self._context()
        context.source.expire_all()
        context.credentials.clear()

    def close(self) -> None:
        """Wait for renewals that are under way, log out of the stores, and let go of the state database.

        Close the clients first; a later client opens the stores again. A renewed grant that the database does not take is waited for
        as well, a minute at most.
        """
        from connform.auth.oauth.renewal_thread import wait_for_renewals
        from connform.auth.oauth.unsaved import wait_until_written

        wait_for_renewals()
        wait_until_written()
        context = self._context()
        context.credentials.clear()
        context.tokens.close()
        context.grants.close()
        context.source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        shown = ", ".join(islice(self._manifest, _SHOWN))
        more = f" and {len(self) - _SHOWN} more" if len(self) > _SHOWN else ""
        return f"<Connections {shown}{more}>"


def _runs_an_event_loop() -> bool:
    import anyio.lowlevel

    try:
        anyio.lowlevel.current_token()
    except RuntimeError:
        return False
    return True


def load(files: Files = (), *, simulator: Simulator | None = None, state: str = "", state_key: str = "") -> Connections:
    """Return the connections of manifests. No secret is read.

    Args:
        files: manifests.
        simulator: a running simulator that answers instead of the real hosts.
        state: the URL of the state database with the grants: `postgresql://…` or `sqlite:///folder`; default: the folder `.connform`
            beside each manifest.
        state_key: a secret reference to the key that encrypts the grants; default: a key file in that folder.

    Raises:
        ManifestInvalid: a manifest has errors.
    """
    manifest = load_manifest(_names(files))
    if simulator:
        simulated = simulated_context(simulator)
        return Connections(manifest, lambda: simulated)
    real = real_context(manifest, StateLocation(state, state_key), long_lived=True)
    return Connections(manifest, lambda: simulation() or real)  # asked each time: a module may load before its tests


def connect(
    name: str, file: Files = (), *, simulator: Simulator | None = None, state: str = "", state_key: str = ""
) -> httpx.Client:
    """Return the ready client of one connection. Use it in a `with` statement.

    Args:
        name: the connection.
        file: manifests.
        simulator: a running simulator that answers instead of the real host.
        state: the state database, as for `load`.
        state_key: the key of the grants, as for `load`.

    Raises:
        ManifestInvalid: a manifest has errors.
        UnknownConnection: no connection has that name.
        ConnectionFailed: a secret can't be resolved, a file can't be read, or a login is required.
    """
    return load(file, simulator=simulator, state=state, state_key=state_key)[name].client()


def validate(files: Files = (), *, policies: Files = ()) -> Report:
    """Return every error and warning of manifests, offline. `policies`: policy files and folders that judge every connection."""
    return _validate.validate(_names(files), policies=_names(policies))


def check(
    files: Files = (),
    connections: Iterable[str] = (),
    *,
    policies: Files = (),
    simulate: bool = False,
    timeout_s: float | None = None,
    state: str = "",
    state_key: str = "",
) -> Report:
    """Check connections live.

    Args:
        files: manifests.
        connections: names or globs; empty: all.
        policies: policy files and folders that judge every connection.
        simulate: use the embedded simulator and synthetic secrets.
        timeout_s: the limit of each check.
        state: the state database, as for `load`.
        state_key: the key of the grants, as for `load`.

    Raises:
        UnknownConnection: a name or glob that matches nothing.
    """
    selection = Selection(tuple(connections))
    return _check.check(
        _names(files),
        selection,
        _names(policies),
        simulate=simulate or simulation() is not None,
        timeout_s=timeout_s,
        state=StateLocation(state, state_key),
    )


def apply(
    files: Files = (),
    connections: Iterable[str] = (),
    *,
    policies: Files = (),
    simulate: bool = False,
    force: bool = False,
    timeout_s: float | None = None,
    state: str = "",
    state_key: str = "",
) -> Report:
    """Apply the manifests, as the command `apply` does, without asking for confirmation.

    Arguments as for `check`; `force` skips the safety rules.

    Raises:
        UnknownConnection: a name or glob that matches nothing.
        Refused: a safety rule refuses the plan.
        ConnectionFailed: a fault of the state database, before anything was done.
    """
    selection = Selection(tuple(connections))
    return _apply.apply(
        _names(files),
        selection,
        _names(policies),
        by=actor(),
        approval=Approval(force=force),
        simulate=simulate or simulation() is not None,
        timeout_s=timeout_s,
        state=StateLocation(state, state_key),
    )


def _names(files: Files) -> list[str]:
    if isinstance(files, str | os.PathLike):
        files = [files]
    return [os.fspath(name) for name in files]
