"""Rules for the texts of auth methods: which names may stand in them, and that a secret stands at their end.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from connform.manifest.rules import Finding, KeyPath
from connform.providers.described.kinds import ACCESS_TOKEN, JWT, kind_of, obtains_token
from connform.providers.described.rules.declared import Declared
from connform.providers.described.rules.texts import braces_finding, misplaced_secret, unknown_name
from connform.providers.described.texts import names_in, texts_in


def method_text_findings(declared: Declared) -> Iterator[Finding]:
    """Yield what is wrong with the texts of auth methods, and with plain headers and parameters."""
    plain = [*declared.values, *declared.settings]
    for path, text in declared.texts:
        yield from _plain_findings(declared, path, text, plain)
    for name, method in declared.methods.items():
        yield from _method_findings(declared, ("auth", name), method)


def _method_findings(declared: Declared, path: KeyPath, method: Mapping[str, Any]) -> Iterator[Finding]:
    secrets, kind = list(method.get("secrets", {})), kind_of(method)
    sent = [*secrets, *([ACCESS_TOKEN] if obtains_token(kind) else []), *([JWT] if kind == "jwt" else [])]
    if kind != "none":
        for key in ("headers", "query"):
            for name, text in method.get(key, {}).items():
                yield from _secret_text_findings((*path, key, name), text, sent, what="header" if key == "headers" else "parameter")
    for key, text in method.get("basic", {}).items():
        yield from _whole_findings(declared, (*path, "basic", key), text, secrets)
    for name, text in method.get("token_params", {}).items():
        yield from _filled_findings(declared, (*path, "token_params", name), text, secrets)
    if "jwt" in method:
        yield from _key_findings((*path, "jwt", "key"), method["jwt"]["key"], secrets)
    login = method.get("login", {})
    for key in ("json", "form"):
        for place, text in texts_in((*path, "login", key), login.get(key)):
            yield from _filled_findings(declared, place, text, secrets)
    for key, text in login.get("basic", {}).items():
        yield from _whole_findings(declared, (*path, "login", "basic", key), text, secrets)
    for name, text in login.get("headers", {}).items():
        known = [*secrets, *([JWT] if "jwt" in method else [])]
        yield from _secret_text_findings((*path, "login", "headers", name), text, known, what="header")


def _plain_findings(declared: Declared, path: KeyPath, text: str, known: Collection[str]) -> Iterator[Finding]:
    """Yield what is wrong with a text in which values and settings alone may stand."""
    yield from braces_finding(path, text)
    extra = {"client_id", "scope", "token_url"} if JWT in path else set()
    for name in dict.fromkeys(names_in(text)):
        if name in declared.secrets:
            yield misplaced_secret(path, name)
        elif name not in known and name not in extra and name != "origin":
            yield unknown_name(path, name, [*known, *sorted(extra)])


def _secret_text_findings(path: KeyPath, text: str, secrets: Collection[str], *, what: str) -> Iterator[Finding]:
    """Yield what is wrong with a constant text that one secret may end."""
    yield from braces_finding(path, text)
    names = names_in(text)
    for name in dict.fromkeys(names):
        if name not in secrets and secrets:
            yield unknown_name(path, name, list(secrets))
    if sum(name in secrets for name in names) > 1:
        yield Finding("misplaced-secret", path, f"a {what} carries one secret: a constant text, then the secret")
    elif names and names[-1] in secrets and not text.endswith("}"):
        detail = f"a secret stands at the end of its {what}: a constant text, then the secret"
        yield Finding("misplaced-secret", path, detail)


def _whole_findings(declared: Declared, path: KeyPath, text: str, secrets: Collection[str]) -> Iterator[Finding]:
    """Yield what is wrong with a text that is a constant, or one name."""
    yield from _filled_findings(declared, path, text, secrets)
    if len(names := names_in(text)) > 1 or (names and names[0] in secrets and text != f"{{{names[0]}}}"):
        yield Finding("misplaced-secret", path, "a user name or password is a constant, or one name and nothing else: `{password}`")


def _filled_findings(declared: Declared, path: KeyPath, text: str, secrets: Collection[str]) -> Iterator[Finding]:
    """Yield what is wrong with a text in which values, settings and secrets may stand."""
    yield from braces_finding(path, text)
    known = [*secrets, *declared.values, *declared.settings]
    for name in dict.fromkeys(names_in(text)):
        if name not in known:
            yield unknown_name(path, name, known)


def _key_findings(path: KeyPath, text: str, secrets: Collection[str]) -> Iterator[Finding]:
    (name,) = names_in(text)
    if name not in secrets:
        yield unknown_name(path, name, list(secrets))
