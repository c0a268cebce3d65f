"""Offline rules for secret references: grammar, scheme, the backend's own rules, environment.

Layer 1, no IO, with one exception: for a path with `..`, it looks for the folder `.git` of the repository.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from connform.diagnostics import MASK, PLUGIN_ERROR, Related
from connform.errors import SecretUnresolved
from connform.manifest.document import Entry
from connform.manifest.foreign_references import from_vals
from connform.manifest.harmless import is_plain, shown_name
from connform.manifest.rules import Finding, KeyPath
from connform.manifest.shape import Schema
from connform.manifest.similar import Names
from connform.manifest.vocabulary import Vocabulary
from connform.secret import MalformedReferenceError, SecretReference


def reference_paths(schema: Schema, here: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield the paths at which a flat schema has secret references."""
    for key, part in schema.get("properties", {}).items():
        if part.get("x-secret"):
            yield (*here, key)
        elif "properties" in part:
            yield from reference_paths(part, (*here, key))


_LITERAL_SCHEME = "echo"
"""The scheme of vals whose path is the secret itself."""


def check_references(
    paths: Iterable[KeyPath], entry: Entry, stores: Mapping[str, Entry | None], vocabulary: Vocabulary, schemes: Names
) -> Iterator[Finding]:
    """Yield what is wrong with the references, at `paths`, of one connection.

    Args:
        paths: where the schema has references; values that the schema refuses have a diagnostic already.
        entry: the connection with its effective values.
        stores: the stores of the run by name; `None` for one with a mistake of its own.
        vocabulary: backends and their grammars.
        schemes: the allowed schemes: backends and stores.
    """
    effective = entry.effective
    for path in paths:
        text = _value(effective, path) if path[0] in effective else None
        if not isinstance(text, str):
            continue
        try:
            reference = SecretReference.parse(text)
        except MalformedReferenceError as error:
            yield Finding("malformed-reference", path, str(error))
            continue
        if reference.scheme not in stores and reference.scheme not in vocabulary.backends:
            yield _unknown_scheme(reference.scheme, path, schemes)
        elif our_form := from_vals(text):
            detail = "vals writes a field as `#/name`; here it is `#name`"
            yield Finding("foreign-reference", path, detail, f"write `{our_form}`", fix=our_form)
        else:
            yield from _check(reference, path, entry, stores, vocabulary)


def check_own_references(
    paths: Iterable[KeyPath], entry: Entry, names: Container[str], vocabulary: Vocabulary, schemes: Names
) -> Iterator[Finding]:
    """Yield what is wrong with the references in a store's settings, such as its token.

    Args:
        paths: where the schema has references.
        entry: the store.
        names: the names of all stores; a store's settings must not refer to them.
        vocabulary: backends and their grammars.
        schemes: the names of the backends.
    """
    for finding in check_references(paths, entry, {}, vocabulary, schemes):
        scheme = str(_value(entry.effective, finding.path)).partition("://")[0]
        if finding.code == "unknown-scheme" and scheme in names:
            detail = "no store opens another: name a built-in backend, such as env:// or file://"
            yield finding._replace(detail=detail, hint="")
        else:
            yield finding


def _unknown_scheme(scheme: str, path: KeyPath, known: Names) -> Finding:
    if scheme == _LITERAL_SCHEME:
        return Finding(
            "plaintext-secret", path, "`echo://` is followed by the secret itself: write where it lies instead"
        )
    guess = known.similar(scheme)
    detail = f"neither a built-in backend nor a store of this run; known: {known}"
    return Finding("unknown-scheme", path, detail, f"did you mean `{guess}://`?" if guess else "")


def _check(
    reference: SecretReference,
    path: KeyPath,
    entry: Entry,
    stores: Mapping[str, Entry | None],
    vocabulary: Vocabulary,
) -> Iterator[Finding]:
    settings: Mapping[str, Any] = {}
    backend = reference.scheme
    store = stores.get(reference.scheme)
    if store is not None:
        settings, backend = store.node, str(store.node["type"])
    elif reference.scheme in stores:
        return
    try:
        problem = vocabulary.lint(reference, backend, settings)
    except SecretUnresolved as failure:  # a bug of a plug-in
        yield Finding(PLUGIN_ERROR, path, failure.message, failure.hint)
        return
    if problem:
        detail = problem if is_plain(reference.path) else problem.replace(reference.path, MASK)
        yield Finding("malformed-reference", path, detail)
    elif store is None and backend in vocabulary.files:
        yield from check_file(reference.path, path, entry.base)
    if store is not None:
        yield from _check_environment(store, path, entry)


def _check_environment(store: Entry, path: KeyPath, entry: Entry) -> Iterator[Finding]:
    bound, actual = store_environments(store.node), entry.effective.get("environment")
    if not bound or actual in bound:
        return
    required, own = " or ".join(map(shown_name, bound)), shown_name(str(actual or ""))
    detail = f"the store `{store.name}` holds secrets of the {required} environment; "
    if actual:
        detail += f"this connection is {own}"
        hint = f"name a store of {own}; a store of all of these says `environment: [{', '.join((*map(shown_name, bound), own))}]`"
    else:
        detail += "this connection has no environment"
        hint = f"write `environment: {shown_name(bound[0])}` if it belongs there, else name another store"
    declared = Related(f"the store is bound to {required} here", store.node.key_span("environment"))
    yield Finding(
        "store-environment", path, detail, hint, related=(declared, ("environment",)) if actual else (declared,)
    )


def check_file(file: str, path: KeyPath, base: str) -> Iterator[Finding]:
    """Yield a warning where the file of a secret lies outside of the repository.

    Args:
        file: its path, relative to `base` or absolute.
        path: the key path of the value that names it.
        base: the folder of the manifest.
    """
    if ".." not in file.split("/") or file.startswith("/"):
        return
    from connform.manifest.repository import leaves_repository  # few paths have `..`

    if leaves_repository(base, file):
        detail = (
            "what lies there differs from one checkout to the next: name a file inside, or a mount by its full path"
        )
        yield Finding("outside-repository", path, detail)


def _value(node: Any, path: KeyPath) -> Any:
    for part in path:
        if not isinstance(node, dict) or part not in node:
            return None
        node = node[part]
    return node


def store_environments(store: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the environments that a store's keys name: those whose connections may read its secrets; empty for any."""
    named = store.get("environment", ())
    return (named,) if isinstance(named, str) else tuple(named)
