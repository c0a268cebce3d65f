"""Log filters: queries are removed from the URLs of our requests in httpx's log, and some answers from httpcore's.

Layer 1, no IO. httpx logs every URL at INFO, and queries may hold codes, tokens and names. httpcore's DEBUG log shows
a request's header only in errors about illegal ones, which `outgoing` refuses before httpcore sees them. But it shows the
headers of answers, and a `Location` may echo a credential that was in the query.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

_LAST_URL: ContextVar[httpx.URL | None] = ContextVar("connform_url", default=None)
"""The URL of the last request in this thread or task: httpx logs it right after the transport has returned."""
_HIDES_ANSWER: ContextVar[bool] = ContextVar("connform_hides_answer", default=False)
"""Whether this thread or task is inside of `hidden_answer`."""


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


class _AnswerFilter(logging.Filter):
    """Leaves the names of httpcore's events, such as `receive_response_headers.complete`, and removes what follows them."""

    def filter(self, record: logging.LogRecord) -> bool:
        if _HIDES_ANSWER.get():
            record.msg = str(record.msg).partition(" ")[0]
        return True


_FILTER = _QueryFilter()
_ANSWER_FILTER = _AnswerFilter()


def hide_query(url: httpx.URL) -> None:
    """Make httpx log this URL without its query."""
    if url.query:
        import httpx

        logging.getLogger(httpx.__name__).addFilter(_FILTER)  # httpx2, where a program has made it stand in for httpx
        _LAST_URL.set(url)


@contextmanager
def hidden_answer() -> Iterator[None]:
    """Let httpcore log only the names of its events of HTTP, without the answer, in this thread or task."""
    import httpcore

    logging.getLogger(f"{httpcore.__name__}.http11").addFilter(_ANSWER_FILTER)  # or that of httpx2
    token = _HIDES_ANSWER.set(True)
    try:
        yield
    finally:
        _HIDES_ANSWER.reset(token)
