"""Rules for the check request and the paths of POST calls that only read.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connform.manifest.named_text_rules import unknown_name
from connform.manifest.named_texts import names_in
from connform.manifest.rules import Finding, KeyPath
from connform.providers.described.rules.declared import Declared
from connform.providers.described.rules.texts import misplaced_secret


def check_findings(declared: Declared) -> Iterator[Finding]:
    """Yield what is wrong with the check request and with `safe_posts`."""
    check: Any = declared.node["check"]
    yield from _path_findings(declared, ("check", "path"), check["path"])
    for index, path in enumerate(declared.node.get("safe_posts", ())):
        yield from _path_findings(declared, ("safe_posts", index), path)
    if "json" in check and check["method"] != "POST":
        yield Finding("unknown-key", ("check", "json"), "only a POST has a body: write `method: POST`", at_key=True)
    yield from _secrets_in(declared, ("check", "json"), check.get("json"))
    yield from _secrets_in(declared, ("check", "description"), check.get("description"))
    for index, row in enumerate(declared.node["answers"]):
        yield from _secrets_in(declared, ("answers", index, "hint"), row.get("hint"))


def _path_findings(declared: Declared, path: KeyPath, text: str) -> Iterator[Finding]:
    for name in dict.fromkeys(names_in(text)):
        yield misplaced_secret(path, name) if name in declared.secrets else unknown_name(path, name, ())


def _secrets_in(declared: Declared, path: KeyPath, value: Any) -> Iterator[Finding]:
    """Yield the texts of a value that name a secret; other braces are text, as in GraphQL."""
    if isinstance(value, str):
        for name in dict.fromkeys(names_in(value)):
            if name in declared.secrets:
                yield misplaced_secret(path, name)
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _secrets_in(declared, (*path, key), part)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _secrets_in(declared, (*path, index), part)
