"""Merges the flags before the verb with those behind it, and refuses those that do nothing for the verb. Layer 5, no IO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from connform.cli.options import Options
from connform.cli.usage import UsageProblem


def require_taken(context: click.Context, before: Mapping[str, Any]) -> None:
    """Require that a verb takes every flag before it.

    Raises:
        UsageProblem: it doesn't take one: to ignore the flag would be to do something else than was asked for.
    """
    command = context.command
    taken = {parameter.name for parameter in command.params}
    for parameter in context.parent.command.params if context.parent else ():
        if before.get(parameter.name or "") and parameter.name not in taken:
            flag = max(parameter.opts, key=len)
            if any(flag in own.opts for own in command.params):
                message = f"{flag} of `{context.command_path}` stands behind the command"
            else:
                message = f"`{context.command_path}` doesn't take {flag}"
            raise UsageProblem(message, f"see `{context.command_path} --help`")


def require_names(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Return the arguments of a verb that takes names of connections.

    Raises:
        UsageProblem: one of them is a path.
    """
    if any("/" in argument or argument.endswith((".yaml", ".yml")) for argument in arguments):
        raise UsageProblem("NAME is that of a connection, not a path", "`-f PATH` names a manifest or a folder")
    return arguments


def merge(context: click.Context, before: Mapping[str, Any], arguments: dict[str, Any]) -> Options:
    """Return the shared flags of a command line, and remove them from the arguments of the verb's function.

    A flag before the verb replaces the variable of that flag.
    """
    merged = {}
    for name in Options._fields:
        after = arguments.pop(name, None)
        if before.get(name) and context.get_parameter_source(name) is click.core.ParameterSource.ENVIRONMENT:
            after = None
        merged[name] = _merge(before.get(name), after, Options._field_defaults[name])
    return Options(**merged)


def _merge(before: Any, after: Any, default: Any) -> Any:
    if isinstance(default, tuple):
        return (before or ()) + (after or ())
    return after or before or default
