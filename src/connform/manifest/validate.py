"""Validation of a run's files: the entries they declare, and a diagnostic of every mistake.

Layer 1, no IO. Every mistake is reported once, where it stands, even if several connections inherit it.
"""

from __future__ import annotations

from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from connform.diagnostics import CODES, Diagnostic, Related, Severity, Span
from connform.lazy_property import lazy_property
from connform.manifest.branches import Branch, Branches, indentation
from connform.manifest.compiled import compile_predicate
from connform.manifest.diagnose import diagnose, diagnose_file, diagnose_yaml, pointer, pointer_of
from connform.manifest.document import Entry, Inheritance, InheritanceError, frame
from connform.manifest.harmless import shown_name
from connform.manifest.misplaced import misplaced_keys
from connform.manifest.moves import Move, judge, moves_of, present_names
from connform.manifest.nodes import Map, locate
from connform.manifest.parser import parse
from connform.manifest.placeholders import CODE as PLACEHOLDER
from connform.manifest.placeholders import Placeholders, may_hold_placeholders
from connform.manifest.recover import RefusedParts, is_complete, without
from connform.manifest.reference_rules import check_file, check_own_references, check_references
from connform.manifest.rules import Finding, KeyPath
from connform.manifest.settings import EXTENDS, PROSE
from connform.manifest.shape import Schema, keys, plain_keys, secret_keys
from connform.manifest.similar import Names
from connform.manifest.yaml_errors import YamlError
from connform.secret import MalformedReferenceError, SecretReference

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from connform.manifest.files import Source
    from connform.manifest.snippet import Public
    from connform.manifest.tally import Tally
    from connform.manifest.vocabulary import Vocabulary

_MOST_EXPLAINED: Final = 10_000
"""How many mistakes of a file's entries are looked for, the same one as often as it is inherited; then an entry with some counts once."""
_MOST_INHERITED: Final = 64_000_000
_MOST_INHERITED_OF_ONE: Final = 64
"""How much connections may inherit together, in characters: this much, and so many for each byte of the files."""
KINDS: Final = ("stores", "templates", "connections")


class Tree(NamedTuple):
    """What the files of a run declare, by kind and name."""

    stores: dict[str, Entry]
    """Places where secrets lie."""
    templates: dict[str, Entry]
    """What connections share."""
    connections: dict[str, Entry]
    """In the order of the files; those without a usable form are left out."""
    moved: Mapping[str, str] = MappingProxyType({})
    """The present name of each connection that was renamed, by the old one."""


def validate(sources: Sequence[Source], vocabulary: Vocabulary, tally: Tally) -> Tree:
    """Return what the files declare, and add every mistake to a tally.

    The tree is complete only where no mistake is an error.
    """
    run = _Run(vocabulary, tally)
    for source in sources:
        run.read(source)
    for entry in run.tree.stores.values():
        run.check_store(entry)
    run.check_templates()
    for entry in run.tree.connections.values():
        run.check_connection(entry)
    run.check_use()
    run.check_moves()
    return run.tree


def add_source_lines(
    found: Sequence[Diagnostic], sources: Sequence[Source], vocabulary: Vocabulary, stores: Collection[str]
) -> tuple[Diagnostic, ...]:
    """Return the diagnostics of manifests with the source lines that can be shown; `stores` are those of the run."""
    from connform.manifest.fixes import exact
    from connform.manifest.snippet import add_snippets  # only where there is something to show
    from connform.manifest.source_lines import SourceLines

    lines = SourceLines(sources)
    return add_snippets(tuple(exact(found, lines)), lines, public(vocabulary, stores))


def public(vocabulary: Vocabulary, stores: Collection[str]) -> Public:
    """Return what of a manifest's lines may be shown; `stores` are the names of those of the run."""
    from connform.manifest.snippet import Public

    def is_reference(text: str) -> bool:
        try:
            reference = SecretReference.parse(text)
        except MalformedReferenceError:
            return False
        if reference.scheme in vocabulary.backends:
            return not vocabulary.lint(reference, reference.scheme, {})
        return reference.scheme in stores

    shapes = (vocabulary.connection, vocabulary.store)
    known = {"extends", *_FRAME["properties"]}.union(*map(keys, shapes))
    plain = {"version", "extends"}.union(*map(plain_keys, shapes))
    return Public(known, plain, PROSE, is_reference)


class _Run:
    def __init__(self, vocabulary: Vocabulary, tally: Tally) -> None:
        self.tree = Tree({}, {}, {})
        self._tally = tally
        self._vocabulary = vocabulary
        self._connection_keys = keys(vocabulary.connection)
        defaults = vocabulary.connection._replace(default="")  # which provider it is may stand elsewhere
        part = defaults._replace(properties={"extends": EXTENDS, **defaults.properties})
        self._connection = Branches(vocabulary.connection)
        self._part = Branches(part, partial=True)
        self._defaults = Branches(defaults, partial=True)
        self._store = Branches(vocabulary.store)
        self._stores: dict[str, Entry | None] = {}
        self._used: set[object] = set()
        self._section: Span | None = None
        self._names: dict[str, Span] = {}
        self._moves: list[Move] = []
        self._size = 0
        self._explained: dict[str, int] = {}

    def read(self, source: Source) -> None:
        """Parse one file, check its frame, and file its entries."""
        start = Span(source.name, 1, 1, 1, 2)
        self._size += len(source.data)
        try:
            root, duplicates = parse(source.data, source.name)
        except YamlError as error:
            self._tally.note(self._as_reference(error) or diagnose_yaml(error))
            return
        for duplicate in duplicates:
            self._tally.note(diagnose_yaml(duplicate))
        if duplicates.more:
            self._tally.count(Severity.ERROR, duplicates[-1].span, duplicates.more)
        if root is None:
            self._tally.note(diagnose_file("empty-manifest", "write at least `version: 1` and `connections:`", start))
            return
        if may_hold_placeholders(source.data):
            self._check_placeholders(root, source)
        skip = self._misplaced(root)
        if not _FRAME_GATE(root):
            self._explain_frame(root, start, skip)
        self._file_all(root, source, skip)

    def _as_reference(self, error: YamlError) -> Diagnostic | None:
        """Return what is said of another tool's reference where it is YAML as well, if the key holds references."""
        from connform.manifest.explain import NO_INTERPOLATION  # only bad manifests need it

        shapes = (self._vocabulary.connection, self._vocabulary.store)
        if not error.reference or error.key not in set().union(*map(secret_keys, shapes)):
            return None
        hint = f"write `{error.reference}`"
        return diagnose_file("foreign-reference", NO_INTERPOLATION, error.span, hint, fix=error.reference)

    def _check_placeholders(self, root: Map, source: Source) -> None:
        """Report placeholders, and nothing else about the values that hold one."""
        placeholders = Placeholders(secret_keys(self._vocabulary.connection) | secret_keys(self._vocabulary.store))
        for entry in _declarations(root, source.base):
            for finding in placeholders.of(entry.name, entry.node):
                if self._wants(finding, locate(entry.node, finding.path, entry.span)):
                    self._tally.add(diagnose(finding, entry, entry.node))

    def _explain_frame(self, root: Map, start: Span, skip: set[KeyPath]) -> None:
        from connform.manifest.explain import explain  # only bad manifests need these
        from connform.manifest.violations import compile_finder

        for finding in explain(compile_finder(_FRAME), root, {}, self._tally.room(start.file)):
            if finding.path[:2] not in skip:
                span = locate(root, finding.path, start, at_key=finding.at_key)
                if self._wants(finding, span):
                    at = pointer_of(finding)
                    found = diagnose_file(finding.code, finding.detail, span, finding.hint, at, fix=finding.fix)
                    self._tally.add(found)

    def _file_all(self, root: Map, source: Source, skip: set[KeyPath]) -> None:
        defaults = root.get("defaults")
        below = defaults if isinstance(defaults, Map) else None
        if below is not None:
            self._check(self._defaults, Entry("defaults", "", below, root.key_span("defaults"), source.base))
        moved = root.get("moved")
        if isinstance(moved, Map):
            self._moves += moves_of(moved)
        if "connections" in root:
            self._section = self._section or root.key_span("connections")
        for kind in KINDS:
            section = root.get(kind)
            if not isinstance(section, Map):
                continue
            if kind == "connections":
                self._names |= {name: section.key_span(name) for name in section}
            for name, node in section.items():
                if isinstance(node, Map) and (kind, name) not in skip:
                    self._file(Entry(kind, name, node, section.key_span(name), source.base, below))

    def _misplaced(self, root: Map) -> set[tuple[str | int, ...]]:
        """Report entries, or their keys, that stand one level too far left; return the paths that this explains."""
        frame_keys = _FRAME["properties"].keys()
        owner, strays = misplaced_keys(root, lambda above, key: above in KINDS and key not in frame_keys)
        explained = self._indent(root, (), owner, strays)
        section = root.get("connections")
        if isinstance(section, Map):
            owner, strays = misplaced_keys(section, lambda _, key: key in self._connection_keys)
            explained |= self._indent(section, ("connections",), owner, strays)
        return explained

    def _indent(self, section: Map, path: KeyPath, owner: str, strays: list[str]) -> set[KeyPath]:
        if not strays:
            return set()
        detail = indentation(owner, strays[0])
        below = (Related(f"belongs below `{shown_name(owner)}:`", section.key_span(owner)),)
        at = pointer(*path, owner)
        self._tally.note(diagnose_file("wrong-indentation", detail, section.key_span(strays[0]), at=at, related=below))
        return {(*path, name) for name in (owner, *strays)}

    def _file(self, entry: Entry) -> None:
        named: dict[str, Entry] = getattr(self.tree, entry.kind)
        first = named.setdefault(entry.name, entry)
        if first is not entry:
            detail = f"a name stands once over all files of a run; {first.span} has it already"
            at = pointer(entry.kind, entry.name)
            self._tally.note(diagnose_file("duplicate-name", detail, entry.span, at=at, first=first.span))

    @lazy_property
    def _inheritance(self) -> Inheritance:
        known = keys(self._vocabulary.connection) | {"extends"}
        return Inheritance(self.tree.templates, known, _MOST_INHERITED + _MOST_INHERITED_OF_ONE * self._size)

    @lazy_property
    def _templates(self) -> Names:
        return Names(self.tree.templates)

    @lazy_property
    def _backends(self) -> Names:
        return Names(sorted(self._vocabulary.backends))

    @lazy_property
    def _schemes(self) -> Names:
        return Names([*sorted(self._vocabulary.backends), *self.tree.stores])

    def check_templates(self) -> None:
        """Check what each template says by itself; whether it is enough shows at the connections."""
        for entry in self.tree.templates.values():
            self._check(self._part, entry)
            self._inherit(entry)

    def _check(self, branches: Branches, entry: Entry) -> None:
        self._refused(branches, branches.of(entry.node), entry, entry.node)

    def _refused(
        self,
        branches: Branches,
        branch: Branch,
        entry: Entry,
        node: Map,
        origin: Callable[[KeyPath], str] = lambda _: "",
    ) -> RefusedParts | None:
        """Note what a schema refuses of an entry, and return it; `None` where more is wrong than is looked into."""
        refused = RefusedParts()
        if branch.accepts(node):
            return refused
        file = entry.span.file
        room, left = self._tally.room(file), _MOST_EXPLAINED - self._explained.get(file, 0)
        if room <= 0 or left <= 0:
            self._tally.count(Severity.ERROR, entry.span)
            return None
        findings = branches.explain(branch, node, room, origin)
        for finding in islice(findings, left):
            refused.add(finding)
            self._note(finding, entry, node)
        rest = sum(1 for _ in findings)
        if rest:
            self._tally.count(Severity.ERROR, entry.span, rest)
        return None if rest else refused

    def check_store(self, entry: Entry) -> None:
        """Check one store."""
        entry.effective = entry.node
        self._stores[entry.name] = None
        branch = self._store.of(entry.node)
        refused = self._refused(self._store, branch, entry, entry.node)
        if refused is None:
            return
        if entry.name in self._vocabulary.backends:
            detail = f"`{entry.name}://` is connform's own: choose another name"
            finding = Finding("reserved-store-name", (), detail)
            refused.add(finding)
            self._note(finding, entry, entry.node)
        for finding in self._store_rules(branch, entry, is_sound=not refused):
            if not refused.explains(finding):
                self._note(finding, entry, entry.node)
        if not refused:
            self._stores[entry.name] = entry

    def _store_rules(self, branch: Branch, entry: Entry, *, is_sound: bool) -> Iterator[Finding]:
        if is_sound:
            if entry.node["type"] in self._vocabulary.files:
                yield from check_file(str(entry.node["path"]), ("path",), entry.base)
            yield from self._vocabulary.store_rules(entry.node)
        yield from check_own_references(branch.references, entry, self.tree.stores, self._vocabulary, self._backends)

    def check_connection(self, entry: Entry) -> None:
        """Check the effective values of one connection: schema first, then the rules that still have something to look at."""
        if not self._inherit(entry):
            self._check(self._part, entry)
            return
        node = entry.effective
        branch = self._connection.of(node)
        refused = self._refused(self._connection, branch, entry, node, entry.origin)
        if refused is None:
            return
        entry.sound = not refused
        for finding in self._rules(branch, entry, refused):
            if not refused.explains(finding):
                entry.sound &= CODES[finding.code][0] is not Severity.ERROR
                self._note(finding, entry, node)

    def _rules(self, branch: Branch, entry: Entry, refused: RefusedParts) -> Iterator[Finding]:
        sound = without(entry.effective, refused.unusable)
        selects = self._connection.of(sound)  # another branch than `branch`, where what selects was refused
        if not refused or (is_complete(selects.schema, sound) and (selects is branch or selects.accepts(sound))):
            yield from self._vocabulary.rules(sound)
        yield from check_references(branch.references, entry, self._stores, self._vocabulary, self._schemes)

    def _inherit(self, entry: Entry) -> bool:
        parent = entry.node.get("extends")
        if isinstance(parent, str):
            self._used.add(parent)
        try:
            self._inheritance.resolve(entry)
        except InheritanceError as error:
            span = error.node.value_span(error.at) if error.at else entry.span
            if self._wants(Finding(error.code, (), error.detail), span):
                at = pointer(entry.kind, entry.name, *filter(None, (error.at,)))
                hint, fix = self._templates.did_you_mean(error.wanted), self._templates.respelt(error.wanted)
                self._tally.add(diagnose_file(error.code, error.detail, span, hint, at, related=error.related, fix=fix))
            return False
        return True

    def _note(self, finding: Finding, entry: Entry, root: Map) -> None:
        """Note a mistake of an entry; the same one seen through another connection is the same, in whichever words."""
        file = entry.span.file
        self._explained[file] = self._explained.get(file, 0) + 1
        span = locate(root, finding.path, entry.span, at_key=finding.at_key)
        if self._wants(finding, span):
            self._tally.add(diagnose(finding, entry, root))

    def check_use(self) -> None:
        """Warn of what nobody uses, and of a run without connections."""
        for name, entry in self.tree.templates.items():
            if name not in self._used:
                detail = "no connection extends it: remove it, or extend it"
                self._note(Finding("unused-template", (), detail), entry, entry.node)
        if not self.tree.connections and not self._tally.has_errors and self._section:
            detail = "`connections:` is empty: there is nothing to check"
            self._tally.note(diagnose_file("no-connections", detail, self._section))

    def check_moves(self) -> None:
        """Judge the renames, and keep where each leads."""
        if self._moves:
            for one in judge(self._moves, self._names):
                self._tally.note(one)
            self.tree = self.tree._replace(moved=present_names(self._moves))

    def _wants(self, finding: Finding, span: Span) -> bool:
        """Whether a mistake is to be listed; of a value that holds a placeholder, nothing else is."""
        if finding.code != PLACEHOLDER and self._tally.has(PLACEHOLDER, span):
            return False
        return self._tally.wants(finding.code, CODES[finding.code][0], span, finding.which)


def _declarations(root: Map, base: str) -> Iterator[Entry]:
    """Yield what a file declares, before anything is known of it, and its defaults."""
    defaults = root.get("defaults")
    if isinstance(defaults, Map):
        yield Entry("defaults", "", defaults, root.key_span("defaults"), base)
    for kind in KINDS:
        if isinstance(section := root.get(kind), Map):
            named = ((name, node) for name, node in section.items() if isinstance(node, Map))
            yield from (Entry(kind, name, node, section.key_span(name), base) for name, node in named)


_MAPPING: Final[Schema] = {"type": "object"}
_FRAME: Final = frame(_MAPPING, _MAPPING, _MAPPING, _MAPPING)
_FRAME_GATE: Final = compile_predicate(_FRAME)
