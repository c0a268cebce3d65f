"""Usage errors: `UsageProblem`, and messages for click's errors that repeat no value, since a value may be a secret.

Layer 5, no IO.
"""

from __future__ import annotations

from collections.abc import Iterable

import click


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
    help_hint = f"see `{error.ctx.command_path} --help`" if error.ctx else "see `connform --help`"
    match error:
        case UsageProblem():
            return error.message, error.hint or help_hint
        case click.NoSuchOption():
            matches = " or ".join(f"`{match}`" for match in error.possibilities or ())
            return f"no such option: {error.option_name}", f"did you mean {matches}?" if matches else help_hint
        case click.MissingParameter() if error.param:
            return f"missing: {error.param.get_error_hint(error.ctx)}" if error.ctx else "missing argument", help_hint
        case click.BadParameter() if error.param:
            name = max(error.param.opts, key=len)
            variable = f" or {error.param.envvar}" if error.param.envvar else ""
            return f"invalid value for {name}{variable}: expected {error.param.type.name}", help_hint
        case click.BadOptionUsage():
            return error.message.rstrip("."), help_hint
    has_files = error.ctx is not None and any(parameter.name == "files" for parameter in error.ctx.command.params)
    file_hint = "`-f PATH` names a manifest or a folder; " if has_files else ""
    return "unexpected extra argument", file_hint + help_hint
