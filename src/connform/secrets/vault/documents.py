"""Parsers of a Vault server's replies: KV mounts, KV secrets and their fields, and why a secret is missing.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple

from connform.errors import SecretUnresolved
from connform.secrets.kit.interface import Fetched
from connform.secrets.kit.rest import RestReply
from connform.secrets.kit.value import field_of
from connform.secrets.vault.server import NAME, describe_errors, unexpected_answer

VERSIONED = 2
"""The version of the KV engine that stores earlier versions of secrets."""
_KV_TYPES = {"kv", "generic"}
"""The types of KV mounts; `generic` is an old name of `kv`."""

_NOT_OF_KV = ("lease_id", "auth", "wrap_info")
"""Keys that are empty in every answer of a KV store: it makes neither leases nor tokens."""


class Mount(NamedTuple):
    """The mount of a KV engine."""

    path: str
    """Its path, without a slash at its end."""
    version: int
    """The version of the KV engine: 1 or 2."""

    def api_path(self, path: str) -> str:
        """Return the path of the API by which a secret is read. Policies name this path, too."""
        inner = path.removeprefix(f"{self.path}/")
        return f"{self.path}/data/{inner}" if self.version == VERSIONED else f"{self.path}/{inner}"


class KvSecret(NamedTuple):
    """A secret of a KV mount, in one version."""

    fields: Mapping[str, Any]
    """Its values by name."""
    version: str = ""
    """The number of the version; empty in KV version 1."""
    since: datetime | None = None
    """When it was written."""


def mount_of_reply(reply: RestReply, path: str) -> Mount:
    """Return the KV mount of a path, from the server's reply about it.

    Raises:
        SecretUnresolved: `secret_not_found`, the mount is no KV store, or the path is the mount itself;
            `secret_backend_unavailable`, the reply is not one of Vault.
    """
    data = _data_of(reply)
    mount, kind, options = data.get("path"), data.get("type"), data.get("options")
    if not isinstance(mount, str) or not mount.strip("/") or f"/{mount}" not in f"/{path}/":
        raise unexpected_answer()
    mount = path[: f"/{path}/".index(f"/{mount}") + len(mount) - 1]  # the path may begin with a namespace
    if kind not in _KV_TYPES:
        raise not_kv(mount)
    if mount == path:
        raise SecretUnresolved("secret_not_found", f"{mount} is the whole mount", "name a secret in it")
    is_versioned = isinstance(options, dict) and options.get("version") == "2"
    return Mount(mount, VERSIONED if is_versioned else 1)


def not_kv(path: str) -> SecretUnresolved:
    """Return the error that a path lies in no KV store."""
    message = f"{path} is no KV store: only secrets that are stored can be read, none that are made on request"
    return SecretUnresolved("secret_not_found", message, "correct the mount in the reference")


def secret_of_reply(reply: RestReply, mount: Mount) -> KvSecret:
    """Return the secret in a reply.

    Raises:
        SecretUnresolved: `secret_backend_unavailable`, it is no reply of KV version 2; `secret_not_found`, the reply to a
            read in version 1 comes from an engine that is not KV.
    """
    data = _data_of(reply)
    if mount.version != VERSIONED:
        if any(reply.content.get(key) for key in _NOT_OF_KV):
            raise not_kv(mount.path)
        return KvSecret(data)
    fields, metadata = data.get("data"), metadata_of_reply(reply)
    if not isinstance(fields, dict):
        raise unexpected_answer()
    since = None
    with suppress(TypeError, ValueError):  # the time is only shown
        since = datetime.fromisoformat(metadata.get("created_time", "")).astimezone(UTC)
    return KvSecret(fields, str(metadata.get("version", "")), since)


def _data_of(reply: RestReply) -> Mapping[str, Any]:
    data = reply.content.get("data")
    return data if isinstance(data, dict) else {}


def metadata_of_reply(reply: RestReply) -> Mapping[str, Any]:
    """Return the metadata of a version in KV version 2, even of a deleted one; empty if there is none."""
    metadata = _data_of(reply).get("metadata")
    return metadata if isinstance(metadata, dict) and "version" in metadata else {}


def not_found(reply: RestReply, mount: Mount, path: str, version: str) -> SecretUnresolved:
    """Return the error after the status 404: which of mount, secret and version is missing, or was deleted."""
    metadata, inner, hint = metadata_of_reply(reply), path.removeprefix(f"{mount.path}/"), ""
    number = f"version {metadata.get('version')} of it"
    if metadata.get("destroyed"):
        message, hint = f"{number} was destroyed, and can't be had back", "write the secret again"
    elif metadata.get("deletion_time"):
        message = f"{number} was deleted"
        hint = f"`vault kv undelete -mount={mount.path} -versions={metadata.get('version')} {inner}` brings it back"
    elif "no handler for route" in describe_errors(reply):
        message, hint = f"{NAME} has no mount {mount.path}", "correct the mount in the reference, or `namespace`"
    else:
        message = f"the mount {mount.path} has no secret {inner}" + (f" in version {version}" if version else "")
        if inner.startswith("data/"):
            hint = "leave out `data/`: it belongs to the API's paths, not to the secret's"
    return SecretUnresolved("secret_not_found", message, hint)


def field_in(document: KvSecret, field: str) -> Fetched:
    """Return a field of a secret; its only field if none is named.

    Raises:
        SecretUnresolved: `secret_not_found`, `secret_malformed`.
    """
    return Fetched(field_of(document.fields, field or _only_field(document)), document.version, document.since)


def _only_field(document: KvSecret) -> str:
    names = sorted(document.fields)
    if len(names) == 1:
        return names[0]
    if not names:
        raise SecretUnresolved("secret_malformed", "the secret has no fields", "store the value in a field")
    message = f"the secret has {len(names)} fields, and the reference names none"
    raise SecretUnresolved("secret_malformed", message, f"name one: {', '.join(f'#{name}' for name in names)}")
