"""The verb `fmt`: the canonical layout of manifest files. Always offline.

Layer 3; reads manifests. Only `Layout.write` writes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from connform.diagnostics import Diagnostic
from connform.layout.canonical import ModelChangedError, canonical
from connform.manifest.files import Source, load_sources
from connform.manifest.yaml_errors import YamlError


class Layout(NamedTuple):
    """The content of one manifest before and after formatting."""

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


class Layouts(NamedTuple):
    """The result of `fmt`."""

    layouts: list[Layout]
    """The manifests that are YAML."""
    found: list[Diagnostic]
    """Diagnostics of the other manifests."""
    bugs: list[ModelChangedError]
    """One for each manifest whose layout would change its meaning, which is a bug. That manifest is not formatted."""


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
            found += _diagnose(source, error)
        except ModelChangedError as error:
            bugs.append(error)
    return Layouts(layouts, found, bugs)


def _reference_keys() -> frozenset[str]:
    # imports every provider and backend
    from connform.engine.load.vocabulary import all_store_reference_keys, reference_keys

    return reference_keys() | all_store_reference_keys()


def _diagnose(source: Source, error: YamlError) -> list[Diagnostic]:
    """Return the diagnostics that `validate` gives for a file that is not YAML."""
    from connform.engine.load.vocabulary import vocabulary
    from connform.manifest.diagnose import diagnose_yaml
    from connform.manifest.source_excerpts import add_source_lines
    from connform.manifest.tally import Tally
    from connform.manifest.validate import validate

    tally = Tally()
    tree = validate([source], vocabulary(), tally)
    found = add_source_lines(tally.diagnostics(), [source], vocabulary(), tree.stores)
    return [one for one in found if one.code == error.code or error.reference] or [diagnose_yaml(error)]
