"""Live checks of many connections: at once in one thread, and shared among processes where that is sooner.

Layer 3; uses the network, and forks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from copy import copy
from threading import Lock

from connform.engine.connection_report import ConnectionReport
from connform.engine.load.catalog import method_of
from connform.engine.run.context import RunContext
from connform.engine.run.live_check import check_steps
from connform.engine.run.open_files import at_once
from connform.engine.run.progress import Progress, waiting_for
from connform.http.net.multiplex import run_many, run_many_here
from connform.http.net.steps import Steps
from connform.manifest.model import Connection
from connform.process_local import ProcessLocal


def check_all(
    connections: Sequence[Connection],
    context: RunContext,
    parallelism: int,
    timeout_s: float | None,
    progress: Progress,
    done: dict[str, ConnectionReport],
    on_result: Callable[[Connection, ConnectionReport], object] | None = None,
    processes: int | None = 1,
) -> None:
    """Put the verdict on each connection into `done`, by its name, as soon as there is one; the other arguments as for `check`.

    `on_result` is called with each at that moment. `processes` is how many share the work; `None` for as many as are safe and sooner.
    """

    def work(connection: Connection) -> Steps[ConnectionReport]:
        with waiting_for(connection.name, progress):
            return (yield from check_steps(copy(connection), context, timeout_s))

    context.source.prepare(connections, progress)
    parallelism = at_once(parallelism)
    progress.begin("checking", len(connections))
    by_name, lock = {one.name: one for one in connections}, ProcessLocal(Lock)

    def deliver(reports: Sequence[ConnectionReport]) -> None:
        with lock.own:  # those of other processes come in a thread of their own
            for report in reports:
                if on_result:
                    on_result(by_name[report.name], report)
                done[report.name] = report

    if processes is None:
        with progress.paused():
            processes = _process_count(connections, parallelism)
    if processes > 1:
        _share(work, connections, parallelism // processes, processes, progress, deliver)
    left = [one for one in connections if one.name not in done]
    run_many(work, left, parallelism, lambda _, report: deliver([report]))


def _share(
    work: Callable[[Connection], Steps[ConnectionReport]],
    connections: Sequence[Connection],
    parallelism: int,
    processes: int,
    progress: Progress,
    deliver: Callable[[Sequence[ConnectionReport]], None],
) -> None:
    """Share checks among several processes, of which this is one; those of a process that ends early are left."""
    from connform.engine.run.processes import shared_with

    def check_share(share: Sequence[Connection]) -> Iterator[list[ConnectionReport]]:
        for results in run_many_here(work, share, parallelism):
            yield [report for _, report in results]

    def deliver_others(reports: Sequence[ConnectionReport]) -> None:
        deliver(reports)
        for report in reports:
            progress.finished(report.name)

    others = [one for number, one in enumerate(connections) if number % processes]
    with ExitStack() as sharing:
        with progress.paused():
            sharing.enter_context(shared_with(check_share, others, processes - 1, deliver_others))
        run_many(work, connections[::processes], parallelism, lambda _, report: deliver([report]))


def _process_count(connections: Sequence[Connection], parallelism: int) -> int:
    """Return how many processes are safe, and sooner."""
    if any(map(_obtains_tokens, connections)):
        return 1
    from connform.engine.run.processes import process_count

    return min(process_count(len(connections)), parallelism)


def _obtains_tokens(connection: Connection) -> bool:
    """Whether connections may share its tokens, and a renewal would be known to one process alone."""
    method = method_of(connection)
    return getattr(method, "uses_grant", False) or getattr(method, "obtains_token", False)
