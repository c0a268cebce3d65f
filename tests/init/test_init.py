"""`connform init`: what a person has in an empty folder afterwards."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Protocol

import pexpect
import pytest

from connform import __version__
from connform.cli.main import main
from connform.engine.init.choices import Choices
from connform.engine.init.files import CI_FILES
from connform.secrets import BACKENDS
from tests.canary import API_KEY
from tests.conftest import require_peer
from tests.end_to_end.running import COMMAND, Run, run_program

DEFAULT = Choices("iinked-sign")
PLACES = [
    (environment, flag, place)
    for environment in DEFAULT.environments
    for flag, place in ([("--region", one) for one in DEFAULT.regions(environment)] or [("--set", "instance=acme")])
]
PATIENCE_S = 30
EXPECTED = """\
# Connections as code: where each one leads, and where its secret lies; never the secret itself.
# `connform validate` checks this file offline, `connform check` asks the APIs, `connform fmt` lays it out.
version: 1

# stores: # where secrets lie, apart from who uses them; a reference is then local://NAME
#   local: {type: dotenv, path: .env}
# defaults: # merged under every connection of this file
#   owner: platform@acme.example

connections:
  iinked-sign-sandbox-us:
    provider: iinked-sign
    environment: sandbox # sandbox | production | private
    region: us # sandbox: us, eu; production: us, ca, eu
    auth: # a secret is a reference: FORMS
      method: api_key # server to server, for the data of your own organisation; else oauth2, bearer
      api_key: env://IINKED_SIGN_SANDBOX_US_API_KEY
    # tags: [ci] # for --tag
""".replace("FORMS", ", ".join(backend.form for backend in map(BACKENDS.__getitem__, ("env", "dotenv", "file"))))


class Init(Protocol):
    """Runs `connform init` in the test's folder, or another verb."""

    def __call__(self, *arguments: str, verb: str = "init", env: dict[str, str] | None = None) -> Run:
        """Return how it ended."""


@pytest.fixture
def connform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Init:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, verb: str = "init", env: dict[str, str] | None = None) -> Run:
        with monkeypatch.context() as patch:
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            return Run(main([verb, *arguments]), *capsys.readouterr(), elapsed_s=0)

    return run


def test_without_a_word_it_writes_a_manifest_and_says_what_comes_next(connform: Init, tmp_path: Path) -> None:
    ended = connform()
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        "wrote connections.yaml\nwrote .gitignore\nnext: connform validate\n"
        "next: set IINKED_SIGN_SANDBOX_US_API_KEY in the environment, then: connform check\n"
    )
    assert (tmp_path / "connections.yaml").read_text() == EXPECTED
    assert (tmp_path / ".gitignore").read_text() == ".env\n.connform/\n"


@pytest.mark.parametrize("method", DEFAULT.methods)
@pytest.mark.parametrize(("environment", "flag", "place"), PLACES, ids=lambda value: value.lstrip("-"))
def test_every_answer_gives_a_manifest_that_holds(
    connform: Init, tmp_path: Path, environment: str, flag: str, place: str, method: str
) -> None:
    made = connform("--environment", environment, flag, place, "--auth", method, "--quiet")
    assert (made.code, made.out, made.err) == (0, "", "")
    validated = connform("--format", "concise", verb="validate")
    assert (validated.code, validated.out) == (0, "")
    assert connform("--check", verb="fmt").code == 0
    assert connform("--simulate", verb="check").code == 0


def test_the_manifest_works_once_its_variable_is_set(connform: Init) -> None:
    connform("--set=instance=nowhere", "--environment=private", "--name=acme")
    missing, found = (
        connform("--format=json", verb="check", env=env).report for env in ({}, {"ACME_API_KEY": API_KEY})
    )
    assert missing["connections"][0]["class"] == "secret_not_found"
    assert found["connections"][0]["stage"] != "secret"


def test_where_a_person_has_to_consent_the_next_step_is_a_login(connform: Init) -> None:
    ended = connform("--auth", "oauth2", "--name", "globex")
    assert "next: write your own client_id and redirect_uri into connections.yaml: these are examples\n" in ended.out
    assert "next: set GLOBEX_CLIENT_SECRET in the environment, then: connform login globex\n" in ended.out


@pytest.mark.parametrize("system", CI_FILES)
def test_a_ci_file_fits_the_systems_official_schema(connform: Init, tmp_path: Path, system: str) -> None:
    ended = connform("--ci", system)
    assert f"wrote {CI_FILES[system]}\n" in ended.out
    schema = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci"}[system]
    checker = require_peer("check-jsonschema")
    checked = run_program(checker, "--builtin-schema", schema, CI_FILES[system], cwd=tmp_path)
    assert checked.code == 0, checked.out


@pytest.mark.parametrize(
    ("system", "address"),
    [("github", "acme/connform@v"), ("gitlab", "git+https://git.acme.example/connform@v")],
)
def test_a_ci_file_says_where_an_address_has_to_be_replaced(
    connform: Init, tmp_path: Path, system: str, address: str
) -> None:
    ended = connform("--ci", system)
    assert f"next: write into {CI_FILES[system]} where your copy of connform is" in ended.out
    (line,) = [line for line in (tmp_path / CI_FILES[system]).read_text().splitlines() if "# where your copy" in line]
    assert f"{address}{__version__}" in line


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("node_modules", "node_modules\n.env\n.connform/\n"),
        (".env\n", ".env\n.connform/\n"),
        ("/.env\r\n.connform\r\n", "/.env\r\n.connform\r\n"),
        ("caf\udce9/\n", "caf\udce9/\n.env\n.connform/\n"),
    ],
    ids=["no line break at the end", "one is there", "both are there", "not UTF-8"],
)
def test_gitignore_gets_the_lines_that_it_lacks_and_keeps_the_others(
    connform: Init, tmp_path: Path, before: str, after: str
) -> None:
    (tmp_path / ".gitignore").write_bytes(os.fsencode(before))
    assert connform().code == 0
    assert (tmp_path / ".gitignore").read_bytes() == os.fsencode(after)


@pytest.mark.parametrize("there", ["connections.yaml", "connections/a.yaml", ".github/workflows/connform.yml"])
def test_what_is_there_already_is_kept(connform: Init, tmp_path: Path, there: str) -> None:
    (tmp_path / there).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / there).write_text("precious\n")
    ended = connform("--ci", "github")
    assert (ended.code, ended.out) == (64, "")
    assert "is there already" in ended.err
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert [file.read_text() for file in files] == ["precious\n"]


def test_force_overwrites_it(connform: Init, tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text("precious\n")
    assert connform("--force").code == 0
    assert (tmp_path / "connections.yaml").read_text() == EXPECTED


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--environment", "prod"], "--environment takes sandbox or production or private"),
        (["--region", "ca"], "--region takes us or eu"),
        (["--environment", "production", "--region", "usa"], "did you mean `us`?"),
        (["--auth", "apikey"], "did you mean `api_key`?"),
        (["--name", "Acme US"], "--name takes small letters"),
        (["--ci", "gitlap"], "did you mean `gitlab`?"),
        (["--environment", "private", "--region", "us"], "private has no regions: leave out --region"),
        (["--environment", "private"], "the connection needs instance: --set instance=acme"),
        (["--environment", "private", "--set", "instance=a.b"], "the instance is the subdomain alone"),
        (["--environment", "private", "--set", "base_url=acme"], "base_url: "),
        (["--set", "instance=acme"], "this connection has no setting instance"),
        (["--set", "instance"], "--set takes NAME=VALUE"),
        (["--provider", "iinked-sgn"], "did you mean `iinked-sign`?"),
        (["--provider", "http"], "another API needs `provider: http`"),
        (["-f", "other.yaml"], "doesn't take -f"),
    ],
    ids=" ".join,
)
def test_a_wrong_flag_writes_nothing(connform: Init, tmp_path: Path, arguments: list[str], words: str) -> None:
    ended = connform(*arguments)
    assert (ended.code, ended.out) == (64, "")
    assert words in ended.err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_way_is_told(connform: Init, tmp_path: Path) -> None:
    (tmp_path / ".github").write_text("a file")
    ended = connform("--ci", "github")
    assert ended.code == 64
    assert "can't write .github/workflows/connform.yml" in ended.err


@pytest.fixture
def terminal(tmp_path: Path) -> pexpect.spawn[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "dumb", "LANG": "C.UTF-8"}
    return pexpect.spawn(
        COMMAND, ["init"], cwd=str(tmp_path), env=environment, encoding="utf-8", timeout=PATIENCE_S, echo=False
    )


def test_on_a_terminal_it_asks_and_asks_again_after_a_wrong_answer(
    terminal: pexpect.spawn[str], tmp_path: Path
) -> None:
    terminal.logfile_read = said = io.StringIO()
    for question, answer in (
        (r"e-signature: .*iinked-sign.*provider \[iinked-sign\]: ", "iinked"),
        (r"error: provider takes .*; another\s+API .*provider \[iinked-sign\]: ", ""),
        (r"environment \(sandbox, production, private\) \[sandbox\]: ", "prod"),
        (r"error: environment takes sandbox or .*\[sandbox\]: ", "production"),
        (r"region \(us, ca, eu\) \[us\]: ", "ca"),
        (r"  api_key: server to server.*auth \(api_key, oauth2, bearer\) \[api_key\]: ", ""),
        (r"name \[iinked-sign-production-ca\]: ", "globex"),
        (r"ci \(none, github, gitlab\) \[none\]: ", "github"),
    ):
        terminal.expect(question)
        terminal.sendline(answer)
    terminal.expect("next: set GLOBEX_API_KEY in the environment, then: connform check")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
    too_wide = [line for line in said.getvalue().splitlines() if len(line) > 80 and "]: " not in line]
    assert not too_wide, "a terminal of 80 columns would break these in the middle of a word"
    assert (
        "  globex:\n    provider: iinked-sign\n    environment: production"
        in (tmp_path / "connections.yaml").read_text()
    )


def test_an_interrupted_question_writes_nothing(terminal: pexpect.spawn[str], tmp_path: Path) -> None:
    terminal.expect("provider")
    while terminal.isalive():  # Python's readline misses a Ctrl-C that comes just before it waits for a key
        terminal.sendintr()
        terminal.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=1)
    terminal.close()
    assert terminal.exitstatus == 130
    assert str(terminal.before).endswith("\r\n"), "the shell's prompt would stand behind the question"
    assert list(tmp_path.iterdir()) == []
