"""The backend `op`: fields and files of 1Password items, `op://vault/item/field`.

Layer 2; uses the network for a store: the REST API of a 1Password Connect server, version 1. The bare backend runs the program
`op`, which has a login of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from connform.errors import SecretUnresolved
from connform.manifest.references import REFERENCE
from connform.manifest.rules import Finding
from connform.manifest.shape import Shape, Snippet
from connform.manifest.url_schemas import ROOT_URL
from connform.manifest.urls import url_findings
from connform.secret import SecretReference
from connform.secrets.kit.interface import Backend, Fetched, OpenStore, Outcome, StoreConfig
from connform.secrets.kit.network import NETWORK_KEYS, network_findings, network_settings
from connform.secrets.kit.open_store import OnceValue, attempt
from connform.secrets.kit.requirements import missing_program
from connform.secrets.kit.value import secret_from_text
from connform.secrets.onepassword.choice import Item, Part, part_of

if TYPE_CHECKING:
    from connform.secrets.kit.rest import RestApi

_NAME = "1Password Connect"
_PART_COUNTS = (3, 4)


class OnePassword(Backend):
    """The backend `op`."""

    form = "op://vault/item/field"
    login_variables = ("OP_CONNECT_TOKEN", "OP_SERVICE_ACCOUNT_TOKEN", "OP_SESSION_")
    programs = ("op",)
    store_shape = Shape(
        properties={
            "address": {**ROOT_URL, "description": "The Connect server.", "examples": ["https://connect.acme.example"]},
            "token": {**REFERENCE, "description": "Where the Connect token lies."},
            **NETWORK_KEYS,
        },
        required=("address", "token"),
        description="A 1Password Connect server.",
        snippets=(
            Snippet(
                "1Password Connect",
                {"type": "op", "address": "${2:https://connect.acme.example}", "token": "${3:env://OP_CONNECT_TOKEN}"},
            ),
        ),
    )

    def rules(self, store: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield what is wrong with the address, or the way to it."""
        yield from url_findings(store["address"], ("address",))
        yield from network_findings(store)

    def missing(self) -> str:
        """Return that the program `op` is missing; empty if it is on PATH. A store doesn't need it."""
        return missing_program("op")

    def lint(self, reference: SecretReference, settings: Mapping[str, Any]) -> str:  # noqa: ARG002  (the interface's signature)
        """Return what is wrong with a reference."""
        parts = reference.path.split("/")
        if len(parts) not in _PART_COUNTS or not all(parts) or reference.field:
            return f"1Password copies references so: {reference.scheme}://VAULT/ITEM/FIELD"
        if any(part.startswith("-") for part in parts):  # the program `op` would read it as an option
            return "a name that begins with a hyphen is written by its id"
        if '"' in reference.path or "\\" in reference.path:
            return "a name with a quotation mark or backslash is written by its id"
        return "1Password gives no earlier versions" if reference.version else ""

    def open(self, store: StoreConfig) -> OpenStore:
        """Return the Connect server of a store; for the bare backend, the program `op`."""
        if not store.settings:
            from connform.secrets.onepassword.program import OpProgram

            return ItemStore(OpProgram(store.timeout_s))
        from connform.secrets.onepassword.connect import ConnectServer

        return ItemStore(ConnectServer(OnceValue(lambda: _api(store))))


class ItemSource(Protocol):
    """Where items are read."""

    def item(self, vault: str, item: str) -> Item:
        """Return an item with its fields."""

    def file(self, item: Item, file: Part) -> str:
        """Return the text of one of its files."""

    def close(self) -> None:
        """Close connections."""


class ItemStore:
    """1Password in use. An item is one document with many fields."""

    batch_size = 1

    def __init__(self, source: ItemSource) -> None:
        self.close = source.close
        self._source = source

    def document(self, reference: SecretReference) -> str:
        """Return vault and item, `vault/item`."""
        return "/".join(reference.path.split("/")[:2])

    def read(self, references: Sequence[SecretReference]) -> Sequence[Outcome]:
        """Return the field or file of each reference, or why there is none. Each item is read once."""
        items: dict[str, Item | SecretUnresolved] = {}
        outcomes: list[Outcome] = []
        for reference in references:
            name = self.document(reference)
            if name not in items:
                items[name] = attempt(self._source.item, *name.split("/"))
            item = items[name]
            outcomes.append(item if isinstance(item, SecretUnresolved) else attempt(self._fetched, item, reference))
        return outcomes

    def _fetched(self, item: Item, reference: SecretReference) -> Fetched:
        part = part_of(item, reference)
        value = self._source.file(item, part) if part.is_file else part.entry.get("value", "")
        if not isinstance(value, str):
            raise SecretUnresolved("secret_malformed", f"the field {part.name or part.id} is no text")
        return Fetched(secret_from_text(value), str(item.get("version", "")), _changed_at(item))


def _changed_at(item: Item) -> datetime | None:
    with suppress(TypeError, ValueError):
        changed_at = datetime.fromisoformat(item.get("updatedAt") or item.get("updated_at"))  # type: ignore[arg-type]
        return changed_at.astimezone(UTC) if changed_at.tzinfo else None
    return None


def _api(store: StoreConfig) -> RestApi:
    from connform.http.header import bearer
    from connform.secrets.kit.rest import RestApi

    address, credential = store.settings["address"], bearer(store.secrets["token"], key="token")
    return RestApi(address, _NAME, timeout_s=store.timeout_s, credential=credential, **network_settings(store))


OP = OnePassword()
