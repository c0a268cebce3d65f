"""Rules for the sources of an entry.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from connform.manifest.rules import Finding


def source_findings(node: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield a warning if an entry names no source, and the days that don't exist."""
    if "sources" not in node:
        detail = "name the pages that it comes from, and the day: `sources: [{url: https://…, read: 2026-11-29}]`"
        yield Finding("no-source", (), detail)
    for index, source in enumerate(node.get("sources", ())):
        try:
            date.fromisoformat(source["read"])
        except ValueError:
            yield Finding("malformed-value", ("sources", index, "read"), "there is no such day")
