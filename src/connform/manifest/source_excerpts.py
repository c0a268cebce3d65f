"""Source lines of manifests for diagnostics: what of them may be shown, by the keys and references of a run.

Layer 1, no IO. Only a run with mistakes, or with a diff, needs this module.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from connform.diagnostics import Diagnostic
from connform.errors import SecretUnresolved
from connform.manifest.document import Entry
from connform.manifest.files import Source
from connform.manifest.fixes import fixes_inside_quotes
from connform.manifest.settings import PROSE
from connform.manifest.shape import keys_by_content, outlined_branches
from connform.manifest.snippet import Public, add_snippets
from connform.manifest.source_lines import SourceLines
from connform.manifest.tree import DOCUMENT
from connform.manifest.vocabulary import Vocabulary
from connform.secret import MalformedReferenceError, SecretReference

_PROVIDER_PROSE = frozenset(
    {"title", "use", "error", "hint", "says", "pattern", "code"}
    | {"root", "key_page", "authorize_url", "token_url", "revoke_url"}
)
"""The keys of entries of `providers:` whose values are sentences, patterns, or URLs with names in them."""

_PAIR = {"username", "password"}
"""The keys of plain texts in which somebody may have written a secret itself (RFC 7617)."""


def add_source_lines(
    found: Sequence[Diagnostic], sources: Sequence[Source], vocabulary: Vocabulary, stores: Mapping[str, Entry]
) -> tuple[Diagnostic, ...]:
    """Return the diagnostics with the source lines that may be shown; `stores` are those of the run, by name."""
    lines = SourceLines(sources)
    types = {str(store.node.get("type")) for store in stores.values()}
    is_whole = not any(one.code.startswith("yaml-") for one in found)  # else some stores were not read
    if is_whole and types <= vocabulary.backends:  # only the backends that are named are imported
        named = {name: outlined_branches(vocabulary.store)[name] for name in types}
        vocabulary = vocabulary._replace(store=vocabulary.store._replace(branches=named, outlines={}))
    public = public_text(vocabulary, stores)
    if any(one.pointer.startswith("/providers/") for one in found):
        public = _with_provider_keys(public, vocabulary)
    return add_snippets(tuple(fixes_inside_quotes(found, lines)), lines, public)


def _with_provider_keys(public: Public, vocabulary: Vocabulary) -> Public:
    """Return the rules with the keys of entries of `providers:`; values of other keys in them, such as headers, stay masked."""
    known = set(_keys_in(vocabulary.providers().shape.properties))
    return public._replace(
        keys={*public.keys, *known}, shown={*public.shown, *known} - _PAIR, prose={*public.prose, *_PROVIDER_PROSE}
    )


def _keys_in(node: Any) -> Iterator[str]:
    """Yield the keys that a schema and those in it know."""
    if isinstance(node, dict):
        for word, part in node.items():
            if word == "properties":
                yield from part
            yield from _keys_in(part)


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
        return reference.scheme in stores and not reference.may_name_user

    connection, store = keys_by_content(vocabulary.connection), keys_by_content(vocabulary.store)
    known = {"extends", *DOCUMENT["properties"]}.union(*connection, *store)
    plain = {"version", "extends", *connection.plain, *store.plain}
    return Public(known, plain, PROSE, is_reference)
