"""Facts that policies judge: a connection's effective values, connform's defaults, where its secrets lie.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connform.manifest.branches import Branches
from connform.manifest.document import Entry
from connform.manifest.model import Timeouts
from connform.manifest.rules import KeyPath
from connform.manifest.shape import Schema, Shape
from connform.secret import SecretReference

NAME = "name"
SECRETS = "secrets"
_TIMEOUTS = Timeouts()._asdict()


class FactFinder:
    """Makes the facts of connections: their effective values, and what connform adds to them."""

    def __init__(
        self,
        shape: Shape,
        default_provider: str,
        references: Callable[[Mapping[str, Any]], Mapping[str, SecretReference]],
        stores: Mapping[str, Entry],
    ) -> None:
        self._branches = Branches(shape)
        self._default_provider = default_provider
        self._references = references
        self._stores = stores

    def facts(self, connection: Entry) -> dict[str, Any]:
        """Return the facts of a valid connection as plain data; `docs/policies.md` lists them."""
        node: Mapping[str, Any] = connection.effective
        declared = _with_defaults(node, self._branches.branch_for(node).schema)
        return {
            "provider": self._default_provider,
            "tags": [],
            **declared,
            "timeouts": {**_TIMEOUTS, **declared.get("timeouts", {})},
            NAME: connection.name,
            SECRETS: {
                key: self._secret_location(reference) for key, reference in self._references(node["auth"]).items()
            },
        }

    def _secret_location(self, reference: SecretReference) -> dict[str, str]:
        store = self._stores.get(reference.scheme)
        home = {"backend": reference.scheme, "path": reference.path}
        if store is not None:
            home |= {"backend": str(store.node.get("type", "")), "store": store.name}
        if reference.field:
            home["field"] = reference.field
        if reference.version:
            home["version"] = reference.version
        return home


def _with_defaults(node: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """Return an object with the defaults of its schema; missing objects aren't added."""
    filled = dict(node)
    for key, part in schema["properties"].items():
        if "default" in part:
            filled.setdefault(key, part["default"])
        elif "properties" in part and key in filled:
            filled[key] = _with_defaults(filled[key], part)
    return filled


def declared_path(path: KeyPath) -> KeyPath:
    """Return the path in the manifest for a path in the facts."""
    match path:
        case ("name", *_):
            return ()
        case ("secrets", *rest):
            return ("auth", *rest[:1])
    return path
