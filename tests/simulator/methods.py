"""Connections of every auth method: inline under `provider: http`, and of a declared provider."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

TOKEN_PATH = "/oauth/token"
_JWT = {"alg": "ES256", "issuer": "acme"}
_CLIENT = {"client_id": "acme-app", "client_secret": "env://SECRET"}
_KEY = {"private_key": "env://KEY"}
_LOGIN = {
    "json": {"user": "bot", "password": "{password}", "deep": [{"key": "{api_key}"}]},
    "token_at": "/data/token",
    "lifetime": {"seconds_at": "/data/expires_in"},
}
_SECOND_KEY = {"api_key": "env://KEY", "second_key": "env://SECOND"}

INLINE: dict[str, dict[str, Any]] = {
    "none": {"method": "none"},
    "api-key": {"method": "api_key", "api_key": "env://KEY"},
    "bearer": {"method": "bearer", "token": "env://KEY"},
    "basic": {"method": "basic", "username": "bot", "password": "env://KEY"},
    "basic-key": {"method": "basic", "api_key": "env://KEY"},
    "query": {"method": "query", "parameter": "key", "api_key": "env://KEY"},
    "prefix": {"method": "headers", "headers": {"Authorization": "Token token={api_key}"}, "api_key": "env://KEY"},
    "two-keys": {"method": "headers", "headers": {"X-Id": "{api_key}", "X-Key": "{second_key}"}, **_SECOND_KEY},
    "credentials-basic": {"method": "client_credentials", "token_url": "", "scopes": ["read"], **_CLIENT},
    "credentials-body": {"method": "client_credentials", "token_url": "", "client_auth": "body", **_CLIENT},
    "credentials-json": {
        "method": "client_credentials",
        "token_url": "",
        "client_auth": "body",
        "token_format": "json",
        "token_params": {"audience": "https://api.acme.example"},
        "headers": {"X-Access-Token": "{access_token}"},
        **_CLIENT,
    },
    "credentials-key": {
        "method": "client_credentials",
        "token_url": "",
        "client_id": "acme-app",
        "client_auth": "private_key_jwt",
        "jwt": {"alg": "PS256", "key_id": "k1", "thumbprint": "ab:CD" + 30 * "00"},
        **_KEY,
    },
    "credentials-tls": {
        "method": "client_credentials",
        "token_url": "",
        "client_id": "acme-app",
        "client_auth": "tls_client_auth",
    },
    "jwt-bearer": {
        "method": "jwt_bearer",
        "token_url": "",
        "scopes": ["read"],
        "jwt": {
            "alg": "RS256",
            "issuer": "bot@acme.example",
            "key_at": "/keys/private_key",
            "claims": {"scope": "{scope}"},
        },
        **_KEY,
    },
    "jwt": {"method": "jwt", "jwt": {"alg": "EdDSA", "issuer": "acme", "audience": "api"}, **_KEY},
    "login-json": {"method": "login", "login": _LOGIN, "password": "env://KEY", "api_key": "env://SECOND"},
    "login-form": {
        "method": "login",
        "login": {"form": {"key": "{api_key}"}, "token_at": "/token", "lifetime": {"seconds": 60}},
        "headers": {"X-Session": "{access_token}"},
        "api_key": "env://KEY",
    },
    "login-basic": {
        "method": "login",
        "login": {
            "basic": {"username": "bot", "password": "{password}"},
            "token_at": "",
            "lifetime": {"seconds": 60},
        },
        "password": "env://KEY",
    },
    "login-jwt": {
        "method": "login",
        "login": {
            "headers": {"Authorization": "Bearer {jwt}"},
            "token_at": "/token",
            "lifetime": {"time_at": "/expires_at"},
        },
        "jwt": _JWT,
        **_KEY,
    },
    "device": {
        "method": "device_code",
        "token_url": "",
        "device_authorization_url": "",
        "scopes": ["offline_access"],
        **_CLIENT,
    },
    "oauth2": {
        "method": "oauth2",
        "token_url": "",
        "authorize_url": "",
        "redirect_uri": "https://localhost/cb",
        "client_auth": "body",
        **_CLIENT,
    },
}
"""Name of a connection → what stands under its `auth:`; an empty URL is one of its own server."""

_SECRETS: dict[str, Any] = {"secrets": {"api_key": {}}}
_JWT_OF_PROVIDER = {**_JWT, "key": "{private_key}"}
DESCRIBED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "own-none": ({"none": True}, {}),
    "own-headers": ({**_SECRETS, "headers": {"X-Version": "7", "X-Key": "key={api_key}"}}, {"api_key": "env://KEY"}),
    "own-query": ({**_SECRETS, "query": {"key": "{api_key}"}}, {"api_key": "env://KEY"}),
    "own-basic": ({**_SECRETS, "basic": {"username": "{api_key}"}}, {"api_key": "env://KEY"}),
    "own-jwt": (
        {"secrets": {"private_key": {}}, "jwt": _JWT_OF_PROVIDER, "headers": {"Authorization": "JWT {jwt}"}},
        _KEY,
    ),
    "own-credentials": (
        {"flow": "client_credentials", "token_url": "", "secrets": {"client_secret": {}}, "client_auth": "basic"},
        _CLIENT,
    ),
    "own-bearer": (
        {"flow": "jwt_bearer", "token_url": "", "secrets": {"private_key": {}}, "jwt": _JWT_OF_PROVIDER},
        _KEY,
    ),
    "own-login": (
        {**_SECRETS, "login": {"url": "", "json": {"key": "{api_key}"}, "token_at": "/t"}},
        {"api_key": "env://KEY"},
    ),
    "own-device": (
        {
            "flow": "device_code",
            "token_url": "",
            "device_authorization_url": "",
            "secrets": {"client_secret": {}},
            "scopes": ["offline_access"],
        },
        _CLIENT,
    ),
    "own-grant": (
        {
            "flow": "authorization_code",
            "token_url": "",
            "authorize_url": "",
            "refresh_url": "",
            "secrets": {"client_secret": {}},
            "headers": {"X-Token": "{access_token}"},
        },
        {"redirect_uri": "https://localhost/cb", **_CLIENT},
    ),
}
"""Name of a connection, and of its provider → the method's definition, and what stands under `auth:`."""
NAMES = (*INLINE, *DESCRIBED)
WITH_GRANT = frozenset({"device", "oauth2", "own-device", "own-grant"})
WITH_LOGIN = frozenset(name for name in NAMES if "login" in name)
OBTAINING = (
    *(name for name in NAMES if "credentials" in name or ("bearer" in name and name != "bearer")),
    *sorted(WITH_LOGIN),
)
"""Those that obtain a token without a person."""


def host_of(name: str) -> str:
    """Return the host of a connection's API."""
    return f"{name}.acme.example"


def login_host_of(name: str) -> str:
    """Return the host of the server that issues its tokens."""
    return f"{name}.login.example"


def write_manifest(folder: Path, names: Collection[str] = NAMES) -> Path:
    """Write a manifest with connections and their providers; JSON is YAML."""
    connections: dict[str, Any] = {
        name: {
            "provider": "http",
            "environment": "test",
            "base_url": f"https://{host_of(name)}/{name}",
            "check": {"path": "/me", "expect": {"body": {"required": ["id"]}}},
            "auth": _with_urls(name, auth),
        }
        for name, auth in INLINE.items()
        if name in names
    }
    described = {name: DESCRIBED[name] for name in DESCRIBED if name in names}
    for name, (_, auth) in described.items():
        connections[name] = {"provider": f"acme/{name}", "environment": "test", "auth": {"method": "own", **auth}}
    providers = {f"acme/{name}": _provider(name, method) for name, (method, _) in described.items()}
    file = folder / "connections.yaml"
    content = {"version": 1, **({"providers": providers} if providers else {}), "connections": connections}
    file.write_text(json.dumps(content))
    return file


def _provider(name: str, method: dict[str, Any]) -> dict[str, Any]:
    ready = {
        "status": [200],
        "means": "ready",
        "header": {"X-Kind": "account"},
        "body": {"type": "object", "required": ["id"]},
    }
    return {
        "title": "All",
        "environments": {"test": {"class": "test"}},
        "root": f"https://{host_of(name)}/{name}",
        "auth": {"own": {"use": "a test", **_with_urls(name, method)}},
        "check": {"method": "GET", "path": "/me", "description": "the account"},
        "answers": [ready, {"status": [401], "means": "auth_rejected"}, {"status": [403], "means": "auth_denied"}],
        "sources": [{"url": "https://docs.acme.example", "read": "2026-11-29", "says": "everything"}],
        "examples": [
            {"status": 200, "headers": {"X-Kind": "account"}, "body": {"id": 7}, "means": "ready"},
            {"status": 401, "body": {}, "means": "auth_rejected"},
        ],
    }


def _with_urls(name: str, auth: dict[str, Any]) -> dict[str, Any]:
    root = f"https://{login_host_of(name)}"
    urls = {key: f"{root}/oauth/{key.removesuffix('_url')}" for key in auth if key.endswith("_url")}
    if "login" in auth:
        return {**auth, "login": {**auth["login"], "url": f"{root}{TOKEN_PATH}"}}
    return {**auth, **urls}
