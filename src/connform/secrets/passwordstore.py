"""The backend `pass`: entries of the password store, `pass://path`: the first line, or a line `field: value` below it.

Layer 2; runs `pass`, which runs gpg. The module has the name of the program's project, since `pass` is a keyword of Python.
Nobody is asked for a passphrase: if gpg-agent doesn't hold that of the key, the entry can't be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connform.environment import variable
from connform.errors import SecretUnresolved
from connform.manifest.shape import Shape, Snippet
from connform.manifest.similar import did_you_mean
from connform.secret import SecretReference
from connform.secrets.kit.file_reader import PATH_SCHEMA
from connform.secrets.kit.interface import Backend, Fetched, OpenStore, StoreConfig
from connform.secrets.kit.open_store import DocumentStore
from connform.secrets.kit.requirements import missing_program
from connform.secrets.kit.value import secret_from_text, text_from_bytes

if TYPE_CHECKING:
    from connform.secrets.kit.command import ProgramResult

_GPG_OPTIONS = "--batch --pinentry-mode error --status-fd 2"
"""No dialog, and status lines for programs on standard error (GnuPG's doc/DETAILS): they are not translated."""


class PasswordStore(Backend):
    """The backend `pass`."""

    form = "pass://path"
    programs = ("pass",)
    allows_at = True
    store_shape = Shape(
        properties={
            "path": {
                **PATH_SCHEMA,
                "description": "The folder of the password store; relative to the manifest. Default: where pass looks.",
                "examples": ["/srv/password-store"],
            }
        },
        description="A password store, as pass keeps it.",
        snippets=(Snippet("password store", {"type": "pass", "path": "${2:/srv/password-store}"}),),
    )

    def missing(self) -> str:
        """Return that the program `pass` is missing; empty if it is on PATH."""
        return missing_program("pass")

    def lint(self, reference: SecretReference, settings: Mapping[str, Any]) -> str:  # noqa: ARG002  (the interface's signature)
        """Return what is wrong with a reference to an entry."""
        if not reference.path.strip("/") or reference.path.startswith(("/", "-")):
            return f"an entry is named by its path in the store: {reference.scheme}://acme/key"
        if ".." in reference.path.split("/"):
            return "an entry lies inside of the password store: its path has no `..`"
        if reference.version:
            return "an entry has no versions but those of the store's repository"
        return ""

    def open(self, store: StoreConfig) -> OpenStore:
        """Return the password store."""
        return DocumentStore(partial(_load, store), _fetched)


def _load(store: StoreConfig, reference: SecretReference) -> bytes:
    from connform.secrets.kit.command import require_exit, require_program, run  # start-up: it needs subprocess

    folder = _folder(store)
    if not folder.is_dir():
        message = f"there is no password store {folder}"
        raise SecretUnresolved("secret_not_found", message, "pass init KEY makes one; PASSWORD_STORE_DIR names another")
    if not (folder / f"{reference.path}.gpg").is_file():
        message = f"the password store {folder} has no such entry"
        raise SecretUnresolved("secret_not_found", message, f"`pass insert {reference.path}` makes it")
    script = require_program("pass", "install password-store: https://www.passwordstore.org")
    require_program("gpg", "install GnuPG")
    result = run((script, "show", reference.path), _environment(folder), store.timeout_s)
    require_exit(result, "pass")
    _require_decrypted(result, reference)
    return result.stdout


def _folder(store: StoreConfig) -> Path:
    if "path" in store.settings:
        return store.base.absolute() / str(store.settings["path"])
    configured = variable("PASSWORD_STORE_DIR")
    return Path(configured).absolute() if configured else Path(variable("HOME") or "/") / ".password-store"


def _environment(folder: Path) -> dict[str, str]:
    from connform.secrets.kit.command import ordinary_variables

    options = f"{variable('PASSWORD_STORE_GPG_OPTS')} {_GPG_OPTIONS}"
    own = {"PASSWORD_STORE_DIR": str(folder), "PASSWORD_STORE_GPG_OPTS": options, "LC_ALL": "C"}
    return {**ordinary_variables(("GNUPGHOME", "GPG_AGENT_INFO")), **own}


def _require_decrypted(result: ProgramResult, reference: SecretReference) -> None:
    status_words = {line.split()[1] for line in result.stderr.split(b"\n") if line.startswith(b"[GNUPG:] ")}
    if result.succeeded and b"DECRYPTION_OKAY" in status_words:
        return
    more = f"`pass show {reference.path}` says more"
    if result.succeeded or b"NODATA" in status_words or {b"DECRYPTION_KEY", b"DECRYPTION_FAILED"} <= status_words:
        message = f"the entry is damaged, or nothing that gpg encrypted (pass {result.summary})"
        raise SecretUnresolved("secret_malformed", message, f"restore it; {more}")
    if b"DECRYPTION_FAILED" in status_words:
        message = f"no key of this user opens the entry without a question (pass {result.summary})"
        hint = "have the entry encrypted to a key of this user, or unlock the key in gpg-agent first: connform opens no dialog"
        raise SecretUnresolved("secret_denied", message, f"{hint}; {more}")
    raise SecretUnresolved("secret_backend_unavailable", f"pass {result.summary}, and decrypted nothing", more)


def _fetched(data: bytes, reference: SecretReference) -> Fetched:
    first, *others = text_from_bytes(data).split("\n")
    if not reference.field:
        return Fetched(secret_from_text(f"{first}\n"))
    fields: dict[str, str] = {}
    for line in others:
        name, colon, value = line.partition(":")
        if colon and name in fields and name == reference.field:
            raise SecretUnresolved("secret_malformed", f"the field {name} stands twice", "remove one of the lines")
        if colon:
            fields[name] = value.lstrip(" \t")
    if reference.field not in fields:
        hint = did_you_mean(reference.field, fields) or f"add a line `{reference.field}: …` below the first"
        raise SecretUnresolved("secret_not_found", f"the entry has no line of the field {reference.field}", hint)
    return Fetched(secret_from_text(f"{fields[reference.field]}\n"))


PASS = PasswordStore()
