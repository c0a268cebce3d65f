"""The part of a specification that says what a declared provider means for one connection.

Layer 3, no IO. It is what an entry of `providers:` says, reduced to the connection: its URLs are filled in, and of its auth methods it
has one. So a record tells where its secrets were sent, even if the provider is declared otherwise later, or no more.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

from connform.engine.load.declared_providers import EntryKey
from connform.manifest.model import Connection
from connform.manifest.named_texts import expand
from connform.providers.interface import Instance

DEFINITION = "definition"
"""The key of the part in a specification."""
_JUDGING = ("answers", "error_code", "safe_posts")
_NOT_RECORDED = frozenset({"use", "root"})
_MEANING = ("class", "own_root")
"""What an environment says besides its addresses."""
_URLS = ("authorize_url", "token_url", "refresh_url", "device_authorization_url", "revoke_url")


class _Filled(NamedTuple):
    """What a part depends on besides the entry, the auth method and the environment: what stands in its texts."""

    urls: tuple[str, ...]
    login_url: str
    headers: tuple[tuple[str, str], ...]
    query: tuple[tuple[str, str], ...]
    values: tuple[tuple[str, str], ...]


def definition_part(connection: Connection, definition: Mapping[str, Any], instance: Instance) -> dict[str, Any]:
    """Return what an entry of `providers:` means for a connection.

    Args:
        connection: the connection.
        definition: the entry.
        instance: the URLs of its instance.
    """
    plain = (tuple(one.items()) for one in (instance.headers, instance.query, instance.values))
    filled = _Filled(tuple([getattr(instance, key) for key in _URLS]), instance.login_url, *plain)
    return _part(EntryKey(definition), connection.settings["auth"]["method"], connection.environment, filled)


@lru_cache(maxsize=1024)  # thousands of connections share few providers
def _part(key: EntryKey, method: str, environment: str, filled: _Filled) -> dict[str, Any]:
    entry = key.node
    described = {key: value for key, value in entry["auth"][method].items() if key not in _NOT_RECORDED}
    if "secrets" in described:
        described["secrets"] = {name: _without_variables(one) for name, one in described["secrets"].items()}
    urls = {key: url for key, url in zip(_URLS, filled.urls, strict=True) if key in described}
    auth = _filled(described, dict(filled.values)) | urls
    if "login" in auth:
        auth["login"]["url"] = filled.login_url
    environments = {
        name: {key: row[key] for key in _MEANING if key in row}
        for name, row in entry.get("environments", {}).items()
        if name == environment or len(entry["environments"]) == 1
    }
    judging = json.dumps({key: entry[key] for key in _JUDGING if key in entry}, sort_keys=True)
    plain = {"headers": filled.headers, "query": filled.query}
    return {
        **{key: dict(pairs) for key, pairs in plain.items() if key in entry},
        "auth": {method: auth},
        "check": {key: value for key, value in entry["check"].items() if key != "description"},
        "environments": environments,
        "judging": f"sha256:{sha256(judging.encode()).hexdigest()}",
    }


def recorded_definition(spec: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the part of a specification as an entry of `providers:`; `None` where there is none."""
    part = spec.get(DEFINITION)
    return None if part is None else {**part, "title": "", "root": spec["base_url"], "answers": []}


def _without_variables(secret: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in secret.items() if key != "variables"}


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    """Return plain data with what the provider and the connection say in its texts; names of secrets stay."""
    if isinstance(value, str):
        return expand(value, values)
    if isinstance(value, Mapping):
        return {key: _filled(one, values) for key, one in value.items()}
    return [_filled(one, values) for one in value] if isinstance(value, list) else value
