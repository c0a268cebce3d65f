"""Checks the secret references of a connection offline: grammar, scheme, the backend's own rules, environment.

Layer 1, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connform.manifest.rules import Finding, Path
from connform.manifest.similar import similar
from connform.secret import MalformedReferenceError, SecretReference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from connform.manifest.document import Entry
    from connform.manifest.shape import Schema
    from connform.manifest.vocabulary import Vocabulary


def reference_paths(schema: Schema, here: Path = ()) -> Iterator[Path]:
    """Yield the paths at which a flat schema has secret references."""
    for key, part in schema.get("properties", {}).items():
        if part.get("x-secret"):
            yield (*here, key)
        elif "properties" in part:
            yield from reference_paths(part, (*here, key))


def check_references(
    paths: Iterable[Path], node: Mapping[str, Any], stores: Mapping[str, Entry | None], vocabulary: Vocabulary
) -> Iterator[Finding]:
    """Yield what is wrong with the references, at `paths`, of one effective connection.

    Args:
        paths: where the schema has references; what the schema refuses there has a diagnostic already.
        node: the connection.
        stores: the stores of the run by name; `None` for one with a mistake of its own.
        vocabulary: backends and their grammars.
    """
    for path in paths:
        text = _value(node, path)
        if not isinstance(text, str):
            continue
        try:
            reference = SecretReference.parse(text)
        except MalformedReferenceError as error:
            yield Finding("malformed-reference", path, str(error))
            continue
        yield from _check(reference, path, node, stores, vocabulary)


def _check(
    reference: SecretReference,
    path: Path,
    node: Mapping[str, Any],
    stores: Mapping[str, Entry | None],
    vocabulary: Vocabulary,
) -> Iterator[Finding]:
    settings: Mapping[str, Any] = {}
    backend = reference.scheme
    if reference.scheme in stores:
        store = stores[reference.scheme]
        if store is None:
            return
        settings, backend = store.node, str(store.node["type"])
    elif reference.scheme not in vocabulary.backends:
        known = [*sorted(vocabulary.backends), *stores]
        guess = similar(reference.scheme, known)
        hint = f"did you mean `{guess}://`?" if guess else ""
        detail = f"neither a built-in backend nor a store of this run; known: {', '.join(known)}"
        yield Finding("unknown-scheme", path, detail, hint)
        return
    problem = vocabulary.lint(reference, backend, settings)
    if problem:
        yield Finding("malformed-reference", path, problem)
    bound = settings.get("environment")
    mine = node.get("environment")
    if bound and mine and (bound == "sandbox") != (mine == "sandbox"):
        detail = f"the store `{reference.scheme}` holds secrets of the {bound} environment; this connection is {mine}"
        yield Finding("store-environment", path, detail)


def _value(node: Any, path: Path) -> Any:
    for part in path:
        if not isinstance(node, dict) or part not in node:
            return None
        node = node[part]
    return node
