"""A simulator in a forked process of its own, so that it and the checks of a run use two cores. Layer 3; forks.

It is forked before the run reads anything: otherwise each of both would copy the memory of what was read as soon as it uses it. It issues the
synthetic secrets of the connections that the run sends, which needs to know nothing else of the simulator.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from ipaddress import ip_address
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from multiprocessing.process import BaseProcess
from threading import Lock
from typing import Any, NamedTuple

from connform.engine.run.context import RunContext
from connform.engine.run.garbage import keep_what_exists
from connform.engine.run.issued_credentials import IssuedSecrets, issue
from connform.engine.run.processes import without_signals
from connform.engine.run.sent_connections import read, sent
from connform.engine.run.tokens import TokensOfRun
from connform.errors import ConnformError
from connform.faults import ExitCode
from connform.http.settings import Network
from connform.manifest.model import Connection
from connform.process_local import ProcessLocal
from connform.simulator import Simulator

_ADVICE = "run it again; if the system is short of memory, for fewer connections at a time"
_END_S = 1.0
"""How long the process may take to end; it takes milliseconds."""
_AT_ONCE = 500
"""How many connections are sent at once."""


class SimulatorFailed(ConnformError):
    """The simulator can't start for want of a file or a thread, or its process has ended early."""

    exit_code = ExitCode.COULD_NOT_VERIFY


class _Started(NamedTuple):
    """What the process sends once its simulator listens."""

    address: tuple[str, int]
    ca_pem: bytes


class SimulatorProcess:
    """A simulator in another process."""

    def __init__(self, child: BaseProcess, pipe: Pipe) -> None:
        self._child = child
        self._pipe = pipe

    @contextmanager
    def context(self, connections: Sequence[Connection]) -> Iterator[RunContext]:
        """Yield the context of a run with these connections, and end the process with the block.

        Raises:
            ConnformError: the simulator can't start.
            SimulatorFailed: it can't start now; or its process has ended before the block, whose results then say nothing.
        """
        started: _Started = self._receive()
        source = IssuedSecrets()
        for start in range(0, len(connections), _AT_ONCE):
            some = connections[start : start + _AT_ONCE]
            with suppress(OSError):  # it has ended
                self._pipe.send(sent(some))
            source.add(some, self._receive())
        yield RunContext(source, source.grants, TokensOfRun(None), _network(self._pipe, started), {})
        if not self._child.is_alive():
            message = f"the simulator's process ended before the run did, by {_end_of(self._child.exitcode)}, so that its results say nothing"
            raise SimulatorFailed(f"{message}: {_ADVICE}")
        self.end()  # the report needs its memory

    def end(self) -> None:
        """End the process, which first removes its temporary files."""
        self._pipe.close()
        self._child.join(_END_S)
        self._child.kill()  # SIGTERM would not end one that is stopped
        self._child.join()

    def _receive(self) -> Any:
        try:
            received = self._pipe.recv()
        except (EOFError, OSError):
            raise SimulatorFailed(f"the simulator's process ended before the run began: {_ADVICE}") from None
        if isinstance(received, Exception):
            raise received
        return received


@contextmanager
def forked_simulator() -> Iterator[SimulatorProcess]:
    """Run a simulator in another process, which ends with the block and with this process."""
    keep_what_exists()  # a collection would write into the memory that both share, and so copy it
    context = get_context("fork")
    pipe, its_pipe = context.Pipe()
    with closing(pipe):
        with closing(its_pipe), without_signals():
            child = context.Process(target=_serve, args=(pipe, its_pipe), daemon=True)
            child.start()
        simulator = SimulatorProcess(child, pipe)
        try:
            yield simulator
        finally:
            simulator.end()


def _end_of(exit_code: int | None) -> str:
    return f"signal {-exit_code}" if exit_code and exit_code < 0 else f"exit code {exit_code}"


def _network(pipe: Pipe, started: _Started) -> Network:
    covered: set[str] = set()
    lock = ProcessLocal(Lock)

    def route(host: str, port: int) -> tuple[str, int]:  # noqa: ARG001  (every port is the simulator's)
        with lock.own, suppress(EOFError, OSError):  # the process has ended
            if host not in covered and _is_address(host):  # the certificate has the addresses that were asked for
                covered.add(host)
                pipe.send(host)
                pipe.recv()
        return started.address

    return Network(route=route, ca_pem=started.ca_pem)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _serve(parents_pipe: Pipe, pipe: Pipe) -> None:
    """Run a simulator until the parent closes its pipe, or ends. Signals stay blocked: the parent handles them."""
    parents_pipe.close()
    with closing(pipe), suppress(EOFError, OSError):
        try:
            simulator = Simulator(remembered_requests=0).start()  # nobody asks for them here
        except ConnformError as error:
            pipe.send(error)
            return
        except (OSError, RuntimeError) as error:  # there is no file, or no thread, left
            pipe.send(SimulatorFailed(f"the simulator can't start: {error}"))
            return
        with simulator:
            pipe.send(_Started(simulator.address, simulator.ca_pem))
            while True:
                received: str = pipe.recv()  # connections as JSON, or a host
                if received.startswith("["):
                    pipe.send(issue(simulator, read(received)))
                else:
                    simulator.route(received, 0)
                    pipe.send(None)
