"""A simulator in a forked process of its own, so that it and the checks of a run use two cores. Layer 3; forks.

That process issues the synthetic secrets and sends them to the run, which needs to know nothing else of the simulator.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from ipaddress import ip_address
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from threading import Lock
from typing import NamedTuple

from connform.engine.run.issued_credentials import IssuedCredentials, IssuedSecrets, issue, received
from connform.engine.run.processes import without_signals
from connform.engine.run.simulation import SyntheticGrants
from connform.errors import ConnformError
from connform.http.settings import Network
from connform.manifest.model import Connection
from connform.process_local import ProcessLocal
from connform.simulator import Simulator

_ADVICE = "run it again; if the system is short of memory, for fewer connections at a time"


class _Started(NamedTuple):
    """What the process sends once its simulator listens."""

    address: tuple[str, int]
    ca_pem: bytes
    issued: IssuedCredentials


@contextmanager
def forked_simulator(connections: Sequence[Connection]) -> Iterator[tuple[IssuedSecrets, SyntheticGrants, Network]]:
    """Run a simulator for some connections in another process, which ends with the block and with this process.

    Yields:
        The secrets and grants that it issued, and the network on which it is every host.

    Raises:
        ConnformError: it can't start; or it has ended before the block, whose results then say nothing.
    """
    context = get_context("fork")
    pipe, its_pipe = context.Pipe()
    with closing(pipe):
        with closing(its_pipe), without_signals():
            child = context.Process(target=_serve, args=(connections, pipe, its_pipe), daemon=True)
            child.start()
        try:
            yield _receive(pipe, connections)
            if not child.is_alive():
                message = f"the simulator's process ended before the run did, by {_end_of(child.exitcode)}, so that its results say nothing"
                raise ConnformError(f"{message}: {_ADVICE}")
        finally:
            child.kill()  # SIGTERM would not end one that is stopped
            child.join()


def _end_of(exit_code: int | None) -> str:
    return f"signal {-exit_code}" if exit_code and exit_code < 0 else f"exit code {exit_code}"


def _receive(pipe: Pipe, connections: Sequence[Connection]) -> tuple[IssuedSecrets, SyntheticGrants, Network]:
    try:
        started: _Started | Exception = pipe.recv()
    except (EOFError, OSError):
        raise ConnformError(f"the simulator's process ended before it listened: {_ADVICE}") from None
    if isinstance(started, Exception):
        raise started
    return *received(started.issued, connections), _network(pipe, started.address, started.ca_pem)


def _network(pipe: Pipe, address: tuple[str, int], ca_pem: bytes) -> Network:
    covered: set[str] = set()
    lock = ProcessLocal(Lock)

    def route(host: str, port: int) -> tuple[str, int]:  # noqa: ARG001  (every port is the simulator's)
        with lock.own, suppress(EOFError, OSError):  # the process has ended
            if host not in covered and _is_address(host):  # the certificate has the addresses that were asked for
                covered.add(host)
                pipe.send(host)
                pipe.recv()
        return address

    return Network(route=route, ca_pem=ca_pem)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _serve(connections: Sequence[Connection], parents_pipe: Pipe, pipe: Pipe) -> None:
    """Run a simulator until the parent closes its pipe, or ends. Signals stay blocked: the parent handles them."""
    parents_pipe.close()
    gc.freeze()  # a collection would copy the parent's memory
    with closing(pipe), suppress(EOFError, OSError):
        try:
            simulator = Simulator().start()
        except (ConnformError, OSError) as error:
            pipe.send(error)
            return
        pipe.send(_Started(simulator.address, simulator.ca_pem, issue(simulator, connections)))
        while True:
            simulator.route(pipe.recv(), 0)
            pipe.send(None)
