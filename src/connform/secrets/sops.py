"""Turns `sops://secrets.enc.yaml#/a/b` into a value of a file that SOPS encrypted: decrypted by the `sops` program, once a read.

Layer 2; reads the file and runs `sops`. Which key opens the file (age, PGP, a cloud's KMS) is written in the file, and where
that key lies is between sops and this user's environment.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from connform.environment import variable
from connform.errors import SecretUnresolved
from connform.manifest.references import REFERENCE
from connform.manifest.shape import Shape, Snippet
from connform.manifest.similar import did_you_mean
from connform.secrets.kit.file_reader import PATH, read_file
from connform.secrets.kit.interface import Fetched
from connform.secrets.kit.opened import Documents
from connform.secrets.kit.requirements import missing_program
from connform.secrets.kit.value import fetched_from_bytes, field_of, object_from_json, text_from_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from connform.secret import SecretReference
    from connform.secrets.kit.command import ProgramResult
    from connform.secrets.kit.interface import OpenStore, Outcome, StoreConfig

_STRUCTURED: Final = (".yaml", ".yml", ".json", ".env", ".ini")
"""The names of files that hold keys and values to sops; any other file is one value (its cmd/sops/formats)."""
_VARIABLES: Final = (
    "GNUPGHOME",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    *("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy"),
)
_PREFIXES: Final = ("SOPS_", "AWS_", "GOOGLE_", "CLOUDSDK_", "AZURE_")
_VAULT: Final = "VAULT_"
_VAULT_HERE: Final = "VAULT_AGENT_ADDR"
"""Where Vault's library, which sops has built in, sends everything, whatever address the encrypted file names."""
_NOWHERE: Final = "unix:///dev/null"
"""An address at which nobody answers."""
_KEYS: Final = ("SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE", "SOPS_AGE_KEY_CMD")
"""By these sops finds age keys: where a store names a key, those of the environment don't count."""
_NO_KEY: Final = (128, 111)
_ALTERED: Final = (24, 25, 51, 52)
_MISSING: Final = 100
_NOT_ENCRYPTED: Final = (1, 2, 4)
"""Exit statuses of sops (its cmd/sops/codes)."""
_LAST_MODIFIED: Final = re.compile(rb"lastmodified[\"']?\s*[:=]\s*[\"']?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")
"""What sops writes of the last change, in each of its formats; the file's MAC covers it."""


class Sops:
    """The backend `sops`."""

    form = "sops://secrets.enc.yaml#/a/b"
    store_shape = Shape(
        properties={
            "path": {
                **PATH,
                "description": "The encrypted file; relative to the manifest.",
                "examples": ["secrets.enc.yaml"],
            },
            "age_key_file": {
                **PATH,
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
        """Return that the program is missing."""
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

    def open(self, place: StoreConfig) -> OpenStore:
        """Return the encrypted files, or the one of a store."""
        return _File(place) if "path" in place.settings else Documents(partial(_load_beside, place), _value_of_field)


class _DecryptedFile(NamedTuple):
    """A file as sops decrypted it."""

    data: bytes
    is_structured: bool
    modified_at: datetime | None


class _File:
    """The file of a store; it is decrypted once a read, whichever keys are asked for."""

    batch_size = 0

    def __init__(self, place: StoreConfig) -> None:
        self._place = place

    def read(self, references: Sequence[SecretReference]) -> Sequence[Outcome]:
        """Return the values at the keys."""
        content = _load(self._place, self._place.base / self._place.settings["path"])
        keys = [reference._replace(path="", field=_pointer_of(reference)) for reference in references]
        return Documents(lambda _: content, _value_of_field).read(keys)

    def close(self) -> None:
        """Do nothing."""


def _pointer_of(reference: SecretReference) -> str:
    """Return the JSON pointer of a reference to a store: its path, and what its field adds."""
    pointer = f"/{reference.path.strip('/')}"
    if not reference.field:
        return pointer
    return pointer + (reference.field if reference.field.startswith("/") else f"/{_escaped(reference.field)}")


def _load_beside(place: StoreConfig, reference: SecretReference) -> _DecryptedFile:
    return _load(place, place.base / reference.path)


def _load(place: StoreConfig, path: Path) -> _DecryptedFile:
    from connform.secrets.kit.command import program, run  # start-up: it needs subprocess

    path = path.absolute()
    encrypted = read_file(path)  # also says whether there is a file that can be read
    found = _LAST_MODIFIED.findall(encrypted)
    sops = program("sops", "install it, 3.9 or newer: https://getsops.io")
    is_structured = path.name.endswith(_STRUCTURED)
    options = ("--output-type", "json") if is_structured else ()
    ran = run((sops, "decrypt", *options, str(path)), _environment(place), place.timeout_s)
    _require_decrypted(ran, path, is_of_vault=b"vault_address" in encrypted)
    return _DecryptedFile(ran.output, is_structured, datetime.fromisoformat(found[-1].decode()) if found else None)


def _environment(place: StoreConfig) -> dict[str, str]:
    from connform.secrets.kit.command import ordinary_variables

    address = variable("VAULT_ADDR")
    variables = ordinary_variables(_VARIABLES, (*_PREFIXES, _VAULT) if address else _PREFIXES)
    # Else a token, also that of ~/.vault-token, would go wherever the encrypted file says.
    own = {_VAULT_HERE: address or _NOWHERE}
    if "age_key_file" in place.settings:
        own["SOPS_AGE_KEY_FILE"] = str((place.base / place.settings["age_key_file"]).absolute())
    if "age_key" in place.secrets:
        own["SOPS_AGE_KEY"] = place.secrets["age_key"].reveal()
    if own.keys() & set(_KEYS):
        variables = {name: value for name, value in variables.items() if name not in _KEYS}
    return {**variables, **own, "LC_ALL": "C"}


def _require_decrypted(ran: ProgramResult, path: Path, *, is_of_vault: bool) -> None:
    from connform.secrets.kit.command import require_exit

    require_exit(ran, "sops")
    more = f"`sops decrypt {path}` says more"
    if ran.status in _NO_KEY:
        message = f"no key of this user opens {path} (sops {ran.said})"
        hint = f"give sops a key, by SOPS_AGE_KEY_FILE or the store's age_key, or have this user's key added; {more}"
        if is_of_vault:
            hint = f"a key of it lies in Vault, which is asked at VAULT_ADDR alone, not where the file says: export it; {more}"
        raise SecretUnresolved("secret_denied", message, hint)
    if ran.status in _ALTERED:
        message = f"{path} was altered after it was encrypted (sops {ran.said})"
        raise SecretUnresolved("secret_malformed", message, f"restore it, and change it with sops alone; {more}")
    if ran.status in _NOT_ENCRYPTED:
        message = f"{path} is no file that sops encrypted, or is damaged (sops {ran.said})"
        raise SecretUnresolved("secret_malformed", message, f"encrypt it with sops, or restore it; {more}")
    if ran.status == _MISSING:
        raise SecretUnresolved("secret_not_found", f"there is no file {path}")
    if ran.status:
        raise SecretUnresolved("secret_backend_unavailable", f"sops {ran.said}", more)


def _value_of_field(content: _DecryptedFile, reference: SecretReference) -> Fetched:
    since = content.modified_at
    version = since.isoformat() if since else ""
    if not reference.field:
        return fetched_from_bytes(content.data)._replace(version=version, since=since)
    *parents, name = _steps(reference.field)
    inside: Any = object_from_json(text_from_bytes(content.data))
    for step in parents:
        inside = _inside(inside, step)
    return Fetched(field_of(_members(inside, name), name), version, since)


def _steps(field: str) -> list[str]:
    """Return the keys on the way to a value: those of a JSON pointer (RFC 6901), or one name."""
    if not field.startswith("/"):
        return [field]
    return [step.replace("~1", "/").replace("~0", "~") for step in field[1:].split("/")]


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _inside(content: Any, step: str) -> Any:
    members = _members(content, step)
    if step not in members:
        raise SecretUnresolved("secret_not_found", f"there is no key {step}", did_you_mean(step, members))
    return members[step]


def _members(content: Any, step: str) -> Mapping[str, Any]:
    """Return what an object or a list holds, by key."""
    if isinstance(content, list):
        return {str(index): value for index, value in enumerate(content)}
    if isinstance(content, dict):
        return content
    raise SecretUnresolved("secret_not_found", f"there is no key {step}: what should hold it is a single value")


SOPS: Final = Sops()
