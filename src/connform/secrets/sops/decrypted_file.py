"""A decrypted file: runs the program `sops`, with what it may have of the environment, and words its failures.

Layer 2; reads the file and runs the program.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from connform.environment import variable
from connform.errors import SecretUnresolved
from connform.secrets.kit.file_reader import read_file
from connform.secrets.kit.interface import StoreConfig
from connform.secrets.sops.formats import BINARY, document_count, format_of

if TYPE_CHECKING:
    from connform.secrets.kit.command import ProgramResult

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
_STATUS_NOT_ENCRYPTED = (1, 2, 4)
_STATUS_NO_FILE = 100
_STATUS_NO_EDITOR = 201
"""The exit statuses of sops (cmd/sops/codes in its source): this one, and those above."""
_NO_CONFIGURATION = b"config file not found"
"""sops before 3.9 takes `decrypt` for the name of a new file. That would need a configuration of keys, and an editor."""
_INSTALL = "install sops 3.9 or newer: https://getsops.io"
_LAST_MODIFIED = re.compile(rb"lastmodified[\"']?\s*[:=]\s*[\"']?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")
"""The time of the last change, as sops writes it in each of its formats. The file's MAC covers it."""


class DecryptedFile(NamedTuple):
    """The decrypted content of a file."""

    data: bytes
    is_structured: bool
    modified_at: datetime | None


def decrypted(store: StoreConfig, path: Path) -> DecryptedFile:
    """Return the decrypted content of a file.

    Raises:
        SecretUnresolved: there is no such file, it can't be decrypted, or holds several documents.
    """
    from connform.secrets.kit.command import require_program, run  # start-up: it needs subprocess

    path = path.absolute()
    encrypted = read_file(path)
    file_format = store.settings.get("format") or format_of(encrypted, path)
    _require_one_document(encrypted, file_format, path)
    times = _LAST_MODIFIED.findall(encrypted)
    is_structured = file_format != BINARY
    output_format = "json" if is_structured else BINARY
    argv = (
        require_program("sops", _INSTALL),
        "decrypt",
        *("--input-type", file_format, "--output-type", output_format),
        str(path),
    )
    result = run(argv, _environment(store), store.timeout_s)
    _require_decrypted(result, path, uses_vault=b"vault_address" in encrypted)
    return DecryptedFile(result.stdout, is_structured, datetime.fromisoformat(times[-1].decode()) if times else None)


def _require_one_document(encrypted: bytes, file_format: str, path: Path) -> None:
    """Raise if a YAML file has several documents: sops prints the first one alone as JSON."""
    if file_format == "yaml" and (count := document_count(encrypted)) > 1:
        message = f"{path} has {count} YAML documents, and a reference can't say which one is meant"
        raise SecretUnresolved("secret_malformed", message, "keep each document in a file of its own")


def _environment(store: StoreConfig) -> dict[str, str]:
    from connform.secrets.kit.command import NETWORK_VARIABLES, ordinary_variables

    address = variable("VAULT_ADDR")
    names = ("GNUPGHOME", *NETWORK_VARIABLES)
    variables = ordinary_variables(names, (*_PREFIXES, _VAULT_PREFIX) if address else _PREFIXES)
    # Else sops would send a token, that of ~/.vault-token included, to the address in the encrypted file.
    own = {_VAULT_AGENT_ADDR: address or _NO_VAULT_SERVER}
    if "age_key_file" in store.settings:
        own["SOPS_AGE_KEY_FILE"] = str((store.base / store.settings["age_key_file"]).absolute())
    if "age_key" in store.secrets:
        own["SOPS_AGE_KEY"] = store.secrets["age_key"].reveal()
    if own.keys() & set(_AGE_VARIABLES):
        variables = {name: value for name, value in variables.items() if name not in _AGE_VARIABLES}
    return {**variables, **own, "EDITOR": "false", "LC_ALL": "C"}


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
    if result.status == _STATUS_NO_FILE and not path.exists():  # deleted since it was read
        raise SecretUnresolved("secret_not_found", f"there is no file {path}")
    if result.status in {_STATUS_NO_FILE, _STATUS_NO_EDITOR} or (
        result.status in _STATUS_NOT_ENCRYPTED and _NO_CONFIGURATION in result.stderr
    ):
        message = f"the program sops has no command `decrypt`: it is older than 3.9 (sops {result.summary})"
        raise SecretUnresolved("secret_backend_unavailable", message, _INSTALL)
    if result.status in _STATUS_NOT_ENCRYPTED:
        message = f"{path} is no file that sops encrypted, or is damaged (sops {result.summary})"
        hint = (
            "encrypt it with sops, or restore it, or name the format in which it was encrypted by the store's `format`"
        )
        raise SecretUnresolved("secret_malformed", message, f"{hint}; {more}")
    if result.status:
        raise SecretUnresolved("secret_backend_unavailable", f"sops {result.summary}", more)
