"""A reader of 1Password items by the program `op`, 1Password's command line, version 2.

Layer 2; runs `op`, which finds a login itself: a service account, Connect, or the desktop app.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from connform.errors import SecretUnresolved
from connform.secrets.kit.command import ordinary_variables, require_exit, require_program, run

_INSTALL = "install 1Password's command line: https://developer.1password.com/docs/cli"
_LOGIN_HINT = "set OP_SERVICE_ACCOUNT_TOKEN, or sign in: `op signin`"
_NOT_FOUND_WORDS = (b"isn't an item", b"isn't a vault", b"no item found", b"no vault found")
_NO_LOGIN_WORDS = (
    b"not currently signed in",
    b"no accounts configured",
    b"session expired",
    b"unauthorized",
    b"(401)",
)


def item_by_program(vault: str, item: str, timeout_s: float) -> dict[str, Any]:
    """Return an item with its fields.

    Raises:
        SecretUnresolved: `secret_not_found`, `secret_denied`, `secret_malformed` or `secret_backend_unavailable`. The
            message quotes nothing that the program printed.
    """
    argv = [require_program("op", _INSTALL), "item", "get", item, "--vault", vault, "--format", "json", "--reveal"]
    result = run(argv, ordinary_variables(prefixes=("OP_",)), timeout_s)
    require_exit(result, "op")
    if not result.succeeded:
        stderr = result.stderr.lower()
        if any(words in stderr for words in _NOT_FOUND_WORDS):
            raise SecretUnresolved("secret_not_found", "1Password has no such item, or this login may not see it")
        if any(words in stderr for words in _NO_LOGIN_WORDS):
            raise SecretUnresolved("secret_denied", "op has no login that works", _LOGIN_HINT)
        if b"(403)" in stderr or b"forbidden" in stderr:
            raise SecretUnresolved("secret_denied", "1Password refuses this login the item")
        raise SecretUnresolved("secret_backend_unavailable", f"op {result.summary}")
    content: object = None
    with suppress(ValueError, RecursionError):
        content = json.loads(result.stdout)
    if not isinstance(content, dict):
        raise SecretUnresolved("secret_malformed", "op printed something else than an item")
    return content
