"""The values of flags: the callbacks of click that check and convert them, and shell completion. Layer 5. IO: looks for folders."""

# ruff: noqa: PTH100, PTH112, PTH120  (pathlib would cost start-up)

from __future__ import annotations

import os
from collections.abc import Callable, Container, Sequence
from typing import TYPE_CHECKING, Any

import click

from connform.cli.usage import UsageProblem, did_you_mean, source_of

if TYPE_CHECKING:
    from datetime import timedelta

Function = Callable[..., Any]

_MAX_SHARDS = 64
_MAX_PORT = 65535
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_WEEK_S = 7 * 86_400
_MAX_DAYS = 3650
TEXT_OR_JSON = ("text", "json")
"""The formats of what is no report."""


class _Path(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.5
    """click's type of paths, made when a value is given: it looks for a translation of its name, as `help_option` says."""

    name = "path"
    envvar_list_splitter = os.pathsep

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return click.Path().convert(value, param, ctx)


PATH = _Path()


def completion_of(kind: str) -> Function:
    """Return click's callback for shell completion; `kind` is a key of `completion_values.py`, imported only for it."""

    def values(context: click.Context, _parameter: click.Parameter, incomplete: str) -> Any:
        from connform.cli.completion_values import complete

        return complete(kind, context, incomplete)

    return values


def require_writable(_context: click.Context, parameter: click.Parameter, value: str | None) -> str:
    """Return the path of an output file. One that can't be written is refused before any work is done."""
    if value == "-":
        message = (
            f"{parameter.opts[-1]}: `-` is no file: write /dev/stdout where standard output is meant, or ./- for a file"
        )
        raise UsageProblem(message)
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


def require_commit(_context: click.Context, parameter: click.Parameter, value: str | None) -> str:
    """Return the name of a commit. An empty one is refused: in a CI job, it comes from an unset variable."""
    if value is not None and not value.strip():
        message = f"{parameter.opts[-1]} takes a commit, a branch or a tag"
        raise UsageProblem(message)
    return value or ""


def require_positive(context: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    """Return a number above zero; refuse any other."""
    if value is not None and not 0 < value < float("inf"):
        raise UsageProblem(f"{source_of(context, parameter)} takes a number above zero")
    return value


def parse_days(_context: click.Context, parameter: click.Parameter, value: int | None) -> timedelta | None:
    """Return a number of days as a duration."""
    if value is None:
        return None
    from datetime import timedelta

    if not 1 <= value <= _MAX_DAYS:
        raise UsageProblem(f"{parameter.opts[-1]} takes a number of days, from 1 to {_MAX_DAYS}")
    return timedelta(days=value)


def parse_shard(_context: click.Context, parameter: click.Parameter, value: str) -> tuple[int, int]:
    """Return the number of a part and the number of parts."""
    number, _, total = value.partition("/")
    if not (number.isdecimal() and total.isdecimal() and 1 <= int(number) <= int(total) <= _MAX_SHARDS):
        message = f"{parameter.opts[-1]} takes I/N: the I-th of N parts, {_MAX_SHARDS} at most"
        raise UsageProblem(message)
    return int(number), int(total)


def require_no_password(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Return the URL of the state. A password in it is refused on the command line, which every user of the machine can read."""
    from_flag = click.core.ParameterSource.COMMANDLINE
    if value and context.get_parameter_source(parameter.name or "") is from_flag and _has_password(value):
        message = f"{parameter.opts[-1]} holds a password, and every user of this machine can read the command line"
        other_ways = f"put the URL into {parameter.envvar}, or " if parameter.envvar else ""
        raise UsageProblem(message, f"{other_ways}leave the password to PGPASSWORD or ~/.pgpass")
    return value


def _has_password(url: str) -> bool:
    from urllib.parse import parse_qsl  # imported here for start-up: few runs name a state

    scheme, _, rest = url.partition("://")
    rest, _, query = rest.partition("?")
    user, _, _ = rest.rpartition("@")
    return (":" in user and scheme != "sqlite") or any(name.endswith("password") for name, _ in parse_qsl(query))


def parse_formats(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """Return pairs of a format and its file, which is empty for standard output."""
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


def parse_text_or_json(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """Return pairs as `parse_formats` does."""
    return require_text_or_json([(value, "") for value in values])


def require_text_or_json(formats: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the formats of a command line; refuse those of reports, and a file."""
    for name, file in formats:
        if file or name not in TEXT_OR_JSON:
            raise UsageProblem(f"--format takes {' or '.join(TEXT_OR_JSON)} here", did_you_mean(name, TEXT_OR_JSON))
    return tuple(formats)


def parse_duration(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """Return a duration in seconds: `30s`, `5m`, `1h`; at least one second, at most a week."""
    if value is None:
        return None
    try:  # a number without a unit could mean minutes
        duration_s = float(value[:-1]) * _UNITS_S[value[-1:]]
    except (ValueError, KeyError):
        duration_s = 0.0
    if not 1 <= duration_s <= _WEEK_S:  # also for `nan`
        raise UsageProblem(f"{source_of(context, parameter)} takes a time of 1s to 7d: 30s, 5m, 1h")
    return duration_s


def parse_address(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, int]:
    """Return the host and the port of `HOST:PORT`; an IPv6 address stands in brackets."""
    host, _, port = value.rpartition(":")
    is_bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if is_bracketed else host
    if (
        not host
        or (":" in host) != is_bracketed
        or not (port.isascii() and port.isdecimal() and int(port) <= _MAX_PORT)
    ):
        message = f"{source_of(context, parameter)} takes HOST:PORT: 127.0.0.1:9877, [::1]:9877"
        raise UsageProblem(message)
    return host, int(port)
