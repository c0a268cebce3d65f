"""`connform completion`: prints a shell's completion script, and answers that script's requests.

Layer 5. IO: standard output. click knows the shells; `completion_values.py` has the values.
"""

from __future__ import annotations

import os
from contextlib import suppress

import click
from click.shell_completion import get_completion_class, shell_complete

from connform.cli.completion_values import SHELLS
from connform.cli.flag_values import completion_of
from connform.cli.flags import OUTPUT, common_flags
from connform.cli.options import Options
from connform.cli.output import write_output
from connform.cli.usage import UsageProblem, did_you_mean
from connform.cli.verb import Verb

VARIABLE = "_CONNFORM_COMPLETE"
"""The variable that the script sets when it asks for completions."""


@click.command(
    cls=Verb,
    examples={
        'eval "$(connform completion bash)"': "bash (4.4 or newer), in ~/.bashrc",
        'eval "$(connform completion zsh)"': "zsh, in ~/.zshrc, behind compinit",
        "connform completion fish | source": "fish, in ~/.config/fish/config.fish",
    },
    page="guides/editors",
)
@click.argument("shell", shell_complete=completion_of("shells"))
@common_flags(OUTPUT)
def command(options: Options, *, shell: str) -> int:
    """Print the completion script of a shell.

    SHELL is bash, zsh or fish. The script completes commands, flags, names of connections, tags and codes.
    """
    if shell not in SHELLS:
        raise UsageProblem(f"SHELL is {', '.join(SHELLS[:-1])} or {SHELLS[-1]}", did_you_mean(shell, SHELLS))
    completion_class = get_completion_class(shell)
    assert completion_class  # noqa: S101  (one of click's own)
    script = completion_class(click.Command("connform"), {}, "connform", VARIABLE)
    write_output(script.source_template % script.source_vars(), options)
    return 0


def print_completions(cli: click.Command) -> int:
    """Print the completions of the line in the shell's variables; on any error, print none."""
    with suppress(Exception), open(os.devnull, "w", encoding="utf-8") as null_device:  # noqa: PTH123  (pathlib would cost start-up)
        os.dup2(null_device.fileno(), 2)  # an error message would disturb the line that the person types
        shell_complete(cli, {}, "connform", VARIABLE, os.environ[VARIABLE])
    return 0
