"""`connform providers`: lists providers, shows a definition, replays its examples. Layer 5. IO: standard output."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from connform.cli.flag_values import completion_of
from connform.cli.flags import FILES, TEXT_OR_JSON, common_flags
from connform.cli.inert import Syntax
from connform.cli.options import Options
from connform.cli.output import row_width, write_output
from connform.cli.reporting import emit
from connform.cli.usage import UsageProblem, did_you_mean
from connform.cli.verb import Verb
from connform.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from connform.engine.providers import KnownProvider, Replay

_LEAST_IMPORTANT = (1, 2, 3)
"""Columns, the first to be cut on a narrow terminal first: the title or the example, the group, where it comes from."""


@click.command(
    cls=Verb,
    examples={
        "connform providers list": "every provider",
        "connform providers show github": "the addresses and answers of one",
        "connform providers test": "judge the examples of every provider",
    },
    page="guides/providers",
)
@click.argument("what", type=click.Choice(["list", "show", "test"]))
@click.argument("name", required=False, shell_complete=completion_of("providers"))
@common_flags(FILES, TEXT_OR_JSON)
def command(options: Options, *, what: str, name: str | None) -> int:
    """List the providers, show one, replay its examples.

    \b
    list         every provider: of the manifests, built in, of packages
    show NAME    its hosts, auth methods, check, answers and sources
    test [NAME]  whether each example means what it says, of all or of one
    """  # noqa: D301  (click's mark for lines that stay as they are)
    from connform.engine.providers import known_providers, mistakes, provider_names, replay_examples

    if what != "list" and (report := mistakes(options.files)).number_of(Severity.ERROR):
        emit(report, options)
        return int(report.exit_code)
    if what == "list":
        if name:
            raise UsageProblem("`providers list` takes no name")
        _write(options, [_row(one) for one in known_providers(options.files)], ("name", "title", "group", "from"))
        return 0
    chosen = list(known_providers(options.files, name or ""))
    if name and not chosen:
        hint = did_you_mean(name, provider_names(options.files))
        raise UsageProblem("no provider has that name", hint or "`connform providers list` lists them")
    if what == "show":
        if not name:
            raise UsageProblem("`providers show` takes the name of a provider")
        return _show(options, chosen[0])
    replays = [one for provider in chosen for one in replay_examples(provider)]
    rows = [_outcome(one) for one in replays] + [
        (one.name, "none", "", "") for one in chosen if not (one.entry or {}).get("examples")
    ]
    _write(options, rows, ("provider", "example", "means", "judged"))
    return int(any(one.means != one.judged for one in replays))


def _row(known: KnownProvider) -> tuple[str, ...]:
    from connform.manifest.harmless import mask_generated_text

    return known.name, mask_generated_text(known.title), known.group, known.origin


def _outcome(one: Replay) -> tuple[str, ...]:
    return one.provider, str(one.number), one.means, one.judged


def _show(options: Options, known: KnownProvider) -> int:
    from connform.manifest.harmless import mask_generated_text, masked
    from connform.reporters.text_provider import render_provider

    entry, title = masked(known.entry), mask_generated_text(known.title)
    if options.format == "json":
        content = {"name": known.name, "title": title, "from": known.origin, "definition": entry}
        write_output(json.dumps(content, indent=2, ensure_ascii=False) + "\n", options, Syntax.JSON)
    else:
        lines = render_provider(known.name, title, known.origin, entry, row_width(options))
        write_output("".join(f"{line}\n" for line in lines), options)
    return 0


def _write(options: Options, rows: Sequence[tuple[str, ...]], names: Iterable[str]) -> None:
    from connform.reporters.table import fitted_rows

    names = tuple(names)
    if options.format == "json":
        content = [dict(zip(names, row, strict=True)) for row in rows]
        write_output(json.dumps(content, indent=2, ensure_ascii=False) + "\n", options, Syntax.JSON)
    else:
        titles = tuple(name.upper() for name in names)
        lines = fitted_rows([titles, *rows], row_width(options), _LEAST_IMPORTANT)
        write_output("".join(f"{line}\n" for line in lines), options)
