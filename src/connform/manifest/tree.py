"""The tree of a run's declarations by kind and name, and the parser of files into it.

Layer 1, no IO. Mistakes that belong to a file rather than to one entry are reported here.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from connform.diagnostics import Diagnostic, Related, Severity, Span
from connform.lazy_property import lazy_property
from connform.manifest.compiled import compile_predicate
from connform.manifest.diagnose import diagnose, diagnose_file, diagnose_yaml, pointer, pointer_of
from connform.manifest.document import Entry
from connform.manifest.document_schema import document_schema
from connform.manifest.files import Source
from connform.manifest.harmless import shown_name
from connform.manifest.misplaced import indentation_detail, misplaced_keys
from connform.manifest.nodes import Map, locate
from connform.manifest.parser import parse
from connform.manifest.placeholder_signs import may_hold_placeholders
from connform.manifest.rules import KeyPath
from connform.manifest.schema_checks import SchemaChecks
from connform.manifest.shape import KeysOf, Schema, secret_keys
from connform.manifest.tally import Tally
from connform.manifest.vocabulary import Vocabulary
from connform.manifest.yaml_errors import YamlError

if TYPE_CHECKING:
    from connform.manifest.moves import Move

KINDS = ("providers", "stores", "templates", "connections")
_MAPPING: Schema = {"type": "object"}
DOCUMENT = document_schema(_MAPPING, _MAPPING, _MAPPING, _MAPPING, _MAPPING)
"""The schema of a document, without those of its entries."""
_accepts_document: Final = compile_predicate(DOCUMENT)


class Tree(NamedTuple):
    """What the files of a run declare, by kind and name."""

    stores: dict[str, Entry]
    """The secret stores."""
    templates: dict[str, Entry]
    """The templates that connections extend."""
    connections: dict[str, Entry]
    """The connections, in the order of the files, without those that aren't mappings."""
    providers: Mapping[str, Entry] = MappingProxyType({})
    """The providers that the files declare."""
    moved: Mapping[str, str] = MappingProxyType({})
    """The present name of each connection that was renamed, by the old one."""


def definition_in(tree: Tree, settings: Mapping[str, Any]) -> Map | None:
    """Return the entry of `providers:` that effective values name; `None` if they name a built-in or installed provider."""
    entry = tree.providers.get(str(settings.get("provider")))
    return entry.node if entry else None


class TreeBuilder:
    """Adds the declarations of files to a tree, and their mistakes to a tally."""

    def __init__(self, vocabulary: Vocabulary, tally: Tally, checks: SchemaChecks) -> None:
        self.tree = Tree({}, {}, {}, {})
        self.names: dict[str, Map] = {}
        """The names of all connections, also of those that aren't mappings, and the mappings that have them as keys."""
        self.moves: list[Move] = []
        """The entries of `moved:`."""
        self.defaults: list[Entry] = []
        """The `defaults` of each file."""
        self.with_connections: Map | None = None
        """The first document that has the key `connections`."""
        self.size = 0
        """How many bytes the files have together."""
        self._vocabulary = vocabulary
        self._tally = tally
        self._checks = checks

    def read(self, source: Source) -> None:
        """Parse one file, check its top-level structure, and add its entries to the tree."""
        start = Span(source.name, 1, 1, 1, 2)
        self.size += len(source.data)
        try:
            root, duplicates = parse(source.data, source.name)
        except YamlError as error:
            self._tally.note(self._diagnose_foreign_reference(error) or diagnose_yaml(error))
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
        skip = self._check_indentation(root)
        if not _accepts_document(root):
            self._explain_frame(root, start, skip)
        self._add_entries(root, source, skip)

    def _diagnose_foreign_reference(self, error: YamlError) -> Diagnostic | None:
        """Return the diagnostic of another tool's reference that isn't valid YAML, if its key holds references."""
        from connform.manifest.explain import NO_INTERPOLATION  # only bad manifests need it

        shapes = (self._vocabulary.connection, self._vocabulary.store)
        if not error.reference or error.key not in set().union(*map(secret_keys, shapes)):
            return None
        hint = f"write `{error.reference}`"
        return diagnose_file("foreign-reference", NO_INTERPOLATION, error.span, hint, fix=error.reference)

    def _check_placeholders(self, root: Map, source: Source) -> None:
        """Report placeholders, and nothing else about the values that hold one."""
        from connform.manifest.placeholders import Placeholders  # few files hold any

        known = secret_keys(self._vocabulary.connection) | secret_keys(self._vocabulary.store)
        placeholders = Placeholders(known.union(_declared_secrets(root.get("providers"))))
        for entry in _declarations(root, source.base):
            for finding in placeholders.find(entry.name, entry.node):
                if self._checks.admits(finding, locate(entry.node, finding.path, entry.span)):
                    self._tally.add(diagnose(finding, entry, entry.node))

    def _explain_frame(self, root: Map, start: Span, skip: set[KeyPath]) -> None:
        from connform.manifest.explain import explain  # only bad manifests need these
        from connform.manifest.violations import compile_finder

        for finding in explain(compile_finder(DOCUMENT), root, {}, self._tally.room(start.file)):
            if finding.path[:2] not in skip:
                span = locate(root, finding.path, start, at_key=finding.at_key)
                if self._checks.admits(finding, span):
                    json_pointer = pointer_of(finding)
                    found = diagnose_file(
                        finding.code, finding.detail, span, finding.hint, json_pointer, fix=finding.fix
                    )
                    self._tally.add(found)

    def _add_entries(self, root: Map, source: Source, skip: set[KeyPath]) -> None:
        defaults = root.get("defaults")
        file_defaults = defaults if isinstance(defaults, Map) else None
        if file_defaults is not None:
            self.defaults.append(Entry("defaults", "", file_defaults, root, source.base))
        moved = root.get("moved")
        if isinstance(moved, Map):
            from connform.manifest.moves import moves_in  # few manifests have renames

            self.moves += moves_in(moved)
        if "connections" in root:
            self.with_connections = self.with_connections or root
        for kind in KINDS:
            section = root.get(kind)
            if not isinstance(section, Map):
                continue
            if kind == "connections":
                self.names |= dict.fromkeys(section, section)
            for name, node in section.items():
                if isinstance(node, Map) and (kind, name) not in skip:
                    self._add_entry(Entry(kind, name, node, section, source.base, file_defaults))

    def _check_indentation(self, root: Map) -> set[tuple[str | int, ...]]:
        """Report entries and keys that need one more level of indentation; return the paths that this explains."""
        frame_keys = DOCUMENT["properties"].keys()
        owner, strays = misplaced_keys(root, lambda above, key: above in KINDS and key not in frame_keys)
        explained = self._report_indentation(root, (), owner, strays)
        for kind in ("providers", "connections"):
            section = root.get(kind)
            if isinstance(section, Map):
                owner, strays = misplaced_keys(section, partial(self._is_key_of_entries, kind))
                explained |= self._report_indentation(section, (kind,), owner, strays)
        return explained

    def _is_key_of_entries(self, kind: str, _: str, key: str) -> bool:
        return key in (self._connection_keys if kind == "connections" else self._provider_keys)

    @lazy_property
    def _connection_keys(self) -> KeysOf:
        return KeysOf(self._vocabulary.connection)

    @lazy_property
    def _provider_keys(self) -> KeysOf:
        return KeysOf(self._vocabulary.providers().shape)

    def _report_indentation(self, section: Map, path: KeyPath, owner: str, strays: list[str]) -> set[KeyPath]:
        if not strays:
            return set()
        detail = indentation_detail(owner, strays[0])
        related = (Related(f"belongs below `{shown_name(owner)}:`", section.key_span(owner)),)
        json_pointer = pointer(*path, owner)
        self._tally.note(
            diagnose_file(
                "wrong-indentation", detail, section.key_span(strays[0]), json_pointer=json_pointer, related=related
            )
        )
        return {(*path, name) for name in (owner, *strays)}

    def _add_entry(self, entry: Entry) -> None:
        named: dict[str, Entry] = getattr(self.tree, entry.kind)
        first = named.setdefault(entry.name, entry)
        if first is not entry:
            detail = f"a name stands once over all files of a run; {first.span} has it already"
            json_pointer = pointer(entry.kind, entry.name)
            self._tally.note(
                diagnose_file("duplicate-name", detail, entry.span, json_pointer=json_pointer, first=first.span)
            )


def _declared_secrets(providers: object) -> Iterator[str]:
    """Yield the names of secrets that a file's `providers:` declares, which hasn't been checked."""
    for provider in _mappings_in(providers):
        for method in _mappings_in(provider.get("auth")):
            secrets = method.get("secrets")
            yield from secrets if isinstance(secrets, Map) else ()


def _mappings_in(value: object) -> list[Map]:
    return [part for part in value.values() if isinstance(part, Map)] if isinstance(value, Map) else []


def _declarations(root: Map, base: str) -> Iterator[Entry]:
    """Yield the defaults and the entries of a file that hasn't been checked."""
    defaults = root.get("defaults")
    if isinstance(defaults, Map):
        yield Entry("defaults", "", defaults, root, base)
    for kind in KINDS:
        if isinstance(section := root.get(kind), Map):
            named = ((name, node) for name, node in section.items() if isinstance(node, Map))
            yield from (Entry(kind, name, node, section, base) for name, node in named)
