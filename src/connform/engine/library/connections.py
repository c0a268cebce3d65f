"""`load`, `connect` and the `Connections` of a program. Layer 3; reads manifests, and what `ReadyConnection` reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Self

from connform.engine.library.arguments import Files, file_names
from connform.engine.library.ready_connection import ReadyConnection
from connform.engine.load.manifest import load_manifest
from connform.engine.load.selection import unknown_connection
from connform.engine.run.context import RunContext, real_context, simulated_context, simulation
from connform.engine.run.state_location import StateLocation
from connform.errors import UnknownConnection
from connform.manifest.decode import Manifest

if TYPE_CHECKING:
    import httpx

    from connform.simulator import Simulator

_SHOWN = 5
"""How many names `repr` shows."""


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


def load(files: Files = (), *, simulator: Simulator | None = None, state: str = "", state_key: str = "") -> Connections:
    """Return the connections of manifests. No secret is read.

    Args:
        files: one manifest or folder, or several; empty: `connections.yaml`, or else the folder `connections/`, here or in the nearest folder above.
        simulator: a running simulator that answers instead of the real hosts.
        state: the URL of the state database with the grants: `postgresql://…` or `sqlite:///folder`; default: the folder `.connform`
            beside each manifest.
        state_key: a secret reference to the key that encrypts the grants; default: a key file in that folder.

    Returns:
        The connections by name; `connections["sandbox-us"].client()` makes a client.

    Raises:
        ManifestInvalid: a manifest has errors.
    """
    manifest = load_manifest(file_names(files))
    if simulator:
        simulated = simulated_context(simulator)
        return Connections(manifest, lambda: simulated)
    real = real_context(manifest, StateLocation(state, state_key), long_lived=True)
    return Connections(manifest, lambda: simulation() or real)  # asked each time: a module may load before its tests


def connect(
    name: str, files: Files = (), *, simulator: Simulator | None = None, state: str = "", state_key: str = ""
) -> httpx.Client:
    """Return the ready client of one connection. Use it in a `with` statement.

    It is `load(files)[name].client()`: the secrets are read, and nothing is sent.

    Args:
        name: the connection.
        files: manifests, as for `load`.
        simulator: a running simulator that answers instead of the real host.
        state: the state database, as for `load`.
        state_key: the key of the grants, as for `load`.

    Returns:
        The client; `ReadyConnection.client` says what its requests raise. A customer's login that is missing, or has ended, is
        known to the first request: a `RequestFailed` with the fault `login_required`.

    Raises:
        ManifestInvalid: a manifest has errors.
        UnknownConnection: no connection has that name.
        SecretUnresolved: a secret can't be resolved.
        ConnectionFailed: a setting or a file (certificate, private key) can't be used.
    """
    return load(files, simulator=simulator, state=state, state_key=state_key)[name].client()
