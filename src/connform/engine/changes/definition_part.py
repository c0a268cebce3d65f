"""The part of a specification that says what a declared provider means for one connection.

Layer 3, no IO. It is what an entry of `providers:` says, reduced to the connection: its URLs are filled in, and of its auth methods it
has one. So a record tells where its secrets were sent, even if the provider is declared otherwise later, or no more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from connform.engine.load.catalog import provider_of
from connform.manifest.model import Connection
from connform.manifest.named_texts import expand

DEFINITION = "definition"
"""The key of the part in a specification."""
_JUDGING = ("answers", "error_code", "safe_posts")
_NOT_RECORDED = frozenset({"use", "root"})
_MEANING = ("class", "own_root")
"""What an environment says besides its addresses."""
_URLS = ("authorize_url", "token_url", "refresh_url", "device_authorization_url", "revoke_url")
_PLAIN = ("headers", "query")
"""The keys of an entry that every request sends."""


def definition_part(connection: Connection) -> dict[str, Any] | None:
    """Return what the entry of `providers:` means for a connection; `None` for a built-in or installed provider."""
    entry = connection.definition
    if entry is None:
        return None
    instance = provider_of(connection).instance(connection)
    method = connection.settings["auth"]["method"]
    described = {key: value for key, value in entry["auth"][method].items() if key not in _NOT_RECORDED}
    if "secrets" in described:
        described["secrets"] = {name: _without_variables(one) for name, one in described["secrets"].items()}
    auth = _filled(described, instance.values) | {key: getattr(instance, key) for key in _URLS if key in described}
    if "login" in auth:
        auth["login"]["url"] = instance.login_url
    environments = {
        name: {key: row[key] for key in _MEANING if key in row}
        for name, row in entry.get("environments", {}).items()
        if name == connection.environment or len(entry["environments"]) == 1
    }
    judging = json.dumps({key: entry[key] for key in _JUDGING if key in entry}, sort_keys=True)
    plain = {key: dict(getattr(instance, key)) for key in _PLAIN if key in entry}
    return {
        **plain,
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
