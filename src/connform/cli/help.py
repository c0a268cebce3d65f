"""`connform help`: prints the help of a command, or a page of the manual. Layer 5, no IO of its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from connform.cli import VERBS
from connform.cli.color import wants_color
from connform.cli.flag_values import completion_of
from connform.cli.flags import common_flags
from connform.cli.options import Options
from connform.cli.output import columns_of, write_stdout
from connform.cli.usage import UsageProblem, did_you_mean
from connform.cli.verb import Verb

_LONGEST_LINE = 100
"""Lines of text are not wider, however wide the terminal is."""
_PLAIN_DEPTH = 1
"""Pages in deeper folders are not listed: the records of decisions."""


@click.command(
    cls=Verb,
    examples={
        "connform help": "every command and option, and the pages of the manual",
        "connform help check": "the help of a command",
        "connform help exit-codes": "what an exit code means",
        "connform help guides/rotation": "a page of the manual; `connform help rotation` is enough",
    },
)
@click.argument("words", nargs=-1, metavar="[COMMAND|PAGE]", shell_complete=completion_of("help"))
@common_flags()
def command(options: Options, *, words: tuple[str, ...]) -> int:
    """Print the help of a command, or a page of the manual.

    On a terminal, a page is laid out for it; elsewhere it is Markdown.
    """
    group = click.get_current_context().find_root()
    if not words:
        write_stdout(f"{group.get_help()}\n\n{_contents()}")
    elif words[0] in VERBS:
        write_stdout(f"{_verb_context(group, words).get_help()}\n")
    else:
        _print_page(words, options)
    return 0


def _contents() -> str:
    from connform.engine.manual import pages

    formatter = click.HelpFormatter(width=79)
    with formatter.section("Manual"):
        formatter.write_dl([(page.name, page.title) for page in pages() if page.name.count("/") <= _PLAIN_DEPTH])
    return formatter.getvalue()


def _verb_context(group: click.Context, words: Sequence[str]) -> click.Context:
    """Return the context of a command, of which further words name a subcommand.

    Raises:
        UsageProblem: it has no such subcommand.
    """
    verb, *rest = words
    assert isinstance(group.command, click.Group)  # noqa: S101  (it has the commands)
    found = group.command.get_command(group, verb)
    assert found  # noqa: S101  (the table has it)
    first = next((one.type for one in found.params if isinstance(one, click.Argument)), None)
    choices = list(first.choices) if isinstance(first, click.Choice) else []
    if rest and rest != [word for word in choices if word == rest[0]]:
        message = f"`connform {verb}` has no such subcommand"
        raise UsageProblem(message, did_you_mean(rest[0], choices) or f"see `connform help {verb}`")
    return click.Context(found, parent=group, info_name=verb)


def _print_page(words: Sequence[str], options: Options) -> None:
    from connform.engine.manual import find_pages, page_names

    found = find_pages("/".join(words))
    if not found:
        hint = did_you_mean("/".join(words), [*VERBS, *page_names()])
        raise UsageProblem("no command and no page of the manual has that name", hint or "`connform help` lists them")
    if len(found) > 1:
        raise UsageProblem(f"several pages end so: {', '.join(page.name for page in found)}")
    if not sys.stdout.isatty():
        write_stdout(found[0].text)
        return
    from connform.cli.markdown import laid_out

    color = wants_color(sys.stdout, options)
    width = min(columns_of(sys.stdout), _LONGEST_LINE)
    write_stdout(laid_out(found[0], width=width, color=color), color=color)
