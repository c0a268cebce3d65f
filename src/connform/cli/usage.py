"""Usage errors: `UsageProblem`, and messages for click's errors that repeat no value, since a value may be a secret.

Layer 5, no IO.
"""

from __future__ import annotations

from collections.abc import Iterable

import click
from click.core import ParameterSource

_ONLY_BEFORE = {"-C": "-C FOLDER COMMAND", "--chdir": "--chdir FOLDER COMMAND", "--version": "--version"}
"""Options of connform itself, with where they stand."""
_TYPES = {"float": "number", "integer": "integer"}
_AROUND_A_NAME = "'[]."
"""What click writes around the name of an argument; which of them depends on its version."""


class UsageProblem(click.UsageError):
    """A usage error that connform reports itself, with a hint."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """Return a hint that names the likeliest candidate, or an empty text."""
    from connform.manifest import similar  # imported here for start-up: only a mistake needs it

    return similar.did_you_mean(word, candidates)


def message_and_hint(error: click.UsageError) -> tuple[str, str]:
    """Return the message and the hint of a usage error."""
    help_hint = f"see `{error.ctx.command_path} --help`" if error.ctx else "see `connform help`"
    match error:
        case UsageProblem():
            return error.message, error.hint or help_hint
        case click.NoSuchOption():
            return _unknown_option(error, help_hint)
        case click.MissingParameter() if error.param and error.ctx:
            return f"missing: {error.param.get_error_hint(error.ctx).strip(_AROUND_A_NAME)}", _example(
                error.ctx
            ) or help_hint
        case click.BadParameter() if error.param:
            return (
                f"invalid value for {source_of(error.ctx, error.param)}: expected {_expected(error.param)}",
                help_hint,
            )
        case click.BadOptionUsage():
            return error.message.rstrip("."), help_hint
    parameters = {parameter.name for parameter in error.ctx.command.params} if error.ctx else set()
    hint = "`-c NAME` chooses a connection; " if "connections" in parameters else ""
    return "unexpected extra argument", hint + (_example(error.ctx) or help_hint)


def _unknown_option(error: click.NoSuchOption, help_hint: str) -> tuple[str, str]:
    """Return message and hint for an option that a verb doesn't have; another one of connform may have it."""
    context, name = error.ctx, error.option_name
    group = context.parent if context else None
    if context and group and any(name in parameter.opts for parameter in group.command.params):
        if name in _ONLY_BEFORE:
            return f"{name} stands before the command", f"connform {_ONLY_BEFORE[name]}"
        return f"`{context.command_path}` doesn't take {name}", help_hint
    if context and (takers := _commands_with(name, context.find_root())):
        return f"`{context.command_path}` doesn't take {name}", f"it is an option of {', '.join(takers)}"
    matches = " or ".join(f"`{match}`" for match in error.possibilities or ())
    return f"no such option: {name}", f"did you mean {matches}?" if matches else help_hint


def _commands_with(option: str, root: click.Context) -> list[str]:
    """Return the commands that have an option; imports all of them."""
    group = root.command
    if not isinstance(group, click.Group):
        return []
    commands = {name: group.get_command(root, name) for name in group.list_commands(root)}
    return [name for name, one in commands.items() if one and any(option in each.opts for each in one.params)]


def source_of(context: click.Context | None, parameter: click.Parameter) -> str:
    """Return the flag, the argument or the environment variable that a parameter's value comes from."""
    is_variable = context and context.get_parameter_source(parameter.name or "") is ParameterSource.ENVIRONMENT
    if is_variable and isinstance(parameter.envvar, str):
        return parameter.envvar
    return max(parameter.opts, key=len) if isinstance(parameter, click.Option) else parameter.human_readable_name


def _expected(parameter: click.Parameter) -> str:
    if isinstance(parameter.type, click.Choice):
        return " or ".join(parameter.type.choices)
    return f"a{'n' if parameter.type.name == 'integer' else ''} {_TYPES.get(parameter.type.name, parameter.type.name)}"


def _example(context: click.Context | None) -> str:
    """Return a hint with the first example of a command that has its required arguments; empty if there is none."""
    lines = list(getattr(context.command, "examples", ())) if context else []
    return f"for example: `{lines[0]}`" if lines else ""
