"""Turns the names of manifest files into their canonical layout, and writes it. Always offline.

Layer 3; reads manifests, and writes them where it is told to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from connform.layout.canonical import ModelChangedError, canonical
from connform.manifest.files import load_sources
from connform.manifest.parser import parse
from connform.manifest.yaml_errors import YamlError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

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

    def diff(self, name: str, stores: Collection[str]) -> Iterator[str]:
        """Yield the lines of a unified diff; what might be a secret is masked.

        Args:
            name: what the file is called there.
            stores: the names of all stores: references to them are shown.
        """
        from connform.engine.load.catalog import vocabulary
        from connform.layout.diff import diff
        from connform.manifest.source_excerpts import public_text

        return diff(name, self.before.decode(), self.after.decode(), public_text(vocabulary(), stores))


def store_names(layouts: Iterable[Layout]) -> frozenset[str]:
    """Return the names of the stores that manifests declare, as far as they can be read."""
    names: set[str] = set()
    for layout in layouts:
        root, _ = parse(layout.before, layout.name)
        stores = root.get("stores") if root else None
        names |= stores.keys() if isinstance(stores, dict) else set()
    return frozenset(names)


class Layouts(NamedTuple):
    """What `fmt` found."""

    layouts: list[Layout]
    """The manifests that are YAML."""
    found: list[Diagnostic]
    """What is wrong with the others."""
    bugs: list[ModelChangedError]
    """One for each manifest whose layout would say something else: it is left alone, the others are not."""


def fmt(files: Sequence[str] = ()) -> Layouts:
    """Return the layout of each manifest that is YAML, and the diagnostics of the others. Nothing is written.

    Args:
        files: files, folders or `-`; empty for the default search.
    """
    sources, found = load_sources(files)
    layouts: list[Layout] = []
    bugs: list[ModelChangedError] = []
    for source in sources:
        try:
            layouts.append(Layout(source.name, source.data, canonical(source.data, source.name, _reference_keys)))
        except YamlError as error:
            found += _explain(source, error)
        except ModelChangedError as error:
            bugs.append(error)
    return Layouts(layouts, found, bugs)


def _reference_keys() -> frozenset[str]:
    from connform.engine.load.catalog import reference_keys, store_reference_keys  # imports every provider and backend

    return reference_keys() | store_reference_keys()


def _explain(source: Source, error: YamlError) -> list[Diagnostic]:
    """Return what `validate` says of it."""
    from connform.engine.load.catalog import vocabulary
    from connform.manifest.diagnose import diagnose_yaml
    from connform.manifest.source_excerpts import add_source_lines
    from connform.manifest.tally import Tally
    from connform.manifest.validate import validate

    tally = Tally()
    tree = validate([source], vocabulary(), tally)
    found = add_source_lines(tally.diagnostics(), [source], vocabulary(), tree.stores)
    return [one for one in found if one.code == error.code or error.reference] or [diagnose_yaml(error)]
