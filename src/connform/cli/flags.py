"""The flags that several verbs take, in groups, and the decorators that add them. Layer 5, no IO.

The shared flags may stand before and after the verb. Lists are joined; of two single values, the one after the verb wins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any

import click

from connform.cli.flag_values import (
    PATH,
    completion_of,
    parse_days,
    parse_formats,
    parse_shard,
    parse_text_or_json,
    require_commit,
    require_no_password,
    require_positive,
    require_text_or_json,
    require_writable,
)

Function = Callable[..., Any]


FILES = ("files",)
"""Which manifests."""
POLICIES = ("policies",)
NAMES_AND_TAGS = ("connections", "exclude", "tags", "allow_empty")
"""Which connections, of the manifests or of the state."""
SELECTION = (*NAMES_AND_TAGS, "changed_since")
NAMES = ("names",)
"""Names by position, for verbs that take no other argument: the same as `-c`."""
OUTPUT = ("output",)
REPORT = ("formats", "output")
"""How a report is written."""
TEXT_OR_JSON = ("text_or_json", "output")
"""How something is written that is no report."""
_GENERAL = ("color", "no_color", "no_input", "quiet", "verbose", "debug", "debug_plugins")
"""The flags of every verb."""


class _SharedFlag(click.Option):
    """A flag of several verbs. `connform --help` describes it; the help of a verb only names it."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        return super().get_help_record(ctx) if ctx.parent is None else None

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Read the variable after the verb only: it would count twice otherwise."""
        return super().resolve_envvar_value(ctx) if ctx.parent else None


_shared_flag = partial(click.option, cls=_SharedFlag)
_SHARED: dict[str, Callable[[Function], Function]] = {
    "files": _shared_flag(
        "-f",
        "--file",
        "files",
        multiple=True,
        metavar="PATH",
        help="A manifest, a folder, or `-`. Repeatable.",
        shell_complete=completion_of("files"),
    ),
    "connections": _shared_flag(
        "-c",
        "--connection",
        "connections",
        multiple=True,
        metavar="GLOB",
        help="Only these, as NAME… does. Repeatable.",
        shell_complete=completion_of("connections"),
    ),
    "exclude": _shared_flag(
        "--exclude",
        multiple=True,
        metavar="GLOB",
        help="All but these. Repeatable.",
        shell_complete=completion_of("connections"),
    ),
    "tags": _shared_flag(
        "--tag",
        "tags",
        multiple=True,
        metavar="TAG",
        help="Only connections with this tag. Repeatable.",
        shell_complete=completion_of("tags"),
    ),
    "changed_since": _shared_flag(
        "--changed-since", metavar="REF", callback=require_commit, help="Only what differs from this Git commit."
    ),
    "allow_empty": _shared_flag(
        "--allow-empty", is_flag=True, help="Names and tags may match nothing, and no connection may be left."
    ),
    "policies": _shared_flag(
        "--policy",
        "policies",
        multiple=True,
        type=PATH,  # its variable is a list as PATH is
        envvar="CONNFORM_POLICY",
        metavar="PATH",
        help="A policy file, or a folder of them. Repeatable.",
        shell_complete=completion_of("files"),
    ),
    "formats": _shared_flag(
        "--format",
        "formats",
        multiple=True,
        metavar="F[=FILE]",
        callback=parse_formats,
        shell_complete=completion_of("formats"),
        help="text (default), concise, json, jsonl, github, gitlab, sarif, junit, markdown, html or openmetrics; with a file, in addition.",
    ),
    "text_or_json": _shared_flag(
        "--format",
        "formats",
        multiple=True,
        metavar="F",
        callback=parse_text_or_json,
        shell_complete=completion_of("text_or_json"),
    ),
    "output": _shared_flag(
        "--output",
        metavar="FILE",
        callback=require_writable,
        help="A file in place of standard output.",
        shell_complete=completion_of("files"),
    ),
    "color": _shared_flag(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        metavar="WHEN",
        help="auto (default), always or never; --no-color is the last.",
    ),
    "no_color": _shared_flag("--no-color", is_flag=True, hidden=True),
    "no_input": _shared_flag("--no-input", is_flag=True, help="Never ask a question."),
    "quiet": _shared_flag("-q", "--quiet", is_flag=True, help="Errors and failures only."),
    "verbose": _shared_flag("-v", "--verbose", count=True, help="More facts. Repeatable."),
    "debug": _shared_flag(
        "--debug",
        is_flag=True,
        envvar="CONNFORM_DEBUG",
        help="Print requests, renewals and reads of secrets to standard error; no secret.",
    ),
    "debug_plugins": _shared_flag(
        "--debug-plugins",
        is_flag=True,
        envvar="CONNFORM_DEBUG_PLUGINS",
        help="Print exceptions in plug-ins with their messages, which may hold a secret.",
    ),
    "names": click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=completion_of("connections")),
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
KEEP = click.option(
    "--keep",
    type=int,
    callback=parse_days,
    metavar="DAYS",
    help="How long recorded changes of verdict and hourly figures are kept; 30 days by default.",
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
    envvar="CONNFORM_PARALLELISM",
    callback=require_positive,
    metavar="N",
    help="Checks at once; 100 by default.",
)


def flags_before_verb(function: Function) -> Function:
    """Add every shared flag to the function of the group, each as an argument."""
    return _add(function, [name for name in _SHARED if name not in ("text_or_json", *NAMES)])


def common_flags(*groups: Sequence[str]) -> Callable[[Callable[..., int]], Function]:
    """Return a decorator that adds groups of shared flags to a verb's function, which takes them as its first argument, an `Options`."""
    names = [name for group in (*groups, _GENERAL) for name in group]

    def decorate(function: Callable[..., int]) -> Function:
        @wraps(function)
        def merged(**arguments: Any) -> int:
            from connform.cli.merging import merge, require_names, require_taken

            context = click.get_current_context()
            before = context.find_object(dict) or {}
            require_taken(context, before)
            if "names" in names:
                arguments["connections"] += require_names(arguments.pop("names"))
            options = merge(context, before, arguments)
            if "text_or_json" in names:
                require_text_or_json(options.formats)
            if not (options.debug or options.debug_plugins):
                return function(options, **arguments)
            from connform.cli.debug import debugging

            with debugging(options):
                return function(options, **arguments)

        return _add(merged, names)

    return decorate


def _add(function: Function, names: Sequence[str]) -> Function:
    for name in reversed(names):
        function = _SHARED[name](function)
    return function


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
        from connform.engine.run.garbage import begin_command

        begin_command()
        return function(**arguments)

    command: Function = _SIMULATE(TIMEOUT(state_flags(with_garbage_collection)))
    return command


def parallel_flags(function: Function) -> Function:
    """Add the flags of verbs that use the network for many connections at once."""
    return network_flags(PARALLELISM(function))
