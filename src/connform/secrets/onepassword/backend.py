"""The backend `op`: fields of 1Password items, `op://vault/item/field`.

Layer 2; uses the network for a store: the REST API of a 1Password Connect server, version 1. The bare backend runs the program
`op`, which has a login of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from connform.errors import SecretUnresolved
from connform.manifest.references import REFERENCE
from connform.manifest.rules import Finding
from connform.manifest.shape import Shape, Snippet
from connform.manifest.similar import did_you_mean
from connform.manifest.urls import URL, url_findings
from connform.secret import SecretReference
from connform.secrets.kit.interface import Backend, Fetched, OpenStore, Outcome, StoreConfig
from connform.secrets.kit.open_store import OnceValue, attempt
from connform.secrets.kit.requirements import missing_program
from connform.secrets.kit.value import secret_from_text

if TYPE_CHECKING:
    from connform.secrets.kit.rest import RestApi

Item = dict[str, Any]
"""An item in JSON. Connect and `op item get --format json` write the keys that are read here in the same way."""

_NAME = "1Password Connect"
_PART_COUNTS = (3, 4)
_ID_PATTERN = r"[a-z0-9]{26}"
_LOGIN_HINT = "the token has been revoked, or is another server's: issue a new one for this store"
_DENIED_HINT = "the token needs access to that vault"


class OnePassword(Backend):
    """The backend `op`."""

    form = "op://vault/item/field"
    store_shape = Shape(
        properties={
            "address": {**URL, "description": "The Connect server.", "examples": ["https://connect.acme.example"]},
            "ca_file": {"type": "string", "minLength": 1, "description": "PEM certificates of its authority."},
            "token": {**REFERENCE, "description": "Where the Connect token lies."},
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
        """Yield what is wrong with the address."""
        yield from url_findings(store["address"], ("address",))

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
            from connform.secrets.onepassword.program import item_by_program

            return ItemStore(lambda vault, item: item_by_program(vault, item, store.timeout_s))
        api = OnceValue(lambda: _api(store))
        connect = ConnectServer(api)

        def close() -> None:
            if api.value_if_computed is not None:
                api.value_if_computed.close()

        return ItemStore(connect.item, close)


class ItemStore:
    """1Password in use. An item is one document with many fields."""

    batch_size = 1

    def __init__(self, load: Callable[[str, str], Item], close: Callable[[], None] = lambda: None) -> None:
        self._load = load
        self.close = close

    def document(self, reference: SecretReference) -> str:
        """Return vault and item, `vault/item`."""
        return "/".join(reference.path.split("/")[:2])

    def read(self, references: Sequence[SecretReference]) -> Sequence[Outcome]:
        """Return the field of each reference, or why there is none. Each item is read once."""
        items: dict[str, Item | SecretUnresolved] = {}
        outcomes: list[Outcome] = []
        for reference in references:
            name = self.document(reference)
            if name not in items:
                items[name] = attempt(self._load, *name.split("/"))
            item = items[name]
            outcomes.append(item if isinstance(item, SecretUnresolved) else attempt(_fetched, item, reference))
        return outcomes


class ConnectServer:
    """A Connect server. It finds vaults and items by title or id."""

    def __init__(self, api: OnceValue[RestApi]) -> None:
        self._api = api

    def item(self, vault: str, item: str) -> Item:
        """Return an item with its fields."""
        vaults = "v1/vaults"
        items = f"{vaults}/{self._id(vaults, 'name', vault, 'vault')}/items"
        return self._get(f"{items}/{self._id(items, 'title', item, 'item')}")

    def _id(self, path: str, key: str, name: str, kind: str) -> str:
        if re.fullmatch(_ID_PATTERN, name):
            return name
        from urllib.parse import quote

        condition = quote(f'{key} eq "{name}"')
        found = self._list(f"{path}?filter={condition}")
        if not found:
            raise SecretUnresolved("secret_not_found", f"there is no {kind} {name}, or the token may not see it")
        if len(found) > 1:
            message = f"{len(found)} have the name {name}"
            raise SecretUnresolved("secret_malformed", message, f"write the id of the {kind} instead")
        return str(found[0]["id"])

    def _list(self, path: str) -> list[Item]:
        from connform.secrets.kit.rest import RestReply, content_of

        reply = self._api.get().call("GET", path)
        listed = reply.content if isinstance(reply.content, list) else None
        wrapped = RestReply(reply.status, reply.content if listed is None else {"listed": listed})
        found: list[Item] = content_of(wrapped, _NAME, login_hint=_LOGIN_HINT, denied_hint=_DENIED_HINT)["listed"]
        return found

    def _get(self, path: str) -> Item:
        from connform.secrets.kit.rest import content_of

        return content_of(self._api.get().call("GET", path), _NAME, login_hint=_LOGIN_HINT, denied_hint=_DENIED_HINT)


def _api(store: StoreConfig) -> RestApi:
    from connform.http.header import bearer
    from connform.secrets.kit.rest import RestApi

    settings = store.settings
    ca_file = store.base / settings["ca_file"] if "ca_file" in settings else None
    credential = bearer(store.secrets["token"], key="token")
    return RestApi(settings["address"], _NAME, timeout_s=store.timeout_s, ca_file=ca_file, credential=credential)


def _fetched(item: Item, reference: SecretReference) -> Fetched:
    _, _, *sections, wanted = reference.path.split("/")
    fields = [field for field in item.get("fields", ()) if _is_in(field, sections, item)]
    found = [field for field in fields if wanted in {field.get("id"), field.get("label")}]
    if not found:
        labels = [str(field.get("label") or field.get("id")) for field in fields]
        raise SecretUnresolved("secret_not_found", f"the item has no field {wanted}", did_you_mean(wanted, labels))
    value = found[0].get("value", "")
    if not isinstance(value, str):
        raise SecretUnresolved("secret_malformed", f"the field {wanted} is no text")
    updated = item.get("updatedAt") or item.get("updated_at")
    since = datetime.fromisoformat(updated) if isinstance(updated, str) else None
    return Fetched(secret_from_text(value), str(item.get("version", "")), since)


def _is_in(field: Item, sections: list[str], item: Item) -> bool:
    if not sections:
        return True
    (name,) = sections
    ids = {name} | {part.get("id") for part in item.get("sections", ()) if part.get("label") == name}
    section = field.get("section") or {}
    return section.get("id") in ids or section.get("label") == name


OP = OnePassword()
