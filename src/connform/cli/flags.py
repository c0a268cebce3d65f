"""The flags that all verbs or several verbs take, and the decorators that add them. Layer 5. IO: looks for folders.

The common flags may stand before and after the verb. Lists are joined; of two single values, the one after the verb wins.
"""

# ruff: noqa: PTH100, PTH112, PTH120  (pathlib would cost start-up)

from __future__ import annotations

import gc
import os
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import click

from connform.cli.usage import UsageProblem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    Function = Callable[..., Any]


_MAX_SHARDS: Final = 64


def completion_of(kind: str) -> Function:
    """Return click's callback for shell completion; `kind` is a key of `completion_values.py`, imported only for it."""

    def values(context: click.Context, _parameter: click.Parameter, incomplete: str) -> Any:
        from connform.cli.completion_values import complete

        return complete(kind, context, incomplete)

    return values


def require_writable(_context: click.Context, parameter: click.Parameter, value: str | None) -> str:
    """Return the path of an output file. One that can't be written is refused before any work is done."""
    if value and (os.path.isdir(value) or not os.path.isdir(os.path.dirname(os.path.abspath(value)))):
        message = f"{parameter.opts[-1]}: not a file in an existing folder"
        raise UsageProblem(message)
    if value and os.path.realpath(value) != os.path.abspath(value):
        from connform.cli.output import unwritable_file
        from connform.cli.saving import output_path

        try:
            output_path(value)
        except OSError as error:
            raise unwritable_file(value, error) from None
    return value or ""


def _require_commit(_context: click.Context, parameter: click.Parameter, value: str | None) -> str:
    """Return the name of a commit. An empty one is refused: in a CI job, it comes from an unset variable."""
    if value is not None and not value.strip():
        message = f"{parameter.opts[-1]} takes a commit, a branch or a tag"
        raise UsageProblem(message)
    return value or ""


def require_positive(_context: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    """Return a number above zero; refuse any other."""
    if value is not None and not 0 < value < float("inf"):
        message = f"{parameter.opts[-1]} takes a number above zero"
        raise UsageProblem(message)
    return value


def _parse_shard(_context: click.Context, parameter: click.Parameter, value: str) -> tuple[int, int]:
    number, _, total = value.partition("/")
    if not (number.isdecimal() and total.isdecimal() and 1 <= int(number) <= int(total) <= _MAX_SHARDS):
        message = f"{parameter.opts[-1]} takes I/N: the I-th of N parts, {_MAX_SHARDS} at most"
        raise UsageProblem(message)
    return int(number), int(total)


def _require_no_password(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Return the URL of the state. A password in it is refused on the command line, which every user of the machine can read."""
    from_flag = click.core.ParameterSource.COMMANDLINE
    if value and context.get_parameter_source(parameter.name or "") is from_flag and _has_password(value):
        message = f"{parameter.opts[-1]} holds a password, and every user of this machine can read the command line"
        raise UsageProblem(message, "put the URL into CONNFORM_STATE, or leave the password to PGPASSWORD or ~/.pgpass")
    return value


def _has_password(url: str) -> bool:
    from urllib.parse import parse_qsl  # imported here for start-up: few runs name a state

    scheme, _, rest = url.partition("://")
    rest, _, query = rest.partition("?")
    user, _, _ = rest.rpartition("@")
    return (":" in user and scheme != "sqlite") or any(name.endswith("password") for name, _ in parse_qsl(query))


def _parse_formats(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    if not values:
        return ()
    from connform.reporters import FORMATS, format_names

    pairs = []
    for value in values:
        name, separator, file = value.partition("=")
        known: Container[str] = (
            FORMATS if name in FORMATS else format_names()
        )  # plug-ins are looked for only where needed
        if name not in known or bool(separator) != bool(file):
            message = f"--format takes {' or '.join(format_names())}, or FORMAT=FILE"
            raise UsageProblem(message, did_you_mean(name, format_names()))
        pairs.append((name, require_writable(context, parameter, file)))
    if [file for _, file in pairs].count("") > 1:
        message = "only one format can go to standard output"
        raise UsageProblem(message, "name a file for the others: `--format json=report.json`")
    return tuple(pairs)


_COMMON: Final = {
    "files": click.option(
        "-f",
        "--file",
        "files",
        multiple=True,
        metavar="PATH",
        help="A manifest, a folder, or `-`. Repeatable.",
        shell_complete=completion_of("files"),
    ),
    "connections": click.option(
        "-c",
        "--connection",
        "connections",
        multiple=True,
        metavar="GLOB",
        help="Only these. Repeatable.",
        shell_complete=completion_of("connections"),
    ),
    "exclude": click.option(
        "--exclude",
        multiple=True,
        metavar="GLOB",
        help="All but these. Repeatable.",
        shell_complete=completion_of("connections"),
    ),
    "tags": click.option(
        "--tag",
        "tags",
        multiple=True,
        metavar="TAG",
        help="Only connections with this tag. Repeatable.",
        shell_complete=completion_of("tags"),
    ),
    "changed_since": click.option(
        "--changed-since", metavar="REF", callback=_require_commit, help="Only what differs from this Git commit."
    ),
    "allow_empty": click.option(
        "--allow-empty", is_flag=True, help="Names and tags may match nothing, and no connection may be left."
    ),
    "policies": click.option(
        "--policy",
        "policies",
        multiple=True,
        metavar="PATH",
        help="A policy file, or a folder of them. Repeatable.",
        shell_complete=completion_of("files"),
    ),
    "formats": click.option(
        "--format",
        "formats",
        multiple=True,
        metavar="F[=FILE]",
        callback=_parse_formats,
        shell_complete=completion_of("formats"),
        help="text (default), concise, json, jsonl, github, gitlab, sarif, junit or markdown; with a file, in addition.",
    ),
    "output": click.option(
        "--output",
        metavar="FILE",
        callback=require_writable,
        help="A file in place of standard output.",
        shell_complete=completion_of("files"),
    ),
    "no_color": click.option("--no-color", is_flag=True, help="No colours (as NO_COLOR does)."),
    "no_input": click.option("--no-input", is_flag=True, help="Never ask a question."),
    "quiet": click.option("-q", "--quiet", is_flag=True, help="Errors and failures only."),
    "verbose": click.option("-v", "--verbose", count=True, help="More facts. Repeatable."),
    "debug": click.option("--debug", is_flag=True, help="Print exceptions in plug-ins; they may hold a secret."),
}
_SIMULATE: Final = click.option(
    "--simulate", is_flag=True, help="Rehearse against an embedded simulator, without secrets."
)
TIMEOUT: Final = click.option(
    "--timeout", "timeout_s", type=float, callback=require_positive, metavar="SECONDS", help="For each connection."
)
_STATE: Final = (
    click.option(
        "--state",
        "state_url",
        envvar="CONNFORM_STATE",
        callback=_require_no_password,
        metavar="URL",
        help="Where state and grants lie: sqlite:///FOLDER, postgresql://…; default: .connform beside the manifest.",
    ),
    click.option(
        "--state-key",
        envvar="CONNFORM_STATE_KEY",
        metavar="REF",
        help="A secret reference to the key of the grants; default: a key file beside them.",
    ),
)
SHARD: Final = click.option(
    "--shard",
    default="1/1",
    callback=_parse_shard,
    metavar="I/N",
    help="One of N parts, which never change: for CI matrices.",
)
PARALLELISM: Final = click.option(
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
        if not options.debug:
            return function(options, **arguments)
        from connform.cli.debug import debugging

        with debugging():
            return function(options, **arguments)

    return unmerged_flags(merged, without)


def _merge(before: Any, after: Any) -> Any:
    return (before or ()) + after if isinstance(after, tuple) else after or before or after


def common_without_format(function: Callable[..., int]) -> Function:
    """Add the common flags except `--format`, for a verb whose output is no report."""
    return common_flags(function, without="formats")


def state_flags(function: Function) -> Function:
    """Add `--state` and `--state-key`; the function takes both as `state`."""

    @wraps(function)
    def merged(*, state_url: str | None, state_key: str | None, **arguments: Any) -> Any:
        from connform.engine.run.state_location import StateLocation

        return function(**arguments, state=StateLocation(state_url or "", state_key or ""))

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
