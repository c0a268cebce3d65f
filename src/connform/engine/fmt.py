"""Turns the names of manifest files into their canonical layout, and writes it. Always offline.

Layer 3; reads manifests, and writes them where it is told to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from connform.layout.canonical import canonical
from connform.manifest.files import load_sources
from connform.manifest.nodes import YamlError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connform.diagnostics import Diagnostic
    from connform.manifest.files import Source


class Layout(NamedTuple):
    """One manifest before and after."""

    name: str
    """Its path as the user gave it; `<stdin>`."""
    before: bytes
    """Its content."""
    after: bytes
    """Its content in the canonical layout."""

    @property
    def is_changed(self) -> bool:
        """Whether the two differ."""
        return self.before != self.after

    def write(self) -> None:
        """Write the canonical layout into the file.

        Raises:
            OSError: it can't be written.
        """
        from connform.manifest.replace import replace_content

        replace_content(self.name, self.after)

    def diff(self) -> Iterator[str]:
        """Yield the lines of a unified diff; what might be a secret is masked."""
        from connform.engine.catalog import vocabulary
        from connform.layout.diff import diff
        from connform.manifest.shape import keys, plain_keys

        shapes = (vocabulary().connection, vocabulary().store)
        known, shown = (set().union(*map(which, shapes)) for which in (keys, plain_keys))
        return diff(self.name, self.before.decode(), self.after.decode(), known, shown | {"version", "extends"})


def fmt(files: Sequence[str] = ()) -> tuple[list[Layout], list[Diagnostic]]:
    """Return the layout of each manifest that is YAML, and the diagnostics of the others. Nothing is written.

    Args:
        files: files, folders or `-`; empty for the default search.
    """
    sources, found = load_sources(files)
    layouts = []
    for source in sources:
        try:
            layouts.append(Layout(source.name, source.data, canonical(source.data, source.name, _reference_keys)))
        except YamlError as error:
            found += _explain(source, error)
    return layouts, found


def _reference_keys() -> frozenset[str]:
    from connform.engine.catalog import reference_keys, store_reference_keys  # imports every provider and backend

    return reference_keys() | store_reference_keys()


def _explain(source: Source, error: YamlError) -> list[Diagnostic]:
    """Return what `validate` says of it."""
    from connform.engine.catalog import vocabulary
    from connform.manifest.places import diagnose_yaml
    from connform.manifest.tally import Tally
    from connform.manifest.validate import add_source_lines, validate

    tally = Tally()
    validate([source], vocabulary(), tally)
    found = add_source_lines(tally.diagnostics(), [source], vocabulary())
    return [one for one in found if one.code == error.code] or [diagnose_yaml(error)]
