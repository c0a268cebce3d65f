"""The identity of a secret: recognises two references to the same secret, also through different stores.

Layer 3, no IO. It can't recognise what only the secret store knows, as an item's id or another name of a server.
`production.py` follows symbolic links.
"""

import json
import re
from collections.abc import Callable, Mapping
from posixpath import basename, join, normpath
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from connform.engine.load.catalog import reads_files
from connform.manifest.urls import UrlError, parse_url
from connform.secret import SecretReference

_Key: TypeAlias = tuple[str | bool | None, ...]

_FILE = "file"
_USUAL_ORIGIN = re.compile(r"https://[a-z0-9.-]+(?=[/?#]|\Z)")
"""Matches the origin of a URL that has no port, in the spelling of every output: most have it."""
_ARN = r"arn:[^:]*:[^:]*:([^:]*):([^:]*):(?:secret:|parameter/?)?(.*?)(?:-(?![a-z]{6}$)[A-Za-z0-9]{6})?"
"""Matches region, account and name of an ARN; the name without the six random characters that Secrets Manager appends.
Six lower-case letters are taken for a word of the name."""


class SecretIdentity(NamedTuple):
    """What identifies a secret: backend, server, path and field."""

    kind: str
    """The backend; `file` for all that read files; `client` for an OAuth client without a secret. The prefix `consent ` or `grant `
    stands for those of an OAuth client."""
    path: str
    """The path, with the prefixes that the store's settings add."""
    field: str = ""
    """The part of the secret; empty for the whole."""
    server: tuple[str, ...] = ()
    """What distinguishes stores of one kind: server, account or region; an empty part isn't declared, and matches any."""
    is_open: bool = False
    """Whether the path may have a prefix that isn't declared."""

    @property
    def index_keys(self) -> tuple[_Key, ...]:
        """Its keys in an index, of which `wanted` of another has one if both may be the same secret."""
        heads = (self._path_key, self._name_key(is_open=self.is_open))
        return tuple((*head, field) for head in heads for field in (self.field, None))

    @property
    def lookup_keys(self) -> tuple[_Key, ...]:
        """The keys under which an index has all secrets that may be the same, and others that `is_same` excludes."""
        heads = (self._path_key, self._name_key(is_open=not self.is_open))
        return tuple((*head, field) for head in heads for field in ((self.field, "") if self.field else (None,)))

    @property
    def _path_key(self) -> _Key:
        return self.kind, self.path

    def _name_key(self, *, is_open: bool) -> _Key:
        return self.kind, basename(self.path), is_open

    @property
    def is_file(self) -> bool:
        """Whether the secret lies in a file; also for the consent and the grant of a client whose secret does."""
        return self.kind.rpartition(" ")[2] == _FILE

    def is_same(self, other: "SecretIdentity") -> bool:
        """Whether both may be the same secret, or one a part of the other."""
        return (
            self.kind == other.kind
            and (self.path == other.path or _is_path_suffix(self, other) or _is_path_suffix(other, self))
            and (self.field == other.field or not (self.field and other.field))
            and all(
                mine == theirs or not (mine and theirs) for mine, theirs in zip(self.server, other.server, strict=True)
            )
        )

    def is_part_of(self, other: "SecretIdentity") -> bool:
        """Whether it may be the same secret as another, or a part of it."""
        return self.is_same(other) and other.field in {"", self.field}


def _is_path_suffix(short: SecretIdentity, long: SecretIdentity) -> bool:
    return short.is_open and not long.is_open and long.path.endswith(f"/{short.path}")


def identity_of(reference: SecretReference, store: Mapping[str, Any] | None, folder: str) -> SecretIdentity:
    """Return the identity of a secret.

    Args:
        reference: the reference to it.
        store: the store that the reference names, as in specifications; `None` for a bare backend.
        folder: the manifest's folder in its repository, to which paths of a bare backend are relative.
    """
    settings = store or {}
    kind = str(settings.get("type", reference.scheme))
    if reads_files(kind):
        return _file_identity(kind, reference, settings, str(settings.get("folder", ".")) if store else folder)
    return _BY_BACKEND.get(kind, _third_party_identity)(kind, reference, settings)


def derived_identity(identity: SecretIdentity, what: str) -> SecretIdentity:
    """Return the identity of what a secret leads to: the `consent` to an OAuth client, its `grant`, a `token`."""
    return SecretIdentity(f"{what} {identity.kind}", *identity[1:])


def identity_of_file(path: str) -> SecretIdentity:
    """Return the identity of a secret that is a whole file, by its path."""
    return SecretIdentity(_FILE, path, is_open=not path.startswith("/"))


def path_in(folder: str, path: str) -> str:
    """Return a path relative to the repository, from one relative to a folder; an absolute path stays absolute."""
    joined = normpath(join(folder, path))
    return f"/{joined.lstrip('/')}" if joined.startswith("/") else joined


def origin_of(url: str) -> str:
    """Return the scheme, host and port of a URL, a proxy's included."""
    if match := _USUAL_ORIGIN.match(url):
        return match[0]
    try:
        return parse_url(url, query=True).origin
    except UrlError:  # a proxy by plain http
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}".removesuffix(":80")


def _file_identity(kind: str, reference: SecretReference, settings: Mapping[str, Any], folder: str) -> SecretIdentity:
    store_path = str(settings.get("path", ""))
    if kind != _FILE and store_path:  # the store is one file, and references are keys in it
        field = f"{reference.path}/{reference.field}"
        return identity_of_file(path_in(folder, store_path))._replace(field=field.strip("/"))
    return identity_of_file(path_in(folder, join(store_path, reference.path)))._replace(
        field=reference.field.strip("/")
    )


def _vault_identity(kind: str, reference: SecretReference, settings: Mapping[str, Any]) -> SecretIdentity:
    prefix = [str(settings[key]) for key in ("namespace", "mount") if key in settings]
    # KV version 2 has `data` in the paths of its API.
    parts = [part for part in "/".join([*prefix, reference.path]).split("/") if part != "data"]
    server = origin_of(settings["address"]) if "address" in settings else ""
    return SecretIdentity(kind, "/".join(parts), reference.field, (server,), is_open=not settings)


def _aws_identity(kind: str, reference: SecretReference, settings: Mapping[str, Any]) -> SecretIdentity:
    arn = re.fullmatch(_ARN, reference.path)
    role = re.fullmatch(_ARN, str(settings.get("role_arn", "")))
    region = str(settings.get("region", "")) or (arn[1] if arn else "")
    account = arn[2] if arn else role[2] if role else ""
    profile = "" if account else str(settings.get("profile", ""))
    path = arn[3] if arn else reference.path
    return SecretIdentity(kind, path.strip("/"), reference.field, (region, account, profile))


def _azure_identity(kind: str, reference: SecretReference, settings: Mapping[str, Any]) -> SecretIdentity:
    vault, _, name = reference.path.rpartition("/")
    host = urlsplit(settings["address"]).hostname if settings else vault
    return SecretIdentity(kind, name.lower(), reference.field, (str(host).partition(".")[0].lower(),))


def _google_identity(kind: str, reference: SecretReference, settings: Mapping[str, Any]) -> SecretIdentity:
    project, _, name = (
        f"{settings['project']}/{reference.path}".partition("/") if settings else reference.path.partition("/")
    )
    location = str(settings.get("location", "global"))
    return SecretIdentity(kind, name, reference.field, ("" if project.isdigit() else project, location))


def _kubernetes_identity(kind: str, reference: SecretReference, settings: Mapping[str, Any]) -> SecretIdentity:
    path = "/".join(filter(None, (str(settings.get("namespace", "")), reference.path)))
    return SecretIdentity(kind, path, reference.field, (origin_of(settings["address"]) if settings else "",))


def _1password_identity(kind: str, reference: SecretReference, settings: Mapping[str, Any]) -> SecretIdentity:
    return SecretIdentity(kind, reference.path.lower(), server=(origin_of(settings["address"]) if settings else "",))


def _keyring_identity(kind: str, reference: SecretReference, settings: Mapping[str, Any]) -> SecretIdentity:
    prefix = [str(settings["service"])] if "service" in settings else []
    return SecretIdentity(kind, "/".join([*prefix, reference.path.lstrip("/")]), reference.field)


def _pass_identity(kind: str, reference: SecretReference, settings: Mapping[str, Any]) -> SecretIdentity:
    if "path" not in settings:
        return SecretIdentity(kind, reference.path, reference.field, is_open=True)
    path = path_in(str(settings.get("folder", ".")), join(str(settings["path"]), reference.path))
    return SecretIdentity(kind, path, reference.field)


def _plain_identity(kind: str, reference: SecretReference, _settings: Mapping[str, Any]) -> SecretIdentity:
    return SecretIdentity(kind, reference.path, reference.field)


def _third_party_identity(kind: str, reference: SecretReference, settings: Mapping[str, Any]) -> SecretIdentity:
    """Return the identity of a secret of a third-party backend: all settings of its store distinguish it."""
    distinguishing = {key: value for key, value in settings.items() if key not in {"type", "environment", "timeout_s"}}
    return SecretIdentity(
        kind, reference.path, reference.field, (json.dumps(distinguishing, sort_keys=True) if distinguishing else "",)
    )


_BY_BACKEND: dict[str, Callable[[str, SecretReference, Mapping[str, Any]], SecretIdentity]] = {
    "awssecrets": _aws_identity,
    "awsssm": _aws_identity,
    "azurekv": _azure_identity,
    "env": _plain_identity,
    "exec": _plain_identity,
    "gcpsecrets": _google_identity,
    "k8s": _kubernetes_identity,
    "keyring": _keyring_identity,
    "op": _1password_identity,
    "pass": _pass_identity,
    "vault": _vault_identity,
}
