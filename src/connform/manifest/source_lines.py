"""The lines of a run's sources, split when they are first used. Layer 1, no IO."""

from __future__ import annotations

from collections.abc import Iterable

from connform.manifest.files import Source
from connform.manifest.nodes import lines_of


class SourceLines(dict[str, list[str]]):
    """The lines of each source by its name, without line breaks and byte order mark; one empty line if unknown."""

    def __init__(self, sources: Iterable[Source]) -> None:
        super().__init__()
        self._texts = {source.name: source.data for source in sources}

    def __missing__(self, name: str) -> list[str]:
        lines = self[name] = lines_of(self._texts.get(name, b"").decode("utf-8-sig", "replace"))
        return lines
