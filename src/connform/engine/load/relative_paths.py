"""Detection of relative paths in the settings of connections and stores: they depend on the manifest's folder.

Layer 3, no IO.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

from connform.engine.load.catalog import auth_reference_keys, reads_files, store_reference_keys


def is_relative(settings: Mapping[str, Any], stores: Container[str]) -> bool:
    """Whether a connection with these effective values has a path relative to its manifest.

    Args:
        settings: the effective values.
        stores: the names of the declared stores; paths in them don't depend on the connection.
    """
    paths = [path for scheme, path in references(settings) if scheme not in stores and reads_files(scheme)]
    if isinstance(tls := settings.get("tls"), dict):
        paths += map(str, tls.values())
    return _any_relative(paths)


def is_relative_store(settings: Mapping[str, Any]) -> bool:
    """Whether a store with these values, `type` included, has a path relative to its manifest."""
    paths = [str(settings.get("path", ""))] if reads_files(str(settings.get("type"))) else []
    paths += [str(value) for key, value in settings.items() if key.endswith("_file")]
    paths += [path for scheme, path in _references(settings, store_reference_keys()) if reads_files(scheme)]
    return _any_relative(paths)


def _any_relative(paths: Sequence[str]) -> bool:
    return bool(paths) and any(not path.startswith("/") for path in paths)


def references(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the secret references of a connection, each as its scheme and the text after `://`."""
    auth = settings.get("auth")
    return _references(auth, auth_reference_keys(auth["method"]) or ()) if isinstance(auth, dict) else []


def _references(node: Mapping[str, Any], keys: Container[str]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in node.items():
        if isinstance(value, dict):
            found += _references(value, keys)
        elif key in keys and isinstance(value, str):
            scheme, _, rest = value.removeprefix("ref+").partition("://")
            found.append((scheme, rest))
    return found
