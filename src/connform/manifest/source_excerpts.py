"""Source lines of manifests for diagnostics: what of them may be shown, by the keys and references of a run.

Layer 1, no IO. Only a run with mistakes, or with a diff, needs this module.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from connform.diagnostics import Diagnostic
from connform.errors import SecretUnresolved
from connform.manifest.document import Entry
from connform.manifest.files import Source
from connform.manifest.fixes import fixes_inside_quotes
from connform.manifest.settings import PROSE
from connform.manifest.shape import keys, plain_keys
from connform.manifest.snippet import Public, add_snippets
from connform.manifest.source_lines import SourceLines
from connform.manifest.tree import DOCUMENT
from connform.manifest.vocabulary import Vocabulary
from connform.secret import MalformedReferenceError, SecretReference


def add_source_lines(
    found: Sequence[Diagnostic], sources: Sequence[Source], vocabulary: Vocabulary, stores: Mapping[str, Entry]
) -> tuple[Diagnostic, ...]:
    """Return the diagnostics with the source lines that may be shown; `stores` are those of the run, by name."""
    lines = SourceLines(sources)
    types = {str(store.node.get("type")) for store in stores.values()}
    is_whole = not any(one.code.startswith("yaml-") for one in found)  # else some stores were not read
    if is_whole and types <= vocabulary.backends:  # only the backends that are named are imported
        branches = {name: vocabulary.store.branches[name] for name in types}
        vocabulary = vocabulary._replace(store=vocabulary.store._replace(branches=branches))
    return add_snippets(tuple(fixes_inside_quotes(found, lines)), lines, public_text(vocabulary, stores))


def public_text(vocabulary: Vocabulary, stores: Collection[str]) -> Public:
    """Return the rules for what of a manifest's lines may be shown; `stores` are the names of the run's stores."""

    def is_reference(text: str) -> bool:
        try:
            reference = SecretReference.parse(text)
        except MalformedReferenceError:
            return False
        if reference.scheme in vocabulary.backends:
            try:
                return not vocabulary.lint(reference, reference.scheme, {})
            except SecretUnresolved:  # a bug of a plug-in
                return False
        return reference.scheme in stores

    shapes = (vocabulary.connection, vocabulary.store)
    known = {"extends", *DOCUMENT["properties"]}.union(*map(keys, shapes))
    plain = {"version", "extends"}.union(*map(plain_keys, shapes))
    return Public(known, plain, PROSE, is_reference)
