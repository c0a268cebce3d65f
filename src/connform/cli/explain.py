"""`connform explain`: prints what a code means, or the list of all codes. Layer 5. IO: standard output."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import click

from connform.cli.flag_values import completion_of
from connform.cli.flags import TEXT_OR_JSON, common_flags
from connform.cli.inert import Syntax
from connform.cli.options import Options
from connform.cli.output import row_width, write_output
from connform.cli.usage import UsageProblem, did_you_mean
from connform.cli.verb import Verb

if TYPE_CHECKING:
    from connform.engine.explain import Explanation

_WIDTH = 79


@click.command(
    cls=Verb,
    examples={
        "connform explain unknown-key": "what a diagnostic means, with an example",
        "connform explain auth_denied": "what a failed check means",
        "connform explain": "every code",
    },
    page="reference/diagnostics",
)
@click.argument("code", required=False, shell_complete=completion_of("codes"))
@common_flags(TEXT_OR_JSON)
def command(options: Options, *, code: str | None) -> int:
    """Say what a code means, why it is so and what to do.

    Without a code, lists them all: those of diagnostics, and the classes of failed checks.
    """
    from connform.engine.explain import explain, summaries

    codes = list(summaries())
    if code is None:
        names = ("code", "kind", "summary")
        content: object = [dict(zip(names, row, strict=True)) for row in codes]
        text = _listing(codes, row_width(options))
    elif code in (known for known, _, _ in codes):
        explanation = explain(code)
        content, text = explanation._asdict(), _page(explanation, min(row_width(options), _WIDTH))
    else:
        message = "no code of connform has that name; the codes of policies are explained where they are written"
        hint = did_you_mean(code, (known for known, _, _ in codes))
        raise UsageProblem(message, hint or "`connform explain` lists every code")
    if options.format == "json":
        write_output(json.dumps(content, indent=2, ensure_ascii=False) + "\n", options, Syntax.JSON)
    else:
        write_output(text, options)
    return 0


def _listing(codes: list[tuple[str, str, str]], width: int) -> str:
    from connform.reporters.table import fitted_rows

    return "".join(f"{line}\n" for line in fitted_rows(codes, width, (2, 1)))


def _page(explanation: Explanation, width: int) -> str:
    from connform.reporters.wrapping import paragraph

    blocks = [[f"{explanation.kind}[{explanation.code}]: {explanation.summary}"]]
    for label, text in (("", explanation.meaning), ("Why: ", explanation.reason), ("What to do: ", explanation.remedy)):
        blocks.append(paragraph(label + text if text else "", first="", rest="", width=width))
    for label, example in (("Bad:", explanation.bad), ("Good:", explanation.good)):
        blocks += [[label], _indented(example)] if example else []
    return "\n".join("".join(f"{line}\n" for line in block) for block in blocks if block)


def _indented(example: str) -> list[str]:
    lines = [line for line in example.splitlines() if not re.match("```", line)]
    return [f"    {line}".rstrip() for line in lines]
