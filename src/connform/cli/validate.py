"""`connform validate`: checks manifests offline. Layer 5. IO: with `--fix`, rewrites manifests, standard error."""

# ruff: noqa: PTH112, PTH120  (pathlib would cost start-up)

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING

import click

from connform.cli.flag_values import completion_of
from connform.cli.flags import FILES, POLICIES, REPORT, SELECTION, common_flags
from connform.cli.output import write_output, write_stderr
from connform.cli.reporting import emit
from connform.cli.usage import UsageProblem
from connform.cli.verb import Verb

if TYPE_CHECKING:
    from connform.cli.options import Options
    from connform.engine.fix import FixedManifest


@click.command(
    cls=Verb,
    examples={
        "connform validate": "the manifest of this folder, or of the nearest one above",
        "connform validate teams/billing -c customer-globex": "one connection of the manifests in a folder",
        "connform validate --fix": "correct what has one certain correction",
        "connform validate --format github --format sarif=connform.sarif": "in a CI job",
    },
    page="reference/diagnostics",
)
@click.argument("paths", nargs=-1, metavar="[PATH]...", shell_complete=completion_of("files"))
@click.option("--fix", "wants_fix", is_flag=True, help="First mend in the files what has one certain correction.")
@click.option("--diff", is_flag=True, help="With --fix: change nothing; print what would change.")
@click.option(
    "--by-root", is_flag=True, help="PATH… changed: check the manifests that each belongs to, root by root; for hooks."
)
@common_flags(FILES, POLICIES, SELECTION, REPORT)
def command(options: Options, paths: tuple[str, ...], *, wants_fix: bool, diff: bool, by_root: bool) -> int:
    """Check manifests offline, without secrets and network."""
    from connform.engine.validate import validate

    if diff and not wants_fix:
        raise UsageProblem(
            "--diff shows what --fix would mend", "give both, or see `connform fmt --diff` for the layout"
        )
    code = 0
    for files in _files_of_runs(options, paths) if by_root else [options.files + paths]:
        if wants_fix:
            _fix_files(files, options, is_dry_run=diff)
        report = validate(files, options.selection, options.policies)
        if not diff:
            emit(report, options)
        code = max(code, report.exit_code)
    return code


def _files_of_runs(options: Options, paths: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the files of each run: those of `-f` are one run, and each root of `paths` that isn't among them is another.

    Raises:
        UsageProblem: one report would replace another, or a policy belongs to no manifest, so that nothing would apply it.
    """
    from connform.engine.load.roots import manifests_for

    if options.output or any(file for _, file in options.formats):
        message = "--by-root makes several reports, and they would replace each other in one file"
        raise UsageProblem(message, "run connform once for each root, with `-f` and a file of its own")
    named = {os.path.normpath(file) for file in options.files}
    runs: dict[tuple[str, ...], None] = {options.files: None} if named else {}
    for path in paths:
        roots = manifests_for(path)
        if not roots and not (named or options.policies):
            message = f"{path}: no manifest lies beside this folder of policies, so nothing applies them"
            raise UsageProblem(message, "name the manifests with `-f`, and the policies with `--policy`")
        runs |= {(root,): None for root in roots if named.isdisjoint(map(os.path.normpath, _paths_that_include(root)))}
    return list(runs) or [()]


def _paths_that_include(root: str) -> tuple[str, ...]:
    """Return the paths that include a root: its own, and for a file its folder's."""
    return (root,) if os.path.isdir(root) else (root, os.path.dirname(root) or os.curdir)


def _fix_files(files: Sequence[str], options: Options, *, is_dry_run: bool) -> None:
    """Fix the files, or print what that would change; print what was fixed.

    Raises:
        UsageProblem: standard input is no file, a file can't be written, or only some connections are selected.
    """
    if "-" in files:
        message = "--fix writes files, and `-` is none"
        raise UsageProblem(message, "name the file, or mend what `connform validate -` says by hand")
    if options.connections or options.exclude or options.tags or options.changed_since:
        raise UsageProblem("--fix mends whole files: -c, --exclude, --tag and --changed-since choose connections")
    from connform.engine.fix import fix
    from connform.reporters.terminal import clean

    manifests = fix(files)
    if is_dry_run:
        from connform.engine.load.changed_files import diff_of

        write_output("".join(diff_of(manifests, clean)), options)
    for manifest in filter(attrgetter("mended"), manifests):
        if not is_dry_run:
            try:
                manifest.write()
            except OSError as error:
                raise UsageProblem(f"can't write {manifest.name}: {error.strerror}") from error
        if not options.quiet:
            verb = "would mend" if is_dry_run else "mended"
            write_stderr("".join(f"{clean(line)}\n" for line in _descriptions(manifest, verb)))


def _descriptions(manifest: FixedManifest, verb: str) -> Iterator[str]:
    for one in manifest.mended:
        yield f"{one.span}: {verb} {one.before} → {one.after}"
    yield f"{verb} {len(manifest.mended)} in {manifest.name}"
