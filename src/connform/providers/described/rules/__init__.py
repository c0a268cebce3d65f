"""The rules for entries of `providers:` that a schema can't express: each mistake once, at its path.

Layer 2, no IO. They get entries that the schema of `entry.py` accepts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from connform.manifest.rules import Finding
from connform.providers.described.rules.answers import answer_findings
from connform.providers.described.rules.check import check_findings
from connform.providers.described.rules.declared import Declared
from connform.providers.described.rules.examples import example_findings
from connform.providers.described.rules.headers import plain_findings
from connform.providers.described.rules.method_texts import method_text_findings
from connform.providers.described.rules.methods import method_findings
from connform.providers.described.rules.names import name_findings
from connform.providers.described.rules.patterns import Patterns
from connform.providers.described.rules.plain import plain_secret_findings
from connform.providers.described.rules.settings import setting_findings
from connform.providers.described.rules.sources import source_findings
from connform.providers.described.rules.texts import text_findings
from connform.providers.described.rules.urls import url_text_findings
from connform.providers.described.rules.used import unused_findings

_MAX_URLS = 20_000
"""How many URLs all entries of a run may have, each counted once for each environment or region: they take a quarter of a second."""
_MAX_FINDINGS = 1_000
"""How many mistakes of a run are explained; then, one of each further entry."""


class ProviderRules:
    """The rules for the entries of one run, which together take a limited time."""

    def __init__(self) -> None:
        self._patterns = Patterns()
        self._urls_left = _MAX_URLS
        self._findings_left = _MAX_FINDINGS

    def __call__(self, node: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield the mistakes of an entry."""
        for finding in self._findings(node):
            yield finding
            self._findings_left -= 1
            if self._findings_left <= 0:
                return

    def _findings(self, node: Mapping[str, Any]) -> Iterator[Finding]:
        declared = Declared(node)
        self._urls_left -= len(declared.rows) * len(declared.urls)
        if self._urls_left < 0:
            detail = f"all providers of a run have at most {_MAX_URLS:,} URLs, each counted once for each environment or region"
            yield Finding("out-of-range", (), detail)
            return
        names = chain(
            name_findings(declared),
            text_findings(declared),
            method_findings(declared),
            method_text_findings(declared),
            plain_findings(declared),
        )
        yield from _unless_any(names, unused_findings(declared))  # what looks unused may be misspelt elsewhere
        yield from url_text_findings(declared)
        yield from setting_findings(declared, self._patterns)
        yield from check_findings(declared)
        yield from _unless_any(answer_findings(node, self._patterns), example_findings(node, self._patterns))
        yield from plain_secret_findings(declared)
        yield from source_findings(node)


def _unless_any(first: Iterable[Finding], second: Iterable[Finding]) -> Iterator[Finding]:
    """Yield the first findings, or if there are none, the second ones."""
    found = False
    for finding in first:
        found = True
        yield finding
    if not found:
        yield from second
