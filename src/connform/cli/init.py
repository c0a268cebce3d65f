"""`connform init`: writes a first manifest from flags and answers. Layer 5. IO: questions, files of the current folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

import click

from connform.cli.flag_values import completion_of
from connform.cli.flags import common_flags
from connform.cli.options import Options
from connform.cli.output import save, write_stdout
from connform.cli.saving import make_folder
from connform.cli.streams import is_attended
from connform.cli.usage import UsageProblem, did_you_mean

_NO_CI = "none"
_MAX_BYTES = 1024 * 1024
"""The largest .gitignore that is read."""


@click.command()
@click.option(
    "--environment",
    metavar="NAME",
    help="sandbox (default), production or private.",
    shell_complete=completion_of("environments"),
)
@click.option(
    "--region",
    metavar="NAME",
    help="A region of the environment; default: us.",
    shell_complete=completion_of("regions"),
)
@click.option("--instance", metavar="NAME", help="The subdomain of a private instance.")
@click.option(
    "--auth", metavar="METHOD", help="api_key (default), oauth2 or bearer.", shell_complete=completion_of("methods")
)
@click.option("--name", metavar="NAME", help="The connection's name; default: where it leads.")
@click.option(
    "--ci",
    metavar="SYSTEM",
    help="Write a CI file as well: github, gitlab or none (default).",
    shell_complete=completion_of("ci_systems"),
)
@click.option("--force", is_flag=True, help="Overwrite what is there.")
@common_flags
def command(options: Options, *, force: bool, **flags: str | None) -> int:
    """Write a commented connections.yaml.

    And the lines of .gitignore that belong to it. On a terminal it asks for what no flag says; elsewhere, and with --no-input, the defaults stand.
    """
    from connform.engine import init

    if options.files:
        message = "init writes connections.yaml into the current folder: change into another one instead of --file"
        raise UsageProblem(message)
    _refuse_to_overwrite(force, init.MANIFEST, "connections")
    may_ask = is_attended() and not options.no_input

    def choose(flag: str, default: str, allowed: Collection[str] | Callable[[str], bool]) -> str:
        """Return the value of a flag, else a person's answer, else the default."""
        check = _checker(flag, allowed)
        given = flags[flag]
        if given is not None or not may_ask:
            return check(default if given is None else given)
        choices = "" if callable(allowed) else f" ({', '.join(allowed)})"
        advice = "".join(f"  {one}: {when}\n" for one, when in allowed.items()) if isinstance(allowed, dict) else ""
        answer: str = click.prompt(f"{advice}{flag}{choices}", default, value_proc=check, err=True)
        return answer

    environment = choose("environment", "sandbox", init.environments())
    regions = init.regions(environment)
    if flags["instance" if regions else "region"] is not None:
        raise UsageProblem("--region belongs to sandbox and production, --instance to private")
    region_or_instance = (
        choose("region", regions[0], regions) if regions else choose("instance", "acme", init.is_instance)
    )
    auth = choose("auth", "api_key", init.methods())
    name = choose(
        "name", f"{environment}-{region_or_instance}" if regions else f"{region_or_instance}-private", init.is_name
    )
    ci = choose("ci", _NO_CI, [_NO_CI, *init.CI_FILES])
    answers = init.Answers(name, environment, region_or_instance, auth)

    texts = {init.MANIFEST: init.manifest(answers)}
    if ci != _NO_CI:
        _refuse_to_overwrite(force, init.CI_FILES[ci])
        texts[init.CI_FILES[ci]] = init.ci_file(ci)
    ignores = Path(".gitignore")
    before = _read(ignores).decode("utf-8", "surrogateescape") if os.path.lexists(ignores) else ""
    if (after := init.ignore(before)) != before:
        texts[str(ignores)] = after
    for path, text in texts.items():
        with suppress(OSError):  # `save` reports the error
            make_folder(str(Path(path).parent))
        save(path, text.encode("utf-8", "surrogateescape"))
        if not options.quiet:
            write_stdout(f"wrote {path}\n")
    if not options.quiet:
        write_stdout("".join(f"next: {step}\n" for step in init.next_steps(answers, ci)))
    return 0


def _read(file: Path) -> bytes:
    from connform.manifest.links import Links
    from connform.regular_files import read_regular

    try:
        return read_regular(Links().follow(str(file)), _MAX_BYTES)
    except OSError as error:
        raise UsageProblem(f"can't read {file}: {error.strerror}") from error


def _refuse_to_overwrite(force: bool, *paths: str) -> None:
    for path in paths:
        if not force and os.path.lexists(path):
            message = f"{path} is there already"
            raise UsageProblem(message, "--force overwrites it, or adds connections.yaml beside the folder")


def _checker(flag: str, allowed: Collection[str] | Callable[[str], bool]) -> Callable[[str], str]:
    """Return a function that returns a valid value and refuses any other."""

    def check(value: str) -> str:
        if callable(allowed):
            if not allowed(value):
                message = f"--{flag} takes small letters, digits and hyphens, and starts with a letter or a digit"
                raise UsageProblem(message)
        elif value not in allowed:
            raise UsageProblem(f"--{flag} takes {' or '.join(allowed)}", did_you_mean(value, allowed))
        return value

    return check
