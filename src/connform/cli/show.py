"""`connform show`: prints every effective value of one connection. Layer 5, no IO of its own."""

from __future__ import annotations

import click

from connform.cli.flag_values import completion_of
from connform.cli.flags import FILES, POLICIES, REPORT, common_flags
from connform.cli.options import Options
from connform.cli.reporting import emit
from connform.cli.verb import Verb


@click.command(
    cls=Verb,
    examples={
        "connform show customer-globex": "every value of one connection",
        "connform show customer-globex --origin": "and the line that each value comes from",
        "connform show customer-globex --format json": "for a program",
    },
    page="reference/manifest",
)
@click.argument("name", shell_complete=completion_of("connections"))
@click.option("--origin", is_flag=True, help="Say where each value comes from (in text, as -v does; JSON always does).")
@common_flags(FILES, POLICIES, REPORT)
def command(options: Options, *, name: str, origin: bool) -> int:
    """Show every effective value of one connection."""
    from connform.engine.inventory import show

    report = show(options.files, name, options.policies)
    emit(report, options._replace(verbose=max(options.verbose, int(origin))))
    return int(report.exit_code)
