"""Log filter that removes the query from the URLs of our requests in httpx's log.

Layer 1, no IO. httpx logs every URL at INFO, and queries may hold codes, tokens and names. httpcore's DEBUG log shows
a request's header only in errors about illegal ones, which `outgoing` refuses before httpcore sees them.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

_LAST_URL: ContextVar[httpx.URL | None] = ContextVar("connform_url", default=None)
"""The URL of the last request in this thread or task: httpx logs it right after the transport has returned."""


class _QueryFilter(logging.Filter):
    """Removes the query from the URLs of our own requests; log records of other clients in the process don't change."""

    def filter(self, record: logging.LogRecord) -> bool:
        import httpx

        if isinstance(record.args, tuple):
            last_url = _LAST_URL.get()
            record.args = tuple(
                argument.copy_with(query=None) if isinstance(argument, httpx.URL) and argument is last_url else argument
                for argument in record.args
            )
        return True


_FILTER = _QueryFilter()


def hide_query(url: httpx.URL) -> None:
    """Make httpx log this URL without its query."""
    if url.query:
        import httpx

        logging.getLogger(httpx.__name__).addFilter(_FILTER)  # httpx2, where a program has made it stand in for httpx
        _LAST_URL.set(url)
