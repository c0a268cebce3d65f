"""Manifests before and after a change, as a unified diff that shows no secret.

Layer 3, no IO.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from connform.engine.load.vocabulary import vocabulary
from connform.layout.diff import diff
from connform.manifest.parser import parse
from connform.manifest.source_excerpts import public_text


class ChangedFile(Protocol):
    """The content of one manifest before and after a change."""

    @property
    def name(self) -> str:
        """Its path as the user gave it."""

    @property
    def before(self) -> bytes:
        """Its content."""

    @property
    def after(self) -> bytes:
        """Its new content."""


def diff_of(files: Sequence[ChangedFile], display_name: Callable[[str], str]) -> Iterator[str]:
    """Yield the lines of a unified diff of those that changed; text that might be a secret is masked.

    Args:
        files: all manifests: references to the stores of any of them are not masked.
        display_name: returns the name of a file in the diff.
    """
    changed = [file for file in files if file.before != file.after]
    if not changed:
        return
    public = public_text(vocabulary(), _store_names(files))
    for file in changed:
        yield from diff(display_name(file.name), file.before.decode(), file.after.decode(), public)


def _store_names(files: Iterable[ChangedFile]) -> frozenset[str]:
    """Return the names of the secret stores that the manifests declare; a manifest that can't be parsed adds none."""
    names: set[str] = set()
    for file in files:
        root, _ = parse(file.before, file.name)
        stores = root.get("stores") if root else None
        names |= stores.keys() if isinstance(stores, dict) else set()
    return frozenset(names)
