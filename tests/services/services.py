"""Services with two workers: processes of our own, gunicorn, uvicorn and Celery; and the load on them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.services.requests import Request, Requests

CONNECTIONS = ("key", "token", "grant")
_THREADS = 3
"""So many threads ask for one connection."""
_PATIENCE_S = 90.0
_ROOT = Path(__file__).parents[2]


class Service:
    """A server of others, and what asks it."""

    def __init__(self, process: subprocess.Popen[str], ask: Callable[[str, str], str]) -> None:
        self.processes: Sequence[subprocess.Popen[str]] = (process,)
        self.ask = ask
        """Returns the outcome of a request of a connection: with a client of its own where `way` is not empty."""

    def wait(self) -> None:
        """Wait until it answers."""
        for name in CONNECTIONS:
            self.ask(name, "")

    def load(self, ends_at: float) -> list[Request]:
        """Ask until the end, and return the outcomes."""
        requests = Requests()

        def use(name: str) -> None:
            requests.repeat(name, lambda way: self.ask(name, way), ends_at)

        with ThreadPoolExecutor(_THREADS * len(CONNECTIONS)) as threads:
            list(threads.map(use, CONNECTIONS * _THREADS))
        return requests.seen


class OwnWorkers(Service):
    """Two processes that ask for themselves."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.processes = ()

    def wait(self) -> None:
        """They start with the load."""

    def load(self, ends_at: float) -> list[Request]:
        argv = ["tests.services.worker", "connections.yaml", str(ends_at - time.time())]
        self.processes = [_start(argv, self._folder, stdout=subprocess.PIPE) for _ in range(2)]
        said = [worker.communicate(timeout=ends_at - time.time() + _PATIENCE_S)[0] for worker in self.processes]
        return [Request(*one) for text in said for one in json.loads(text)]


@contextmanager
def own_workers(folder: Path) -> Iterator[Service]:
    yield OwnWorkers(folder)


def gunicorn(folder: Path) -> AbstractContextManager[Service]:
    options = ["--preload", "--workers=2", "--threads=4", "--no-control-socket", "--log-level=warning"]
    return _served(["gunicorn", *options, "--bind=fd://{descriptor}", "tests.services.wsgi:application"], folder)


def uvicorn(folder: Path) -> AbstractContextManager[Service]:
    options = ["--workers=2", "--log-level=warning"]
    return _served(["uvicorn", *options, "--fd={descriptor}", "tests.services.asgi:application"], folder)


@contextmanager
def celery(folder: Path) -> Iterator[Service]:
    from tests.services.queue import Asker

    asker = Asker(folder)
    options = ["--pool=prefork", "--concurrency=2", "--max-tasks-per-child=100", "--soft-time-limit=2"]
    quiet = ["--loglevel=critical", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    with _running(
        _start(["celery", "--quiet", "-A", "tests.services.celery_app", "worker", *options, *quiet], folder)
    ) as process:
        yield Service(process, asker.ask)


SERVICES = {"own": own_workers, "gunicorn": gunicorn, "uvicorn": uvicorn, "celery": celery}


def _start(argv: Sequence[str], folder: Path, **options: Any) -> subprocess.Popen[str]:
    """Start a module in the folder of the manifest."""
    environment = {**os.environ, "PYTHONPATH": str(_ROOT), "PYTHONWARNINGS": "ignore:::celery.platforms"}  # of root
    return subprocess.Popen([sys.executable, "-m", *argv], cwd=folder, env=environment, text=True, **options)


@contextmanager
def _served(argv: Sequence[str], folder: Path) -> Iterator[Service]:
    """Start a server of HTTP on a socket that it inherits."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url, descriptor = f"http://127.0.0.1:{listener.getsockname()[1]}", listener.fileno()
        # an idle connection may be closed by a worker that ends
        browser = httpx.Client(base_url=url, timeout=_PATIENCE_S, trust_env=False, headers={"Connection": "close"})

        def ask(name: str, way: str) -> str:
            try:
                return browser.get(f"/{name}/{way}").text
            except httpx.HTTPError as error:
                return f"the server did not answer: {error!r}"

        named = [one.format(descriptor=descriptor) for one in argv]
        with browser, _running(_start(named, folder, pass_fds=[descriptor])) as process:
            yield Service(process, ask)


@contextmanager
def _running(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Stop a server gracefully with the block."""
    with process:
        try:
            yield process
            process.terminate()
            process.wait(_PATIENCE_S)
        finally:
            process.kill()
