"""Rules for the names of headers and query parameters that an entry sends.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connform.auth.kit.sent_text_rules import header_name_findings
from connform.manifest.rules import Finding, KeyPath
from connform.providers.described.rules.declared import Declared


def plain_findings(declared: Declared) -> Iterator[Finding]:
    """Yield what is wrong with the names of plain headers and parameters."""
    headers, query = declared.node.get("headers", {}), declared.node.get("query", {})
    yield from header_name_findings(("headers",), headers)
    for header in headers:
        if header.lower() == "authorization":
            detail = "this header carries a credential: it belongs to a method of `auth`"
            yield Finding("bad-name", ("headers", header), detail, at_key=True)
    for name, method in declared.methods.items():
        yield from _both_findings(("headers",), headers, ("auth", name, "headers"), _lower(method.get("headers", {})))
        yield from _both_findings(
            ("query",), query, ("auth", name, "query"), {key: key for key in method.get("query", {})}
        )


def _both_findings(
    path: KeyPath, plain: Mapping[str, Any], other: KeyPath, sent: Mapping[str, str]
) -> Iterator[Finding]:
    for name in plain:
        if (first := sent.get(name.lower() if path == ("headers",) else name)) is not None:
            detail = "a method sends this with a secret: keep one of the two"
            yield Finding("duplicate-name", (*path, name), detail, at_key=True, related=((*other, first),))


def _lower(headers: Mapping[str, Any]) -> dict[str, str]:
    return {header.lower(): header for header in headers}
