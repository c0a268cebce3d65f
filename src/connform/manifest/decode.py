"""Decoder from validated entries to the typed model; it decodes whatever `manifest.validate` accepts.

Layer 1, no IO.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from connform.diagnostics import Span
from connform.manifest.document import Entry
from connform.manifest.model import Connection, SecretKeys, Store
from connform.manifest.reference_rules import store_environments
from connform.manifest.tree import Tree, definition_in
from connform.secret import SecretReference


class Manifest(Mapping[str, Connection]):
    """The connections of a run by name, in the order of the files; each is decoded when it is first used."""

    def __init__(
        self,
        tree: Tree,
        secret_keys: SecretKeys,
        store_secret_keys: Callable[[str], Container[str] | None],
        default_provider: str,
        read_s: float,
        declared: Mapping[str, Entry] = MappingProxyType({}),
        folders: tuple[Path, ...] = (),
        searched: tuple[Path, ...] = (),
    ) -> None:
        self._entries = tree.connections
        self._secret_keys = secret_keys
        self._store_secret_keys = store_secret_keys
        self._default_provider = default_provider
        self._read_s = read_s
        self._decoded: dict[str, Connection] = {}
        self.stores: Mapping[str, Store] = {
            name: self.decode_store(name, entry.node, _folder(entry.base)) for name, entry in tree.stores.items()
        }
        """The stores of the run by name."""
        self._tree = tree
        self.declared = declared
        """All connections of the files, selected or not."""
        self.folders = folders
        """The folders of the files."""
        self.searched = searched
        """Those of which all manifests were read."""
        self.moved = tree.moved
        """Old name → present name of each renamed connection; in a chain, the latest old name comes first."""

    def __getitem__(self, name: str) -> Connection:
        if name not in self._decoded:
            self._decoded[name] = self._connection(self._entries[name])
        return self._decoded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def tags(self) -> dict[str, list[str]]:
        """The tags of each connection, without decoding it."""
        return {name: entry.tags for name, entry in self._entries.items()}

    def _connection(self, entry: Entry) -> Connection:
        node = entry.effective
        definition = definition_in(self._tree, node)
        return self.decode(entry.name, node, _folder(entry.base), None, entry, definition)

    def decode(
        self,
        name: str,
        node: Mapping[str, Any],
        base: Path,
        span: Span | None,
        entry: Entry | None = None,
        definition: Mapping[str, Any] | None = None,
    ) -> Connection:
        """Return the connection of effective values: those of a manifest, or of an earlier one that was valid."""
        provider = node.get("provider", self._default_provider)
        return Connection(name, provider, node, base, span, self._secret_keys, entry, definition)

    def decode_store(self, name: str, node: Mapping[str, Any], base: Path) -> Store:
        """Return the store of declared keys: those of a manifest, or of an earlier one that was valid."""
        settings = {key: value for key, value in node.items() if key not in ("type", "environment", "timeout_s")}
        secret_keys = self._store_secret_keys(node["type"]) or ()
        return Store(
            name,
            node["type"],
            store_environments(node),
            settings,
            base,
            float(node.get("timeout_s", self._read_s)),
            {".".join(path): SecretReference.parse(text) for path, text in _references(settings, secret_keys)},
        )


def _references(
    node: Mapping[str, Any], keys: Container[str], here: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str]]:
    for key, value in node.items():
        if isinstance(value, Mapping):
            yield from _references(value, keys, (*here, key))
        elif key in keys:
            yield (*here, key), value


@cache
def _folder(path: str) -> Path:
    """Return the path of a folder, one object for the thousands of connections that may be declared in it."""
    return Path(path)
