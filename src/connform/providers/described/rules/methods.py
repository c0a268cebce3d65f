"""Rules for the auth methods of an entry: which keys belong together, and what a method needs.

Layer 2, no IO. The rules for their texts are in `method_texts.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connform.auth.described.kinds import CLIENT_SECRET, KEYS, NEEDED, kind_of, obtains_token
from connform.auth.kit.client import parameter_findings
from connform.manifest.rules import Finding, KeyPath
from connform.providers.described.rules.declared import Declared
from connform.providers.described.rules.headers import header_name_findings

_COMMON = frozenset({"use", "secrets", "headers", "query", "flow", "root"})
_SHOWN = {"static": "a method that sends its secrets as they are", "none": "`none`", "jwt": "a method that sends a JWT"}
_SECRET_AUTH = frozenset({"basic", "body"})


def method_findings(declared: Declared) -> Iterator[Finding]:
    """Yield what is wrong with the auth methods."""
    for name, method in declared.methods.items():
        path: KeyPath = ("auth", name)
        kind = kind_of(method)
        strays = list(_stray_findings(path, method, kind))
        yield from strays or _findings(path, method, kind)
        yield from header_name_findings((*path, "headers"), method.get("headers", {}))


def _stray_findings(path: KeyPath, method: Mapping[str, Any], kind: str) -> Iterator[Finding]:
    """Yield the keys that belong to another kind of method."""
    for key in method:
        if key in _COMMON | KEYS[kind]:
            continue
        if kind == "static" and key in KEYS["authorization_code"]:
            flow = next(flow for flow in ("authorization_code", "client_credentials") if key in KEYS[flow])
            detail = f"`{key}` belongs to a flow: write `flow`, such as `flow: {flow}`"
            yield Finding("missing-key", path, detail, related=((*path, key),))
            return
        shown = _SHOWN.get(kind, f"`{kind}`")
        yield Finding("unknown-key", (*path, key), f"`{key}` doesn't belong to {shown}: remove it", at_key=True)


def _findings(path: KeyPath, method: Mapping[str, Any], kind: str) -> Iterator[Finding]:
    for key in NEEDED.get(kind, ()):
        if key not in method:
            yield Finding("missing-key", path, f"the flow needs `{key}`")
    if kind in NEEDED:
        yield from _client_findings(path, method, kind)
        yield from parameter_findings(method.get("token_params", ()), (*path, "token_params"))
    elif kind == "none":
        for key in ("secrets", "headers", "query"):
            if key in method:
                detail = f"a method that sends nothing has no `{key}`: remove it, or `none`"
                yield Finding("unknown-key", (*path, key), detail, at_key=True)
    elif kind == "login":
        yield from _login_findings((*path, "login"), method["login"])
    elif kind == "static":
        yield from _static_findings(path, method)
    if obtains_token(kind) and "secrets" not in method and method.get("client_auth") in _SECRET_AUTH:
        yield Finding(
            "missing-key", path, f"`secrets` names what the app authenticates with: `{{{CLIENT_SECRET}: {{}}}}`"
        )


def _client_findings(path: KeyPath, method: Mapping[str, Any], kind: str) -> Iterator[Finding]:
    """Yield what is wrong with how the app authenticates at the token endpoint."""
    authentication, has_secret = method.get("client_auth"), CLIENT_SECRET in method.get("secrets", {})
    if authentication == "private_key_jwt" and "jwt" not in method:
        yield Finding("missing-key", path, "`client_auth: private_key_jwt` needs `jwt`: how the JWT is signed")
    elif "jwt" in method and kind != "jwt_bearer" and authentication != "private_key_jwt":
        detail = "the app doesn't authenticate by a JWT: write `client_auth: private_key_jwt`, or remove `jwt`"
        yield Finding("unknown-key", (*path, "jwt"), detail, at_key=True)
    if authentication in ("private_key_jwt", "tls_client_auth") and has_secret:
        detail = f"with `client_auth: {authentication}` the app has no secret: remove it"
        yield Finding("unknown-key", (*path, "secrets", CLIENT_SECRET), detail, at_key=True)
    if kind == "client_credentials" and not has_secret and authentication in (None, "basic", "body"):
        yield Finding(
            "missing-key",
            path,
            f"the app needs a secret: `secrets: {{{CLIENT_SECRET}: {{}}}}`, or another `client_auth`",
        )
    if "pkce" in method and not has_secret and authentication is None:
        detail = "a login without PKCE is safe only for an app with a secret (RFC 9700 §2.1.1)"
        yield Finding("malformed-value", (*path, "pkce"), detail)
    elif "pkce" in method:
        detail = "whoever steals the code of a login on its way can use it: keep this for a server that refuses PKCE"
        yield Finding("no-pkce", (*path, "pkce"), detail, at_key=True)


def _login_findings(path: KeyPath, login: Mapping[str, Any]) -> Iterator[Finding]:
    if "json" in login and "form" in login:
        detail = "`json` and `form` both say what the body is: keep one of them"
        yield Finding("unknown-key", (*path, "form"), detail, at_key=True, related=((*path, "json"),))
    lifetime = list(login.get("lifetime", ()))
    if len(lifetime) > 1:
        detail = f"`{lifetime[0]}` and `{lifetime[1]}` both say how long the token is valid: keep one of them"
        yield Finding("unknown-key", (*path, "lifetime", lifetime[1]), detail, at_key=True)
    elif "lifetime" in login and not lifetime:
        yield Finding(
            "missing-key", (*path, "lifetime"), "write `seconds`, `seconds_at` or `time_at`, or remove `lifetime`"
        )


def _static_findings(path: KeyPath, method: Mapping[str, Any]) -> Iterator[Finding]:
    sends = [key for key in ("headers", "query", "basic") if key in method]
    if not sends:
        detail = (
            'the method sends nothing: write `headers`, such as `{Authorization: "Bearer {token}"}`, `query`, `basic`, a `flow`, '
            "or `none: true`"
        )
        yield Finding("missing-key", path, detail)
    elif not method.get("secrets"):
        yield Finding("missing-key", path, "`secrets` names what the headers carry: `secrets: {token: {}}`")
