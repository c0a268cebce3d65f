"""The backend `sops`: values of files that SOPS encrypted, `sops://secrets.enc.yaml#/a/b`.

Layer 2; reads the file and runs the program `sops`, once for each file and read. The file names the keys that decrypt it
(age, PGP, a cloud's KMS). sops itself finds them, by the variables of this user's environment or the settings of the store.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from connform.environment import variable
from connform.errors import SecretUnresolved
from connform.manifest.references import REFERENCE
from connform.manifest.shape import Shape, Snippet
from connform.manifest.similar import did_you_mean
from connform.secret import SecretReference
from connform.secrets.kit.file_reader import PATH_SCHEMA, read_file
from connform.secrets.kit.interface import Backend, Fetched, OpenStore, Outcome, StoreConfig
from connform.secrets.kit.open_store import DocumentStore
from connform.secrets.kit.requirements import missing_program
from connform.secrets.kit.value import fetched_from_bytes, field_of, object_from_json, text_from_bytes

if TYPE_CHECKING:
    from connform.secrets.kit.command import ProgramResult

_STRUCTURED = (".yaml", ".yml", ".json", ".env", ".ini")
"""Endings of files that sops reads as keys and values; any other file is one value (cmd/sops/formats in its source)."""
_VARIABLES = (
    "GNUPGHOME",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    *("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy"),
)
_PREFIXES = ("SOPS_", "AWS_", "GOOGLE_", "CLOUDSDK_", "AZURE_")
_VAULT_PREFIX = "VAULT_"
_VAULT_AGENT_ADDR = "VAULT_AGENT_ADDR"
"""This variable overrides, in the Vault library of sops, the server's address that the encrypted file names."""
_NO_VAULT_SERVER = "unix:///dev/null"
"""An address at which no server answers."""
_AGE_VARIABLES = ("SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE", "SOPS_AGE_KEY_CMD")
"""Variables by which sops finds age keys. None of the environment is passed on if the store names a key."""
_STATUS_NO_KEY = (128, 111)
_STATUS_ALTERED = (24, 25, 51, 52)
_STATUS_NO_FILE = 100
_STATUS_NOT_ENCRYPTED = (1, 2, 4)
"""The exit statuses of sops (cmd/sops/codes in its source): this one, and those above."""
_LAST_MODIFIED = re.compile(rb"lastmodified[\"']?\s*[:=]\s*[\"']?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")
"""The time of the last change, as sops writes it in each of its formats. The file's MAC covers it."""


class Sops(Backend):
    """The backend `sops`."""

    form = "sops://secrets.enc.yaml#/a/b"
    reads_files = True
    depends_on_folder = True
    store_shape = Shape(
        properties={
            "path": {
                **PATH_SCHEMA,
                "description": "The encrypted file; relative to the manifest.",
                "examples": ["secrets.enc.yaml"],
            },
            "age_key_file": {
                **PATH_SCHEMA,
                "description": "A file of age keys that opens it; relative to the manifest. Default: where sops looks.",
                "examples": ["/run/secrets/age.txt"],
            },
            "age_key": {
                **REFERENCE,
                "description": "A reference to the age key that opens it, AGE-SECRET-KEY-1…; never the key itself.",
                "examples": ["env://ACME_AGE_KEY", "file:///run/secrets/age.txt"],
            },
        },
        required=("path",),
        description="A file that SOPS encrypted.",
        snippets=(Snippet("SOPS file", {"type": "sops", "path": "${2:secrets.enc.yaml}"}),),
    )

    def missing(self) -> str:
        """Return that the program `sops` is missing; empty if it is on PATH."""
        return missing_program("sops")

    def lint(self, reference: SecretReference, settings: Mapping[str, Any]) -> str:
        """Return what is wrong with a reference to a value of an encrypted file."""
        if reference.version:
            return "an encrypted file has no versions but those of its repository"
        if not reference.path.strip("/"):
            form = f"{reference.scheme}://a/b" if "path" in settings else self.form
            return f"what is meant is missing: {form}"
        if "path" not in settings and not reference.field and reference.path.endswith(_STRUCTURED):
            return f"the key is missing: sops://{reference.path}#/a/b, or #name for one at the top"
        return ""

    def open(self, store: StoreConfig) -> OpenStore:
        """Return the encrypted file of a store, or all files for the bare backend."""
        if "path" in store.settings:
            return _EncryptedFile(store)
        return DocumentStore(partial(_load_beside, store), _value_of_field)


class _DecryptedFile(NamedTuple):
    """The decrypted content of a file."""

    data: bytes
    is_structured: bool
    modified_at: datetime | None


class _EncryptedFile:
    """The encrypted file of a store. One call of `read` decrypts it once."""

    batch_size = 0

    def __init__(self, store: StoreConfig) -> None:
        self._store = store

    def read(self, references: Sequence[SecretReference]) -> Sequence[Outcome]:
        """Return the value of each reference's key, or why there is none."""
        content = _load(self._store, self._store.base / self._store.settings["path"])
        keys = [reference._replace(path="", field=_pointer_of(reference)) for reference in references]
        return DocumentStore(lambda _: content, _value_of_field).read(keys)

    def close(self) -> None:
        """Do nothing: no file stays open."""


def _pointer_of(reference: SecretReference) -> str:
    """Return the JSON pointer of a reference to a store: its path, with its field appended."""
    pointer = f"/{reference.path.strip('/')}"
    if not reference.field:
        return pointer
    return pointer + (reference.field if reference.field.startswith("/") else f"/{_escaped(reference.field)}")


def _load_beside(store: StoreConfig, reference: SecretReference) -> _DecryptedFile:
    return _load(store, store.base / reference.path)


def _load(store: StoreConfig, path: Path) -> _DecryptedFile:
    from connform.secrets.kit.command import require_program, run  # start-up: it needs subprocess

    path = path.absolute()
    encrypted = read_file(path)  # for the time of the last change, and to report a missing file
    times = _LAST_MODIFIED.findall(encrypted)
    sops = require_program("sops", "install it, 3.9 or newer: https://getsops.io")
    is_structured = path.name.endswith(_STRUCTURED)
    options = ("--output-type", "json") if is_structured else ()
    result = run((sops, "decrypt", *options, str(path)), _environment(store), store.timeout_s)
    _require_decrypted(result, path, uses_vault=b"vault_address" in encrypted)
    return _DecryptedFile(result.stdout, is_structured, datetime.fromisoformat(times[-1].decode()) if times else None)


def _environment(store: StoreConfig) -> dict[str, str]:
    from connform.secrets.kit.command import ordinary_variables

    address = variable("VAULT_ADDR")
    variables = ordinary_variables(_VARIABLES, (*_PREFIXES, _VAULT_PREFIX) if address else _PREFIXES)
    # Else sops would send a token, that of ~/.vault-token included, to the address in the encrypted file.
    own = {_VAULT_AGENT_ADDR: address or _NO_VAULT_SERVER}
    if "age_key_file" in store.settings:
        own["SOPS_AGE_KEY_FILE"] = str((store.base / store.settings["age_key_file"]).absolute())
    if "age_key" in store.secrets:
        own["SOPS_AGE_KEY"] = store.secrets["age_key"].reveal()
    if own.keys() & set(_AGE_VARIABLES):
        variables = {name: value for name, value in variables.items() if name not in _AGE_VARIABLES}
    return {**variables, **own, "LC_ALL": "C"}


def _require_decrypted(result: ProgramResult, path: Path, *, uses_vault: bool) -> None:
    from connform.secrets.kit.command import require_exit

    require_exit(result, "sops")
    more = f"`sops decrypt {path}` says more"
    if result.status in _STATUS_NO_KEY:
        message = f"no key of this user opens {path} (sops {result.summary})"
        hint = f"give sops a key, by SOPS_AGE_KEY_FILE or the store's age_key, or have this user's key added; {more}"
        if uses_vault:
            hint = f"a key of it lies in Vault, which is asked at VAULT_ADDR alone, not where the file says: export it; {more}"
        raise SecretUnresolved("secret_denied", message, hint)
    if result.status in _STATUS_ALTERED:
        message = f"{path} was altered after it was encrypted (sops {result.summary})"
        raise SecretUnresolved("secret_malformed", message, f"restore it, and change it with sops alone; {more}")
    if result.status in _STATUS_NOT_ENCRYPTED:
        message = f"{path} is no file that sops encrypted, or is damaged (sops {result.summary})"
        raise SecretUnresolved("secret_malformed", message, f"encrypt it with sops, or restore it; {more}")
    if result.status == _STATUS_NO_FILE:
        raise SecretUnresolved("secret_not_found", f"there is no file {path}")
    if result.status:
        raise SecretUnresolved("secret_backend_unavailable", f"sops {result.summary}", more)


def _value_of_field(content: _DecryptedFile, reference: SecretReference) -> Fetched:
    since = content.modified_at
    version = since.isoformat() if since else ""
    if not reference.field:
        return fetched_from_bytes(content.data)._replace(version=version, since=since)
    *parents, name = _steps(reference.field)
    content_at_step: Any = object_from_json(text_from_bytes(content.data))
    for step in parents:
        content_at_step = _member(content_at_step, step)
    return Fetched(field_of(_members(content_at_step, name), name), version, since)


def _steps(field: str) -> list[str]:
    """Return the keys that lead to a value: the parts of a JSON pointer (RFC 6901), or one name."""
    if not field.startswith("/"):
        return [field]
    return [step.replace("~1", "/").replace("~0", "~") for step in field[1:].split("/")]


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _member(content: Any, step: str) -> Any:
    members = _members(content, step)
    if step not in members:
        raise SecretUnresolved("secret_not_found", f"there is no key {step}", did_you_mean(step, members))
    return members[step]


def _members(content: Any, step: str) -> Mapping[str, Any]:
    """Return the members of an object by key, or those of a list by index."""
    if isinstance(content, list):
        return {str(index): value for index, value in enumerate(content)}
    if isinstance(content, dict):
        return content
    raise SecretUnresolved("secret_not_found", f"there is no key {step}: what should hold it is a single value")


SOPS = Sops()
