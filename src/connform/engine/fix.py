"""The verb `validate --fix`: corrects mistakes in manifests that have exactly one correction. Always offline.

Layer 3; reads manifests. Only `FixedManifest.write` writes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from connform.diagnostics import Edit
from connform.engine.load.manifest import examine
from connform.manifest.files import Source, load_sources
from connform.manifest.fixes import Mended, apply_edits
from connform.manifest.replace import replace_content

_ROUNDS = 10
"""A corrected key may reveal a mistake in its value, so manifests are examined again. The limit prevents an endless loop."""


class FixedManifest(NamedTuple):
    """A manifest before and after its corrections."""

    name: str
    """Its path as the user gave it."""
    before: bytes
    """Its content."""
    after: bytes
    """Its corrected content."""
    mended: tuple[Mended, ...]
    """The corrections, in the order of the file; empty if there are none. Places are those before the correction."""

    def write(self) -> None:
        """Write the corrected content into the file.

        Raises:
            OSError: it can't be written; the file is unchanged.
        """
        replace_content(self.name, self.after)


def fix(files: Sequence[str] = ()) -> list[FixedManifest]:
    """Return all manifests, corrected. Nothing is written.

    Args:
        files: files or folders; empty for the default search.
    """
    before, _ = load_sources(files)
    mended: dict[str, list[Mended]] = {source.name: [] for source in before}
    after = before
    for _ in range(_ROUNDS):
        edits: dict[str, list[Edit]] = {}
        for one in examine(after)[1].diagnostics:
            for edit in one.fix:
                edits.setdefault(edit.span.file, []).append(edit)
        if not edits:
            break
        after = [_apply_edits(source, edits.get(source.name, ()), mended[source.name]) for source in after]
    return [
        FixedManifest(old.name, old.data, new.data, tuple(sorted(mended[old.name])))
        for old, new in zip(before, after, strict=True)
    ]


def _apply_edits(source: Source, edits: Sequence[Edit], mended: list[Mended]) -> Source:
    if not edits:
        return source
    data, made = apply_edits(source.data, edits)
    mended += made
    return source._replace(data=data)
