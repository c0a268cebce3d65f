"""The loggers to which connform says at DEBUG what it does: requests, tokens, secrets, state.

Layer 0, no IO of its own. Nothing secret is written: no value, header, body or query, and no text of a peer or a library.
`write` is called only where `is_on`, so that a program without a listener pays for one look-up. There is no `NullHandler`: warnings,
such as one of a token that can't be saved, shall reach the standard error of a program that sets up no logging.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logging import Logger

ROOT = "connform"
"""The logger above all of them."""


class DebugLog:
    """One logger. It doesn't import `logging`: where the program hasn't either, nobody listens."""

    __slots__ = ("_logger", "_name")

    def __init__(self, name: str) -> None:
        """Take the logger's name below `connform`."""
        self._name = f"{ROOT}.{name}"
        self._logger: Logger | None = None

    @property
    def is_on(self) -> bool:
        """Whether somebody listens at DEBUG."""
        if self._logger is None:
            if "logging" not in sys.modules:
                return False
            import logging

            self._logger = logging.getLogger(self._name)
        return self._logger.isEnabledFor(10)  # logging.DEBUG

    def write(self, message: str, *arguments: object, **fields: object) -> None:
        """Write a line if somebody listens.

        Args:
            message: with `%s` for each of the arguments.
            arguments: what stands in the message; nothing secret.
            fields: attributes of the record, for programs.
        """
        if self.is_on and self._logger is not None:
            self._logger.debug(message, *map(_encodable, arguments), extra=fields, stacklevel=2)


def _encodable(argument: object) -> object:
    """Return an argument that every handler can write: a file's name may be no text."""
    is_name = isinstance(argument, str | os.PathLike)
    return str(argument).encode(errors="backslashreplace").decode() if is_name else argument


HTTP = DebugLog("http")
"""Connections, requests and answers, of APIs, token endpoints and secret stores."""
TOKENS = DebugLog("tokens")
"""Token requests and renewals."""
SECRETS = DebugLog("secrets")
"""Which references were read, from which store."""
STATE = DebugLog("state")
"""Locks of the state database."""
