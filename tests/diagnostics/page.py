"""Makes the generated part of docs/reference/diagnostics.md from the table of codes and their explanations."""

from __future__ import annotations

from collections.abc import Iterator

from connform.diagnostics import CODES
from connform.engine.explain import explain

MARKER = "<!-- What follows is made from src/connform/explanations/. -->\n"


def generated() -> str:
    rows = [f"| [`{code}`](#{code}) | {severity} | {summary} |\n" for code, (severity, summary) in CODES.items()]
    return "".join(
        ("| code | severity | meaning |\n|---|---|---|\n", *rows, *(part for code in CODES for part in _section(code)))
    )


def _section(code: str) -> Iterator[str]:
    explanation = explain(code)
    yield f"\n## {code}\n\n*{explanation.kind}: {explanation.summary}*\n\n"
    yield f"{explanation.meaning}\n\n**Why:** {explanation.reason}\n\n**What to do:** {explanation.remedy}\n\n"
    yield f"**Bad**\n\n{explanation.bad}\n\n**Good**\n\n{explanation.good}\n"
