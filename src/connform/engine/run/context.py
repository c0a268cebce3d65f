"""The run context: the source of secrets, the stores of grants and the network of a run, real or simulated.

Layer 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from connform.engine.run.grants import GrantsOfRun, StoredGrants
from connform.engine.run.secret_resolver import SecretResolver, SecretSource
from connform.engine.run.state_location import DEFAULT, StateLocation
from connform.engine.run.tokens import TokensOfRun
from connform.http.settings import REAL, Network
from connform.manifest.decode import Manifest

if TYPE_CHECKING:
    from connform.engine.run.reread_credential import RereadCredential
    from connform.engine.run.simulator_process import SimulatorProcess
    from connform.simulator import Simulator


class RunContext(NamedTuple):
    """The sources and targets of a run: secrets, grants, network."""

    source: SecretSource
    """The source of secrets."""
    grants: GrantsOfRun
    """The stores of grants."""
    tokens: TokensOfRun
    """The stores of issued tokens."""
    network: Network
    """The network to which sockets connect."""
    credentials: dict[str, RereadCredential]
    """The credentials of a program that runs for long, by account: clients of a connection share one until the next `refresh()`."""


def real_context(manifest: Manifest, state: StateLocation = DEFAULT, *, long_lived: bool = False) -> RunContext:
    """Return the context of a real run: secrets from their stores, recorded grants, the network of this machine.

    Args:
        manifest: the connections.
        state: the state database.
        long_lived: whether it serves a program that runs for long, as for `SecretResolver`.
    """
    source = SecretResolver(manifest.stores, long_lived=long_lived)
    grants = StoredGrants(state, source)
    return RunContext(source, grants, TokensOfRun(grants), REAL, {})


def simulated_context(simulator: Simulator) -> RunContext:
    """Return the context of a simulated run, in which a running simulator answers for every host."""
    from connform.engine.run.simulation import SyntheticGrants, SyntheticSecrets

    network = Network(route=simulator.route, ca_pem=simulator.ca_pem)
    return RunContext(SyntheticSecrets(simulator), SyntheticGrants(simulator), TokensOfRun(None), network, {})


_SIMULATIONS: list[RunContext] = []
"""The contexts of the blocks `simulating` that this process is in, the innermost last."""


@contextmanager
def simulating(simulator: Simulator) -> Iterator[None]:
    """Let a running simulator answer what programs of this process ask, in all threads, until the end of the block.

    Only code of this process can say so, and no variable or file: a leftover of a test must not make a `check` ready.
    """
    context = simulated_context(simulator)
    _SIMULATIONS.append(context)
    try:
        yield
    finally:
        _SIMULATIONS.remove(context)


def simulation() -> RunContext | None:
    """Return the context of the block `simulating` that this process is in; `None` outside of any."""
    return _SIMULATIONS[-1] if _SIMULATIONS else None


@contextmanager
def simulator_of_command(*, simulate: bool) -> Iterator[SimulatorProcess | None]:
    """Run the simulator of a command in another process, where a fork is safe and succeeds; `None` for one in a thread, or for none."""
    with ExitStack() as until_end:
        process = None
        if simulate and not simulation():
            from connform.engine.run.processes import can_fork

            if can_fork():
                from connform.engine.run.simulator_process import forked_simulator

                with suppress(OSError):  # the system has no process, memory or file left for another one
                    process = until_end.enter_context(forked_simulator())
        yield process


@contextmanager
def run_context(
    manifest: Manifest,
    *,
    simulate: bool,
    state: StateLocation = DEFAULT,
    long_lived: bool = False,
    simulator: SimulatorProcess | None = None,
) -> Iterator[RunContext]:
    """Yield the context of a run, and close it at the end; with `simulate`, a simulator runs meanwhile.

    Args:
        manifest: the connections.
        simulate: use the embedded simulator, synthetic secrets and synthetic grants.
        state: the state database.
        long_lived: whether it serves a program that runs for long, as for `SecretResolver`.
        simulator: that of `simulate`, if it runs in another process already.
    """
    if not simulate:
        context = real_context(manifest, state, long_lived=long_lived)
        try:
            yield context
        finally:
            context.tokens.close()
            context.grants.close()
            context.source.close()
        return
    if outer := simulation():
        yield outer
        return
    if simulator is not None:
        with simulator.context(list(manifest.values())) as context:
            yield context
        return
    from connform.simulator import Simulator

    with Simulator() as started:
        yield simulated_context(started)
