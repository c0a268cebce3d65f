"""Turns the files of a run into a manifest and the diagnostics of everything that is wrong in it.

Layer 1, no IO. Every mistake is reported once, at its place, whichever connections it reaches.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from connform.diagnostics import Diagnostic, Severity, Span
from connform.manifest.document import Entry, InheritanceError, frame, inherit
from connform.manifest.explain import explain, similar
from connform.manifest.gate import Gate, build_gate
from connform.manifest.misplaced import misplaced_keys
from connform.manifest.nodes import Map, YamlError, locate, parse
from connform.manifest.places import diagnose, diagnose_file, diagnose_yaml, pointer
from connform.manifest.reference_rules import check_references, reference_paths
from connform.manifest.rules import Finding, Path
from connform.manifest.settings import EXTENDS
from connform.manifest.shape import Schema, Shape, keys, secret_keys, selected, signature
from connform.manifest.snippet import add_snippets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connform.manifest.files import Source
    from connform.manifest.vocabulary import Vocabulary

KINDS: Final = ("stores", "templates", "connections")


@dataclass(frozen=True, slots=True)
class Tree:
    """What the files of a run declare, by kind and name."""

    stores: dict[str, Entry]
    """Places where secrets lie."""
    templates: dict[str, Entry]
    """What connections share."""
    connections: dict[str, Entry]
    """In the order of the files; those without a usable form are left out."""


def validate(sources: Sequence[Source], vocabulary: Vocabulary) -> tuple[Tree, tuple[Diagnostic, ...]]:
    """Return what the files declare, and every diagnostic, sorted by place.

    The tree is complete only where no diagnostic is an error.
    """
    run = _Run(vocabulary)
    for source in sources:
        run.read(source)
    run.check_templates()
    for entry in run.tree.stores.values():
        run.check_store(entry)
    for entry in run.tree.connections.values():
        run.check_connection(entry)
    run.check_use(sources)
    found = sorted(run.found.values(), key=lambda one: (one.span, one.code))
    shapes = (vocabulary.connection, vocabulary.store)
    plain = {"version", "extends"}.union(*map(keys, shapes)).difference(*map(secret_keys, shapes))
    return run.tree, add_snippets(found, sources, plain)


class _Run:
    def __init__(self, vocabulary: Vocabulary) -> None:
        self.tree = Tree({}, {}, {})
        self.found: dict[tuple[str, Span, str], Diagnostic] = {}
        self._vocabulary = vocabulary
        raw = replace(vocabulary.connection, properties={"extends": EXTENDS, **vocabulary.connection.properties})
        self._connection = _Branches(vocabulary.connection)
        self._part = _Branches(raw, partial=True)
        self._store = _Branches(vocabulary.store)
        self._used: set[str] = set()

    def read(self, source: Source) -> None:
        """Parse one file, check its frame, and file its entries."""
        start = Span(source.name, 1, 1, 1, 2)
        try:
            root, duplicates = parse(source.data, source.name)
        except YamlError as error:
            self._add(diagnose_yaml(error))
            return
        for duplicate in duplicates:
            self._add(diagnose_yaml(duplicate))
        if root is None:
            self._add(diagnose_file("empty-manifest", "write at least `version: 1` and `connections:`", start))
            return
        skip = self._misplaced(root)
        if not _FRAME_GATE(root):
            for finding in explain(_FRAME, root, {}):
                if finding.path[:2] not in skip:
                    span = locate(root, finding.path, start, at_key=finding.at_key)
                    self._add(diagnose_file(finding.code, finding.detail, span, finding.hint, pointer(*finding.path)))
        defaults = root.get("defaults")
        if isinstance(defaults, Map):
            entry = Entry("defaults", "", defaults, root.key_span("defaults"), source.base)
            self._check_part(entry)
        for kind in KINDS:
            section = root.get(kind)
            for name, node in section.items() if isinstance(section, Map) else ():
                if isinstance(node, Map) and (kind, name) not in skip:
                    span = section.key_span(name)
                    self._file(Entry(kind, name, node, span, source.base, defaults if isinstance(defaults, Map) else None))

    def _misplaced(self, root: Map) -> set[tuple[str | int, ...]]:
        """Report connections whose keys stand one level too far left; return the paths that this explains."""
        section = root.get("connections")
        if not isinstance(section, Map):
            return set()
        owner, strays = misplaced_keys(section, keys(self._vocabulary.connection))
        if not strays:
            return set()
        detail = f"`{strays[0]}` is a key of a connection: indent it, and what belongs to it, below `{owner}`"
        self._add(diagnose_file("wrong-indentation", detail, section.key_span(strays[0]), at=pointer("connections", owner)))
        return {("connections", name) for name in (owner, *strays)}

    def _file(self, entry: Entry) -> None:
        named: dict[str, Entry] = getattr(self.tree, entry.kind)
        first = named.setdefault(entry.name, entry)
        if first is not entry:
            detail = f"a name stands once over all files of a run; {first.span} has it already"
            at = pointer(entry.kind, entry.name)
            self._add(diagnose_file("duplicate-name", detail, entry.span, at=at, first=first.span))

    def check_templates(self) -> None:
        """Check what each template says by itself; whether it is enough shows at the connections."""
        for entry in self.tree.templates.values():
            self._check_part(entry)
            self._inherit(entry)

    def _check_part(self, entry: Entry) -> None:
        branch = self._part.of(entry.node)
        if not branch.gate(entry.node):
            for finding in self._part.explain(branch, entry.node):
                self._add(diagnose(finding, entry, entry.node))

    def check_store(self, entry: Entry) -> None:
        """Check one store."""
        entry.effective = entry.node
        if entry.name in self._vocabulary.backends:
            detail = f"`{entry.name}://` is connform's own: choose another name"
            self._add(diagnose(Finding("reserved-store-name", (), detail), entry, entry.node))
        branch = self._store.of(entry.node)
        if not branch.gate(entry.node):
            for finding in self._store.explain(branch, entry.node):
                self._add(diagnose(finding, entry, entry.node))

    def check_connection(self, entry: Entry) -> None:
        """Check the effective values of one connection: schema first, rules where the schema is content."""
        if not self._inherit(entry):
            return
        node = entry.effective
        branch = self._connection.of(node)
        refused = [] if branch.gate(node) else self._connection.explain(branch, node)
        known = {finding.path for finding in refused}
        for finding in refused:
            self._add(diagnose(finding, entry, node))
        if _UNREADABLE.isdisjoint(finding.code for finding in refused):
            for finding in self._rules(branch, node):
                if finding.path not in known:
                    self._add(diagnose(finding, entry, node))

    def _rules(self, branch: _Branch, node: Map) -> Iterator[Finding]:
        yield from self._vocabulary.rules(node)
        yield from check_references(branch.references, node, self.tree.stores, self._vocabulary)

    def _inherit(self, entry: Entry) -> bool:
        try:
            inherit(entry, self.tree.templates)
        except InheritanceError as error:
            guess = similar(error.wanted, self.tree.templates)
            hint = f"did you mean `{guess}`?" if guess else ""
            span = error.node.value_span("extends")
            self._add(diagnose_file("unknown-template", error.detail, span, hint, pointer(entry.kind, entry.name, "extends")))
            return False
        self._used.update(layer.origin for layer in entry.layers[1:])
        return True

    def check_use(self, sources: Sequence[Source]) -> None:
        """Warn of what nobody uses, and of a run without connections."""
        for name, entry in self.tree.templates.items():
            if f"template {name}" not in self._used:
                detail = "no connection extends it: remove it, or extend it"
                self._add(diagnose(Finding("unused-template", (), detail), entry, entry.node))
        if not self.tree.connections and not self.has_errors and sources:
            detail = "`connections:` is empty: there is nothing to check"
            self._add(diagnose_file("no-connections", detail, Span(sources[0].name, 1, 1, 1, 2)))

    @property
    def has_errors(self) -> bool:
        """Whether anything found so far is an error."""
        return any(one.severity is Severity.ERROR for one in self.found.values())

    def _add(self, diagnostic: Diagnostic) -> None:
        """Keep a diagnostic; the same mistake seen through another connection is the same."""
        self.found.setdefault((diagnostic.code, diagnostic.span, diagnostic.detail), diagnostic)


class _Branch(NamedTuple):
    schema: Schema
    gate: Gate
    references: tuple[Path, ...]


class _Branches:
    """The flat schemas of a shape with their gates, built when an object first selects them."""

    def __init__(self, shape: Shape, *, partial: bool = False) -> None:
        self._shape = shape
        self._partial = partial
        self._built: dict[tuple[object, ...], _Branch] = {}

    def of(self, node: Map) -> _Branch:
        key = signature(self._shape, node)
        if key not in self._built:
            schema = selected(self._shape, node, partial=self._partial)
            self._built[key] = _Branch(schema, build_gate(schema), tuple(reference_paths(schema)))
        return self._built[key]

    def explain(self, branch: _Branch, node: Map) -> list[Finding]:
        return explain(branch.schema, node, dict(_elsewhere(self._shape)))


def _elsewhere(shape: Shape) -> Iterator[tuple[str, str]]:
    for name, branch in shape.branches.items():
        for key in branch.properties:
            yield key, f"`{shape.discriminator}: {name}`"
        yield from _elsewhere(branch)
    for part in shape.properties.values():
        if isinstance(part, Shape):
            yield from _elsewhere(part)


_UNREADABLE: Final = frozenset({"missing-key", "wrong-type", "unknown-provider", "unknown-environment", "unknown-auth-method"})
"""After one of these, the rules would have nothing certain to look at."""
_MAPPING: Final[Schema] = {"type": "object"}
_FRAME: Final = frame(_MAPPING, _MAPPING, _MAPPING, _MAPPING)
_FRAME_GATE: Final = build_gate(_FRAME)
