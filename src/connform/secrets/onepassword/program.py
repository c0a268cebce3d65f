"""Turns a vault and an item into what the program `op` (1Password's command line, version 2) says of them.

Layer 2; runs `op`, which finds a login itself: a service account, Connect, or the desktop app.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, Final

from connform.errors import SecretUnresolved
from connform.secrets.kit.command import ordinary_variables, program, require_exit, run

_INSTALL: Final = "install 1Password's command line: https://developer.1password.com/docs/cli"
_LOGIN: Final = "set OP_SERVICE_ACCOUNT_TOKEN, or sign in: `op signin`"
_MISSING: Final = (b"isn't an item", b"isn't a vault", b"no item found", b"no vault found")
_UNKNOWN_LOGIN: Final = (
    b"not currently signed in",
    b"no accounts configured",
    b"session expired",
    b"unauthorized",
    b"(401)",
)


def item_by_program(vault: str, item: str, timeout_s: float) -> dict[str, Any]:
    """Return an item with its fields.

    Raises:
        SecretUnresolved: `secret_not_found`, `secret_denied`, `secret_malformed` or `secret_backend_unavailable`; nothing
            that the program said is repeated.
    """
    argv = [program("op", _INSTALL), "item", "get", item, "--vault", vault, "--format", "json", "--reveal"]
    ran = run(argv, ordinary_variables(prefixes=("OP_",)), timeout_s)
    require_exit(ran, "op")
    if not ran.is_good:
        complaints = ran.complaints.lower()
        if any(words in complaints for words in _MISSING):
            raise SecretUnresolved("secret_not_found", "1Password has no such item, or this login may not see it")
        if any(words in complaints for words in _UNKNOWN_LOGIN):
            raise SecretUnresolved("secret_denied", "op has no login that works", _LOGIN)
        if b"(403)" in complaints or b"forbidden" in complaints:
            raise SecretUnresolved("secret_denied", "1Password refuses this login the item")
        raise SecretUnresolved("secret_backend_unavailable", f"op {ran.said}")
    content: object = None
    with suppress(ValueError, RecursionError):
        content = json.loads(ran.output)
    if not isinstance(content, dict):
        raise SecretUnresolved("secret_malformed", "op printed something else than an item")
    return content
