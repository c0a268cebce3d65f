"""Rule for secrets in plain: no text of an entry holds a key or a token.

Layer 2, no IO. An entry says how an API takes secrets; the secrets themselves are those of connections.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from connform.auth.kit.sent_text_rules import PLAIN_SECRET, is_secret_in_plain, sent_texts
from connform.manifest.harmless import holds_token
from connform.manifest.named_texts import texts_in
from connform.manifest.rules import Finding, KeyPath
from connform.providers.described.rules.declared import Declared

_PARAMETER_OF_SECRETS = re.compile(r"[?&;](?:api_?key|(?:\w+_)?(?:token|secret)|password)=[^&;{]", re.IGNORECASE)


def plain_secret_findings(declared: Declared) -> Iterator[Finding]:
    """Yield the texts that hold a secret in plain."""
    for path, is_secret in _judged(declared):
        if is_secret:
            yield Finding("plaintext-secret", path, PLAIN_SECRET)


def _judged(declared: Declared) -> Iterator[tuple[KeyPath, bool]]:
    for path, text in declared.value_paths.items():
        yield path, _is_in_address(text)
    for url in declared.urls:
        yield url.path, _is_in_address(url.text)
    for path, text in _sent(declared):
        yield path, is_secret_in_plain(str(path[-1]), text)
    check: Any = declared.node["check"]
    yield ("check", "path"), _is_in_address(check["path"])
    for index, text in enumerate(declared.node.get("safe_posts", ())):
        yield ("safe_posts", index), _is_in_address(text)
    yield from _in_body(("check", "json"), check.get("json"))


def _sent(declared: Declared) -> Iterator[tuple[KeyPath, str]]:
    """Yield the texts that are sent, each with its path, which ends with the name of its header, parameter or key."""
    for key in ("headers", "query"):
        yield from texts_in((key,), declared.node.get(key))
    for method, one in declared.methods.items():
        yield from sent_texts(("auth", method), one)


def _in_body(path: KeyPath, value: Any) -> Iterator[tuple[KeyPath, bool]]:
    if isinstance(value, str):
        yield path, holds_token(value, or_id=True)
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _in_body((*path, key), part)


def _is_in_address(text: str) -> bool:
    """Whether a URL, or a part of one, holds a token, or gives one in its query."""
    rest, _, query = text.partition("?")
    return (
        holds_token(rest, or_id=False)
        or holds_token(query, or_id=True)
        or _PARAMETER_OF_SECRETS.search(f"?{query}") is not None
    )
