"""Turns the name of a shell into its completion script, and a half-written line into what may follow.

Layer 5. IO: standard output; reads the manifests that the line names. click knows the shells.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import click
from click.shell_completion import CompletionItem, get_completion_class, shell_complete

from connform.cli.flags import common, completing
from connform.cli.output import deliver
from connform.cli.usage import UsageProblem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from connform.cli.options import Options

SHELLS: Final = ("bash", "zsh", "fish")
VARIABLE: Final = "_CONNFORM_COMPLETE"
"""What the script sets when it asks for completions."""


@click.command()
@click.argument("shell", shell_complete=completing("shells"))
@common
def command(options: Options, *, shell: str) -> int:
    r"""Print the completion script of a shell.

    \b
    bash (4.4 or newer), in ~/.bashrc:     eval "$(connform completion bash)"
    zsh, in ~/.zshrc, behind compinit:     eval "$(connform completion zsh)"
    fish, in ~/.config/fish/config.fish:   connform completion fish | source
    """
    if shell not in SHELLS:
        message = f"SHELL is {', '.join(SHELLS[:-1])} or {SHELLS[-1]}"
        raise UsageProblem(message, did_you_mean(shell, SHELLS))
    kind = get_completion_class(shell)
    assert kind  # noqa: S101  (one of click's own)
    script = kind(click.Command("connform"), {}, "connform", VARIABLE)
    deliver(script.source_template % script.source_vars(), options)
    return 0


def answer(cli: click.Command) -> int:
    """Print what may follow the line that the shell's variables hold; a mistake in it or in a manifest offers nothing."""
    with suppress(Exception), open(os.devnull, "w", encoding="utf-8") as silence:  # noqa: PTH123
        os.dup2(silence.fileno(), 2)  # the person is typing: nothing may stand in between
        shell_complete(cli, {}, "connform", VARIABLE, os.environ[VARIABLE])
    return 0


def offer(kind: str, context: click.Context, incomplete: str) -> list[CompletionItem]:
    """Return what a parameter may be, of those that start so; a file's name is the shell's own business."""
    if kind == "files":
        return [CompletionItem(incomplete, type="file")]
    if kind == "formats" and "=" in incomplete:
        return [CompletionItem(incomplete, type="file")]
    return [CompletionItem(value, help=text) for value, text in _VALUES[kind](context) if value.startswith(incomplete)]


def _connections(context: click.Context) -> Iterable[tuple[str, str]]:
    return ((name, ", ".join(tags)) for name, tags in _declared(context).items())


def _tags(context: click.Context) -> Iterable[tuple[str, str]]:
    return ((tag, "") for tag in dict.fromkeys(tag for tags in _declared(context).values() for tag in tags))


def _declared(context: click.Context) -> dict[str, tuple[str, ...]]:
    """Return the tags of each connection in the manifests that the line has named so far."""
    from connform.engine.validate import connection_tags

    before = context.parent.params if context.parent else {}
    files = (*(before.get("files") or ()), *(context.params.get("files") or ()))
    return {} if "-" in files else connection_tags(files)


def _formats(_: click.Context) -> Iterable[tuple[str, str]]:
    from connform.reporters import FORMATS

    return ((name, "") for name in FORMATS)


def _codes(_: click.Context) -> Iterable[tuple[str, str]]:
    from connform.engine.explain import summaries

    return ((code, summary) for code, _, summary in summaries())


def _schemas(_: click.Context) -> Iterable[tuple[str, str]]:
    from connform.cli.schema import schemas

    return ((name, "") for name in schemas())


def _shells(_: click.Context) -> Iterable[tuple[str, str]]:
    return ((shell, "") for shell in SHELLS)


def _environments(_: click.Context) -> Iterable[tuple[str, str]]:
    from connform.engine import init

    return ((name, "") for name in init.environments())


def _regions(context: click.Context) -> Iterable[tuple[str, str]]:
    from connform.engine import init

    named = context.params.get("environment")
    of = [named] if named in init.environments() else init.environments()
    return ((name, "") for name in dict.fromkeys(region for one in of for region in init.regions(one)))


def _methods(_: click.Context) -> Iterable[tuple[str, str]]:
    from connform.engine import init

    return ((name, "") for name in init.methods())


def _ci_systems(_: click.Context) -> Iterable[tuple[str, str]]:
    from connform.engine import init

    return ((name, "") for name in (*init.CI_FILES, "none"))


_VALUES: Final[dict[str, Callable[[click.Context], Iterable[tuple[str, str]]]]] = {
    "ci_systems": _ci_systems,
    "codes": _codes,
    "connections": _connections,
    "environments": _environments,
    "formats": _formats,
    "methods": _methods,
    "regions": _regions,
    "schemas": _schemas,
    "shells": _shells,
    "tags": _tags,
}
"""What a parameter may hold → the values, each with a word of help."""
