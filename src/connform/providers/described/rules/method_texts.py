"""Rules for the texts of auth methods: which names may stand in them, and that a secret stands at their end.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from connform.auth.described.kinds import ACCESS_TOKEN, JWT, kind_of, obtains_token
from connform.manifest.named_text_rules import braces_finding, secret_text_findings, unknown_name, unsent_findings
from connform.manifest.named_texts import names_in, texts_in
from connform.manifest.rules import Finding, KeyPath
from connform.providers.described.rules.declared import Declared
from connform.providers.described.rules.texts import misplaced_secret


def method_text_findings(declared: Declared) -> Iterator[Finding]:
    """Yield what is wrong with the texts of auth methods, and with plain headers and parameters."""
    plain = [*declared.values, *declared.settings]
    for path, text in declared.texts:
        yield from _plain_findings(declared, path, text, plain)
    for name, method in declared.methods.items():
        yield from _method_findings(declared, ("auth", name), method)


def _method_findings(declared: Declared, path: KeyPath, method: Mapping[str, Any]) -> Iterator[Finding]:
    secrets, kind = list(method.get("secrets", {})), kind_of(method)
    obtained = ACCESS_TOKEN if obtains_token(kind) else JWT if kind == "jwt" else ""
    sent = [*secrets, *([obtained] if obtained else [])]
    for key, what in (("headers", "header"), ("query", "parameter")):
        for name, text in method.get(key, {}).items() if kind != "none" else ():
            yield from secret_text_findings((*path, key, name), text, sent, what=what)
    if obtained:
        texts = (text for key in ("headers", "query") for text in method.get(key, {}).values())
        yield from unsent_findings(path, texts, obtained, secrets)
    yield from _pair_findings(declared, (*path, "basic"), method.get("basic", {}), secrets)
    for place, text in texts_in((*path, "token_params"), method.get("token_params")):
        yield from _filled_findings(declared, place, text, secrets)
    if "jwt" in method:
        yield from _key_findings((*path, "jwt", "key"), method["jwt"]["key"], secrets)
    yield from _login_findings(declared, (*path, "login"), method.get("login", {}), secrets, has_jwt="jwt" in method)


def _login_findings(
    declared: Declared, path: KeyPath, login: Mapping[str, Any], secrets: Collection[str], *, has_jwt: bool
) -> Iterator[Finding]:
    for key in ("json", "form"):
        for place, text in texts_in((*path, key), login.get(key)):
            yield from _filled_findings(declared, place, text, secrets)
    yield from _pair_findings(declared, (*path, "basic"), login.get("basic", {}), secrets)
    for name, text in login.get("headers", {}).items():
        known = [*secrets, *([JWT] if has_jwt else [])]
        yield from secret_text_findings((*path, "headers", name), text, known, what="header")


def _plain_findings(declared: Declared, path: KeyPath, text: str, known: Collection[str]) -> Iterator[Finding]:
    """Yield what is wrong with a text in which values and settings alone may stand."""
    yield from braces_finding(path, text)
    extra = {"client_id", "scope"} if JWT in path else set()
    for name in dict.fromkeys(names_in(text)):
        if name in declared.secrets:
            yield misplaced_secret(path, name)
        elif name not in known and name not in extra and name != "origin":
            yield unknown_name(path, name, [*known, *sorted(extra)])


def _pair_findings(
    declared: Declared, path: KeyPath, pair: Mapping[str, str], secrets: Collection[str]
) -> Iterator[Finding]:
    """Yield what is wrong with a user name and a password: each is a constant, or one name."""
    for key, text in pair.items():
        yield from _filled_findings(declared, (*path, key), text, secrets)
        names = names_in(text)
        if len(names) > 1 or (names and names[0] in secrets and text != f"{{{names[0]}}}"):
            detail = "a user name or password is a constant, or one name and nothing else: `{password}`"
            yield Finding("misplaced-secret", (*path, key), detail)


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
