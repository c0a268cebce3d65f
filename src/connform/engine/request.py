"""The verb `request`: sends one HTTP request through the ready client of a connection.

Layer 3; uses the network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from mmap import ACCESS_READ, mmap
from tempfile import TemporaryFile
from typing import NamedTuple

from connform.engine.load.manifest import load_manifest
from connform.engine.load.selection import unknown_connection
from connform.engine.run.client import client_settings
from connform.engine.run.context import run_context
from connform.engine.run.state_location import DEFAULT, StateLocation
from connform.errors import UnknownConnection
from connform.temporary_files import require_temporary_folder


class RawAnswer(NamedTuple):
    """The answer to a request."""

    status: int
    """HTTP status."""
    headers: list[tuple[str, str]]
    """The header lines, in the order received."""
    body: bytes | memoryview
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
    large: bool = False,
    policies: Sequence[str] = (),
    state: StateLocation = DEFAULT,
) -> RawAnswer:
    """Send one request, and return its answer.

    Args:
        files: manifests; empty for the default search.
        name: the connection.
        method: `GET`, `POST`, …
        path: relative to the base URL.
        simulate: use the embedded simulator and synthetic secrets.
        body: the body, or `None`.
        content_type: the media type of the body.
        form: instead of a body, the parts of a multipart form: name, file name (may be empty), content.
        headers: additional header lines.
        timeout_s: the limit of the whole exchange.
        large: whether the answer may be of any size: its body goes through a temporary file, not through memory.
        policies: policy files and folders that judge every connection.
        state: where grants are stored.

    Raises:
        ManifestInvalid: the manifest has errors.
        UnknownConnection: no connection has that name.
        ConnectionFailed: a secret can't be resolved, a login is required, or there was no answer.
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
        parts = [(name, (file or None, part)) for name, file, part in form] or None
        content: bytes | memoryview
        if large:
            with client.stream(method, path, content=body, files=parts, headers=lines) as response:
                content = _by_a_file(response.iter_bytes())
        else:
            response = client.request(method, path, content=body, files=parts, headers=lines)
            content = response.content
        return RawAnswer(response.status_code, list(response.headers.items()), content)


def _by_a_file(pieces: Iterator[bytes]) -> bytes | memoryview:
    """Return the content of a temporary file with the pieces; it takes no memory."""
    require_temporary_folder()
    with TemporaryFile() as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        return memoryview(mmap(file.fileno(), 0, access=ACCESS_READ)) if file.tell() else b""
