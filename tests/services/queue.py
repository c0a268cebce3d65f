"""A queue of Celery's in a folder, and how a program outside asks for a task and waits for its outcome."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Lock
from typing import Any

from celery import Celery

_PATIENCE_S = 60.0


def queue(folder: Path, drafts: str = "queue") -> Any:
    """Return a Celery application whose tasks lie in a folder, and are written in another one."""
    transport = {"data_folder_in": "queue", "data_folder_out": drafts, "control_folder": "control"}
    options = {name: str((folder / path).absolute()) for name, path in transport.items()}
    app = Celery("service", broker="filesystem://", set_as_current=False)
    app.conf.update(
        broker_transport_options={**options, "polling_interval": 0.02},
        task_ignore_result=True,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
    )
    return app


class Asker:
    """Asks for tasks. Threads may share it."""

    def __init__(self, folder: Path) -> None:
        for name in ("queue", "drafts", "control", "outcomes"):
            (folder / name).mkdir(exist_ok=True)
        self._folder, self._app, self._lock = folder, queue(folder, "drafts"), Lock()

    def ask(self, name: str, way: str) -> str:
        """Return the outcome of a task."""
        with self._lock:
            number: str = self._app.send_task("ask", [name, way]).id
            for draft in (self._folder / "drafts").iterdir():  # kombu's readers may read half of what it writes
                draft.rename(self._folder / "queue" / draft.name)
        outcome, ends_at = self._folder / "outcomes" / number, time.monotonic() + _PATIENCE_S
        while not outcome.exists():
            if time.monotonic() > ends_at:
                return "no outcome: the task was lost"
            time.sleep(0.01)
        text = outcome.read_text()
        outcome.unlink()
        return text
