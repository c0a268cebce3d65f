"""Help: what it lists, that it fits a terminal, that its examples are command lines, and the pages of the manual."""

from __future__ import annotations

import re
import shlex
from importlib import import_module
from operator import attrgetter
from pathlib import Path

import click
import pytest

from connform.cli import GROUPS, VERBS
from connform.cli.group import cli
from connform.cli.markdown import laid_out
from connform.cli.verb import Verb
from connform.engine.manual import Page, find_pages, pages
from connform.reporters import FORMATS
from tests.cli.conftest import Connform

ROOT = Path(__file__).parents[2]
CHEAP = {"check", "explain", "fmt", "graph", "help", "list", "plan", "providers", "schema", "show", "version"}
"""Verbs whose examples are run."""
GENERAL_FLAGS = {"--color", "--no-color", "--no-input", "-q", "--quiet", "-v", "--verbose", "--debug"}
COLUMNS, LINES = 80, 24
MAX_EXAMPLES = 4


def verb_command(verb: str) -> Verb:
    command = import_module(VERBS[verb][0]).command
    assert isinstance(command, Verb)
    return command


MARKDOWN = """\
# A page

Text that is **longer** than one line, with a [link](../reference/state.md#there), and [another](https://acme.example/).

- an item that is longer than one line of it
- `short`

| code | meaning |
|---|---|
| `a` | what `a` or \\| means, in a cell that is wrapped |

```console
$ code   stays
```
"""
LAID_OUT = """\
A page

Text that is longer than one line, with a
link (reference/state), and another
<https://acme.example/>.

- an item that is longer than one line of it
- `short`

code  meaning
`a`   what `a` or | means, in a cell that
      is wrapped

    $ code   stays
"""
EXAMPLES = [(verb, line) for verb in VERBS for line in verb_command(verb).examples]


@pytest.mark.parametrize("argv", [[], ["-f", "x"], ["--no-color"]])
def test_without_a_verb_an_overview_fits_the_smallest_terminal(connform: Connform, argv: list[str]) -> None:
    run = connform(*argv)
    lines = run.err.splitlines()
    assert (run.code, run.out) == (64, "")
    assert len(lines) <= LINES
    assert max(map(len, lines)) <= COLUMNS
    assert set(VERBS) <= set(re.findall(r"\w+", run.err))


def test_every_verb_is_in_one_group() -> None:
    assert sorted(verb for verbs in GROUPS.values() for verb in verbs) == sorted(VERBS)


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_describes_every_verb_and_every_shared_flag_once(connform: Connform, flag: str) -> None:
    out = connform(flag).out
    lines = [line.strip() for line in out.splitlines()]
    for verb, (_, text) in VERBS.items():
        assert sum(re.fullmatch(rf"{verb} +{re.escape(text)}", line) is not None for line in lines) == 1
    for option in (one for one in cli.params if isinstance(one, click.Option) and not one.hidden):
        assert sum(line.partition("  ")[0].split(" ")[0].strip(",") == option.opts[0] for line in lines) == 1
    assert set(FORMATS) <= set(re.findall(r"\w+", out))


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_is_complete(connform: Connform, verb: str) -> None:
    """Its first line is that of the table, it has examples and pages that exist, and it fits a terminal."""
    command = verb_command(verb)
    assert (command.help or "").splitlines()[0] == VERBS[verb][1]
    assert {flag for option in command.params for flag in option.opts} >= GENERAL_FLAGS
    assert 2 <= len(command.examples) <= MAX_EXAMPLES
    assert not command.page or [page.name for page in find_pages(command.page)] == [command.page]
    run = connform(verb, "--help")
    assert (run.code, run.err) == (0, "")
    assert run.out == connform("help", verb).out
    assert [line for line in run.out.splitlines() if len(line) >= COLUMNS] == []
    sections = re.findall(r"^(\w[\w ]+):$", run.out, re.MULTILINE)
    assert sections == ["Examples", "Options", "Global options", "Learn more"]
    assert "\b" not in run.out
    assert "\\b" not in run.out


@pytest.mark.parametrize(("verb", "line"), EXAMPLES, ids=[line for _, line in EXAMPLES])
def test_every_example_is_a_command_line_that_the_verb_takes(
    verb: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command_line = line.removeprefix('eval "$(').removesuffix(')"').partition(" | ")[0]
    program, *arguments = shlex.split(command_line)
    assert program == "connform"
    with click.Context(cli, info_name="connform") as context:
        name, command, rest = cli.resolve_command(context, arguments)
        assert (name, command is not None) == (verb, True)
        assert command
        command.make_context(verb, rest, parent=context)


@pytest.mark.parametrize(
    "line",
    [
        line
        for verb, line in EXAMPLES
        if verb in CHEAP and not re.search("svg|origin/|teams/|exitcode|refresh|--record", line)
    ],
)
def test_an_example_works_on_the_example_manifest(
    connform: Connform, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "connections.yaml").write_bytes((ROOT / "connections.yaml.example").read_bytes())
    run = connform(*shlex.split(line)[1:], *(["--simulate"] if line.split()[1] == "check" else []))
    assert (run.code, run.err) == (0, "")


def test_a_subcommand_has_the_help_of_its_command(connform: Connform) -> None:
    assert connform("help", "state", "list").out == connform("help", "state").out


def test_help_lists_the_pages_of_the_manual(connform: Connform) -> None:
    run = connform("help")
    assert run.out.startswith(connform("--help").out)
    listed = run.out[run.out.index("\nManual:\n") :]
    for page in pages():
        assert (page.name.count("/") > 1) == (f"  {page.name}  " not in listed)
    assert max(map(len, run.out.splitlines())) < COLUMNS


@pytest.mark.parametrize("name", ["guides/rotation", "rotation", "docs/guides/rotation.md", "guides rotation"])
def test_a_page_is_printed_by_its_name_or_its_last_part(connform: Connform, name: str) -> None:
    page = ROOT / "docs" / "guides" / "rotation.md"
    run = connform("help", *name.split())
    assert (run.code, run.out) == (0, page.read_text(encoding="utf-8"))


def test_what_only_the_tests_run_is_not_shown(connform: Connform) -> None:
    assert "<!--" in (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    assert "<!--" not in connform("help", "tutorial").out


@pytest.mark.parametrize("page", pages(), ids=attrgetter("name"))
def test_a_link_names_a_page_that_help_finds(page: Page) -> None:
    """Those that lead out of the manual are left out, and the folder of decisions, which has no page of its own."""
    named = re.findall(r" \(((?:guides|reference|explanation)(?:/[\w-]+)*)\)", laid_out(page, width=1000, color=False))
    assert [name for name in named if not find_pages(name) and name != "explanation/decisions"] == []


@pytest.mark.parametrize("page", pages(), ids=attrgetter("name"))
def test_a_page_laid_out_for_a_terminal_keeps_every_word(page: Page) -> None:
    """Those of tables are left out: a narrow column breaks long ones."""
    text = "\n".join(line for line in page.text.splitlines() if not re.match(r"\||\s*```", line))
    words = re.findall(r"[a-z]{4,}", re.sub(r"\]\([^)]*\)", "", text))
    assert set(words) <= set(re.findall(r"[a-z]{4,}", laid_out(page, width=COLUMNS, color=False)))


def test_a_page_is_laid_out_for_a_terminal(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text(MARKDOWN, encoding="utf-8")
    assert laid_out(Page("guides/page", file), width=44, color=False) == LAID_OUT
    assert laid_out(Page("guides/page", file), width=44, color=True).startswith("\x1b[1mA page\x1b[0m\n")
