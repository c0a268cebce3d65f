"""Rules for the auth methods of an entry: what each sends, and that a secret stands at the end of a header alone.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connform.manifest.rules import Finding, KeyPath
from connform.providers.described.rules.declared import Declared
from connform.providers.described.rules.texts import braces_finding, unknown_name
from connform.providers.described.texts import names_in

_OF_THE_MESSAGE = frozenset(
    {"host", "cookie", "content-length", "content-type", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect"}
)  # fmt: skip
"""Headers that frame and route the message (RFC 9110 §7, RFC 9112 §6), or say something else."""
_OF_A_FLOW = ("authorize_url", "token_url", "revoke_url", "scopes", "refresh_scope", "redirect")


def method_findings(declared: Declared) -> Iterator[Finding]:
    """Yield what is wrong with the auth methods."""
    for name, method in declared.methods.items():
        path: KeyPath = ("auth", name)
        yield from _flow_findings(path, method) if "flow" in method else _header_method_findings(path, method)
        yield from _header_name_findings(path, method.get("headers", {}))
    flows = [name for name, method in declared.methods.items() if "flow" in method]
    for name in flows[1:]:
        detail = f"`{flows[0]}` has a flow already, and a provider has one: describe the other in a provider of its own"
        yield Finding("malformed-value", ("auth", name, "flow"), detail, related=(("auth", flows[0], "flow"),))


def _flow_findings(path: KeyPath, method: Mapping[str, Any]) -> Iterator[Finding]:
    for key in ("authorize_url", "token_url"):
        if key not in method:
            yield Finding("missing-key", path, f"the flow needs `{key}`")
    if "headers" in method:
        detail = "a flow sends the token that it obtains: remove `headers`, or `flow` and what belongs to it"
        yield Finding("unknown-key", (*path, "headers"), detail, at_key=True)


def _header_method_findings(path: KeyPath, method: Mapping[str, Any]) -> Iterator[Finding]:
    strays = [key for key in _OF_A_FLOW if key in method]
    if strays:
        detail = f"`{strays[0]}` belongs to a flow: write `flow: authorization_code`"
        yield Finding("missing-key", path, detail, related=((*path, strays[0]),))
    elif not method.get("headers"):
        detail = 'the method sends nothing: write `headers`, such as `{Authorization: "Bearer {token}"}`, or a `flow`'
        yield Finding("missing-key", path, detail)
    else:
        for header, text in method["headers"].items():
            yield from _header_text_findings((*path, "headers", header), text, method.get("secrets", {}))
        if not method.get("secrets"):
            yield Finding("missing-key", path, "`secrets` names what the headers carry: `secrets: {token: {}}`")


def _header_text_findings(path: KeyPath, text: str, secrets: Mapping[str, Any]) -> Iterator[Finding]:
    yield from braces_finding(path, text)
    names = names_in(text)
    for name in dict.fromkeys(names):
        if name not in secrets and secrets:
            yield unknown_name(path, name, list(secrets))
    if sum(name in secrets for name in names) > 1:
        yield Finding("misplaced-secret", path, "a header carries one secret: a constant text, then the secret")
    elif names and names[-1] in secrets and not text.endswith("}"):
        yield Finding(
            "misplaced-secret", path, "a secret stands at the end of its header: a constant text, then the secret"
        )


def _header_name_findings(path: KeyPath, headers: Mapping[str, str]) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for header in headers:
        here, lower = (*path, "headers", header), header.lower()
        if lower in _OF_THE_MESSAGE or lower.startswith("proxy-"):
            yield Finding(
                "bad-name", here, "this header belongs to the HTTP message itself and carries no secret", at_key=True
            )
        first = seen.setdefault(lower, header)
        if first != header:
            other = ((*path, "headers", first),)
            yield Finding(
                "duplicate-name", here, "the case of a header's name says nothing: keep one", at_key=True, related=other
            )
