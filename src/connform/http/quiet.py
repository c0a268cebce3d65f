"""Keeps the queries of our URLs out of httpx's log.

Layer 1, no IO. httpx logs every URL at INFO; people put codes, tokens and names into queries. httpcore's DEBUG log shows no header of a request, except
in the text of errors about illegal ones, which `outgoing` forestalls.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    import httpx

_OURS: WeakSet[httpx.URL] = WeakSet()


class _QueryFilter(logging.Filter):
    """Shortens the URLs of our own requests; those of other clients in the process are their owners' business."""

    def filter(self, record: logging.LogRecord) -> bool:
        import httpx

        if isinstance(record.args, tuple):
            record.args = tuple(
                argument.copy_with(query=None) if isinstance(argument, httpx.URL) and argument in _OURS else argument
                for argument in record.args
            )
        return True


_FILTER = _QueryFilter()


def hide_query(url: httpx.URL) -> None:
    """Let the log show this URL without its query."""
    if url.query:
        logging.getLogger("httpx").addFilter(_FILTER)
        _OURS.add(url)
