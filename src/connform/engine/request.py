"""The verb `request`: sends one HTTP request through the ready client of a connection.

Layer 3; uses the network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from connform.engine.load.manifest import load_manifest
from connform.engine.load.selection import unknown_connection
from connform.engine.run.client import client_settings
from connform.engine.run.context import run_context
from connform.engine.run.state_location import DEFAULT, StateLocation
from connform.errors import UnknownConnection

if TYPE_CHECKING:
    from collections.abc import Sequence


class RawAnswer(NamedTuple):
    """What came back, as it came."""

    status: int
    """HTTP status."""
    headers: list[tuple[str, str]]
    """Header lines in their order."""
    body: bytes
    """The body, decoded from its content coding."""


def request(
    files: Sequence[str],
    name: str,
    method: str,
    path: str,
    *,
    simulate: bool = False,
    body: bytes | None = None,
    content_type: str | None = None,
    form: Sequence[tuple[str, str, bytes]] = (),
    headers: Sequence[tuple[str, str]] = (),
    timeout_s: float | None = None,
    policies: Sequence[str] = (),
    state: StateLocation = DEFAULT,
) -> RawAnswer:
    """Send one request.

    Args:
        files: manifests; empty for the default search.
        name: the connection.
        method: `GET`, `POST`, …
        path: relative to the base URL.
        simulate: against the embedded simulator, with synthetic secrets.
        body: the body, or `None`.
        content_type: its media type.
        form: parts of a multipart form instead: name, file name or nothing, content.
        headers: further header lines.
        timeout_s: the limit of the whole exchange.
        policies: policy files and folders that judge every connection.
        state: where grants lie.

    Raises:
        ManifestInvalid: the manifest has errors.
        UnknownConnection: no connection has that name.
        ConnectionFailed: no answer.
    """
    from connform.http.client import sync_client

    manifest = load_manifest(files, policies)
    if name not in manifest:
        raise UnknownConnection(unknown_connection(name, manifest))
    lines = [*headers, *([("content-type", content_type)] if content_type else [])]
    with (
        run_context(manifest, simulate=simulate, state=state) as context,
        sync_client(client_settings(manifest[name], context, total_s=timeout_s)) as client,
    ):
        parts = [(name, (file or None, content)) for name, file, content in form]
        response = client.request(method, path, content=body, files=parts or None, headers=lines)
        return RawAnswer(response.status_code, list(response.headers.items()), response.content)
