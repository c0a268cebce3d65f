"""A client of 1Password Connect, REST API version 1: items with their fields, and files.

Layer 2; uses the network. It finds vaults and items by title or id.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from connform.errors import SecretUnresolved
from connform.secrets.kit.open_store import OnceValue
from connform.secrets.kit.value import text_from_base64
from connform.secrets.onepassword.choice import Item, Part, matches

if TYPE_CHECKING:
    from connform.secrets.kit.rest import RestApi, RestReply

_NAME = "1Password Connect"
_ID_PATTERN = r"[a-z0-9]{26}"
_PATH = "path of the item"
"""The key that `ConnectServer` adds to an item."""
_LOGIN_HINT = "the token has been revoked or has expired, or is another server's: issue a new one for this store"
_DENIED_HINT = "the token needs access to that vault"
_BAD_REQUEST, _TOO_LARGE = 400, 413
_HIDDEN_STATES = frozenset({"ARCHIVED", "DELETED"})


class ConnectServer:
    """A Connect server. Threads may share it."""

    def __init__(self, api: OnceValue[RestApi]) -> None:
        self._api = api

    def item(self, vault: str, item: str) -> Item:
        """Return an item with its fields."""
        vaults = "v1/vaults"
        items = f"{vaults}/{self._id(vaults, 'name', vault, 'vault')}/items"
        path = f"{items}/{self._id(items, 'title', item, 'item')}"
        return {**self._content(self._get(path)), _PATH: path}

    def file(self, item: Item, file: Part) -> str:
        """Return the text of a file of an item. Connect gives large files in another way only."""
        reply = self._get(f"{item[_PATH]}/files/{quote(file.id, safe='')}?inline_files=true")
        if reply.status == _TOO_LARGE or (reply.is_success and "content" not in reply.content):
            message = f"the file {file.name} is larger than what {_NAME} puts into an answer"
            raise SecretUnresolved("secret_malformed", message, "raise its OP_MAX_INLINE_FILE_SIZE_KB, or use a field")
        return text_from_base64(self._content(reply)["content"])

    def close(self) -> None:
        """Close connections."""
        if self._api.value_if_computed is not None:
            self._api.value_if_computed.close()

    def _id(self, path: str, key: str, name: str, kind: str) -> str:
        if re.fullmatch(_ID_PATTERN, name):
            return name
        condition = quote(f'{key} eq "{name}"')
        listed = self._list(f"{path}?filter={condition}", kind)
        # Whether the filter ignores upper and lower case is not documented, so its result is compared again.
        found = matches((one for one in listed if one.get("state") not in _HIDDEN_STATES), name, key).entries
        if not found:
            raise SecretUnresolved("secret_not_found", f"there is no {kind} {name}, or the token may not see it")
        if len(found) > 1:
            ids = ", ".join(sorted(str(one["id"]) for one in found))
            message = f"{len(found)} {kind}s have the name {name}"
            raise SecretUnresolved("secret_malformed", message, f"write the id of the {kind} instead, one of {ids}")
        return str(found[0]["id"])

    def _list(self, path: str, kind: str) -> list[Item]:
        reply = self._get(path)
        if reply.status == _BAD_REQUEST:
            message = f"{_NAME} can't look for a {kind} by this name"
            raise SecretUnresolved("secret_malformed", message, f"write the id of the {kind} instead")
        listed = reply.content if isinstance(reply.content, list) else None
        wrapped = reply._replace(content=reply.content if listed is None else {"listed": listed})
        return [one for one in self._content(wrapped)["listed"] if isinstance(one, dict) and "id" in one]

    def _get(self, path: str) -> RestReply:
        return self._api.get().call("GET", path)

    def _content(self, reply: RestReply) -> dict[str, Any]:
        from connform.secrets.kit.rest import content_of

        return content_of(reply, _NAME, login_hint=_LOGIN_HINT, denied_hint=_DENIED_HINT)
