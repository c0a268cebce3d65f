"""Rules for what an auth method sends, whoever describes it: the names of headers, and no secret in plain.

Layer 2, no IO. The secrets themselves are those of connections, by reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from connform.manifest.harmless import holds_token
from connform.manifest.named_texts import texts_in
from connform.manifest.rules import Finding, KeyPath

PLAIN_SECRET = "a secret seems to stand here in plain: declare it under `secrets`, and write its name, such as `{token}`, at the end of a header"  # noqa: S105  (a message)
_OF_THE_MESSAGE = frozenset(
    {"host", "cookie", "content-length", "content-type", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect"}
)  # fmt: skip
"""Headers that frame and route the message (RFC 9110 §7, RFC 9112 §6), or say something else."""
_NAME_OF_SECRETS = re.compile(r"(?:.*[-_])?(?:authorization|(?:api)?key|token|secret|password)", re.IGNORECASE)
"""Names whose whole text is a credential, such as `Authorization` (RFC 9110 §11.6.2) and `X-Api-Key`."""
_SENT = ("headers", "query", "basic", "token_params", "login")


def sent_text_findings(auth: Mapping[str, Any], plain_secret: str) -> Iterator[Finding]:
    """Yield what is wrong with what the keys of a method say; `plain_secret` is the message for a secret in plain."""
    yield from header_name_findings(("headers",), auth.get("headers", {}))
    yield from header_name_findings(("login", "headers"), auth.get("login", {}).get("headers", {}))
    for path, text in sent_texts((), auth):
        if is_secret_in_plain(str(path[-1]), text):
            yield Finding("plaintext-secret", path, plain_secret)


def sent_texts(path: KeyPath, auth: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """Yield the texts that a method sends, each with its path; `path` is that of the method."""
    for key in _SENT:
        yield from (found for found in texts_in((*path, key), auth.get(key)) if found[0][-1] != "url")


def is_secret_in_plain(name: str, text: str) -> bool:
    """Whether the text of a header, a parameter or another key with a name seems to hold a secret itself."""
    is_constant = "{" not in text and _NAME_OF_SECRETS.fullmatch(name) is not None
    return is_constant or holds_token(text, or_id=True)


def header_name_findings(path: KeyPath, headers: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield the headers at a path that belong to the message, and those that stand there twice."""
    seen: dict[str, str] = {}
    for header in headers:
        here, lower = (*path, header), header.lower()
        if lower in _OF_THE_MESSAGE or lower.startswith("proxy-"):
            yield Finding("bad-name", here, "this header belongs to the HTTP message itself: remove it", at_key=True)
        first = seen.setdefault(lower, header)
        if first != header:
            detail = "the case of a header's name says nothing: keep one"
            yield Finding("duplicate-name", here, detail, at_key=True, related=((*path, first),))
