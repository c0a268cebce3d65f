"""Turns `file:///run/secrets/x` into the content of a file, several of one mount from one snapshot.

Layer 2; reads files. A Kubernetes mount holds links `x -> ..data/x`, and a rotation points `..data` at a new folder in
one step: all members of one mount are read from the folder that `..data` meant when the fetch began.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from connform.errors import SecretUnresolved
from connform.manifest.shape import Shape, Snippet
from connform.secrets.reading import read_file
from connform.secrets.value import field_of_json, secret_from_bytes, text_from_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from connform.manifest.shape import Schema
    from connform.secret import Secret, SecretReference
    from connform.secrets.interface import Place

_SNAPSHOT: Final = "..data"
_ATTEMPTS: Final = 5
"""Looks at a mount that rotates during the read; mounts rotate once a minute, not five times in a read."""

PATH: Final[Schema] = {
    "type": "string",
    "pattern": r"^[^\x00-\x1f\x7f]+(?!\n)$",
    "errorMessage": "a path is not empty and holds no control characters",
}


class File:
    """The backend `file`."""

    form = "file:///run/secrets/NAME"
    store_shape = Shape(
        properties={
            "path": {
                **PATH,
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
        return ""

    def fetch(self, references: Sequence[SecretReference], place: Place) -> list[Secret]:
        """Return the contents of the files, or their fields, those of one mount from one snapshot."""
        folder = place.base / place.settings.get("path", "")
        for _ in range(_ATTEMPTS - 1):
            snapshot = _Snapshot()
            try:
                return [_value(snapshot, folder, reference) for reference in references]
            except SecretUnresolved:
                if not snapshot.is_past():
                    raise
        return [_value(_Snapshot(), folder, reference) for reference in references]


class _Snapshot:
    """What each mount's `..data` meant at the first look."""

    def __init__(self) -> None:
        self._targets: dict[Path, Path] = {}

    def locate(self, path: Path) -> Path:
        """Return where `path` lies: in the mount's snapshot where it is a member, else where it says."""
        for mount in path.parents:
            target = self._targets.get(mount) or _target(mount / _SNAPSHOT)
            if target is not None:
                member = path.relative_to(mount)
                entry = _target(mount / member.parts[0])
                if entry is None or entry.parts[:1] != (_SNAPSHOT,):
                    return path  # lies beside the mount's own members
                self._targets[mount] = target
                return mount / target / member
        return path

    def is_past(self) -> bool:
        """Whether a rotation has put another folder in place: the old one goes file by file."""
        return any(_target(mount / _SNAPSHOT) != target for mount, target in self._targets.items())


def _target(link: Path) -> Path | None:
    """Return what a symbolic link points at; `None` for anything else, unreadable ones included: the read says why."""
    try:
        return link.readlink()
    except OSError:
        return None


def _value(snapshot: _Snapshot, folder: Path, reference: SecretReference) -> Secret:
    data = read_file(snapshot.locate(folder / reference.path), reference)
    if reference.field:
        return field_of_json(text_from_bytes(data, reference), reference)
    return secret_from_bytes(data, reference)


FILE: Final = File()
