"""What a stranger writes into a manifest, a file's name or an answer steers neither a CI system nor a terminal."""

from __future__ import annotations

import io
import json
import ssl
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import trustme

from connform.cli.inert import Syntax, inert
from connform.cli.main import main
from connform.cli.output import write_stderr, write_stdout
from connform.diagnostics import Diagnostic, Related, Severity, SourceExcerpt, Span
from connform.engine.connection_report import ConnectionReport, Remark, StageResult, Value
from connform.engine.report import Report
from connform.engine.report_parts import PlanSummary
from connform.faults import ExitCode, Stage, Verdict
from connform.reporters import FORMATS, has_messages
from connform.tracebacks import hidden_frames
from tests.cli.conftest import Connform, FakeEngine, Run
from tests.http.servers import Server, answer
from tests.reporters.readers_of_logs import commands, steering

WORDS = (
    "::add-mask::x", "\n::stop-commands::x", "\r  ::set-output name=a::b", "##[add-mask]x", "a ##[set-output name=a]b",
    "x" * 60 + " " + "y" * 40 + " ::save-state name=a::b", "\u2028::debug::x", "\t::error::x", "##vso[task.x]y",
    "##teamcity[x]", "\x1b]0;title\x07", "\x1b[2J", "\x9b2J", "\u202egpj", "\x00", "\ufeff", "\udce9", "\x7f",
    "] (]\"'<x>&`|\\", "::notice ::x", "\x1b[31mred",
)  # fmt: skip
WORD = "".join(WORDS)
_FILE = WORD.replace("\x00", "")
_SPAN = Span(_FILE, 3, 1, 3, 5)
_DIAGNOSTIC = Diagnostic(
    Severity.ERROR,
    "company-rule",
    WORD,
    WORD,
    _SPAN,
    WORD,
    WORD,
    WORD,
    (Related(WORD, _SPAN),),
    SourceExcerpt(WORD, 0, 4),
)
_CONNECTION = ConnectionReport(
    WORD, WORD, WORD, WORD, WORD, WORD, (WORD,), Verdict.FAILED, Stage.TLS, WORD, WORD, WORD, 0.1,
    (StageResult(Stage.TLS, "failed", 0.1, {"cert_issuer": WORD}),), (Remark(WORD, WORD),), ExitCode.COULD_NOT_VERIFY, _SPAN,
    {"token_url": WORD}, (Value(WORD, [WORD], WORD, _SPAN), Value(WORD, WORD, WORD, _SPAN)), "update", (), (WORD,),
)  # fmt: skip
MANIFEST = {
    "version": 1,
    "templates": {WORD: {"tags": [WORD]}},
    "connections": {
        WORD: {"region": WORD, WORD: WORD, "auth": {"method": WORD, "api_key": WORD}},
        "a": {"environment": "sandbox", "region": "us", "description": WORD, "owner": WORD, "extends": WORD},
        "b": {"environment": "sandbox", "region": WORD, "tags": [WORD, WORD], "auth": {WORD: {WORD: None}}},
    },
}
FINE = {
    "version": 1,
    "connections": {
        "a": {
            "environment": "sandbox",
            "region": "us",
            "description": WORD.replace("\udce9", ""),
            "owner": "##[add-mask]x",
            "auth": {"method": "api_key", "api_key": "env://A"},
        }
    },
}
POLICY = {
    "version": 1,
    "policies": {
        "company-rule": {
            "message": "x ##[add-mask]y ::stop-commands::z",
            "schema": {"properties": {"owner": {"const": "##[error]x ::debug::y"}}},
        }
    },
}


def assert_inert(run: Run, form: str = "text") -> None:
    obeyed = commands(run.out)
    if form == "github":
        lines = [line for line in run.out.splitlines() if line.startswith(("::error ", "::warning ", "::notice "))]
        obeyed = obeyed[len(lines) :]
    assert obeyed == []
    assert commands(run.err) == []
    assert "##vso[" not in run.out + run.err
    assert "##teamcity[" not in run.out + run.err
    assert steering(run.out) == []
    assert steering(run.err) == []


@pytest.mark.parametrize("form", FORMATS)
def test_no_field_of_a_report_steers_a_reader_of_any_format(
    connform: Connform, engine: FakeEngine, form: str, tmp_path: Path
) -> None:
    for command in ("validate", "check", "apply", "plan", "list", "show"):
        plan = PlanSummary(WORD, (WORD,))
        engine.result = Report(command, (_FILE,), (_DIAGNOSTIC,), (_CONNECTION,), 1, plan=plan)
        verb = ["show", "x"] if command == "show" else ["validate" if command == "plan" else command]
        run = connform(*verb, "-v", "--format", form, "--format", f"{form}={tmp_path}/report")
        assert_inert(run, form)
        if form not in {"text", "github"}:  # the same but for the width
            assert (tmp_path / "report").read_bytes() == run.out.encode()
        if form == "json":
            report = json.loads(run.out)
            assert report["diagnostics"][0]["detail"] == report["connections"][0]["message"] == WORD
        if form == "junit":
            ET.fromstring(run.out)


def test_the_help_of_a_rule_holds_no_markup_of_a_policy(connform: Connform, engine: FakeEngine) -> None:
    engine.result = Report(
        "validate", (), (_DIAGNOSTIC._replace(summary="<img src=x> [click](https://evil.example/)"),)
    )
    (rule,) = json.loads(connform("validate", "--format", "sarif").out)["runs"][0]["tool"]["driver"]["rules"]
    assert rule["help"]["markdown"] == r"\<img src=x\> \[click\](https\://evil.example/)"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("verbosity", [[], ["-q"], ["-vv"]])
def test_a_terminal_sees_colours_and_nothing_else(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, verbosity: list[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    engine.result = Report("check", (_FILE,), (_DIAGNOSTIC,), (_CONNECTION,), 1)
    main(["check", *verbosity])
    assert "\x1b[" in terminal.getvalue()
    assert steering(terminal.getvalue(), color=True) == []
    assert commands(terminal.getvalue()) == []


def _write(file: Path, content: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of a stranger's: names of files, names, values and policies."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    names = (
        "a\n::add-mask::t\n::stop-commands::x\n\x1b]0;pwn\x07z.yaml",
        "  ::debug::x.yaml",
        "##[add-mask]x.yaml",
        "\udce9.yaml",
    )
    for number, name in enumerate(names):
        content = json.dumps(MANIFEST if number else FINE)
        # Canonical layout or not: a `#` starts a comment, which no mask hides.
        (tmp_path / "connections").mkdir(exist_ok=True)
        (tmp_path / "connections" / name).write_text(f"{content}  #  ##[add-mask]x\n# ::debug::x\n  # ::debug::x\n")
    _write(tmp_path / "policies/p.yaml", POLICY)
    _write(tmp_path / "connections/policies/p.yaml", POLICY)
    return tmp_path


LINES = [
    *(["validate"], ["validate", "--fix"], ["list"], ["show", "::debug::a"], ["show", "a"], ["plan"], ["secrets", "check"]),
    *(["fmt", "--check"], ["fmt", "--diff"], ["fmt"], ["graph"], ["graph", "--format", "dot"], ["state", "list"]),
    *(["explain", "::debug::x"], ["explain", "##[add-mask]x"], ["##[add-mask]x"], ["--::debug::x"], ["token", "\n::debug::x"]),
    *(["apply", "--yes"], ["apply", "--plan", "\n::debug::x"], ["schema", "##[add-mask]x"], ["login"], ["login", "\x1b[2J"]),
    *(["logout", "##[add-mask]a"], ["request", "##[add-mask]a", "GET", "/"], ["exec", "a", "--", "\n::debug::x"]),
    *(["validate", "-f", "\n::debug::x"], ["validate", "--policy", "\n##[add-mask]x"], ["list", "-c", "\r::debug::x"]),
    *(["validate", "--output", "no/\n::debug::x"], ["validate", "--format", "##[add-mask]x"], ["init", "--name", "::debug::x"]),
    *(["simulator", "--fault", "x=##[add-mask]x"], ["list", "--changed-since", "\n::debug::x"], ["state", "show", "\n::debug::x"]),
]  # fmt: skip


@pytest.mark.parametrize("wrong", [True, False], ids=["invalid", "valid"])
def test_no_verb_repeats_what_steers(connform: Connform, hostile: Path, *, wrong: bool) -> None:
    if not wrong:
        for file in (hostile / "connections").glob("*.yaml"):
            if not file.name.startswith("a\n"):
                file.unlink()
    for argv in LINES:
        assert_inert(connform(*argv))


def test_what_a_server_says_of_itself_steers_nobody(connform: Connform, tmp_path: Path) -> None:
    stranger = trustme.CA(organization_name="##[add-mask]x ::debug::y ::debug::z\x1b[2J" + "w" * 40)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    stranger.issue_cert("localhost").configure_cert(context)
    with Server(answer(b""), tls=context) as server:
        connection = {
            "provider": "http",
            "base_url": f"https://localhost:{server.port}",
            "check": {"path": "/", "expect": {"body": {"const": {}}}},
            "auth": {"method": "api_key", "api_key": "env://HOME"},
        }
        _write(tmp_path / "m.yaml", {"version": 1, "connections": {"a": connection}})
        for form in FORMATS:
            run = connform("check", "-f", str(tmp_path / "m.yaml"), "--format", form)
            assert run.code == ExitCode.COULD_NOT_VERIFY
            assert "add-mask" in (run.out if has_messages(FORMATS[form]) else run.err)
            assert_inert(run, form)


def test_the_scopes_of_a_grant_steer_nobody(
    connform: Connform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("APP", "a")
    monkeypatch.setattr(sys, "stdin", io.StringIO("granted\n"))
    scopes = "profile \x1b]0;title\x07 ##[add-mask]x \u202e"
    tokens = {"access_token": "a", "refresh_token": "b", "token_type": "Bearer", "expires_in": 60, "scope": scopes}
    with Server(answer(json.dumps(tokens).encode(), "Content-Type: application/json")) as server:
        base = f"http://127.0.0.1:{server.port}"
        auth = {
            "method": "oauth2",
            "client_id": "a",
            "client_secret": "env://APP",
            "redirect_uri": "https://localhost/c",
        }
        auth |= {"authorize_url": f"{base}/a", "token_url": f"{base}/t"}
        connection = {
            "provider": "http",
            "base_url": base,
            "check": {"path": "/", "expect": {"body": {"const": {}}}},
            "auth": auth,
        }
        _write(tmp_path / "connections.yaml", {"version": 1, "connections": {"a": connection}})
        run = connform("login", "a", "--with-refresh-token")
    assert run.code == 0
    assert "a is granted profile" in run.out
    assert_inert(run)


def test_a_traceback_of_our_own_steers_nobody(connform: Connform, engine: FakeEngine) -> None:
    code = compile("def fail(): raise RuntimeError", "\n::debug::x\x1b[2J##[add-mask]x", "exec")
    names: dict[str, Any] = {}
    exec(code, names)
    try:
        names["fail"]()
    except RuntimeError as error:
        engine.result = error
    run = connform("validate")
    assert run.code == 70
    assert "RuntimeError" in run.err
    assert_inert(run)


def test_each_frame_that_was_left_out_has_its_line(connform: Connform, engine: FakeEngine) -> None:
    with pytest.raises(RuntimeError) as caught, hidden_frames():
        raise RuntimeError
    engine.result = caught.value
    run = connform("validate")
    assert "�" not in run.err
    lines = run.err.splitlines()
    start = lines.index("    frames that may hold a secret are left out:")
    assert __file__ in lines[start + 1]


def test_the_diff_of_an_ordinary_file_is_a_patch(
    connform: Connform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _write(tmp_path / "my file.yaml", FINE | {"connections": {}})
    text = (tmp_path / "my file.yaml").read_text()
    diff = connform("fmt", "--diff", "my file.yaml").out.splitlines()
    assert diff[:2] == ["--- my file.yaml", "+++ my file.yaml"]
    connform("fmt", "my file.yaml")
    assert [line[1:] for line in diff[3:] if line[0] == "-"] == text.splitlines()
    assert [line[1:] for line in diff[3:] if line[0] == "+"] == (tmp_path / "my file.yaml").read_text().splitlines()


@pytest.mark.parametrize("word", WORDS)
def test_text_stays_readable_and_data_the_same(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = json.dumps([word, f"\\{word}"], ensure_ascii=False)
    assert json.loads(inert(text, Syntax.JSON)) == [word, f"\\{word}"]
    assert inert(inert(text)) == inert(text)
    write_stdout(f"a\n{word}\n")
    write_stderr(f"a\n{word}\n")
    shown = capsys.readouterr()
    assert shown.out == shown.err
    assert commands(shown.out) == steering(shown.out) == []
    plain = "".join(char for char in word if char.isprintable() and char.isascii())
    assert plain in shown.out.replace("\u200b", "").replace("�", "").replace("\n", "").replace("\t", "")


@pytest.mark.parametrize("syntax", Syntax)
@pytest.mark.parametrize("color", [False, True])
def test_cr_lf_is_a_line_break_and_a_lone_cr_is_none(syntax: Syntax, *, color: bool) -> None:
    replaced = "\\u000d" if syntax is Syntax.JSON else "�"
    assert inert("{}\r\n[]\r\r\n1\r", syntax, color=color) == f"{{}}\r\n[]{replaced}\r\n1{replaced}"
    assert commands(inert("a\r\n::add-mask::x\r\n##[debug]x\r\n")) == []


def test_annotations_stay_commands_and_nothing_becomes_one() -> None:
    log = "::error title=x::a\n ::error title=x::a\n::add-mask::x\n::warning ::##[debug]x\n"
    assert commands(inert(log, Syntax.COMMANDS)) == ["error", "warning"]


def test_blanks_without_end_cost_no_time() -> None:
    text = " " * 1_000_000 + "x" + "#" * 1_000_000 + "a" * 1_000_000
    assert inert(text) == text
