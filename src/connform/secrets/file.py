"""The backend `file`: contents of files, `file:///run/secrets/x`, and fields of JSON files.

Layer 2; reads files. A Kubernetes mount holds links `x -> ..data/x`. A rotation makes `..data` point at a new folder in
one step. So one call of `read` resolves `..data` of a mount once, and reads all files of the mount from that folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from connform.errors import SecretUnresolved
from connform.manifest.shape import Shape, Snippet
from connform.secret import SecretReference
from connform.secrets.kit.file_reader import PATH_SCHEMA, is_in_proc, read_file
from connform.secrets.kit.interface import Backend, Fetched, OpenStore, Outcome, StoreConfig
from connform.secrets.kit.open_store import DocumentStore
from connform.secrets.kit.value import text_of_file, whole_or_field

_SNAPSHOT = "..data"
_ATTEMPTS = 5
"""How often a read is repeated when a mount rotates during it. Mounts rotate about once a minute."""

OWN_FOLDER = ".connform"
"""The folder next to a manifest that holds grants and their encryption key."""


class File(Backend):
    """The backend `file`."""

    form = "file:///run/secrets/NAME"
    reads_files = True
    depends_on_folder = True
    is_plain = True
    store_shape = Shape(
        properties={
            "path": {
                **PATH_SCHEMA,
                "description": "The folder of the secrets; relative to the manifest.",
                "examples": ["/run/secrets"],
            }
        },
        required=("path",),
        description="A folder of files, one secret each.",
        snippets=(Snippet("folder of secrets", {"type": "file", "path": "${2:/run/secrets}"}),),
    )

    def lint(self, reference: SecretReference, settings: Mapping[str, Any]) -> str:
        """Return what is wrong with a reference to a file."""
        if not reference.path.strip("/"):
            return "the path of the file is missing: file:///run/secrets/NAME, or file://NAME beside the manifest"
        if reference.version:
            return "a file has no versions: nothing follows its path but `#field`"
        if "path" in settings and (reference.path.startswith("/") or ".." in reference.path.split("/")):
            return f"a path in a store stays inside of its folder: {reference.scheme}://NAME"
        path = f"{settings.get('path', '')}/{reference.path}" if settings else reference.path
        if OWN_FOLDER in path.split("/"):
            return f"{OWN_FOLDER}/ is connform's own: the key of the grants lies there, and no connection gets that"
        if is_in_proc(path):
            return "/proc shows what this run itself holds: name the file into which the secret was put"
        return ""

    def open(self, store: StoreConfig) -> OpenStore:
        """Return the folder of a store; for the bare backend, that of the manifest."""
        return _Folder(store.base / store.settings.get("path", ""))


class _Folder:
    """Files below a folder. One call of `read` takes all files of a Kubernetes mount from one snapshot."""

    batch_size = 0

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, references: Sequence[SecretReference]) -> Sequence[Outcome]:
        """Return the contents of the files, or their fields."""
        outcomes: Sequence[Outcome] = []
        for _ in range(_ATTEMPTS):
            snapshot = _Snapshot()
            outcomes = DocumentStore(partial(self._load, snapshot), _fetched).read(references)
            if not (snapshot.has_rotated() and any(isinstance(one, SecretUnresolved) for one in outcomes)):
                break
        return outcomes

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _load(self, snapshot: _Snapshot, reference: SecretReference) -> _Content:
        path = snapshot.locate(self._folder / reference.path)
        written_at = None
        with suppress(OSError):  # `read_file` reports it
            written_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)  # before the read: never too new
        return _Content(read_file(path), written_at)


class _Content(NamedTuple):
    data: bytes
    written_at: datetime | None


def _fetched(content: _Content, reference: SecretReference) -> Fetched:
    version = content.written_at.isoformat() if content.written_at else ""
    return Fetched(whole_or_field(text_of_file(content.data), reference.field), version, content.written_at)


class _Snapshot:
    """The target of each mount's `..data` link, as it was at the first look."""

    def __init__(self) -> None:
        self._targets: dict[Path, Path] = {}

    def locate(self, path: Path) -> Path:
        """Return the path of a mount's file inside of the snapshot; for any other file, `path` itself."""
        for mount in path.parents:
            target = self._targets.get(mount) or _link_target(mount / _SNAPSHOT)
            if target is not None:
                member = path.relative_to(mount)
                entry = _link_target(mount / member.parts[0])
                if entry is None or entry.parts[:1] != (_SNAPSHOT,):
                    return path  # a file in the mount's folder that is no part of the mount
                self._targets[mount] = target
                return mount / target / member
        return path

    def has_rotated(self) -> bool:
        """Whether `..data` points elsewhere by now. The old folder is then deleted, file by file."""
        return any(_link_target(mount / _SNAPSHOT) != target for mount, target in self._targets.items())


def _link_target(link: Path) -> Path | None:
    """Return the target of a symbolic link; `None` for all else, and for a link that can't be read."""
    try:
        return link.readlink()
    except OSError:
        return None


FILE = File()
