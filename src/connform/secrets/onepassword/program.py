"""A reader of 1Password items by the program `op`, 1Password's command line, version 2.

Layer 2; runs `op`, which finds a login itself: a service account, Connect, or the desktop app.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress

from connform.errors import SecretUnresolved
from connform.secrets.kit.command import NETWORK_VARIABLES, ordinary_variables, require_exit, require_program, run
from connform.secrets.kit.value import text_from_bytes
from connform.secrets.onepassword.choice import Item, Part, entries_of, matches
from connform.secrets.onepassword.complaints import failure_of

_INSTALL = "install 1Password's command line: https://developer.1password.com/docs/cli"
_SUPPORTED = r"[A-Za-z0-9_. -]+"
"""The characters of names in a reference; anything else is named by its id."""


class OpProgram:
    """The program `op`. Messages quote nothing that it prints but the ids of items and vaults."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s

    def item(self, vault: str, item: str) -> Item:
        """Return an item with its fields."""
        printed = self._run("item", "get", item, "--vault", vault, "--format", "json", "--reveal")
        content: object = None
        with suppress(ValueError, RecursionError):
            content = json.loads(printed)
        if not isinstance(content, dict):
            message, hint = "op printed something else than an item", "see which program `op` on PATH is"
            raise SecretUnresolved("secret_malformed", message, hint)
        if not matches([content], item, "title").entries:  # `op` looks for the address of an item as well
            message = f"op knows no item with the title {item}, and found another one by its address"
            raise SecretUnresolved("secret_malformed", message, "write the title or the id of the item")
        return content

    def file(self, item: Item, file: Part) -> str:
        """Return the text of a file of an item."""
        vault = item.get("vault")
        vault_id = vault.get("id") if isinstance(vault, dict) else ""
        labels = [one.get(key) for one in entries_of(item, "fields") for key in ("label", "id")]
        names = [str(name).casefold() for name in (*labels, *(one.get("name") for one in entries_of(item, "files")))]
        is_name_enough = names.count(file.name.casefold()) == 1 and re.fullmatch(_SUPPORTED, file.name)
        way = [file.section_id] * bool(file.section) + [file.name if is_name_enough else file.id]
        data = self._run("read", "--no-newline", "/".join((f"op://{vault_id}/{item.get('id')}", *way)))
        if len(data) != file.entry.get("size"):
            raise SecretUnresolved("secret_malformed", f"op printed something else than the file {file.name}")
        return text_from_bytes(data)

    def close(self) -> None:
        """Do nothing: each call is a process of its own."""

    def _run(self, *arguments: str) -> bytes:
        argv = [require_program("op", _INSTALL), *arguments]
        result = run(argv, ordinary_variables(NETWORK_VARIABLES, ("OP_",)), self._timeout_s)
        require_exit(result, "op")
        if not result.succeeded:
            raise failure_of(result.stderr, f"op {result.summary}")
        return result.stdout
