"""Schema checks of entries: findings for what the schema refuses, each reported once.

Layer 1, no IO.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from connform.diagnostics import CODES, Severity, Span
from connform.manifest.branches import Branch, Branches
from connform.manifest.diagnose import diagnose
from connform.manifest.document import Entry
from connform.manifest.nodes import Map, locate
from connform.manifest.placeholder_signs import CODE as PLACEHOLDER
from connform.manifest.recover import RefusedParts
from connform.manifest.rules import Finding, KeyPath
from connform.manifest.tally import Tally

_MAX_EXPLAINED = 10_000
"""The limit of mistakes of one file, each counted as often as it is inherited; further wrong entries count once."""


class SchemaChecks:
    """Checks entries by their schemas, and adds the mistakes to a tally."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._explained: dict[str, int] = {}

    def check(self, branches: Branches, entry: Entry) -> None:
        """Report what a schema refuses of an entry's own keys."""
        self.refused(branches, branches.branch_for(entry.node), entry, entry.node)

    def refused(
        self,
        branches: Branches,
        branch: Branch,
        entry: Entry,
        node: Map,
        origin: Callable[[KeyPath], str] | None = None,
    ) -> RefusedParts | None:
        """Report what a schema refuses of an entry, and return it; `None` if not all of it was looked at.

        Args:
            branches: the branches of the entry's shape.
            branch: the one that the entry selects.
            entry: the entry.
            node: its own keys, or its effective values.
            origin: returns the layer that the value at a path comes from; `None` for an entry of one layer.
        """
        refused = RefusedParts()
        if branch.accepts(node):
            return refused
        file = entry.span.file
        room, left = self._tally.room(file), _MAX_EXPLAINED - self._explained.get(file, 0)
        if room <= 0 or left <= 0:
            self._tally.count(Severity.ERROR, entry.span)
            return None
        findings = branches.explainer.explain(branch, node, room, origin)
        for finding in islice(findings, left):
            refused.add(finding)
            self.note(finding, entry, node)
        rest = sum(1 for _ in findings)
        if rest:
            self._tally.count(Severity.ERROR, entry.span, rest)
        return None if rest else refused

    def note(self, finding: Finding, entry: Entry, root: Map) -> None:
        """Report a mistake of an entry, once even if several connections inherit it and its messages differ."""
        file = entry.span.file
        self._explained[file] = self._explained.get(file, 0) + 1
        span = locate(root, finding.path, entry.span, at_key=finding.at_key)
        if self.admits(finding, span):
            self._tally.add(diagnose(finding, entry, root))

    def admits(self, finding: Finding, span: Span) -> bool:
        """Whether a mistake is to be listed; for a value with a placeholder, only the placeholder is."""
        if finding.code != PLACEHOLDER and self._tally.has(PLACEHOLDER, span):
            return False
        return self._tally.admits(finding.code, CODES[finding.code][0], span, finding.which)
