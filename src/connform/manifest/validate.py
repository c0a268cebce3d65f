"""Validation of a run's files: the entries they declare, and a diagnostic of every mistake.

Layer 1, no IO. Every mistake is reported once, where it stands, even if several connections inherit it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from connform.diagnostics import CODES, Severity
from connform.lazy_property import lazy_property
from connform.manifest.branches import Branch, Branches
from connform.manifest.diagnose import diagnose_file, pointer
from connform.manifest.document import Entry, Inheritance, InheritanceError
from connform.manifest.files import Source
from connform.manifest.recover import RefusedParts, is_complete, remove_paths
from connform.manifest.reference_rules import check_file, check_own_references, check_references
from connform.manifest.rules import Finding
from connform.manifest.schema_checks import SchemaChecks
from connform.manifest.settings import EXTENDS
from connform.manifest.shape import KeysOf
from connform.manifest.similar import Names
from connform.manifest.tally import Tally
from connform.manifest.tree import Tree, TreeBuilder
from connform.manifest.vocabulary import Vocabulary

_MAX_INHERITED = 64_000_000
_MAX_INHERITED_PER_BYTE = 64
"""The limit of characters that all connections together inherit: a fixed part, and a part for each byte of the files."""


def validate(sources: Sequence[Source], vocabulary: Vocabulary, tally: Tally) -> Tree:
    """Return what the files declare, and add every mistake to a tally.

    The tree is complete only if there are no errors.
    """
    checks = SchemaChecks(tally)
    files = TreeBuilder(vocabulary, tally, checks)
    for source in sources:
        files.read(source)
    if files.tree.providers:
        from connform.manifest.provider_checks import check_providers  # few manifests declare providers

        check_providers(files.tree.providers.values(), vocabulary, checks)
    run = _EntryChecks(with_providers(vocabulary, files.tree), tally, checks, files)
    run.check_defaults()
    for entry in run.tree.stores.values():
        run.check_store(entry)
    run.check_templates()
    for entry in run.tree.connections.values():
        run.check_connection(entry)
    run.check_use()
    run.check_moves()
    return run.tree


def with_providers(vocabulary: Vocabulary, tree: Tree) -> Vocabulary:
    """Return the vocabulary with the providers that the files declare."""
    if not tree.providers:
        return vocabulary
    usable = {name: entry.node if entry.is_valid else None for name, entry in tree.providers.items()}
    return vocabulary.declare(vocabulary, usable)


class _EntryChecks:
    """Checks the entries of a tree, and adds their mistakes to a tally."""

    def __init__(self, vocabulary: Vocabulary, tally: Tally, checks: SchemaChecks, files: TreeBuilder) -> None:
        self.tree = files.tree
        self._vocabulary = vocabulary
        self._tally = tally
        self._checks = checks
        self._files = files
        defaults = vocabulary.connection._replace(default="")  # the provider may be declared by another layer
        part = defaults._replace(properties={"extends": EXTENDS, **defaults.properties})
        self._connection = Branches(vocabulary.connection)
        self._part = Branches(part, is_partial=True)
        self._defaults = Branches(defaults, is_partial=True)
        self._usual_part = Branches(part._replace(default=vocabulary.connection.default), is_partial=True)
        self._usual_defaults = Branches(vocabulary.connection, is_partial=True)
        self._store = Branches(vocabulary.store)
        self._stores: dict[str, Entry | None] = {}
        self._used: set[object] = set()

    @lazy_property
    def _inheritance(self) -> Inheritance:
        shape = self._vocabulary.connection
        max_characters = _MAX_INHERITED + _MAX_INHERITED_PER_BYTE * self._files.size
        return Inheritance(self.tree.templates, KeysOf(shape), KeysOf(shape, of_objects=True), max_characters)

    @lazy_property
    def _templates(self) -> Names:
        return Names(self.tree.templates)

    @lazy_property
    def _backends(self) -> Names:
        return Names(sorted(self._vocabulary.backends))

    @lazy_property
    def _schemes(self) -> Names:
        return Names([*sorted(self._vocabulary.backends), *self.tree.stores])

    def check_defaults(self) -> None:
        """Check the defaults of each file by themselves, as templates are."""
        for entry in self._files.defaults:
            self._check_layer(self._usual_defaults, self._defaults, entry)

    def check_templates(self) -> None:
        """Check each template by itself; required keys are checked in the connections that extend it."""
        for entry in self.tree.templates.values():
            self._check_layer(self._usual_part, self._part, entry)
            self._inherit(entry)

    def _check_layer(self, usual: Branches, branches: Branches, entry: Entry) -> None:
        """Check what others inherit; the keys of all providers are read only if they aren't those of the default one."""
        if not usual.branch_for(entry.node).accepts(entry.node):
            self._checks.check(branches, entry)

    def check_store(self, entry: Entry) -> None:
        """Check one store."""
        entry.effective = entry.node
        self._stores[entry.name] = None
        branch = self._store.branch_for(entry.node)
        refused = self._checks.refused(self._store, branch, entry, entry.node)
        if refused is None:
            return
        if entry.name in self._vocabulary.backends:
            detail = f"`{entry.name}://` is connform's own: choose another name"
            finding = Finding("reserved-store-name", (), detail)
            refused.add(finding)
            self._checks.note(finding, entry, entry.node)
        for finding in self._store_rules(branch, entry, is_valid=not refused):
            if not refused.explains(finding):
                self._checks.note(finding, entry, entry.node)
        if not refused:
            self._stores[entry.name] = entry

    def _store_rules(self, branch: Branch, entry: Entry, *, is_valid: bool) -> Iterator[Finding]:
        if is_valid:
            if entry.node["type"] in self._vocabulary.files:
                yield from check_file(str(entry.node["path"]), ("path",), entry.base)
            yield from self._vocabulary.store_rules(entry.node)
        yield from check_own_references(branch.references, entry, self.tree.stores, self._vocabulary, self._backends)

    def check_connection(self, entry: Entry) -> None:
        """Check the effective values of one connection: first by the schema, then by rules for what it accepted."""
        if not self._inherit(entry):
            self._checks.check(self._part, entry)
            return
        node = entry.effective
        branch = self._connection.branch_for(node)
        origin = entry.origin if entry.inherited else None
        refused = self._checks.refused(self._connection, branch, entry, node, origin)
        if refused is None:
            return
        entry.is_valid = not refused
        for finding in self._rules(branch, entry, refused):
            if not refused.explains(finding):
                entry.is_valid &= CODES[finding.code][0] is not Severity.ERROR
                self._checks.note(finding, entry, node)

    def _rules(self, branch: Branch, entry: Entry, refused: RefusedParts) -> Iterator[Finding]:
        remaining = remove_paths(entry.effective, refused.unusable)
        # another branch if a discriminator was refused
        selected = self._connection.branch_for(remaining) if refused else branch
        if not refused or (
            is_complete(selected.schema, remaining) and (selected is branch or selected.accepts(remaining))
        ):
            yield from self._vocabulary.rules(remaining)
        yield from check_references(branch.references, entry, self._stores, self._vocabulary, self._schemes)

    def _inherit(self, entry: Entry) -> bool:
        parent = entry.node.get("extends")
        if isinstance(parent, str):
            self._used.add(parent)
        try:
            self._inheritance.resolve(entry)
        except InheritanceError as error:
            span = error.node.value_span(error.at) if error.at else entry.span
            if self._checks.admits(Finding(error.code, (), error.detail), span):
                json_pointer = pointer(entry.kind, entry.name, *filter(None, (error.at,)))
                hint, fix = (
                    self._templates.did_you_mean(error.template),
                    self._templates.spelling_variant(error.template),
                )
                self._tally.add(
                    diagnose_file(error.code, error.detail, span, hint, json_pointer, related=error.related, fix=fix)
                )
            return False
        return True

    def check_use(self) -> None:
        """Warn of templates that no connection extends, and of a run without connections."""
        for name, entry in self.tree.templates.items():
            if name not in self._used:
                detail = "no connection extends it: remove it, or extend it"
                self._checks.note(Finding("unused-template", (), detail), entry, entry.node)
        root = self._files.with_connections
        if not self.tree.connections and not self._tally.has_errors and root:
            detail = "`connections:` is empty: there is nothing to check"
            self._tally.note(diagnose_file("no-connections", detail, root.key_span("connections")))

    def check_moves(self) -> None:
        """Check the renames, and add the present names to the tree."""
        if self._files.moves:
            from connform.manifest.moves import CODE, invalid_moves, present_names  # few manifests have renames

            declared = {name: section.key_span(name) for name, section in self._files.names.items()}
            admits = partial(self._tally.admits, CODE, Severity.ERROR)
            for diagnostic in invalid_moves(self._files.moves, declared, admits):
                self._tally.add(diagnostic)
            self.tree = self.tree._replace(moved=present_names(self._files.moves))
