"""The verb `validate --fix`: corrects mistakes in manifests that have exactly one correction. Always offline.

Layer 3; reads manifests. Only `FixedManifest.write` writes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from connform.diagnostics import Edit
from connform.engine.load.manifest import examine
from connform.manifest.files import Source, load_sources
from connform.manifest.fixes import apply_edits
from connform.manifest.replace import replace_content

_ROUNDS = 10
"""A corrected key may reveal a mistake in its value, so manifests are examined again. The limit prevents an endless loop."""


class FixedManifest(NamedTuple):
    """A manifest with corrections."""

    name: str
    """Its path as the user gave it."""
    content: bytes
    """Its corrected content."""
    number: int
    """How many mistakes were corrected."""

    def write(self) -> None:
        """Write the corrected content into the file.

        Raises:
            OSError: it can't be written; the file is unchanged.
        """
        replace_content(self.name, self.content)


def fix(files: Sequence[str] = ()) -> list[FixedManifest]:
    """Return the corrected manifests, only those with corrections. Nothing is written.

    Args:
        files: files or folders; empty for the default search.
    """
    before, _ = load_sources(files)
    counts = dict.fromkeys((source.name for source in before), 0)
    after = before
    for _ in range(_ROUNDS):
        edits: dict[str, list[Edit]] = {}
        for one in examine(after)[1].diagnostics:
            for edit in one.fix:
                edits.setdefault(edit.span.file, []).append(edit)
        if not edits:
            break
        after = [_apply_edits(source, edits.get(source.name, ()), counts) for source in after]
    return [FixedManifest(source.name, source.data, counts[source.name]) for source in after if counts[source.name]]


def _apply_edits(source: Source, edits: Sequence[Edit], counts: dict[str, int]) -> Source:
    if not edits:
        return source
    data, count = apply_edits(source.data, edits)
    counts[source.name] += count
    return source._replace(data=data)
