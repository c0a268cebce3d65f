"""What the manifest layer must be told about the rooms above it: shapes, rules and reference grammars.

Layer 1, no IO. `engine.catalog` fills it from the tables of providers, auth methods and secret backends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping

    from connform.manifest.rules import Finding
    from connform.manifest.shape import Shape
    from connform.secret import SecretReference


class Vocabulary(NamedTuple):
    """Everything that may stand in a manifest."""

    connection: Shape
    """One effective connection."""
    store: Shape
    """One entry of `stores:`."""
    rules: Callable[[Mapping[str, Any]], Iterable[Finding]]
    """What a schema can't say of one effective, schema-valid connection."""
    backends: frozenset[str]
    """The built-in schemes of secret references."""
    lint: Callable[[SecretReference, str, Mapping[str, Any]], str]
    """Says what is wrong with a reference: given it, the backend, and the store's settings."""
    store_rules: Callable[[Mapping[str, Any]], Iterable[Finding]]
    """What a schema can't say of one schema-valid store."""
    files: Container[str] = frozenset()
    """The backends whose paths are those of files, relative to the manifest."""
