"""`validate`, `check`, `plan` and `apply` as functions of a program. Layer 3; IO as the verbs of the same names."""

from __future__ import annotations

from connform.engine import apply as engine_apply
from connform.engine import check as engine_check
from connform.engine import plan as engine_plan
from connform.engine import validate as engine_validate
from connform.engine.changes.approval import Approval
from connform.engine.library.arguments import Files, Names, file_names, selection
from connform.engine.report import Report
from connform.engine.run.actor import actor
from connform.engine.run.context import simulation
from connform.engine.run.state_location import StateLocation


def validate(
    files: Files = (), connections: Names = (), *, exclude: Names = (), tags: Names = (), policies: Files = ()
) -> Report:
    """Return every error and warning of manifests, offline.

    Args:
        files: manifests, as for `load`.
        connections: names or globs; only what concerns these is reported, though everything is read. Empty: all.
        exclude: names or globs to leave out.
        tags: a connection has one of them; empty: all.
        policies: policy files and folders that judge every connection.

    Returns:
        The report: `diagnostics`, `exit_code`.

    Raises:
        UnknownConnection: a name, glob or tag matches nothing, or nothing is left.
    """
    return engine_validate.validate(file_names(files), selection(connections, exclude, tags), file_names(policies))


def check(
    files: Files = (),
    connections: Names = (),
    *,
    exclude: Names = (),
    tags: Names = (),
    policies: Files = (),
    simulate: bool = False,
    timeout_s: float | None = None,
    state: str = "",
    state_key: str = "",
) -> Report:
    """Check connections live, many at once. Nothing is recorded.

    It blocks; in an event loop, `await asyncio.to_thread(connform.check, …)`.

    Args:
        files: manifests, as for `load`.
        connections: names or globs; empty: all.
        exclude: names or globs to leave out.
        tags: a connection has one of them; empty: all.
        policies: policy files and folders that judge every connection.
        simulate: use the embedded simulator and synthetic secrets.
        timeout_s: the limit of each check in seconds; default: 10, or the connection's `total_s` where that is less.
        state: the state database, as for `load`.
        state_key: the key of the grants, as for `load`.

    Returns:
        The report: `connections` with a verdict each, or `diagnostics` if the manifest has errors; `exit_code`.

    Raises:
        UnknownConnection: a name, glob or tag matches nothing, or nothing is left.
    """
    report = engine_check.check(
        file_names(files),
        selection(connections, exclude, tags),
        file_names(policies),
        simulate=simulate or simulation() is not None,
        timeout_s=timeout_s,
        state=StateLocation(state, state_key),
    )
    return _complete(report)


def plan(
    files: Files = (),
    connections: Names = (),
    *,
    exclude: Names = (),
    tags: Names = (),
    policies: Files = (),
    simulate: bool = False,
    refresh: bool = False,
    timeout_s: float | None = None,
    state: str = "",
    state_key: str = "",
) -> Report:
    """Compare manifests with what `apply` recorded. Nothing is changed, and without `refresh` no secret is read or request sent.

    Args:
        files: manifests, as for `load`.
        connections: names or globs, of recorded connections as well; empty: all.
        exclude: names or globs to leave out.
        tags: a connection has one of them; empty: all.
        policies: policy files and folders that judge every connection.
        simulate: plan for an empty state, as `apply` with `simulate` does.
        refresh: check live what has not changed in the manifests.
        timeout_s: the limit of each of these checks in seconds, as for `check`.
        state: the state database, as for `load`.
        state_key: the key of the grants, as for `load`.

    Returns:
        The report: `connections` with `action` (`create`, `update`, `remove`, `none`) and `changes`; `plan.digest`, and
        `plan.refusals`, the safety rules for which `apply` needs `force`. `diagnostics` if the manifest has errors.

    Raises:
        UnknownConnection: a name, glob or tag matches nothing, or nothing is left.
        ConnectionFailed: a fault of the state database.
    """
    planned = engine_plan.plan(
        file_names(files),
        selection(connections, exclude, tags),
        file_names(policies),
        state=StateLocation(state, state_key),
        refresh=refresh,
        simulate=simulate or simulation() is not None,
        timeout_s=timeout_s,
    )
    return _complete(planned.report)


def apply(
    files: Files = (),
    connections: Names = (),
    *,
    exclude: Names = (),
    tags: Names = (),
    policies: Files = (),
    simulate: bool = False,
    force: bool = False,
    timeout_s: float | None = None,
    state: str = "",
    state_key: str = "",
) -> Report:
    """Apply manifests, as the command `apply` does, without asking: check what is new or changed, and record the result.

    Args:
        files: manifests, as for `load`.
        connections: names or globs, of recorded connections as well; empty: all.
        exclude: names or globs to leave out.
        tags: a connection has one of them; empty: all.
        policies: policy files and folders that judge every connection.
        simulate: use the embedded simulator, synthetic secrets, and an empty state that is deleted afterwards.
        force: set the safety rules aside.
        timeout_s: the limit of each check in seconds, as for `check`.
        state: the state database, as for `load`.
        state_key: the key of the grants, as for `load`.

    Returns:
        The report: `connections` with `action` and verdict, or `diagnostics` if the manifest has errors; `exit_code`.

    Raises:
        UnknownConnection: a name, glob or tag matches nothing, or nothing is left.
        Refused: a safety rule refuses the plan.
        ConnectionFailed: a fault of the state database, before anything was done.
    """
    report = engine_apply.apply(
        file_names(files),
        selection(connections, exclude, tags),
        file_names(policies),
        by=actor(),
        approval=Approval(force=force),
        simulate=simulate or simulation() is not None,
        timeout_s=timeout_s,
        state=StateLocation(state, state_key),
    )
    return _complete(report)


def _complete(report: Report) -> Report:
    """Return a complete report.

    Raises:
        KeyboardInterrupt: the run was interrupted, so that the report isn't complete. The program that called has to know.
    """
    if report.interruption:
        raise KeyboardInterrupt
    return report
