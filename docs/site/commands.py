"""The pages of the commands, made from the objects of click that run them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import click

from connform.cli.group import cli

FOLDER = "reference/commands"


def pages() -> dict[str, str]:
    """Return the page of the program and one of each command, by their places."""
    top = click.Context(cli, info_name="connform")
    rows = []
    made = {}
    for name in cli.list_commands(top):
        command = cli.get_command(top, name)
        assert command, name
        made[f"{FOLDER}/{name}.md"] = "".join(_page(click.Context(command, parent=top, info_name=name), 1))
        rows.append(f"| [`{name}`]({name}.md) | {command.get_short_help_str(200)} |\n")
    table = "| command | does |\n|---|---|\n" + "".join(rows)
    about = f"{_usage(top)}\n{_text(cli)}\n{table}\n{_options(top, '## Shared options')}"
    return {f"{FOLDER}/index.md": f"# Commands\n\n{about}", **made}


def _page(context: click.Context, level: int) -> Iterator[str]:
    command = context.command
    yield f"{'#' * level} {context.command_path}\n\n{_text(command)}\n{_usage(context)}\n"
    examples: Mapping[str, str] = getattr(command, "examples", {})
    if examples:
        lines = "".join(f"$ {line}  # {effect}\n" for line, effect in examples.items())
        yield f"{'#' * (level + 1)} Examples\n\n```console\n{lines}```\n\n"
    yield _options(context, f"{'#' * (level + 1)} Options")
    if manual := getattr(command, "page", ""):
        yield f"More about it: [](/{manual}.md). "
    options = [one for one in command.get_params(context) if isinstance(one, click.Option) and not one.hidden]
    shared = [max(one.opts, key=len) for one in options if one.get_help_record(context) is None]
    yield f"[Shared options](index.md#shared-options) that it takes: {', '.join(f'`{name}`' for name in shared)}.\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner and not inner.hidden:
                yield "\n"
                yield from _page(click.Context(inner, parent=context, info_name=name), level + 1)


def _usage(context: click.Context) -> str:
    pieces = " ".join(context.command.collect_usage_pieces(context))
    return f"```text\n{context.command_path} {pieces}\n```\n"


def _text(command: click.Command) -> str:
    """Return what a command does: what click keeps as it stands becomes a block."""
    paragraphs = []
    for paragraph in (command.help or "").strip().split("\n\n"):
        if paragraph.startswith("\b\n"):
            paragraphs.append(f"```text\n{paragraph[2:]}\n```\n")
        else:
            paragraphs.append(_escaped(" ".join(paragraph.split())) + "\n")
    return "\n".join(paragraphs)


def _options(context: click.Context, heading: str) -> str:
    rows = []
    for parameter in context.command.get_params(context):
        record = parameter.get_help_record(context)
        if record is None or not isinstance(parameter, click.Option):
            continue
        variable = parameter.envvar if isinstance(parameter.envvar, str) else ", ".join(parameter.envvar or ())
        from_variable = f" Variable: `{variable}`." if variable and variable not in record[1] else ""
        rows.append(f"| `{_cell(record[0])}` | {_cell(_escaped(record[1]))}{from_variable} |\n")
    return f"{heading}\n\n| option | means |\n|---|---|\n{''.join(rows)}\n" if rows else ""


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _escaped(text: str) -> str:
    """Return a text of help as Markdown: what stands in backticks stays."""
    parts = text.split("`")
    for index in range(0, len(parts), 2):
        for sign in "\\*_<[":
            parts[index] = parts[index].replace(sign, f"\\{sign}")
    return "`".join(parts)
