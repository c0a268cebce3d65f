"""A command that is forked is what a new interpreter makes of it."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.end_to_end.plugins import install
from tests.end_to_end.running import COMMAND, command_environment, complete, manifest, run, run_program, start_program

COMMANDS = (
    ["--version"],
    ["validate"],
    ["validate", "wrong.yaml"],
    ["list", "--format", "json"],
    ["show", "one"],
    ["formats"],
    ["frobnicate"],
    ["validate", "-f", "-"],
)


def test_its_end_and_its_outputs_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text(manifest(one={"base_url": "https://localhost:1"}))
    (tmp_path / "wrong.yaml").write_text("version: 1\nconnections: {one: {region: mars}}\n")
    for argv in COMMANDS:
        stdin = manifest(given={"base_url": "https://localhost:1"})
        variables = {"HOME": str(tmp_path), "NO_COLOR": "1"}
        forked = run(*argv, cwd=tmp_path, env=variables, stdin=stdin)
        started = run_program(COMMAND, *argv, cwd=tmp_path, env=command_environment(variables), stdin=stdin)
        assert (forked.code, forked.out, forked.err) == (started.code, started.out, started.err), argv


def test_it_has_its_own_plug_ins_and_leaves_them_to_none(tmp_path: Path) -> None:
    source = "class Format:\n    def render(self, view, **options):\n        return 'rendered'\nFORMAT = Format()\n"
    variables = install(tmp_path / "plugins", source, {"connform.formats": "acme = acme_plugin:FORMAT"})
    (tmp_path / "connections.yaml").write_text(manifest(one=complete({"base_url": "https://localhost:1"})))
    with_format = ("validate", "--format", "acme")
    assert run(*with_format, cwd=tmp_path, env=variables).out == "rendered"
    assert run(*with_format, cwd=tmp_path).code == 64


def test_it_ignores_the_signals_that_its_parent_ignores_by_then(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import signal; print([int(signal.getsignal(n)) for n in (signal.SIGHUP, signal.SIGTERM)])")
    run("--version", cwd=tmp_path)  # the server is there
    before = signal.getsignal(signal.SIGHUP)
    seen = []
    for handler in (signal.SIG_IGN, signal.SIG_DFL):
        signal.signal(signal.SIGHUP, handler)
        seen.append(start_program(program, env={}).communicate()[0])
    signal.signal(signal.SIGHUP, before)
    assert seen == ["[1, 0]\n", "[0, 0]\n"]


def test_many_that_end_at_once_are_told_of_each(tmp_path: Path) -> None:
    run("--version", cwd=tmp_path)  # the server is there
    with ThreadPoolExecutor(24) as threads:
        assert {ended.code for ended in threads.map(lambda _: run("--version", cwd=tmp_path), range(100))} == {0}
