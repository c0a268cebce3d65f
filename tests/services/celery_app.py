"""A Celery application whose clients were made, and used, before its workers were forked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from celery.signals import worker_process_shutdown

import connform
from tests.services.asking import ask
from tests.services.queue import queue

app = queue(Path())
connections = connform.load("connections.yaml")
clients = {name: connection.client() for name, connection in connections.items()}
for name in connections:
    assert ask(connections[name], clients[name]) == "200"


@app.task(name="ask", bind=True)  # type: ignore[untyped-decorator]
def ask_in_task(task: Any, name: str, way: str) -> None:
    """Write the outcome into a file with the task's number."""
    draft = Path("outcomes", f"{task.request.id}.new")
    draft.write_text(ask(connections[name], None if way else clients[name]))
    draft.rename(draft.with_suffix(""))


@worker_process_shutdown.connect  # type: ignore[untyped-decorator]
def close(**_: object) -> None:
    """Wait for renewals: the process ends without waiting for threads."""
    connections.close()
