"""`connform init`: writes a first manifest from flags and answers. Layer 5. IO: questions, files of the current folder."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connform.cli.flag_values import completion_of
from connform.cli.flags import common_flags
from connform.cli.options import Options
from connform.cli.output import row_width, save, write_stdout
from connform.cli.questions import Questions
from connform.cli.saving import make_folder
from connform.cli.streams import is_attended
from connform.cli.usage import UsageProblem
from connform.cli.verb import Verb

if TYPE_CHECKING:
    from connform.engine.init.connection import Answers

_NO_CI = "none"
_ENVIRONMENT = "-"
"""What `--from-env` without a file stands for."""
_CLAUSE_END = re.compile(r"(?<=[,:]) ")
_MAX_BYTES = 1024 * 1024
"""The largest .gitignore that is read."""


@click.command(
    cls=Verb,
    examples={
        "connform init": "ask what the first connection is, and write connections.yaml",
        "connform init --environment production --region us --ci github": "with a workflow for GitHub",
        "connform init --provider github --auth token --name github": "another provider of `connform providers list`",
        "connform init --from-env .env": "a connection for each variable that a provider knows; copies no value",
    },
    page="reference/manifest",
)
@click.option(
    "--provider", metavar="NAME", help="The API; default: iinked-sign.", shell_complete=completion_of("described")
)
@click.option(
    "--environment",
    metavar="NAME",
    help="An environment of the API; default: its first.",
    shell_complete=completion_of("environments"),
)
@click.option(
    "--region",
    metavar="NAME",
    help="A region of the environment; default: its first.",
    shell_complete=completion_of("regions"),
)
@click.option(
    "--set",
    "settings",
    metavar="NAME=VALUE",
    multiple=True,
    help="A setting that the API needs: instance=acme. Repeatable.",
)
@click.option(
    "--auth",
    metavar="METHOD",
    help="An auth method of the API; default: one that needs no person and no app, if there is one.",
    shell_complete=completion_of("methods"),
)
@click.option("--name", metavar="NAME", help="The connection's name; default: where it leads.")
@click.option(
    "--ci",
    metavar="SYSTEM",
    help="Write a CI file as well: github, gitlab or none (default).",
    shell_complete=completion_of("ci_systems"),
)
@click.option(
    "--from-env",
    metavar="[FILE]",
    is_flag=False,
    flag_value=_ENVIRONMENT,
    help="Make connections of the variables in the environment, or in a dotenv file, by their names; no value is copied.",
)
@click.option("--force", is_flag=True, help="Overwrite what is there.")
@common_flags()
def command(
    options: Options, *, force: bool, from_env: str | None, settings: tuple[str, ...], **flags: str | None
) -> int:
    """Write a commented connections.yaml.

    And the lines of .gitignore that belong to it. On a terminal it asks for what no flag says; elsewhere, and with --no-input, the defaults stand.
    """
    from connform.engine.init import files

    _refuse_to_overwrite(force, files.MANIFEST, "connections")
    questions = Questions(flags, settings, may_ask=is_attended() and not options.no_input)
    if from_env is not None:
        given = [f"--{name}" for name, value in flags.items() if value is not None and name != "ci"]
        if given or settings:
            raise UsageProblem(
                f"--from-env finds the connections by itself: leave out {given[0] if given else '--set'}"
            )
        text, report = _from_variables(from_env)
    else:
        text, report = _from_answers(questions)
    ci = questions.choose("ci", [_NO_CI, *files.CI_FILES], _NO_CI)
    texts = {files.MANIFEST: text}
    if ci != _NO_CI:
        _refuse_to_overwrite(force, files.CI_FILES[ci])
        texts[files.CI_FILES[ci]] = files.ci_file(ci)
    ignores = Path(".gitignore")
    before = _read(ignores).decode("utf-8", "surrogateescape") if os.path.lexists(ignores) else ""
    if (after := files.ignore(before)) != before:
        texts[str(ignores)] = after
    _write(texts)
    if not options.quiet:
        lines = [*(f"wrote {path}" for path in texts), *report, *(f"next: {step}" for step in files.ci_steps(ci))]
        write_stdout("".join(f"{line}\n" for line in _fitting(lines, row_width(options))))
    return 0


def _fitting(lines: Sequence[str], width: int) -> list[str]:
    """Return lines that fit `width` columns; they are wrapped behind a comma or a colon, so that commands stay whole."""
    from connform.reporters.wrapping import fold

    return [part for line in lines for part in fold(_CLAUSE_END.split(line), rest=" " * len("next: "), width=width)]


def _from_answers(questions: Questions) -> tuple[str, list[str]]:
    """Return a manifest with one connection, and what to say of it."""
    from connform.engine.init import connection, files
    from connform.engine.init.choices import Choices

    choices = Choices(questions.provider())
    answers = questions.answers(choices)
    text = files.manifest(connection.lines(choices, answers))
    variables = " and ".join(reference.removeprefix("env://") for reference in answers.secrets.values())
    app = choices.app(answers.method)
    command = f"connform login {answers.name}" if choices.needs_login(answers.method) else "connform check"
    step = f"set {variables} in the environment, then: {command}" if variables else command
    examples = [f"next: write your own {' and '.join(app)} into {files.MANIFEST}: these are examples"] if app else []
    return text, ["next: connform validate", *examples, f"next: {step}"]


def _from_variables(source: str) -> tuple[str, list[str]]:
    """Return a manifest of the connections that variables make, and what to say of it."""
    from connform.engine.init import connection, files
    from connform.engine.init.recognize import recognize

    is_file = source != _ENVIRONMENT
    found = recognize(_variables(source) if is_file else list(os.environ), "local" if is_file else "env")
    if not found.connections:
        where = source if is_file else "the environment"
        raise UsageProblem(
            f"no variable in {where} has a name that a provider lists",
            "`connform init --provider NAME` asks what a connection needs; `connform providers list` has the names",
        )
    lines = [line for choices, answers in found.connections for line in connection.lines(choices, answers)]
    text = files.manifest(lines, f"local: {connection.flow_mapping(type='dotenv', path=source)}" if is_file else "")
    report = [f"{answers.name}: {_used(answers)}" for _, answers in found.connections]
    if is_file and found.unused:
        report.append(f"not known: {', '.join(found.unused)}")
    for choices, answers in found.connections:
        if missing := connection.to_fill_in(choices, answers):
            keys = (f"{key} ({answers.variables[key]} has it)" if key in answers.variables else key for key in missing)
            report.append(f"next: fill in, of {answers.name}: {', '.join(keys)}")
    return text, [*report, "next: connform validate", "next: connform check"]


def _used(answers: Answers) -> str:
    return ", ".join(reference.split("://")[1] for reference in answers.secrets.values() if reference)


def _variables(file: str) -> Sequence[str]:
    """Return the names of the variables in a dotenv file; their values go no further."""
    from connform.secrets.dotenv import MalformedLineError, parse_dotenv

    try:
        return list(parse_dotenv(_read(Path(file)).decode()))
    except (MalformedLineError, UnicodeDecodeError) as error:
        where = (
            f"line {error} of {file} is not NAME=value"
            if isinstance(error, MalformedLineError)
            else f"{file} is not UTF-8"
        )
    # Raised outside of the handler: else the chained exception would hold the text.
    raise UsageProblem(where)


def _write(texts: Mapping[str, str]) -> None:
    for path, text in texts.items():
        with suppress(OSError):  # `save` reports the error
            make_folder(str(Path(path).parent))
        save(path, text.encode("utf-8", "surrogateescape"))


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
