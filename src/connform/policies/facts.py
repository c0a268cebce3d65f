"""Facts that policies judge: a connection's effective values, connform's defaults, where its secrets lie.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connform.manifest.branches import Branches
from connform.manifest.document import Entry
from connform.manifest.proxy import PROXY_PASSWORD, proxy_references
from connform.manifest.rules import KeyPath
from connform.manifest.settings import Timeouts
from connform.manifest.shape import Schema, Shape
from connform.secret import SecretReference

NAME = "name"
SECRETS = "secrets"
CLASS = "class"
_TIMEOUTS = Timeouts()._asdict()


class FactFinder:
    """Makes the facts of connections: their effective values, and what connform adds to them."""

    def __init__(
        self,
        shape: Shape,
        default_provider: str,
        references: Callable[[Mapping[str, Any]], Mapping[str, SecretReference]],
        scopes: Callable[[Mapping[str, Any]], Sequence[str]],
        environment_class: Callable[[Mapping[str, Any]], str],
        stores: Mapping[str, Entry],
    ) -> None:
        self._branches = Branches(shape)
        self._default_provider = default_provider
        self._references = references
        self._scopes = scopes
        self._environment_class = environment_class
        self._stores = stores

    def facts(self, connection: Entry) -> dict[str, Any]:
        """Return the facts of a valid connection as plain data; `docs/guides/policies.md` lists them."""
        node: Mapping[str, Any] = connection.effective
        declared = _with_defaults(node, self._branches.branch_for(node).schema)
        references = {**self._references(node), **proxy_references(node)}
        if scopes := self._scopes(node):
            declared["auth"] = {**declared["auth"], "scopes": list(scopes)}
        return {
            "provider": self._default_provider,
            "tags": [],
            **declared,
            "timeouts": {**_TIMEOUTS, **declared.get("timeouts", {})},
            NAME: connection.name,
            CLASS: self._environment_class(node),
            SECRETS: {key: self._secret_location(reference) for key, reference in references.items()},
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
        if "default" in part and part.get("x-default-without") not in node:
            filled.setdefault(key, part["default"])
        elif "properties" in part and key in filled:
            filled[key] = _with_defaults(filled[key], part)
    return filled


def declared_path(path: KeyPath, node: Mapping[str, Any]) -> KeyPath:
    """Return the path in a connection's effective values for a path in its facts."""
    match path:
        case ("class",) if CLASS not in node:
            return ("environment",)
        case ("name", *_):
            return ()
        case ("secrets", key, *_) if key == PROXY_PASSWORD:
            return ("proxy", "password")
        case ("secrets", *rest):
            return ("auth", *rest[:1])
    return path
