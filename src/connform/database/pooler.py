"""Tells a connection pooler that gives a session to several clients. Layer 2; IO: the server.

The locks of grants and runs belong to a session. Where a pooler pools transactions or statements, two clients have one session, and
both hold its locks.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

from connform.errors import ConnectionFailed

if TYPE_CHECKING:
    import psycopg


_OTHERS = 10
"""How many other clients look: a busy pooler may give one of them another session by chance."""
_WAIT_S = 2.0
"""How long to wait for the session of another client. A pool of sessions without room has none, which is no answer."""
_BACKEND = b"SELECT pg_backend_pid()"
"""Asks for the process of the server that serves a session."""


def require_own_session(
    session: psycopg.Connection[Any], connect: Callable[[], psycopg.Connection[Any]], place: str
) -> None:
    """Require that no other client has the session of this one.

    Args:
        session: a session that has just been opened, outside of a transaction.
        connect: opens another one.
        place: the database, for the message.

    Raises:
        ConnectionFailed: `config_invalid`.
    """
    own = _backend(session)
    if own == session.info.backend_pid:  # the server itself; a pooler tells its clients other numbers
        return
    for _ in range(_OTHERS):
        with closing(connect()) as other:
            others = _backend_in_time(other)
            if others is None:
                return
            if others == own or _backend(session) != own:
                message = f"{place} is reached through a pooler that gives one session to several clients: locks would not hold"
                hint = "use the address of the server itself, or pool sessions (PgBouncer: pool_mode = session)"
                raise ConnectionFailed("config_invalid", message, hint)


def _backend(session: psycopg.Connection[Any]) -> int:
    ((backend,),) = session.execute(_BACKEND).fetchall()
    return int(backend)


def _backend_in_time(session: psycopg.Connection[Any]) -> int | None:
    """Return the same; `None` if nothing serves the session within `_WAIT_S`, after which it can only be closed."""
    session.pgconn.send_query(_BACKEND)
    poll = select.poll()
    poll.register(session.pgconn.socket, select.POLLIN)
    if not poll.poll(_WAIT_S * 1000):
        return None
    result = session.pgconn.get_result()
    value = result.get_value(0, 0) if result else None
    return None if value is None else int(value)
