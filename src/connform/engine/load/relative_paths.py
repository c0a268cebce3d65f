"""Detection of relative paths in the settings of connections and stores: they depend on the manifest's folder.

Layer 3, no IO.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

from connform.engine.load.catalog import Definition, auth_reference_keys, reads_files, store_reference_keys


def is_relative(settings: Mapping[str, Any], stores: Container[str], definition: Definition = None) -> bool:
    """Whether a connection with these effective values has a path relative to its manifest.

    Args:
        settings: the effective values.
        stores: the names of the declared stores; paths in them don't depend on the connection.
        definition: the entry of `providers:` for its provider, if any.
    """
    for scheme, path in references(settings, definition):
        if not path.startswith("/") and scheme not in stores and reads_files(scheme):
            return True
    return "tls" in settings and _any_relative(_tls_files(settings))


def is_relative_store(settings: Mapping[str, Any]) -> bool:
    """Whether a store with these values, `type` included, has a path relative to its manifest."""
    kind = str(settings.get("type"))
    paths = [str(settings.get("path", ""))] if reads_files(kind) else []
    paths += [str(value) for key, value in settings.items() if key.endswith("_file")]
    paths += _tls_files(settings)
    paths += [path for scheme, path in _references(settings, store_reference_keys(kind) or ()) if reads_files(scheme)]
    return _any_relative(paths)


def _tls_files(settings: Mapping[str, Any]) -> list[str]:
    tls = settings.get("tls")
    return list(map(str, tls.values())) if isinstance(tls, dict) else []


def _any_relative(paths: Sequence[str]) -> bool:
    return bool(paths) and any(not path.startswith("/") for path in paths)


def references(settings: Mapping[str, Any], definition: Definition = None) -> list[tuple[str, str]]:
    """Return the secret references of a connection, each as its scheme and the text after `://`."""
    auth, proxy = settings.get("auth"), settings.get("proxy")
    found = _references(auth, auth_reference_keys(settings, definition) or ()) if isinstance(auth, dict) else []
    if isinstance(proxy, dict):
        found += _references(proxy, ("password",))
    return found


def _references(node: Mapping[str, Any], keys: Container[str]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in node.items():
        if key in keys and isinstance(value, str):
            found.append(split_reference(value))
        elif isinstance(value, dict):
            found += _references(value, keys)
    return found


def split_reference(text: str) -> tuple[str, str]:
    """Return the scheme of a secret reference, and the text after `://`."""
    scheme, _, rest = text.removeprefix("ref+").partition("://")
    return scheme, rest
