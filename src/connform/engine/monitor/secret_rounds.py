"""The run context in use: its secrets are read anew in rounds, each reference once, before checks use them. Layer 3; calls secret backends.

Checks never wait for a store: they go on with the secrets of the last round until those of the next are there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from connform.engine.monitor.declared import DeclaredConnections
from connform.engine.run.context import RunContext, real_context
from connform.engine.run.secret_resolver import SecretResolver
from connform.engine.run.state_location import StateLocation


class Round:
    """DeclaredConnections connections with the context of a run, closed when the last check that uses it has ended."""

    def __init__(self, declared: DeclaredConnections, context: RunContext, *, may_close: bool) -> None:
        self.declared = declared
        """The connections."""
        self.context = context
        """The sources and targets of their checks."""
        self._may_close = may_close
        self._users = 1

    @contextmanager
    def in_use(self) -> Iterator[RunContext]:
        """Yield the context, which stays open during the block."""
        self._users += 1
        try:
            yield self.context
        finally:
            self.leave()

    def leave(self) -> None:
        """Use it no more; the last user closes it."""
        self._users -= 1
        if not self._users and self._may_close:
            self.context.tokens.close()
            self.context.grants.close()
            self.context.source.close()


def begin_round(declared: DeclaredConnections, state: StateLocation, simulated: RunContext | None) -> Round:
    """Return a round whose secrets were read, in batches; failures are part of the verdicts of checks."""
    context = simulated or real_context(declared.manifest, state)
    context.source.prepare(declared.connections.values())
    return Round(declared, context, may_close=simulated is None)


def read_failed_again(current: Round) -> None:
    """Read again the secrets of a round that could not be read, in batches; the others stay as they are."""
    source = current.context.source
    if isinstance(source, SecretResolver):  # synthetic secrets don't fail
        source.read_failed_again(current.declared.connections.values())
