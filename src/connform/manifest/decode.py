"""Turns entries into the typed model. Total: what `manifest.validate` accepts always decodes.

Layer 1, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connform.manifest.model import Auth, Connection, Store, Timeouts, Tls
from connform.secret import SecretReference

if TYPE_CHECKING:
    from connform.manifest.document import Entry
    from connform.manifest.validate import Tree


class Manifest(Mapping[str, Connection]):
    """The connections of a run by name, in their order, decoded when first asked for."""

    def __init__(self, tree: Tree, secret_keys: frozenset[str], default_provider: str) -> None:
        self._entries = tree.connections
        self._secret_keys = secret_keys
        self._default_provider = default_provider
        self._decoded: dict[str, Connection] = {}
        self.stores: Mapping[str, Store] = {name: _store(entry) for name, entry in tree.stores.items()}
        """The stores of the run by name."""

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
        node: Mapping[str, Any] = entry.effective
        base = Path(entry.base)
        return Connection(
            name=entry.name,
            provider=node.get("provider", self._default_provider),
            environment=node.get("environment", ""),
            region=node.get("region", ""),
            auth=self._auth(node["auth"]),
            settings=node,
            base=base,
            span=entry.span,
            tls=Tls(**{key: base / path for key, path in node.get("tls", {}).items()}),
            timeouts=Timeouts(**{key: float(seconds) for key, seconds in node.get("timeouts", {}).items()}),
            proxy=node.get("proxy", ""),
            tags=tuple(node.get("tags", ())),
            owner=node.get("owner", ""),
            entry=entry,
        )

    def _auth(self, node: Mapping[str, Any]) -> Auth:
        references = {key: SecretReference.parse(text) for key, text in node.items() if key in self._secret_keys}
        settings = {key: value for key, value in node.items() if key not in self._secret_keys and key != "method"}
        return Auth(node["method"], references, settings)


def _store(entry: Entry) -> Store:
    node: Mapping[str, Any] = entry.node
    settings = {key: value for key, value in node.items() if key not in ("type", "environment")}
    base = Path(entry.base)
    return Store(entry.name, node["type"], node.get("environment", ""), settings, base)
