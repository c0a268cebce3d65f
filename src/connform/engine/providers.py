"""The verb `providers`: the providers that a manifest may name, what a definition says, and a replay of its examples.

Layer 3; reads manifests. No network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from connform.diagnostics import Span
from connform.engine.load.catalog import provider
from connform.engine.load.declared_providers import declared
from connform.engine.load.manifest import declared_providers, examine_files
from connform.engine.load.selection import EVERYTHING
from connform.engine.report import Report
from connform.manifest.model import Connection
from connform.providers import GROUPS, PROVIDERS, catalog_entry
from connform.providers.described.examples import answer_of
from connform.registry import PROVIDERS_GROUP, names, package_of

_POINTER = "/providers/"


class KnownProvider(NamedTuple):
    """A provider that a manifest may name."""

    name: str
    """The name that manifests use."""
    title: str
    """What it is, in one sentence or a name."""
    group: str
    """What teams use it for, of one in the catalogue; else empty."""
    origin: str
    """`connform`, the package of a plug-in, or the place of its entry in a manifest."""
    entry: Mapping[str, Any] | None
    """Its definition as it is written; `None` for one that is code."""


class Replay(NamedTuple):
    """What an example of a provider came to."""

    provider: str
    number: int
    """The number of the example, from 1."""
    means: str
    """What the example says that it means."""
    judged: str
    """What the rows of the definition say."""


def known_providers(files: Sequence[str] = (), only: str = "") -> Iterator[KnownProvider]:
    """Yield every provider, or the one with a name: those that manifests declare, built-in ones by group, those of packages."""
    for name, found in declared_providers(files).items():
        if only in {"", name}:
            yield KnownProvider(name, str(found.node["title"]), "", str(found.span), found.node)
    for name in sorted(names(PROVIDERS, PROVIDERS_GROUP), key=lambda one: (GROUPS.get(one, "~"), one)):
        if only in {"", name}:
            package = "connform" if name in PROVIDERS else package_of(name, PROVIDERS_GROUP)
            entry = catalog_entry(name)
            title = entry["title"] if entry else provider(name).shape.description
            yield KnownProvider(name, title, GROUPS.get(name, ""), package, entry)


def provider_names(files: Sequence[str] = ()) -> list[str]:
    """Return the names of all providers that a manifest may use."""
    return [*declared_providers(files), *names(PROVIDERS, PROVIDERS_GROUP)]


def mistakes(files: Sequence[str] = ()) -> Report:
    """Return the report on the manifests, with what is wrong in the entries of `providers:` alone."""
    report = examine_files(files, EVERYTHING, ())
    found = tuple(one for one in report.diagnostics if one.pointer.startswith(_POINTER))
    return report._replace(command="providers", diagnostics=found)


def replay_examples(known: KnownProvider) -> Iterator[Replay]:
    """Yield what each example of a definition comes to."""
    entry = known.entry or {}
    here = Connection("example", known.name, {}, Path(), Span("", 1, 1, 1, 1))
    for number, example in enumerate(entry.get("examples", ()), 1):
        judgement = declared(known.name, entry).judge(here, answer_of(example))
        yield Replay(known.name, number, example["means"], judgement.fault or "ready")
