"""Turns what a server tells of KV mounts and secrets into documents and their fields, or into why there are none.

Layer 2, no IO.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from connform.errors import SecretUnresolved
from connform.secrets.kit.interface import Fetched
from connform.secrets.kit.value import field_of
from connform.secrets.vault.server import NAME, describe_errors, unexpected_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connform.secrets.kit.rest import RestReply

VERSIONED: Final = 2
"""The version of KV that keeps earlier versions of its secrets."""
_KV_TYPES: Final = {"kv", "generic"}
"""Types of mounts; `generic` is what KV was called at first."""

_NOT_OF_KV: Final = ("lease_id", "auth", "wrap_info")
"""What is empty in every answer of a KV store: it leases nothing, and makes no token."""


class Mount(NamedTuple):
    """A KV store of a server."""

    path: str
    """Without a slash at its end."""
    version: int
    """Of the KV engine: 1 or 2."""

    def api_path(self, path: str) -> str:
        """Return what is called to read a secret, and what a policy names."""
        inner = path.removeprefix(f"{self.path}/")
        return f"{self.path}/data/{inner}" if self.version == VERSIONED else f"{self.path}/{inner}"


class KvSecret(NamedTuple):
    """A secret: its fields, and what is known of it."""

    fields: Mapping[str, Any]
    """Name → value."""
    version: str = ""
    """The number of the version; empty in KV version 1."""
    since: datetime | None = None
    """When it was written."""


def mount_of_reply(reply: RestReply, path: str) -> Mount:
    """Return the mount in which a path lies, as the server tells it.

    Raises:
        SecretUnresolved: `secret_not_found`, it is no KV store, or not in it but the whole of it.
    """
    data = _data_of(reply)
    mount, kind, options = data.get("path"), data.get("type"), data.get("options")
    if not isinstance(mount, str) or not mount.strip("/") or f"/{mount}" not in f"/{path}/":
        raise unexpected_answer()
    mount = path[: f"/{path}/".index(f"/{mount}") + len(mount) - 1]  # a namespace may stand before it
    if kind not in _KV_TYPES:
        raise not_kv(mount)
    if mount == path:
        raise SecretUnresolved("secret_not_found", f"{mount} is the whole mount", "name a secret in it")
    is_versioned = isinstance(options, dict) and options.get("version") == "2"
    return Mount(mount, VERSIONED if is_versioned else 1)


def not_kv(path: str) -> SecretUnresolved:
    """Return that what lies at a place of a server is no stored secret."""
    message = f"{path} is no KV store: only secrets that are stored can be read, none that are made on request"
    return SecretUnresolved("secret_not_found", message, "correct the mount in the reference")


def secret_of_reply(reply: RestReply, mount: Mount) -> KvSecret:
    """Return the secret that an answer holds.

    Raises:
        SecretUnresolved: `secret_backend_unavailable`, it is no answer of that version of KV; `secret_not_found`, nor of any.
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
    with suppress(TypeError, ValueError):  # nothing depends on it
        since = datetime.fromisoformat(metadata.get("created_time", "")).astimezone(UTC)
    return KvSecret(fields, str(metadata.get("version", "")), since)


def _data_of(reply: RestReply) -> Mapping[str, Any]:
    data = reply.content.get("data")
    return data if isinstance(data, dict) else {}


def metadata_of_reply(reply: RestReply) -> Mapping[str, Any]:
    """Return what KV version 2 tells of a version, even of one that is gone."""
    metadata = _data_of(reply).get("metadata")
    return metadata if isinstance(metadata, dict) and "version" in metadata else {}


def not_found(reply: RestReply, mount: Mount, path: str, version: str) -> SecretUnresolved:
    """Return what is missing, after an answer that something is."""
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
    """Return a field of a secret, or the only one where none is named.

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
