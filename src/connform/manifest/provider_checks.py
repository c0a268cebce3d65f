"""Checks of the entries of `providers:`: first by the schema, then by rules for what it accepted.

Layer 1, no IO.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from connform.diagnostics import CODES, Severity
from connform.manifest.branches import Branches
from connform.manifest.document import Entry
from connform.manifest.rules import Finding
from connform.manifest.schema_checks import SchemaChecks
from connform.manifest.shape import Shape
from connform.manifest.vocabulary import Vocabulary


class ProviderEntries(NamedTuple):
    """By what the entries of `providers:` are checked, in one run."""

    shape: Shape
    """The shape of an entry."""
    rules: Callable[[Mapping[str, Any]], Iterable[Finding]]
    """Returns mistakes of a schema-valid entry that a schema can't express."""


def check_providers(entries: Iterable[Entry], vocabulary: Vocabulary, checks: SchemaChecks) -> None:
    """Report the mistakes of the providers that the files declare, and mark those without errors as valid."""
    known = vocabulary.providers()
    branches = Branches(known.shape)
    for entry in entries:
        entry.effective = entry.node
        refused = checks.refused(branches, branches.branch_for(entry.node), entry, entry.node)
        if refused is None or refused:
            continue
        entry.is_valid = True
        for finding in known.rules(entry.node):
            entry.is_valid &= CODES[finding.code][0] is not Severity.ERROR
            checks.note(finding, entry, entry.node)
