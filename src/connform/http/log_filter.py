"""Log filter that removes the query from the URLs of our requests in httpx's log.

Layer 1, no IO. httpx logs every URL at INFO; people put codes, tokens and names into queries. httpcore's DEBUG log shows no header of a request, except
in the text of errors about illegal ones, which `outgoing` forestalls.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

_OURS: ContextVar[httpx.URL | None] = ContextVar("connform_url", default=None)
"""The URL of the last request in this thread or task: httpx logs it right after the transport has returned."""


class _QueryFilter(logging.Filter):
    """Shortens the URLs of our own requests; those of other clients in the process are their owners' business."""

    def filter(self, record: logging.LogRecord) -> bool:
        import httpx

        if isinstance(record.args, tuple):
            ours = _OURS.get()
            record.args = tuple(
                argument.copy_with(query=None) if isinstance(argument, httpx.URL) and argument is ours else argument
                for argument in record.args
            )
        return True


_FILTER = _QueryFilter()


def hide_query(url: httpx.URL) -> None:
    """Let the log show this URL without its query."""
    if url.query:
        logging.getLogger("httpx").addFilter(_FILTER)
        _OURS.set(url)
