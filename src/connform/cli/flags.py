"""The flags that all verbs or several verbs take, and the decorators that add them. Layer 5, no IO.

The common flags may stand before and after the verb. Lists are joined; of two single values, the one after the verb wins.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import click

from connform.cli.flag_values import (
    completion_of,
    parse_formats,
    parse_shard,
    require_commit,
    require_no_password,
    require_positive,
    require_writable,
)

Function = Callable[..., Any]


class _CommonFlag(click.Option):
    """A flag of every command. `connform --help` describes it; the help of a command refers to that."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        if ctx.parent is None:
            return super().get_help_record(ctx)
        return ("-f, -c, --format, …", "Flags of every command: `connform --help`.") if self.name == "files" else None


_common_flag = partial(click.option, cls=_CommonFlag)
_COMMON = {
    "files": _common_flag(
        "-f",
        "--file",
        "files",
        multiple=True,
        metavar="PATH",
        help="A manifest, a folder, or `-`. Repeatable.",
        shell_complete=completion_of("files"),
    ),
    "connections": _common_flag(
        "-c",
        "--connection",
        "connections",
        multiple=True,
        metavar="GLOB",
        help="Only these. Repeatable.",
        shell_complete=completion_of("connections"),
    ),
    "exclude": _common_flag(
        "--exclude",
        multiple=True,
        metavar="GLOB",
        help="All but these. Repeatable.",
        shell_complete=completion_of("connections"),
    ),
    "tags": _common_flag(
        "--tag",
        "tags",
        multiple=True,
        metavar="TAG",
        help="Only connections with this tag. Repeatable.",
        shell_complete=completion_of("tags"),
    ),
    "changed_since": _common_flag(
        "--changed-since", metavar="REF", callback=require_commit, help="Only what differs from this Git commit."
    ),
    "allow_empty": _common_flag(
        "--allow-empty", is_flag=True, help="Names and tags may match nothing, and no connection may be left."
    ),
    "policies": _common_flag(
        "--policy",
        "policies",
        multiple=True,
        metavar="PATH",
        help="A policy file, or a folder of them. Repeatable.",
        shell_complete=completion_of("files"),
    ),
    "formats": _common_flag(
        "--format",
        "formats",
        multiple=True,
        metavar="F[=FILE]",
        callback=parse_formats,
        shell_complete=completion_of("formats"),
        help="text (default), concise, json, jsonl, github, gitlab, sarif, junit or markdown; with a file, in addition.",
    ),
    "output": _common_flag(
        "--output",
        metavar="FILE",
        callback=require_writable,
        help="A file in place of standard output.",
        shell_complete=completion_of("files"),
    ),
    "no_color": _common_flag("--no-color", is_flag=True, help="No colours (as NO_COLOR does)."),
    "no_input": _common_flag("--no-input", is_flag=True, help="Never ask a question."),
    "quiet": _common_flag("-q", "--quiet", is_flag=True, help="Errors and failures only."),
    "verbose": _common_flag("-v", "--verbose", count=True, help="More facts. Repeatable."),
    "debug": _common_flag(
        "--debug",
        is_flag=True,
        envvar="CONNFORM_DEBUG",
        help="Print requests, renewals and reads of secrets to standard error; no secret.",
    ),
    "debug_plugins": _common_flag(
        "--debug-plugins",
        is_flag=True,
        envvar="CONNFORM_DEBUG_PLUGINS",
        help="Print exceptions in plug-ins with their messages, which may hold a secret.",
    ),
}
_SIMULATE = click.option("--simulate", is_flag=True, help="Rehearse against an embedded simulator, without secrets.")
TIMEOUT = click.option(
    "--timeout", "timeout_s", type=float, callback=require_positive, metavar="SECONDS", help="For each connection."
)
_STATE = (
    click.option(
        "--state",
        "state_url",
        envvar="CONNFORM_STATE",
        callback=require_no_password,
        metavar="URL",
        help="Where state and grants lie: sqlite:///FOLDER, postgresql://…; default: .connform beside the manifest.",
    ),
    click.option(
        "--state-key",
        envvar="CONNFORM_STATE_KEY",
        metavar="REF",
        help="A secret reference to the key of the grants; default: a key file beside them.",
    ),
    click.option(
        "--repository",
        envvar="CONNFORM_REPOSITORY",
        metavar="NAME",
        help="A name for the repository; those with one name may share a state database.",
    ),
    click.option(
        "--root",
        envvar="CONNFORM_ROOT",
        metavar="FOLDER",
        help="The top of the repository, where there is no .git; default: GITHUB_WORKSPACE or CI_PROJECT_DIR.",
    ),
)
SHARD = click.option(
    "--shard",
    default="1/1",
    callback=parse_shard,
    metavar="I/N",
    help="One of N parts, which never change: for CI matrices.",
)
PARALLELISM = click.option(
    "--parallelism",
    type=int,
    default=100,
    callback=require_positive,
    metavar="N",
    help="Checks at once; 100 by default.",
)


def unmerged_flags(function: Function, without: str = "") -> Function:
    """Add the common flags to a command's function, each as an argument; `without` names one to leave out."""
    for name, option in reversed(_COMMON.items()):
        if name != without:
            function = option(function)
    return function


def common_flags(function: Callable[..., int], without: str = "") -> Function:
    """Add the common flags to a verb's function, which takes them all as its first argument, an `Options`."""

    @wraps(function)
    def merged(**arguments: Any) -> int:
        from connform.cli.options import Options

        flags_before_verb = click.get_current_context().find_object(dict) or {}
        names = Options._fields
        options = Options(**{name: _merge(flags_before_verb.get(name), arguments.pop(name, None)) for name in names})
        if not (options.debug or options.debug_plugins):
            return function(options, **arguments)
        from connform.cli.debug import debugging

        with debugging(options):
            return function(options, **arguments)

    return unmerged_flags(merged, without)


def _merge(before: Any, after: Any) -> Any:
    return (before or ()) + after if isinstance(after, tuple) else after or before or after


def common_without_format(function: Callable[..., int]) -> Function:
    """Add the common flags except `--format`, for a verb whose output is no report."""
    return common_flags(function, without="formats")


def state_flags(function: Function) -> Function:
    """Add `--state` and the flags that belong to it; the function takes them as `state`."""

    @wraps(function)
    def merged(*, state_url: str, state_key: str, repository: str, root: str, **arguments: Any) -> Any:
        from connform.engine.run.state_location import StateLocation

        return function(
            **arguments, state=StateLocation(*(value or "" for value in (state_url, state_key, repository, root)))
        )

    command: Function = merged
    for option in reversed(_STATE):
        command = option(command)
    return command


def network_flags(function: Function) -> Function:
    """Add the flags of verbs that use the network and grants, and turn on garbage collection: failed checks leave cycles."""

    @wraps(function)
    def with_garbage_collection(**arguments: Any) -> Any:
        gc.freeze()  # imported objects stay: they are not scanned
        gc.enable()  # main() disables it
        return function(**arguments)

    command: Function = _SIMULATE(TIMEOUT(state_flags(with_garbage_collection)))
    return command


def parallel_flags(function: Function) -> Function:
    """Add the flags of verbs that use the network for many connections at once."""
    return network_flags(PARALLELISM(function))
