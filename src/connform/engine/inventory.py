"""The verbs `list` and `show`: the connections of a manifest, and all values of one connection. Always offline.

Layer 3; reads manifests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connform.engine.connection_report import Value
from connform.engine.load.catalog import provider_of
from connform.engine.load.manifest import read_manifest
from connform.engine.load.selection import EVERYTHING, Selection, unknown_connection
from connform.engine.report import Report
from connform.engine.run.describe import describe
from connform.errors import UnknownConnection
from connform.manifest.diagnose import pointer
from connform.manifest.model import Connection
from connform.manifest.settings import Timeouts


def list_connections(files: Sequence[str], selection: Selection = EVERYTHING, policies: Sequence[str] = ()) -> Report:
    """Return the selected connections; arguments and errors as for `validate`."""
    manifest, validated = read_manifest(files, selection, policies)
    if manifest is None:
        return validated._replace(command="list")
    found = tuple(map(describe, manifest.values()))
    return validated._replace(command="list", connections=found, connection_count=len(found))


def show(files: Sequence[str], name: str, policies: Sequence[str] = ()) -> Report:
    """Return a report of one connection: its URLs, every effective value, and where each value comes from.

    Raises:
        UnknownConnection: no connection has that name.
    """
    manifest, validated = read_manifest(files, policies=policies)
    if manifest is None:
        return validated._replace(command="show")
    if name not in manifest:
        raise UnknownConnection(unknown_connection(name, manifest))
    connection = manifest[name]
    instance = provider_of(connection).instance(connection)._asdict()
    details = {key: instance[key] for key in ("key_management_url", "authorize_url", "token_url", "api_key_header")}
    values = (*_declared_values(connection, connection.settings, ()), *_default_values(connection))
    values_in_order = tuple(sorted(values, key=lambda value: value.pointer))
    described = describe(connection)._replace(details=details, values=values_in_order)
    return validated._replace(command="show", connections=(described,), connection_count=1)


def _declared_values(connection: Connection, node: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[Value]:
    for key, value in node.items():
        keys = (*path, key)
        if isinstance(value, dict):
            yield from _declared_values(connection, value, keys)
        else:
            plain = list(value) if isinstance(value, list) else value
            yield Value(pointer(*keys), plain, connection.origin_of(*keys), connection.place_of(*keys))


def _default_values(connection: Connection) -> Iterator[Value]:
    if "provider" not in connection.settings:
        yield Value("/provider", connection.provider, "default", None)
    for key, seconds in Timeouts()._asdict().items():
        if key not in connection.settings.get("timeouts", {}):
            yield Value(f"/timeouts/{key}", seconds, "default", None)
