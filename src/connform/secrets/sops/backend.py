"""The backend `sops`: values of files that SOPS encrypted, `sops://secrets.enc.yaml#/a/b`.

Layer 2; reads the file and runs the program `sops`, once for each file and read. The file names the keys that decrypt it
(age, PGP, a cloud's KMS). sops itself finds them, by the variables of this user's environment or the settings of the store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from connform.errors import SecretUnresolved
from connform.manifest.references import REFERENCE
from connform.manifest.shape import Shape, Snippet
from connform.manifest.similar import did_you_mean
from connform.secret import SecretReference
from connform.secrets.kit.file_reader import PATH_SCHEMA
from connform.secrets.kit.interface import Backend, Fetched, OpenStore, Outcome, StoreConfig
from connform.secrets.kit.open_store import DocumentStore
from connform.secrets.kit.requirements import missing_program
from connform.secrets.kit.value import REPEATED, fetched_from_bytes, field_of, object_from_json, text_from_bytes
from connform.secrets.sops.decrypted_file import DecryptedFile, decrypted
from connform.secrets.sops.formats import STRUCTURED, STRUCTURED_ENDINGS


class Sops(Backend):
    """The backend `sops`."""

    form = "sops://secrets.enc.yaml#/a/b"
    login_variables = (  # of age, and of the key services that a file may name
        *("SOPS_AGE_KEY", "VAULT_TOKEN", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_PASSWORD"),
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"),
    )
    programs = ("sops",)
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
            "format": {
                "enum": list(STRUCTURED),
                "description": "The format in which sops encrypted it. Default: what the file itself shows.",
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
        if "path" not in settings and not reference.field and reference.path.endswith(STRUCTURED_ENDINGS):
            return f"the key is missing: sops://{reference.path}#/a/b, or #name for one at the top"
        return ""

    def open(self, store: StoreConfig) -> OpenStore:
        """Return the encrypted file of a store, or all files for the bare backend."""
        if "path" in store.settings:
            return _EncryptedFile(store)
        return DocumentStore(partial(_load_beside, store), _value_of_field)


class _EncryptedFile:
    """The encrypted file of a store. One call of `read` decrypts it once."""

    batch_size = 0

    def __init__(self, store: StoreConfig) -> None:
        self._store = store

    def read(self, references: Sequence[SecretReference]) -> Sequence[Outcome]:
        """Return the value of each reference's key, or why there is none."""
        content = decrypted(self._store, self._store.base / self._store.settings["path"])
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


def _load_beside(store: StoreConfig, reference: SecretReference) -> DecryptedFile:
    return decrypted(store, store.base / reference.path)


def _value_of_field(content: DecryptedFile, reference: SecretReference) -> Fetched:
    since = content.modified_at
    version = since.isoformat() if since else ""
    if not reference.field and content.is_structured:
        message = "the file holds keys, and the reference names none"
        raise SecretUnresolved("secret_malformed", message, f"write {reference}#/a/b, or #name for a key at the top")
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
    if members[step] is REPEATED:
        raise SecretUnresolved("secret_malformed", f"the key {step} stands twice", "remove one of the two")
    return members[step]


def _members(content: Any, step: str) -> Mapping[str, Any]:
    """Return the members of an object by key, or those of a list by index."""
    if isinstance(content, list):
        return {str(index): value for index, value in enumerate(content)}
    if isinstance(content, dict):
        return content
    raise SecretUnresolved("secret_not_found", f"there is no key {step}: what should hold it is a single value")


SOPS = Sops()
